"""Asynchronous invocation: retries, expiry, destinations and dead letters."""

import json
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction, zipped

# Counts its attempts in /tmp and writes down the request id of each.
HANDLER = """
import json, os

def handler(event, context):
    path = "/tmp/" + event["id"]
    attempts = [*(json.load(open(path)) if os.path.exists(path) else []), context.aws_request_id]
    json.dump(attempts, open(path, "w"))
    if len(attempts) <= event.get("failures", 0):
        raise ValueError(f"failure {len(attempts)}")
    return attempts
"""
WAIT_S = 20


@pytest.fixture(scope="module")
def role(make_client: Callable[..., Any]) -> str:
    """A role that may send to every kind of destination."""
    return create_role(
        make_client,
        ["sqs:SendMessage", "sns:Publish", "lambda:InvokeFunction", "events:PutEvents", "s3:PutObject"],
    )


def create_role(make_client: Callable[..., Any], actions: list[str]) -> str:
    iam = make_client("iam")
    name = f"asynchronous-{secrets.token_hex(4)}"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    allow_only(make_client, arn, actions)
    return str(arn)


def allow_only(make_client: Callable[..., Any], role_arn: str, actions: list[str]) -> None:
    statement = {"Effect": "Allow", "Action": ["logs:*", *actions], "Resource": "*"}
    make_client("iam").put_role_policy(
        RoleName=role_arn.rpartition("/")[2],
        PolicyName="actions",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


class Queue:
    """A queue of one test."""

    def __init__(
        self, make_client: Callable[..., Any], policy_for: str | None = None, **attributes: str
    ) -> None:
        self._sqs = make_client("sqs")
        suffix = ".fifo" if attributes.get("FifoQueue") else ""
        name = f"queue-{secrets.token_hex(4)}{suffix}"
        self.url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:111122223333:{name}"
        if policy_for is not None:
            statement = {
                "Effect": "Allow",
                "Principal": {"Service": policy_for},
                "Action": "sqs:SendMessage",
                "Resource": self.arn,
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            self._sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})

    def receive(self, wait_s: int = WAIT_S) -> dict[str, Any]:
        answer = self._sqs.receive_message(
            QueueUrl=self.url, WaitTimeSeconds=wait_s, MessageAttributeNames=["All"]
        )
        assert "Messages" in answer, f"no message within {wait_s} s"
        message: dict[str, Any] = answer["Messages"][0]
        self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return message

    def receive_record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.receive()["Body"])
        return record

    def is_empty(self) -> bool:
        return "Messages" not in self._sqs.receive_message(QueueUrl=self.url)


@pytest.fixture
def queue(make_client: Callable[..., Any]) -> Queue:
    return Queue(make_client)


@pytest.fixture
def send(make_client: Callable[..., Any]) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Invoke asynchronously; returns the request id and the event."""

    def call(function: DeployedFunction, failures: int = 0, **parameters: Any) -> tuple[str, dict[str, Any]]:
        event = {"id": uuid.uuid4().hex, "failures": failures}
        answer = function.client.invoke(
            FunctionName=function.name, InvocationType="Event", Payload=json.dumps(event), **parameters
        )
        assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
        return answer["ResponseMetadata"]["RequestId"], event

    return call


def configure(function: DeployedFunction, **settings: Any) -> Any:
    return function.client.put_function_event_invoke_config(FunctionName=function.name, **settings)


def on_failure(arn: str) -> dict[str, Any]:
    return {"OnFailure": {"Destination": arn}}


def on_success(arn: str) -> dict[str, Any]:
    return {"OnSuccess": {"Destination": arn}}


def sum_of(make_client: Callable[..., Any], metric: str, function: DeployedFunction) -> float:
    answer = make_client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": "FunctionName", "Value": function.name}],
        StartTime=time.time() - 3600,
        EndTime=time.time() + 3600,
        Period=7200,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


def eventually(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return value


def test_a_failed_event_is_tried_three_times_and_reported(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, "Capturing records of Lambda asynchronous invocations", example record."""
    function = deploy(HANDLER, Role=role)
    configure(function, DestinationConfig=on_failure(queue.arn))
    request_id, event = send(function, failures=9)
    record = queue.receive_record()
    timestamp = record.pop("timestamp")
    assert len(timestamp) == len("2019-11-14T18:16:05.568Z")
    assert timestamp.endswith("Z")
    stack_trace = record["responsePayload"].pop("stackTrace")
    assert "raise ValueError" in "".join(stack_trace)
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"arn:aws:lambda:us-east-1:111122223333:function:{function.name}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {
            "errorMessage": "failure 3",
            "errorType": "ValueError",
            "requestId": request_id,
        },
    }


