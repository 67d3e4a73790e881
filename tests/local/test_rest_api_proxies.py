"""A proxy integration of a REST API passes on the function's answer, and hides its errors.

API Gateway developer guide, "Output format of a Lambda function for proxy integration" and "Handle Lambda
errors in API Gateway"; Lambda developer guide, "Handling Lambda errors with an API Gateway API".
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from deployed import DeployedFunction
from rest_apis import RestApi

from helpers.local_aws import LocalAws

SOURCE = """
import json

def handler(event, context):
    asked = json.loads(event["body"])
    if "fail" in asked:
        raise ValueError(asked["fail"])
    return asked["output"]
"""


@pytest.fixture
def api(make_client: Callable[..., Any], local_aws: LocalAws) -> Iterator[RestApi]:
    created = RestApi(make_client("apigateway"), local_aws.endpoint_url)
    yield created
    created.delete()


@pytest.fixture
def function(deploy: Callable[..., DeployedFunction]) -> DeployedFunction:
    return deploy(SOURCE)


@pytest.fixture
def proxy(api: RestApi, function: DeployedFunction) -> RestApi:
    """POST /orders of the API is handed to a function that fails or answers as the request says."""
    function.client.add_permission(
        FunctionName=function.name,
        StatementId=f"api-{api.id}",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    arn = f"arn:aws:lambda:us-east-1:111122223333:function:{function.name}"
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    api.integrate(api.method("/orders", "POST"), type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    return api


def test_answers_are_passed_on_and_errors_are_not(proxy: RestApi) -> None:
    answer = {"statusCode": 201, "headers": {"x-order": "o-1"}, "body": '{"id": "o-1"}'}
    reply = proxy.call("POST", "/orders", {"output": answer})
    assert (reply.status, reply.headers["x-order"], reply.document) == (201, "o-1", {"id": "o-1"})
    for output in ({"statusCode": "204"}, {"statusCode": 204, "body": None}):
        reply = proxy.call("POST", "/orders", {"output": output})
        assert (reply.status, reply.body) == (204, b"")
    malformed = ["text", None, ["a"], {"id": "o-1"}, {"statusCode": 200, "body": {}}, {"statusCode": "fine"}]
    for request in ({"fail": "a secret"}, *({"output": output} for output in malformed)):
        reply = proxy.call("POST", "/orders", request)
        assert (reply.status, reply.document) == (502, {"message": "Internal server error"}), request


def test_a_throttled_function_is_an_internal_error(proxy: RestApi, function: DeployedFunction) -> None:
    name = {"FunctionName": function.name}
    function.client.put_function_concurrency(**name, ReservedConcurrentExecutions=0)
    reply = proxy.call("POST", "/orders", {"output": {"statusCode": 200}})
    assert (reply.status, reply.document) == (500, {"message": "Internal server error"})
    function.client.delete_function_concurrency(**name)
    assert proxy.call("POST", "/orders", {"output": {"statusCode": 200}}).status == 200
