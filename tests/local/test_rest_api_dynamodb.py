"""REST APIs call DynamoDB and other services directly, by a role and through mapping templates.

API Gateway developer guide, "Tutorial: Create a REST API with an AWS integration", "Set up an
integration response in API Gateway"; API reference, "PutIntegration": uri and credentials.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_apis import Answer, RestApi, create_role

from helpers.local_aws import LocalAws

ACCOUNT = "111122223333"
INTERNAL_ERROR = {"message": "Internal server error"}
ERROR = Answer(
    400,
    pattern=r"4\d{2}",
    template="""#set($error = $input.path('$'))
{"error": "$util.escapeJavaScript($error.message)$error.Message", "type": "$error.__type"}""",
)
PUT_ITEM = """{
  "TableName": "%s",
  "Item": {
    "pk": {"S": "$context.requestId"},
    "text": {"S": "$util.escapeJavaScript($input.path('$.text'))"},
    "tags": {"L": [
      #foreach($tag in $input.path('$.tags')){"S": "$tag"}#if($foreach.hasNext),#end#end
    ]}
  }
}"""
GET_ITEM = """{"TableName": "%s", "Key": {"pk": {"S": "$input.params('id')"}}}"""
ITEM = """#set($item = $input.path('$.Item'))
#if($item != "")
{"text": "$util.escapeJavaScript($item.text.S)", "tags": [
  #foreach($tag in $item.tags.L)"$tag.S"#if($foreach.hasNext),#end#end
]}
#else
#set($context.responseOverride.status = 404)
{"error": "no such item"}
#end"""


@pytest.fixture
def table(make_client: Callable[..., Any]) -> Iterator[str]:
    client, name = make_client("dynamodb"), f"items-{secrets.token_hex(4)}"
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    yield name
    client.delete_table(TableName=name)


@pytest.fixture
def api(make_client: Callable[..., Any], local_aws: LocalAws) -> Iterator[RestApi]:
    created = RestApi(make_client("apigateway"), local_aws.endpoint_url)
    yield created
    created.delete()


@pytest.fixture
def role_of(make_client: Callable[..., Any]) -> Callable[..., str]:
    """`role_of(actions, resource)`: the ARN of a role that API Gateway assumes."""

    def create(actions: list[str], resource: str, service: str = "apigateway") -> str:
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        return create_role(make_client, f"rest-{secrets.token_hex(4)}", statement, service=service)

    return create


def action(service: str, name: str) -> str:
    return f"arn:aws:apigateway:us-east-1:{service}:action/{name}"


def table_arn(name: str) -> str:
    return f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{name}"


def integrate(
    api: RestApi, path: str, http_method: str, name: str, role: str, request: str, ok: Answer
) -> None:
    parameters = ("path.id",) if "{id}" in path else ()
    api.integrate(
        api.method(path, http_method, parameters),
        ok,
        ERROR,
        type="AWS",
        integrationHttpMethod="POST",
        uri=action("dynamodb", name),
        credentials=role,
        requestTemplates={"application/json": request},
        passthroughBehavior="NEVER",
    )


@pytest.fixture
def direct(api: RestApi, table: str, role_of: Callable[..., str]) -> RestApi:
    """POST /items and GET /items/{id}, whose role may put and get, and DELETE, which it may not."""
    role = role_of(["dynamodb:PutItem", "dynamodb:GetItem"], table_arn(table))
    integrate(
        api,
        "/items",
        "POST",
        "PutItem",
        role,
        PUT_ITEM % table,
        Answer(template='{"id": "$context.requestId"}'),
    )
    integrate(api, "/items/{id}", "GET", "GetItem", role, GET_ITEM % table, Answer(template=ITEM))
    integrate(api, "/items/{id}", "DELETE", "DeleteItem", role, GET_ITEM % table, Answer())
    return api


def test_items_are_put_and_got_without_a_function(
    direct: RestApi, table: str, make_client: Callable[..., Any]
) -> None:
    put = direct.call("POST", "/items", {"text": 'say "hello"\n/ö', "tags": ["a", "b"]})
    assert put.status == 200
    key = put.document["id"]
    assert put.headers["x-amzn-requestid"] == key
    stored = make_client("dynamodb").get_item(TableName=table, Key={"pk": {"S": key}})["Item"]
    assert stored["text"] == {"S": 'say "hello"\n/ö'}
    got = direct.call("GET", f"/items/{key}")
    assert (got.status, got.document) == (200, {"text": 'say "hello"\n/ö', "tags": ["a", "b"]})


def test_a_template_overrides_the_status(direct: RestApi) -> None:
    """Developer guide, "Override your API's request and response parameters and status codes"."""
    missing = direct.call("GET", "/items/unknown")
    assert (missing.status, missing.document) == (404, {"error": "no such item"})


