"""REST APIs invoke functions through mapping templates: the Lambda custom integration.

API Gateway developer guide, "Set up Lambda custom integrations in API Gateway", "Set up asynchronous
invocation of the backend Lambda function", "Handle Lambda errors in API Gateway".
"""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from deployed import DeployedFunction
from rest_apis import Answer, RestApi, create_role

from helpers.local_aws import LocalAws

SOURCE = """
import time

def handler(event, context):
    if "sleep_s" in str(event):
        time.sleep(9)
    if "fail" in event:
        raise ValueError(event["fail"])
    return {"event": event}
"""
AUTHORIZER = """
def handler(event, context):
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {
        "principalId": "reader",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"tenant": event["authorizationToken"]},
    }
"""
INTERNAL_ERROR = {"message": "Internal server error"}
REQUEST = """{"id": "$input.params('id')", "order": $input.json('$.order'), "stage": "$context.stage"}"""
RESPONSE = """{"got": $input.json('$.event'), "id": "$input.path('$.event.id')"}"""
FAILURE = """{"error": "$input.path('$.errorMessage')", "type": "$input.path('$.errorType')"}"""


@pytest.fixture
def function(deploy: Callable[..., DeployedFunction]) -> DeployedFunction:
    return deploy(SOURCE)


@pytest.fixture
def api(make_client: Callable[..., Any], local_aws: LocalAws) -> Iterator[RestApi]:
    created = RestApi(make_client("apigateway"), local_aws.endpoint_url)
    yield created
    created.delete()


def permit(function: DeployedFunction, api: RestApi, source: str) -> None:
    """`source` is what of the API may invoke the function, such as "*/GET/orders"."""
    function.client.add_permission(
        FunctionName=function.name,
        StatementId=f"api-{api.id}",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:111122223333:{api.id}/{source}",
    )


def invoking(function_name: str) -> dict[str, Any]:
    arn = f"arn:aws:lambda:us-east-1:111122223333:function:{function_name}"
    return {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
    }


def test_event_and_result_are_mapped(api: RestApi, function: DeployedFunction) -> None:
    permit(function, api, "*/POST/orders/{id}")
    api.integrate(
        api.method("/orders/{id}", "POST", ("path.id",)),
        Answer(201, template=RESPONSE),
        requestTemplates={"application/json": REQUEST},
        **invoking(function.name),
    )
    reply = api.call("POST", "/orders/7", {"order": {"lines": [1, 2]}})
    event = {"id": "7", "order": {"lines": [1, 2]}, "stage": "test"}
    assert (reply.status, reply.document) == (201, {"got": event, "id": "7"})


def test_without_templates_payloads_pass_as_they_are(api: RestApi, function: DeployedFunction) -> None:
    permit(function, api, "*/*/")
    for http_method, body, event in (("POST", {"statusCode": 418}, {"statusCode": 418}), ("GET", None, {})):
        api.integrate(api.method("/", http_method), Answer(), **invoking(function.name))
        reply = api.call(http_method, "/", body)
        assert (reply.status, reply.document) == (200, {"event": event})


def test_an_error_of_the_function_is_selected_by_its_message(
    api: RestApi, function: DeployedFunction
) -> None:
    permit(function, api, "*/POST/")
    api.integrate(
        api.method("/", "POST"),
        Answer(),
        Answer(404, pattern=r"NotFound:.*", template=FAILURE),
        Answer(500, pattern=r"(.|\n)+", template=FAILURE),
        **invoking(function.name),
    )
    assert api.call("POST", "/", {}).status == 200
    missing = api.call("POST", "/", {"fail": "NotFound: order 7"})
    assert (missing.status, missing.document) == (404, {"error": "NotFound: order 7", "type": "ValueError"})
    assert api.call("POST", "/", {"fail": "an error: NotFound: order 7"}).status == 500


def test_an_error_that_no_pattern_selects_is_a_success_with_the_error_in_it(
    api: RestApi, function: DeployedFunction
) -> None:
    """ "Handle Lambda errors ...": API Gateway handles the default as 200 OK."""
    permit(function, api, "*/POST/")
    api.integrate(api.method("/", "POST"), Answer(), **invoking(function.name))
    reply = api.call("POST", "/", {"fail": "broken"})
    assert reply.status == 200
    assert reply.document["errorMessage"] == "broken"