def test_a_retry_may_succeed_and_has_the_same_request_id(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, "How Lambda handles errors and retries with asynchronous invocation"."""
    function = deploy(HANDLER, Role=role)
    configure(function, DestinationConfig=on_success(queue.arn))
    request_id, _ = send(function, failures=2)
    record = queue.receive_record()
    assert record["requestContext"]["condition"] == "Success"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == [request_id] * 3


def test_the_second_wait_is_longer_than_the_first(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, ... asynchronous invocation: one minute, then two minutes."""
    source = HANDLER.replace("context.aws_request_id", "__import__('time').time()")
    function = deploy(source, Role=role)
    configure(function, DestinationConfig=on_success(queue.arn))
    send(function, failures=2)
    first, second, third = queue.receive_record()["responsePayload"]
    assert third - second > 1.3 * (second - first) > 0


@pytest.mark.parametrize("attempts", [0, 1])
def test_fewer_retries_when_configured(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue, send: Callable[..., Any], attempts: int
) -> None:
    """API reference, "PutFunctionEventInvokeConfig": MaximumRetryAttempts."""
    function = deploy(HANDLER, Role=role)
    configure(function, MaximumRetryAttempts=attempts, DestinationConfig=on_failure(queue.arn))
    send(function, failures=9)
    context = queue.receive_record()["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", attempts + 1)


def test_an_event_expires_before_a_retry_that_would_be_too_late(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """API reference, "PutFunctionEventInvokeConfig": MaximumEventAgeInSeconds. The minute before the
    first retry and the two before the second count in full, however short they are here."""
    function = deploy(HANDLER, Role=role)
    for age_s, invocations in ((60, 1), (170, 2)):
        configure(function, MaximumEventAgeInSeconds=age_s, DestinationConfig=on_failure(queue.arn))
        send(function, failures=9)
        context = queue.receive_record()["requestContext"]
        assert context["condition"] == "EventAgeExceeded"
        assert context["approximateInvokeCount"] == invocations


def test_a_throttled_event_waits_for_its_turn(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, ... asynchronous invocation: throttled events return to the queue, and their
    attempts do not count as retries."""
    function = deploy("import time\ndef handler(event, context):\n    time.sleep(0.3)\n", Role=role)
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    configure(function, MaximumRetryAttempts=0, DestinationConfig=on_success(queue.arn))
    sent = {send(function)[0] for _ in range(4)}
    contexts = [queue.receive_record()["requestContext"] for _ in range(4)]
    assert {context["requestId"] for context in contexts} == sent
    assert {context["approximateInvokeCount"] for context in contexts} == {1}


def test_a_throttled_event_expires(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, ... asynchronous invocation: throttled events are kept up to their maximum age."""
    function = deploy("import time\ndef handler(event, context):\n    time.sleep(6)\n", Role=role)
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    configure(function, MaximumEventAgeInSeconds=60, DestinationConfig=on_failure(queue.arn))
    send(function)
    time.sleep(0.5)
    late, event = send(function)
    record = queue.receive_record()
    assert record["requestContext"]["requestId"] == late
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert (record["requestPayload"], record["responseContext"]) == (event, {"statusCode": 429})
    assert "responsePayload" not in record


def test_without_reserved_concurrency_events_go_straight_to_the_destination(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, "Capturing records ...", note on reserved concurrency zero: without any retries."""
    function = deploy(HANDLER, Role=role)
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    configure(function, DestinationConfig=on_failure(queue.arn))
    send(function)
    record = queue.receive_record()
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record


def test_a_dead_letter_is_the_event_with_the_error_in_attributes(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, "Dead-letter queues": message attributes; in addition to a destination."""
    function = deploy(HANDLER, Role=role, DeadLetterConfig={"TargetArn": queue.arn})
    configure(function, MaximumRetryAttempts=0)
    request_id, event = send(function, failures=9)
    message = queue.receive()
    assert json.loads(message["Body"]) == event
    attributes = message["MessageAttributes"]
    assert {name: value["StringValue"] for name, value in attributes.items()} == {
        "RequestID": request_id,
        "ErrorCode": "200",
        "ErrorMessage": "failure 1",
    }
    assert attributes["ErrorCode"]["DataType"] == "Number"


def test_destination_and_dead_letter_queue_both_receive(
    deploy: Callable[..., DeployedFunction],
    role: str,
    queue: Queue,
    send: Callable[..., Any],
    make_client: Callable[..., Any],
) -> None:
    """API reference, "PutFunctionEventInvokeConfig": "in addition to or instead of a dead-letter queue"."""
    dead_letters = Queue(make_client)
    function = deploy(HANDLER, Role=role, DeadLetterConfig={"TargetArn": dead_letters.arn})
    configure(function, MaximumRetryAttempts=0, DestinationConfig=on_failure(queue.arn))
    request_id, event = send(function, failures=9)
    assert queue.receive_record()["requestContext"]["requestId"] == request_id
    assert json.loads(dead_letters.receive()["Body"]) == event


def test_settings_belong_to_the_version_or_alias_that_is_invoked(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, "Configuring error handling settings": on a function, a version, or an alias."""
    function = deploy(HANDLER, Role=role)
    function.client.publish_version(FunctionName=function.name)
    function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    configure(function, MaximumRetryAttempts=0, Qualifier="live", DestinationConfig=on_failure(queue.arn))
    send(function, failures=9)
    request_id, _ = send(function, failures=9, Qualifier="live")
    record = queue.receive_record()
    assert record["requestContext"]["requestId"] == request_id
    assert record["requestContext"]["functionArn"].endswith(f":{function.name}:live")
    assert record["responseContext"]["executedVersion"] == "1"
    assert queue.is_empty()


def test_the_other_destinations(
    deploy: Callable[..., DeployedFunction],
    role: str,
    queue: Queue,
    send: Callable[..., Any],
    make_client: Callable[..., Any],
) -> None:
    """Developer guide, "Capturing records ...": destination-specific JSON format, and the keys in S3."""
    function = deploy(HANDLER, Role=role)
    suffix = secrets.token_hex(4)

    sns = make_client("sns")
    topic = sns.create_topic(Name=f"outcomes-{suffix}")["TopicArn"]
    from_topic = Queue(make_client, policy_for="sns.amazonaws.com")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=from_topic.arn)
    configure(function, DestinationConfig=on_success(topic))
    request_id, _ = send(function)
    message = json.loads(from_topic.receive_record()["Message"])
    assert message["requestContext"]["requestId"] == request_id

    events = make_client("events")
    bus = events.create_event_bus(Name=f"outcomes-{suffix}")["EventBusArn"]
    from_bus = Queue(make_client, policy_for="events.amazonaws.com")
    pattern = json.dumps({"source": ["lambda"]})
    rule = {"EventBusName": f"outcomes-{suffix}"}
    events.put_rule(Name="all", EventPattern=pattern, **rule)
    events.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": from_bus.arn}], **rule)
    configure(function, DestinationConfig=on_success(bus))
    request_id, _ = send(function)
    envelope = from_bus.receive_record()
    assert envelope["detail-type"] == "Lambda Function Invocation Result - Success"
    assert envelope["resources"] == [
        f"arn:aws:lambda:us-east-1:111122223333:function:{function.name}:$LATEST",
        bus,
    ]
    assert envelope["detail"]["requestContext"]["requestId"] == request_id

    bucket = f"outcomes-{suffix}"
    s3 = make_client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket=bucket)
    configure(function, MaximumRetryAttempts=0, DestinationConfig=on_failure(f"arn:aws:s3:::{bucket}"))
    request_id, _ = send(function, failures=9)
    objects = eventually(lambda: s3.list_objects_v2(Bucket=bucket).get("Contents"))
    key = objects[0]["Key"]
    assert key.startswith(f"aws/lambda/async/{function.name}/20")
    record = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert record["requestContext"]["requestId"] == request_id

    relay = deploy(
        "def handler(event, context):\n    return event['requestContext']['requestId']\n", Role=role
    )
    configure(relay, DestinationConfig=on_success(queue.arn))
    relay_arn = relay.client.get_function_configuration(FunctionName=relay.name)["FunctionArn"]
    configure(function, DestinationConfig=on_success(relay_arn))
    request_id, _ = send(function)
    assert queue.receive_record()["responsePayload"] == request_id


def test_a_destination_that_the_role_may_no_longer_use_is_counted(
    deploy: Callable[..., DeployedFunction],
    queue: Queue,
    send: Callable[..., Any],
    make_client: Callable[..., Any],
) -> None:
    """Developer guide, "Types of metrics for Lambda functions": DestinationDeliveryFailures,
    DeadLetterErrors, AsyncEventsReceived, AsyncEventsDropped."""
    own_role = create_role(make_client, ["sqs:SendMessage"])
    function = deploy(HANDLER, Role=own_role, DeadLetterConfig={"TargetArn": queue.arn})
    configure(function, MaximumRetryAttempts=0, DestinationConfig=on_failure(queue.arn))
    allow_only(make_client, own_role, [])
    send(function, failures=9)
    eventually(lambda: sum_of(make_client, "DeadLetterErrors", function) == 1)
    assert sum_of(make_client, "DestinationDeliveryFailures", function) == 1
    assert sum_of(make_client, "AsyncEventsReceived", function) == 1
    assert sum_of(make_client, "AsyncEventsDropped", function) == 1
    assert queue.is_empty()


def test_an_event_of_a_function_that_is_gone_is_dropped(
    deploy: Callable[..., DeployedFunction],
    role: str,
    queue: Queue,
    send: Callable[..., Any],
    make_client: Callable[..., Any],
    lambda_role: str,
) -> None:
    function = deploy(HANDLER, Role=role)
    configure(function, DestinationConfig=on_failure(queue.arn))
    send(function, failures=9)
    eventually(lambda: sum_of(make_client, "Errors", function) == 1)
    function.client.delete_function(FunctionName=function.name)
    eventually(lambda: sum_of(make_client, "AsyncEventsDropped", function) == 1)
    assert queue.is_empty()
    # The fixture will delete it once more.
    function.client.create_function(
        FunctionName=function.name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=lambda_role,
        Code={"ZipFile": zipped({"index.py": HANDLER})},
    )


def test_the_role_must_be_allowed_to_send(
    deploy: Callable[..., DeployedFunction], queue: Queue, make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Capturing records ...", required permissions for destinations."""
    powerless = create_role(make_client, [])
    function = deploy(HANDLER, Role=powerless)
    with pytest.raises(ClientError) as refused:
        configure(function, DestinationConfig=on_failure(queue.arn))
    assert "does not have permissions to call SendMessage on" in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as refused:
        deploy(HANDLER, Role=powerless, DeadLetterConfig={"TargetArn": queue.arn})
    assert refused.value.response["Error"]["Message"] == (
        "The provided execution role does not have permissions to call SendMessage on SQS"
    )


def test_settings_are_put_updated_listed_and_deleted(
    deploy: Callable[..., DeployedFunction], role: str, queue: Queue
) -> None:
    """API reference, the five operations on FunctionEventInvokeConfig."""
    function = deploy(HANDLER, Role=role)
    client, name = function.client, {"FunctionName": function.name}
    put = configure(function, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60)
    assert put["FunctionArn"].endswith(f":{function.name}:$LATEST")
    assert put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    updated = client.update_function_event_invoke_config(**name, DestinationConfig=on_failure(queue.arn))
    assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (1, 60)
    assert updated["DestinationConfig"] == {"OnSuccess": {}, **on_failure(queue.arn)}
    replaced = configure(function, MaximumRetryAttempts=0)
    assert "MaximumEventAgeInSeconds" not in replaced
    read = client.get_function_event_invoke_config(**name, Qualifier="$LATEST")
    assert read["MaximumRetryAttempts"] == 0
    listed = client.list_function_event_invoke_configs(**name)["FunctionEventInvokeConfigs"]
    assert [each["FunctionArn"] for each in listed] == [put["FunctionArn"]]
    client.delete_function_event_invoke_config(**name)
    for call in (client.get_function_event_invoke_config, client.delete_function_event_invoke_config):
        with pytest.raises(ClientError) as refused:
            call(**name)
        assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({}, "InvalidParameterValueException", "You must specify at least one of error handling"),
        ({"MaximumRetryAttempts": 3}, "ValidationException", "less than or equal to 2"),
        ({"MaximumEventAgeInSeconds": 21601}, "ValidationException", "less than or equal to 21600"),
        (
            {"DestinationConfig": on_failure("arn:aws:sqs:us-east-1:111122223333:no-such-queue")},
            "InvalidParameterValueException",
            "The destination ARN arn:aws:sqs:us-east-1:111122223333:no-such-queue is invalid.",
        ),
        (
            {"DestinationConfig": on_success("arn:aws:s3:::bucket")},
            "InvalidParameterValueException",
            "The provided destination config DestinationConfig(",
        ),
        (
            {"DestinationConfig": on_success("arn:aws:iam::111122223333:role/any")},
            "InvalidParameterValueException",
            "The provided destination config DestinationConfig(",
        ),
    ],
)
def test_settings_that_are_refused(
    deploy: Callable[..., DeployedFunction], role: str, settings: dict[str, Any], code: str, message: str
) -> None:
    """API reference, "PutFunctionEventInvokeConfig"; the messages are those that AWS returns."""
    function = deploy(HANDLER, Role=role)
    with pytest.raises(ClientError) as refused:
        configure(function, **settings)
    assert refused.value.response["Error"]["Code"] == code
    assert message in refused.value.response["Error"]["Message"]


def test_an_event_may_have_1_mb_and_must_be_json(deploy: Callable[..., DeployedFunction]) -> None:
    """Lambda quotas, "Invocation payload (request and response)": 1 MB (asynchronous)."""
    function = deploy(HANDLER)
    for payload, code in (
        (json.dumps("x" * 1_048_576), "RequestEntityTooLargeException"),
        ("no json", "InvalidRequestContentException"),
    ):
        with pytest.raises(ClientError) as refused:
            function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=payload)
        assert refused.value.response["Error"]["Code"] == code
    largest = json.dumps({"id": "x", "padding": "x" * 1_048_000})
    answer = function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=largest)
    assert answer["StatusCode"] == 202