def test_what_the_role_may_not_do_is_answered_by_the_service_and_selected_by_its_status(
    direct: RestApi,
) -> None:
    denied = direct.call("DELETE", "/items/1")
    assert denied.status == 400
    assert denied.document["type"] == "com.amazon.coral.service#AccessDeniedException"
    assert "is not authorized to perform: dynamodb:DeleteItem" in denied.document["error"]
    assert ":assumed-role/rest-" in denied.document["error"]


def test_an_error_of_the_service_passes_through_the_default_response_as_it_is(
    api: RestApi, role_of: Callable[..., str]
) -> None:
    """ "Set up an integration response in API Gateway": without a pattern a response takes everything."""
    role = role_of(["dynamodb:Scan"], "*")
    api.integrate(
        api.method("/scan", "POST"),
        Answer(201),
        type="AWS",
        integrationHttpMethod="POST",
        uri=action("dynamodb", "Scan"),
        credentials=role,
    )
    reply = api.call("POST", "/scan", {"TableName": "no-such-table"})
    assert reply.status == 201
    # DynamoDB developer guide, "DynamoDB low-level API": SDKs leave the namespace out.
    assert reply.document["__type"] == "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
    assert "not found" in reply.document["message"]
    invalid = api.call("POST", "/scan", {"TableName": "no table"})
    assert invalid.document["__type"] == "com.amazon.coral.validate#ValidationException"


@pytest.mark.parametrize("broken", ["absent", "trusts another service"])
def test_a_role_that_api_gateway_may_not_assume_is_an_error_of_the_api(
    api: RestApi, role_of: Callable[..., str], broken: str
) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/absent"
    if broken != "absent":
        role = role_of(["dynamodb:*"], "*", service="lambda")
    api.integrate(
        api.method("/scan", "POST"),
        Answer(),
        type="AWS",
        integrationHttpMethod="POST",
        uri=action("dynamodb", "Scan"),
        credentials=role,
    )
    reply = api.call("POST", "/scan", {"TableName": "any"})
    assert (reply.status, reply.document) == (500, INTERNAL_ERROR)


def test_a_permission_that_is_taken_back_counts_at_once(
    direct: RestApi, table: str, make_client: Callable[..., Any]
) -> None:
    iam = make_client("iam")
    resources = direct.client.get_resources(restApiId=direct.id, embed=["methods"])["items"]
    (items,) = [each for each in resources if each["path"] == "/items"]
    role = items["resourceMethods"]["POST"]["methodIntegration"]["credentials"].rpartition("/")[2]
    assert direct.call("POST", "/items", {"text": "a", "tags": []}).status == 200
    iam.delete_role_policy(RoleName=role, PolicyName="allowed")
    assert direct.call("POST", "/items", {"text": "a", "tags": []}).status == 400


def test_a_template_that_makes_no_json_is_refused_by_dynamodb(direct: RestApi) -> None:
    """ "Variables for data transformations for API Gateway", $util.escapeJavaScript: single quotes."""
    refused = direct.call("POST", "/items", {"text": "it's", "tags": []})
    assert refused.status == 400
    assert refused.document["type"] == "com.amazon.coral.service#SerializationException"


