"""How the load generator sends one request. Imported after Locust, in its process only."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from helpers.load_plan import HttpRequest, InvokeRequest, Plan

FIRST_FAILING_STATUS = 400

# Sends one request; returns the HTTP status and why it failed, or None. Raises what stopped it.
Sender = Callable[[], tuple[int | None, str | None]]


def sender(plan: Plan) -> Sender:
    """A sender that sends once, and keeps connections open for all users to share."""
    if isinstance(plan.request, HttpRequest):
        return _http_sender(plan.request, plan)
    return _invoke_sender(plan.request, plan)


def _http_sender(request: HttpRequest, plan: Plan) -> Sender:
    """Directly, never through a proxy of the environment; a redirect is an answer and is not followed."""
    connections = urllib3.PoolManager(maxsize=plan.users, timeout=plan.timeout_s, retries=False)
    body = request.body.encode() or None
    headers = dict(request.headers)

    def send() -> tuple[int | None, str | None]:
        answer = connections.request(request.method, request.url, body=body, headers=headers, redirect=False)
        return answer.status, f"HTTP {answer.status}" if answer.status >= FIRST_FAILING_STATUS else None

    return send


def _invoke_sender(request: InvokeRequest, plan: Plan) -> Sender:
    """With the credentials of the environment; a throttled request has failed."""
    client = boto3.client(
        "lambda",
        region_name=request.region,
        endpoint_url=request.endpoint_url,
        config=Config(
            connect_timeout=plan.timeout_s,
            read_timeout=plan.timeout_s,
            retries={"total_max_attempts": 1},
            max_pool_connections=plan.users,
            proxies=request.proxies,
        ),
    )

    def send() -> tuple[int | None, str | None]:
        try:
            response = client.invoke(
                FunctionName=request.function_name, Qualifier=request.qualifier, Payload=request.payload
            )
        except ClientError as error:
            return int(error.response["ResponseMetadata"]["HTTPStatusCode"]), error.response["Error"]["Code"]
        answer = response["Payload"].read()
        failure = _error_type(answer) or response["FunctionError"] if "FunctionError" in response else None
        return int(response["StatusCode"]), failure

    return send


def _error_type(answer: bytes) -> str | None:
    """The errorType of a failed function; a function may return anything as its error."""
    error: Any = json.loads(answer or b"null")
    return str(error["errorType"]) if isinstance(error, dict) and "errorType" in error else None
