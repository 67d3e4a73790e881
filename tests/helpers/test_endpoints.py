"""The addresses lead where they say, and have AWS's form on AWS."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import websocket

from helpers import endpoints, functions, permissions
from helpers.local_aws import LocalAws
from helpers.workshop import Workshop

HANDLER = functions.package(
    texts={
        "index.py": "def handler(event, context):\n    return {'statusCode': 200, 'body': event['rawPath']}\n"
    }
)


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(response.read().decode())


@pytest.fixture
def aws_workshop(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A run with target="aws" whose AWS is the local one, by boto3's own settings."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", local_aws.account_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return Workshop("00", target="aws", region="eu-west-1")


def test_rest_api_answers_at_its_address(workshop: Workshop) -> None:
    rest = workshop.client("apigateway")
    api = rest.create_rest_api(name=workshop.name("api"))["id"]
    root = rest.get_resources(restApiId=api)["items"][0]["id"]
    resource = rest.create_resource(restApiId=api, parentId=root, pathPart="orders")["id"]
    method = {"restApiId": api, "resourceId": resource, "httpMethod": "GET"}
    rest.put_method(**method, authorizationType="NONE")
    rest.put_integration(**method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    rest.put_method_response(**method, statusCode="200")
    rest.put_integration_response(
        **method, statusCode="200", responseTemplates={"application/json": '{"orders": []}'}
    )
    rest.create_deployment(restApiId=api, stageName="v1")
    assert json.loads(fetch(endpoints.rest_api_url(workshop, api, "v1", "orders"))) == {"orders": []}


def test_http_api_and_function_url_answer_at_their_addresses(workshop: Workshop) -> None:
    role = permissions.create_role(workshop.client("iam"), workshop.name("web"), "lambda.amazonaws.com")
    lambda_, http = workshop.client("lambda"), workshop.client("apigatewayv2")
    arn = lambda_.create_function(
        FunctionName=workshop.name("web"),
        Runtime="python3.12",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": HANDLER},
    )["FunctionArn"]
    lambda_.get_waiter("function_active_v2").wait(FunctionName=workshop.name("web"))
    for principal, action in (("apigateway.amazonaws.com", "InvokeFunction"), ("*", "InvokeFunctionUrl")):
        lambda_.add_permission(
            FunctionName=arn,
            StatementId=action,
            Principal=principal,
            Action=f"lambda:{action}",
            **({"FunctionUrlAuthType": "NONE"} if principal == "*" else {}),
        )
    api = http.create_api(Name=workshop.name("web"), ProtocolType="HTTP")["ApiId"]
    integration = http.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    http.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{integration}")
    http.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    address = lambda_.create_function_url_config(FunctionName=arn, AuthType="NONE")["FunctionUrl"]
    assert fetch(endpoints.http_api_url(workshop, api, "/orders")).endswith("/orders")
    assert fetch(endpoints.function_url(workshop, address, "/orders")).endswith("/orders")


def test_websocket_api_answers_at_its_address(workshop: Workshop) -> None:
    http = workshop.client("apigatewayv2")
    api = http.create_api(
        Name=workshop.name("chat"), ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    http.create_stage(ApiId=api, StageName="v1")
    connection = websocket.create_connection(endpoints.websocket_url(workshop, api, "v1"), timeout=10)
    assert connection.connected
    connection.close()
    management = workshop.client(
        "apigatewaymanagementapi", endpoint_url=endpoints.connections_url(workshop, api, "v1")
    )
    with pytest.raises(management.exceptions.GoneException):
        management.post_to_connection(ConnectionId="nobody", Data=b"hello")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            lambda ws: endpoints.rest_api_url(ws, "abc", "v1", "/x"),
            "https://abc.execute-api.eu-west-1.amazonaws.com/v1/x",
        ),
        (
            lambda ws: endpoints.http_api_url(ws, "abc", "/x"),
            "https://abc.execute-api.eu-west-1.amazonaws.com/x",
        ),
        (
            lambda ws: endpoints.websocket_url(ws, "abc", "v1"),
            "wss://abc.execute-api.eu-west-1.amazonaws.com/v1",
        ),
        (
            lambda ws: endpoints.rest_api_url(ws, "abc", "v1", region="us-west-2"),
            "https://abc.execute-api.us-west-2.amazonaws.com/v1/",
        ),
        (
            lambda ws: endpoints.function_url(ws, "https://abc.lambda-url.eu-west-1.on.aws/", "x"),
            "https://abc.lambda-url.eu-west-1.on.aws/x",
        ),
    ],
)
def test_addresses_on_aws(aws_workshop: Workshop, address: Callable[[Any], str], expected: str) -> None:
    """API Gateway Developer Guide, "Invoke REST APIs"; Lambda Developer Guide, "Lambda function URLs"."""
    assert address(aws_workshop) == expected


def test_another_address_is_no_function_url(workshop: Workshop) -> None:
    with pytest.raises(ValueError, match="is no function URL"):
        endpoints.function_url(workshop, "https://example.com/")
