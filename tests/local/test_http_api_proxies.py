"""A proxy integration of an HTTP API passes on the function's answer, and hides its errors.

API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway",
"Troubleshooting issues with HTTP API Lambda integrations"; AWS re:Post Knowledge Center, "How do I map the
status codes returned by HTTP APIs in Amazon API Gateway?": malformed output of format 1.0 is answered by 500.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from deployed import DeployedFunction
from rest_apis import Reply, call

from helpers.local_aws import LocalAws

SOURCE = """
import json, time

def handler(event, context):
    asked = json.loads(event["body"])
    time.sleep(asked.get("sleep_s", 0))
    if "fail" in asked:
        raise ValueError(asked["fail"])
    return asked["output"]
"""
FORMATS = ("1.0", "2.0")
INTERNAL_ERROR = {"message": "Internal Server Error"}


@dataclass(frozen=True)
class Proxy:
    """Routes to one function, by the payload format that their integrations use."""

    function: DeployedFunction
    url: str

    def post(self, payload_format: str, asked: Any) -> Reply:
        return call(f"{self.url}/{payload_format}", "POST", asked)


@pytest.fixture
def make_proxy(
    make_client: Callable[..., Any], local_aws: LocalAws, deploy: Callable[..., DeployedFunction]
) -> Iterator[Callable[..., Proxy]]:
    """`make_proxy(TimeoutInMillis=500)`: an HTTP API; keywords go to CreateIntegration."""
    client, made = make_client("apigatewayv2"), []

    def make(function_timeout_s: int = 10, **integration: Any) -> Proxy:
        api_id = client.create_api(Name="http", ProtocolType="HTTP")["ApiId"]
        made.append(api_id)
        function = deploy(SOURCE, Timeout=function_timeout_s)
        function.client.add_permission(
            FunctionName=function.name,
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )
        for payload_format in FORMATS:
            integration_id = client.create_integration(
                ApiId=api_id,
                IntegrationType="AWS_PROXY",
                IntegrationUri=f"arn:aws:lambda:us-east-1:111122223333:function:{function.name}",
                PayloadFormatVersion=payload_format,
                **integration,
            )["IntegrationId"]
            target = f"integrations/{integration_id}"
            client.create_route(ApiId=api_id, RouteKey=f"POST /{payload_format}", Target=target)
        client.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
        return Proxy(function, f"{local_aws.endpoint_url}/_aws/execute-api/{api_id}/$default")

    yield make
    for api_id in made:
        client.delete_api(ApiId=api_id)


def test_answers_are_passed_on_and_errors_are_not(make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy()
    answer = {"statusCode": 201, "headers": {"x-order": "o-1"}, "body": '{"id": "o-1"}'}
    malformed = [{"statusCode": 200, "body": {}}, {"statusCode": "fine"}, {"statusCode": 2000}]
    for payload_format in FORMATS:
        reply = proxy.post(payload_format, {"output": answer})
        assert (reply.status, reply.headers["x-order"], reply.document) == (201, "o-1", {"id": "o-1"})
        reply = proxy.post(payload_format, {"output": {"statusCode": "204", "body": None}})
        assert (reply.status, reply.body) == (204, b"")
        for asked in ({"fail": "a secret"}, *({"output": output} for output in malformed)):
            reply = proxy.post(payload_format, asked)
            assert (reply.status, reply.document) == (500, INTERNAL_ERROR), (payload_format, asked)


def test_format_2_0_takes_other_output_for_the_body(make_proxy: Callable[..., Proxy]) -> None:
    """ "Create AWS Lambda proxy integrations ...": Lambda function response for format 2.0."""
    proxy = make_proxy()
    for output in ({"id": "o-1"}, ["o-1"], 5, {}):
        reply = proxy.post("2.0", {"output": output})
        assert (reply.status, reply.document) == (200, output)
        assert reply.headers["content-type"] == "application/json"
    assert proxy.post("2.0", {"output": "text"}).text == "text"
    for output in ({"id": "o-1"}, ["o-1"], 5, {}, "text", None):
        reply = proxy.post("1.0", {"output": output})
        assert (reply.status, reply.document) == (500, INTERNAL_ERROR), output


@pytest.mark.parametrize("payload_format", FORMATS)
def test_a_function_that_ends_late_or_never_begins_is_an_internal_error(
    make_proxy: Callable[..., Proxy], payload_format: str
) -> None:
    """Lambda developer guide, "Handling Lambda errors with an API Gateway API"."""
    proxy, answer = make_proxy(function_timeout_s=1), {"output": {"statusCode": 200}}
    reply = proxy.post(payload_format, {"sleep_s": 3, **answer})
    assert (reply.status, reply.document) == (500, INTERNAL_ERROR)
    name = {"FunctionName": proxy.function.name}
    proxy.function.client.put_function_concurrency(**name, ReservedConcurrentExecutions=0)
    reply = proxy.post(payload_format, answer)
    assert (reply.status, reply.document) == (500, INTERNAL_ERROR)
    proxy.function.client.delete_function_concurrency(**name)
    assert proxy.post(payload_format, answer).status == 200


def test_the_client_waits_no_longer_than_the_integration_allows(make_proxy: Callable[..., Proxy]) -> None:
    """API reference, "Integration": timeoutInMillis."""
    proxy = make_proxy(TimeoutInMillis=500)
    reply = proxy.post("2.0", {"sleep_s": 3, "output": {"statusCode": 200}})
    assert (reply.status, reply.document) == (503, {"message": "Service Unavailable"})