def test_other_json_services_are_called_alike(
    api: RestApi, role_of: Callable[..., str], make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Tutorial: Create a REST API as an Amazon Kinesis proxy"."""
    kinesis, stream = make_client("kinesis"), f"stream-{secrets.token_hex(4)}"
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
    template = """{
      "StreamName": "$input.params('stream')",
      "Data": "$util.base64Encode($input.json('$.data'))",
      "PartitionKey": "$input.path('$.key')"
    }"""
    api.integrate(
        api.method("/streams/{stream}", "PUT", ("path.stream",)),
        Answer(),
        type="AWS",
        integrationHttpMethod="POST",
        uri=action("kinesis", "PutRecord"),
        credentials=role_of(["kinesis:PutRecord"], "*"),
        requestTemplates={"application/json": template},
    )
    reply = api.call("PUT", f"/streams/{stream}", {"data": {"n": 1}, "key": "k"})
    assert reply.status == 200
    shard = reply.document["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    (record,) = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert (json.loads(record["Data"]), record["PartitionKey"]) == ({"n": 1}, "k")
    kinesis.delete_stream(StreamName=stream)


def test_eventbridge_is_named_its_action_by_the_integration(
    api: RestApi, role_of: Callable[..., str]
) -> None:
    """API Gateway names no action to EventBridge: the header X-Amz-Target has to be mapped."""
    entry = {"Source": "shop", "DetailType": "order", "Detail": "{}"}
    settings = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": action("events", "PutEvents"),
        "credentials": role_of(["events:PutEvents"], "*"),
    }
    method = api.method("/events", "POST")
    api.integrate(method, Answer(), **settings)
    unnamed = api.call("POST", "/events", {"Entries": [entry]})
    assert "EventId" not in unnamed.text
    mapping = {
        "integration.request.header.X-Amz-Target": "'AWSEvents.PutEvents'",
        "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
    }
    api.integrate(method, Answer(), requestParameters=mapping, **settings)
    named = api.call("POST", "/events", {"Entries": [entry]})
    assert named.document["FailedEntryCount"] == 0


def test_a_queue_takes_messages_as_the_integrations_role(
    api: RestApi, role_of: Callable[..., str], make_client: Callable[..., Any]
) -> None:
    sqs, name = make_client("sqs"), f"queue-{secrets.token_hex(4)}"
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    settings = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": f"arn:aws:apigateway:us-east-1:sqs:path/{ACCOUNT}/{name}",
        "requestParameters": {
            "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
        },
        "requestTemplates": {
            "application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.json('$'))"
        },
    }
    method = api.method("/messages", "POST")
    denied = Answer(403, pattern=r"4\d{2}", template="$input.path('$.Error.Code')")
    api.integrate(method, Answer(), denied, credentials=role_of(["sqs:ReceiveMessage"], arn), **settings)
    assert api.call("POST", "/messages", {"order": 1}).text.startswith("AccessDenied")
    api.integrate(method, Answer(), denied, credentials=role_of(["sqs:SendMessage"], arn), **settings)
    sent = api.call("POST", "/messages", {"order": "é & 1"})
    result = sent.document["SendMessageResponse"]["SendMessageResult"]
    (message,) = sqs.receive_message(QueueUrl=queue_url)["Messages"]
    assert message["MessageId"] == result["MessageId"]
    assert json.loads(message["Body"]) == {"order": "é & 1"}


def test_a_query_action_whose_answer_is_not_known_in_json_is_refused(
    api: RestApi, role_of: Callable[..., str]
) -> None:
    api.integrate(
        api.method("/messages", "GET"),
        Answer(),
        type="AWS",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:sqs:path/{ACCOUNT}/any",
        credentials=role_of(["sqs:*"], "*"),
        requestTemplates={"application/json": "Action=ReceiveMessage"},
    )
    reply = api.call("GET", "/messages")
    assert (reply.status, reply.document) == (500, INTERNAL_ERROR)


def test_the_time_of_an_integration_is_limited(
    api: RestApi, make_client: Callable[..., Any], role_of: Callable[..., str]
) -> None:
    """API reference, "PutIntegration": timeoutInMillis; "Gateway response types": INTEGRATION_TIMEOUT."""
    states, name = make_client("stepfunctions"), f"slow-{secrets.token_hex(4)}"
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 5, "End": True}}}
    machine = states.create_state_machine(
        name=name,
        definition=json.dumps(definition),
        roleArn=role_of(["states:*"], "*", service="states"),
        type="EXPRESS",
    )["stateMachineArn"]
    api.integrate(
        api.method("/executions", "POST"),
        Answer(),
        type="AWS",
        integrationHttpMethod="POST",
        uri=action("states", "StartSyncExecution"),
        credentials=role_of(["states:StartSyncExecution"], "*"),
        requestTemplates={"application/json": json.dumps({"stateMachineArn": machine})},
        timeoutInMillis=300,
    )
    reply = api.call("POST", "/executions", {})
    assert (reply.status, reply.document) == (504, {"message": "Endpoint request timed out"})
    states.delete_state_machine(stateMachineArn=machine)


def test_binary_payloads_become_text_for_the_template(
    local_aws: LocalAws, table: str, role_of: Callable[..., str], make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Content type conversions in API Gateway"."""
    api = RestApi(make_client("apigateway"), local_aws.endpoint_url, binaryMediaTypes=["image/png"])
    template = f'{{"TableName": "{table}", "Item": {{"pk": {{"S": "1"}}, "image": {{"B": "$input.body"}}}}}}'
    api.integrate(
        api.method("/images", "POST"),
        Answer(),
        type="AWS",
        integrationHttpMethod="POST",
        uri=action("dynamodb", "PutItem"),
        credentials=role_of(["dynamodb:PutItem"], table_arn(table)),
        requestTemplates={"image/png": template},
        contentHandling="CONVERT_TO_TEXT",
    )
    image = bytes(range(256))
    assert api.call("POST", "/images", image, Content_Type="image/png").status == 200
    item = make_client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "1"}})["Item"]
    assert item["image"] == {"B": image}
    api.delete()
