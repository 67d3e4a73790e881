"""Integrations that could not work are refused when they are configured.

API Gateway API reference, "PutIntegration", "PutIntegrationResponse", "UpdateIntegration",
"UpdateIntegrationResponse", "PatchOperation"; developer guide, "Amazon API Gateway quotas".
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rest_apis import Answer, RestApi

from helpers.local_aws import LocalAws

ROLE = "arn:aws:iam::111122223333:role/any"
GET_ITEM = {
    "type": "AWS",
    "integrationHttpMethod": "POST",
    "uri": "arn:aws:apigateway:us-east-1:dynamodb:action/GetItem",
    "credentials": ROLE,
}
BAD_REQUEST, NOT_IMPLEMENTED = "BadRequestException", "NotImplementedException"
MAPPING = "Invalid mapping expression specified: Validation Result: warnings : [], errors : "


@pytest.fixture
def api(make_client: Callable[..., Any], local_aws: LocalAws) -> Iterator[RestApi]:
    created = RestApi(make_client("apigateway"), local_aws.endpoint_url)
    yield created
    created.delete()


def refusal(operation: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        operation(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"integrationHttpMethod": None}, BAD_REQUEST, "Enumeration value for HttpMethod must be non-empty"),
        ({"credentials": None}, BAD_REQUEST, "Role ARN must be specified for AWS integrations"),
        ({"uri": "no-arn"}, BAD_REQUEST, "Invalid ARN specified in the request"),
        ({"uri": ROLE}, BAD_REQUEST, "AWS ARN for integration must contain path or action"),
        (
            {"type": "AWS_PROXY"},
            BAD_REQUEST,
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
            "invocations.",
        ),
        ({"type": "HTTP", "uri": "ftp://x"}, BAD_REQUEST, "Invalid HTTP endpoint specified for URI"),
        ({"timeoutInMillis": 49}, BAD_REQUEST, "Timeout should be between 50 ms and 29000 ms"),
        ({"timeoutInMillis": 29_001}, BAD_REQUEST, "Timeout should be between 50 ms and 29000 ms"),
        ({"passthroughBehavior": "SOMETIMES"}, BAD_REQUEST, "Invalid value for passthroughBehavior"),
        (
            {"requestParameters": {"integration.request.querystring.q": "method.request.querystring.q"}},
            BAD_REQUEST,
            f"{MAPPING}[Invalid mapping expression parameter specified: method.request.querystring.q]",
        ),
        (
            {"requestParameters": {"integration.request.header.x": "no.such.source"}},
            BAD_REQUEST,
            f"{MAPPING}[Invalid mapping expression specified: no.such.source]",
        ),
        ({"uri": "arn:aws:apigateway:us-east-1:s3:path/bucket"}, NOT_IMPLEMENTED, "integrate with s3:path"),
        ({"uri": "arn:aws:apigateway:us-east-1:sns:action/Publish"}, NOT_IMPLEMENTED, "sns:action/Publish"),
        ({"integrationHttpMethod": "GET"}, NOT_IMPLEMENTED, "call dynamodb with GET"),
        ({"credentials": "arn:aws:iam::*:user/*"}, NOT_IMPLEMENTED, "credentials of the API's caller"),
        ({"tlsConfig": {"insecureSkipVerification": True}}, NOT_IMPLEMENTED, "tlsConfig"),
        ({"connectionType": "VPC_LINK", "connectionId": "link"}, NOT_IMPLEMENTED, "through a VPC link"),
        ({"responseTransferMode": "STREAM"}, NOT_IMPLEMENTED, "stream the response"),
    ],
)
def test_an_integration_is_refused(api: RestApi, changes: dict[str, Any], code: str, message: str) -> None:
    parameters = {name: value for name, value in {**GET_ITEM, **changes}.items() if value is not None}
    refused_code, refused_message = refusal(
        api.client.put_integration, **api.method("/", "GET"), **parameters
    )
    assert refused_code == code
    assert message in refused_message


def test_an_integration_response_belongs_to_a_method_response(api: RestApi) -> None:
    method = api.method("/", "GET")
    api.client.put_integration(**method, **GET_ITEM)
    put = api.client.put_integration_response
    assert refusal(put, **method, statusCode="200") == (
        "NotFoundException",
        "Invalid Response status code specified",
    )
    api.client.put_method_response(**method, statusCode="200")
    header = "method.response.header.X-Id"
    assert refusal(put, **method, statusCode="200", responseParameters={header: "'1'"}) == (
        BAD_REQUEST,
        f"{MAPPING}[Invalid mapping expression parameter specified: {header}]",
    )
    code, message = refusal(put, **method, statusCode="200", selectionPattern="(4")
    assert (code, message.partition(":")[0]) == (BAD_REQUEST, "Invalid selection pattern")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("/cacheClusterEnabled", "true", "cache the responses"),
        ("/tracingEnabled", "true", "X-Ray"),
        ("/canarySettings/percentTraffic", "10.0", "canary"),
        ("/accessLogSettings/destinationArn", "arn:aws:logs:us-east-1:1:log-group:x", "access log"),
        ("/*/*/logging/loglevel", "INFO", "execution log"),
        ("/~1items/GET/logging/dataTrace", "true", "execution log"),
    ],
)
def test_what_a_stage_would_not_do_is_refused(api: RestApi, path: str, value: str, message: str) -> None:
    """ "PatchOperation", Stage; "CreateStage", "CreateDeployment"."""
    api.mock("/", '{"statusCode": 200}', Answer())
    stage = {"restApiId": api.id, "stageName": "test"}
    asked = {"op": "replace", "path": path, "value": value}
    code, found = refusal(api.client.update_stage, **stage, patchOperations=[asked])
    assert (code, message in found) == (NOT_IMPLEMENTED, True)
    refused = [{"cacheClusterEnabled": True}, {"canarySettings": {"percentTraffic": 10.0}}]
    for settings in refused:
        assert refusal(api.client.create_deployment, **stage, **settings)[0] == NOT_IMPLEMENTED
    deployment = api.client.create_deployment(restApiId=api.id, tracingEnabled=False)["id"]
    named = {"restApiId": api.id, "stageName": "other", "deploymentId": deployment}
    assert refusal(api.client.create_stage, **named, tracingEnabled=True)[0] == NOT_IMPLEMENTED
    api.client.create_stage(**named, cacheClusterEnabled=False)


def test_settings_of_a_stage_that_ask_for_nothing_are_taken(api: RestApi) -> None:
    api.mock("/", '{"statusCode": 200}', Answer())
    unset = {
        "/cacheClusterEnabled": "false",
        "/*/*/logging/loglevel": "OFF",
        "/*/*/logging/dataTrace": "false",
        "/*/*/metrics/enabled": "true",
    }
    updated = api.client.update_stage(
        restApiId=api.id,
        stageName="test",
        patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in unset.items()],
    )
    assert updated["methodSettings"]["*/*"]["metricsEnabled"] is True


@pytest.mark.parametrize(
    ("member", "value"),
    [("minimumCompressionSize", 0), ("disableExecuteApiEndpoint", True), ("cloneFrom", "abcdef1234")],
)
def test_what_an_api_would_not_do_is_refused(api: RestApi, member: str, value: Any) -> None:
    """ "CreateRestApi"; "PatchOperation", RestApi."""
    assert refusal(api.client.create_rest_api, name="other", **{member: value})[0] == NOT_IMPLEMENTED
    asked = {"op": "replace", "path": f"/{member}", "value": str(value).lower()}
    code, _ = refusal(api.client.update_rest_api, restApiId=api.id, patchOperations=[asked])
    assert code == NOT_IMPLEMENTED


def test_templates_are_updated_by_their_escaped_content_type(api: RestApi) -> None:
    api.mock("/", '{"statusCode": 200}', Answer(template="before"), Answer(500, pattern="500"))
    root = api.client.get_resources(restApiId=api.id)["items"][0]["id"]
    method = {"restApiId": api.id, "resourceId": root, "httpMethod": "GET"}
    path = "application~1json"
    api.client.update_integration_response(
        **method,
        statusCode="200",
        patchOperations=[{"op": "replace", "path": f"/responseTemplates/{path}", "value": "after"}],
    )
    api.deploy()
    assert (api.call("GET", "/").status, api.call("GET", "/").text) == (200, "after")
    template = {"op": "replace", "path": f"/requestTemplates/{path}", "value": '{"statusCode": 500}'}
    timeout = {"op": "replace", "path": "/timeoutInMillis", "value": "1000"}
    updated = api.client.update_integration(**method, patchOperations=[template, timeout])
    assert updated["timeoutInMillis"] == 1000
    api.deploy()
    assert api.call("GET", "/").status == 500
    timeout["value"] = "10"
    assert refusal(api.client.update_integration, **method, patchOperations=[timeout])[0] == BAD_REQUEST
    assert api.client.get_integration(**method)["timeoutInMillis"] == 1000


def test_binary_media_types_are_added_and_removed(api: RestApi) -> None:
    """ "PatchOperation": RestApi, /binaryMediaTypes/image~1png."""
    path = {"path": "/binaryMediaTypes/image~1png"}
    update = api.client.update_rest_api
    added = update(restApiId=api.id, patchOperations=[{"op": "add", **path}])
    assert added["binaryMediaTypes"] == ["image/png"]
    removed = update(
        restApiId=api.id,
        patchOperations=[{"op": "remove", **path}, {"op": "replace", "path": "/name", "value": "renamed"}],
    )
    assert (removed["name"], removed.get("binaryMediaTypes", [])) == ("renamed", [])


def test_invoking_a_method_for_a_test_is_refused(api: RestApi) -> None:
    method = api.method("/", "GET")
    code, message = refusal(api.client.test_invoke_method, **method)
    assert (code, "TestInvokeMethod" in message) == (NOT_IMPLEMENTED, True)


def test_importing_an_api_is_refused(api: RestApi) -> None:
    """API Gateway API reference, "ImportRestApi"."""
    document = json.dumps({"openapi": "3.0.1", "info": {"title": "imported"}, "paths": {}})
    code, message = refusal(api.client.import_rest_api, body=document)
    assert (code, "ImportRestApi" in message) == (NOT_IMPLEMENTED, True)