def test_a_function_may_be_invoked_asynchronously(
    api: RestApi, deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any]
) -> None:
    sqs, name = make_client("sqs"), f"invoked-{secrets.token_hex(4)}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:111122223333:{name}"
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}
    function = deploy(SOURCE, Role=create_role(make_client, name, send, service="lambda"))
    permit(function, api, "*/POST/")
    function.client.put_function_event_invoke_config(
        FunctionName=function.name,
        DestinationConfig={"OnSuccess": {"Destination": queue}},
    )
    api.integrate(
        api.method("/", "POST"),
        Answer(202),
        requestParameters={"integration.request.header.X-Amz-Invocation-Type": "'Event'"},
        **invoking(function.name),
    )
    reply = api.call("POST", "/", {"n": 1})
    assert (reply.status, reply.body) == (202, b"")
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert json.loads(message["Body"])["responsePayload"] == {"event": {"n": 1}}
    sqs.delete_queue(QueueUrl=url)


def test_a_payload_that_is_no_json_is_refused_by_lambda(api: RestApi, function: DeployedFunction) -> None:
    permit(function, api, "*/POST/")
    api.integrate(api.method("/", "POST"), Answer(), Answer(400, pattern="400"), **invoking(function.name))
    reply = api.call("POST", "/", b"no json")
    assert reply.status == 400
    assert "Could not parse request body into json" in reply.text


def test_the_function_is_named_by_a_stage_variable(api: RestApi, function: DeployedFunction) -> None:
    """ "Using API Gateway stage variables ...": in the ARN of the function."""
    permit(function, api, "*/GET/")
    api.integrate(
        api.method("/", "GET"),
        Answer(),
        variables={"function": function.name},
        **invoking("${stageVariables.function}"),
    )
    assert api.call("GET", "/").document == {"event": {}}


def test_without_a_permission_the_function_is_not_invoked(api: RestApi, function: DeployedFunction) -> None:
    permit(function, api, "*/POST/elsewhere")
    api.integrate(api.method("/", "POST"), Answer(), **invoking(function.name))
    reply = api.call("POST", "/", {})
    assert (reply.status, reply.document) == (500, INTERNAL_ERROR)


@pytest.mark.parametrize("kind", ["AWS", "AWS_PROXY"])
def test_a_function_that_takes_too_long_is_not_waited_for(
    api: RestApi, function: DeployedFunction, kind: str
) -> None:
    """API reference, "PutIntegration": timeoutInMillis; "Gateway response types": INTEGRATION_TIMEOUT."""
    permit(function, api, "*/POST/")
    api.integrate(
        api.method("/", "POST"),
        Answer(),
        **{**invoking(function.name), "type": kind, "timeoutInMillis": 500},
    )
    reply = api.call("POST", "/", {"sleep_s": 9})
    assert (reply.status, reply.document) == (504, {"message": "Endpoint request timed out"})


def test_templates_know_what_the_authorizer_says(
    api: RestApi, deploy: Callable[..., DeployedFunction]
) -> None:
    """ "Variables for data transformations for API Gateway": $context.authorizer."""
    authorizer = deploy(AUTHORIZER)
    authorizer_id = api.client.create_authorizer(
        restApiId=api.id,
        name="tokens",
        type="TOKEN",
        authorizerUri=invoking(authorizer.name)["uri"],
        identitySource="method.request.header.Authorization",
    )["id"]
    permit(authorizer, api, f"authorizers/{authorizer_id}")
    members = '{"tenant": "$context.authorizer.tenant", "who": "$context.authorizer.principalId"}'
    settings = {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
    guarded = api.method("/", "GET", authorizationType="CUSTOM", authorizerId=authorizer_id)
    api.integrate(guarded, Answer(template=members), **settings)
    reply = api.call("GET", "/", Authorization="t-1")
    assert (reply.status, reply.document) == (200, {"tenant": "t-1", "who": "reader"})
    assert api.call("GET", "/").status == 401


def test_templates_know_the_caller_of_a_signed_request(api: RestApi) -> None:
    """ "Variables for data transformations ...": $context.identity, for methods with IAM authorization."""
    settings = {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
    template = '{"arn": "$context.identity.userArn", "account": "$context.identity.accountId"}'
    api.integrate(api.method("/", "GET", authorizationType="AWS_IAM"), Answer(template=template), **settings)
    reply = api.signed_call("GET", "/")
    assert reply.document == {"arn": "arn:aws:iam::111122223333:root", "account": "111122223333"}
