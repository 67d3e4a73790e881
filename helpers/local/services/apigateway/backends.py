"""What an integration calls: a function, an action of a service, a queue, an address, or nothing at all.

Source: developer guide, "Set up an integration request in API Gateway", "Set up Lambda custom
integrations in API Gateway", "Set up asynchronous invocation of the backend Lambda function", "Mock
integrations for REST APIs in API Gateway".
"""

import json
import re
import urllib.error
import urllib.request
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from ministack.core.responses import request_scope
from ministack.services import apigateway, lambda_svc

from helpers.local import contract
from helpers.local.patches.invoke_permissions_apis import allowed
from helpers.local.services.apigateway import action_errors, front_door, queues
from helpers.local.services.apigateway.execution import (
    INTERNAL_ERROR,
    Execution,
    ExecutionFailed,
    IntegrationReply,
    IntegrationRequest,
    configuration_error,
)
from helpers.local.services.apigateway.integration_uri import JSON_SERVICES, IntegrationUri, UriInvalid, parse
from helpers.local.services.apigateway.mapping import with_variables
from helpers.local.services.apigateway.role_sessions import credentials_of

DEFAULT_TIMEOUT_MS = 29_000
_MOCK_STATUS = re.compile(r"""["']?\bstatusCode["']?\s*:\s*(\d{3})\b""")

_open = contract.expect(apigateway, "_urlopen_async", ("request_or_url", "timeout_seconds"))
contract.expect(lambda_svc, "handle_request", ("method", "path", "headers", "body", "query_params"))


def mock(request: IntegrationRequest) -> IntegrationReply:
    """The request template says which status code the backend would have answered."""
    status = _MOCK_STATUS.search(request.body.decode(errors="replace"))
    if status is None:
        raise configuration_error(
            "Unable to parse statusCode. It should be an integer that is defined in the request template."
        )
    return IntegrationReply(int(status[1]), {}, b"", selection=status[1])


async def http(execution: Execution, request: IntegrationRequest) -> IntegrationReply:
    """Raises ExecutionFailed when the endpoint cannot be reached."""
    separator = "&" if "?" in request.uri else "?"
    query = urlencode(request.query, doseq=True)
    headers = {
        "accept": "application/json",
        "content-type": execution.request.headers.get("content-type", "application/json"),
        "user-agent": f"AmazonAPIGateway_{execution.api['id']}",
    }
    outgoing = urllib.request.Request(
        f"{request.uri}{separator}{query}" if query else request.uri,
        data=request.body or None,
        method=request.http_method,
        headers=headers | request.headers,
    )
    try:
        status, reply_headers, body = await _open(outgoing, DEFAULT_TIMEOUT_MS / 1000)
    except urllib.error.HTTPError as error:
        status, reply_headers, body = error.code, error.headers, error.read()
    except (OSError, ValueError) as error:
        raise configuration_error(f"{request.uri} cannot be reached: {error}") from error
    named = {name.lower(): value for name, value in reply_headers.items()}
    return IntegrationReply(status, named, body, selection=str(status))


def timeout_s(integration: dict[str, Any]) -> float:
    return int(integration.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS) / 1000


async def aws(execution: Execution, request: IntegrationRequest) -> IntegrationReply:
    """Raises ExecutionFailed."""
    try:
        uri = parse(request.uri)
    except UriInvalid as error:
        raise configuration_error(f"{request.uri}: {error}") from error
    if uri.function_arn:
        return await _function(execution, request, uri.function_arn)
    if uri.is_action:
        return await _action(execution, request, uri)
    if uri.is_queue:
        return await _queue(execution, request, uri)
    raise configuration_error(f"the local AWS has no integration with {uri.service}:{uri.kind}")


def _role(execution: Execution) -> str | None:
    role = execution.integration.get("credentials")
    return with_variables(role, {}, execution.stage_variables) if role else None


async def _function(execution: Execution, request: IntegrationRequest, function_arn: str) -> IntegrationReply:
    """By the Invoke API, whose header X-Amz-Invocation-Type makes the invocation asynchronous."""
    if not allowed(function_arn, execution.source_arn, _role(execution)):
        raise configuration_error(f"Invalid permissions on Lambda function {function_arn}")
    path = f"/2015-03-31/functions/{quote(function_arn, safe='')}/invocations"
    region, account_id = function_arn.split(":")[3:5]
    with request_scope(account_id, region):
        status, headers, body = await lambda_svc.handle_request(
            "POST", path, dict(request.headers), request.body or b"{}", {}
        )
    headers = {name.lower(): value for name, value in headers.items()}
    if status == 429 or status >= 500:
        reason = f"Lambda invocation failed with status: {status}. {body!r}"
        raise ExecutionFailed("INTEGRATION_FAILURE", INTERNAL_ERROR, reason)
    if status >= 400:
        return IntegrationReply(status, headers, body, selection=str(status))
    message = _error_message(body) if "x-amz-function-error" in headers else ""
    return IntegrationReply(status, headers, body, selection=message)


def _is_json(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except ValueError:
        return False
    return True


def _error_message(payload: bytes) -> str:
    try:
        document = json.loads(payload)
    except ValueError:
        return ""
    return str(document.get("errorMessage", "")) if isinstance(document, dict) else ""


async def _action(execution: Execution, request: IntegrationRequest, uri: IntegrationUri) -> IntegrationReply:
    if not _is_json(request.body):
        # The emulator would first look at who is asking.
        return action_errors.NOT_JSON
    service = JSON_SERVICES[uri.service]
    headers = {"content-type": f"application/x-amz-json-{service.json_version}"} | request.headers
    if service.target_prefix:
        headers["x-amz-target"] = f"{service.target_prefix}.{uri.target}"
    reply = await _send(execution, replace(request, headers=headers), uri, "/")
    return action_errors.as_written(service, reply)


async def _queue(execution: Execution, request: IntegrationRequest, uri: IntegrationUri) -> IntegrationReply:
    queues.check(request)
    return queues.as_json(await _send(execution, request, uri, f"/{uri.target}"))


async def _send(
    execution: Execution, request: IntegrationRequest, uri: IntegrationUri, path: str
) -> IntegrationReply:
    """Signed by the role that the integration names."""
    status, headers, body = await front_door.send(
        uri.service,
        uri.region,
        credentials_of(_role(execution)),
        request.http_method,
        path,
        request.query,
        request.headers,
        request.body,
    )
    return IntegrationReply(status, headers, body, selection=str(status))
