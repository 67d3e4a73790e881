"""Destinations and dead-letter queues of asynchronous invocations.

AWS Lambda developer guide, "Capturing records of Lambda asynchronous invocations" and "Dead-letter queues".
"""

import json
import secrets
from collections.abc import Callable
from typing import Any

from asynchronous_functions import HANDLER, configure, on_failure, on_success
from deployed import DeployedFunction
from function_roles import allow_only, create_role
from mapped_functions import Queue, metric_sum

from helpers.waiting import wait_until


def test_a_failed_event_is_tried_three_times_and_reported(
    deploy: Callable[..., DeployedFunction], sender_role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, "Capturing records of Lambda asynchronous invocations", example record."""
    function = deploy(HANDLER, Role=sender_role)
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


def test_a_dead_letter_is_the_event_with_the_error_in_attributes(
    deploy: Callable[..., DeployedFunction], sender_role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, "Dead-letter queues": message attributes; in addition to a destination."""
    function = deploy(HANDLER, Role=sender_role, DeadLetterConfig={"TargetArn": queue.arn})
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
    sender_role: str,
    queue: Queue,
    send: Callable[..., Any],
    make_client: Callable[..., Any],
) -> None:
    """API reference, "PutFunctionEventInvokeConfig": "in addition to or instead of a dead-letter queue"."""
    dead_letters = Queue(make_client)
    function = deploy(HANDLER, Role=sender_role, DeadLetterConfig={"TargetArn": dead_letters.arn})
    configure(function, MaximumRetryAttempts=0, DestinationConfig=on_failure(queue.arn))
    request_id, event = send(function, failures=9)
    assert queue.receive_record()["requestContext"]["requestId"] == request_id
    assert json.loads(dead_letters.receive()["Body"]) == event


def test_the_other_destinations(
    deploy: Callable[..., DeployedFunction],
    sender_role: str,
    queue: Queue,
    send: Callable[..., Any],
    make_client: Callable[..., Any],
) -> None:
    """Developer guide, "Capturing records ...": destination-specific JSON format, and the keys in S3."""
    function = deploy(HANDLER, Role=sender_role)
    suffix = secrets.token_hex(4)

    sns = make_client("sns")
    topic = sns.create_topic(Name=f"outcomes-{suffix}")["TopicArn"]
    from_topic = Queue(make_client)
    from_topic.let_send("sns.amazonaws.com")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=from_topic.arn)
    configure(function, DestinationConfig=on_success(topic))
    request_id, _ = send(function)
    message = json.loads(from_topic.receive_record()["Message"])
    assert message["requestContext"]["requestId"] == request_id

    events = make_client("events")
    bus = events.create_event_bus(Name=f"outcomes-{suffix}")["EventBusArn"]
    from_bus = Queue(make_client)
    from_bus.let_send("events.amazonaws.com")
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
    objects = wait_until(
        lambda: s3.list_objects_v2(Bucket=bucket).get("Contents"), "the record in the bucket"
    )
    key = objects[0]["Key"]
    assert key.startswith(f"aws/lambda/async/{function.name}/20")
    record = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert record["requestContext"]["requestId"] == request_id

    relay = deploy(
        "def handler(event, context):\n    return event['requestContext']['requestId']\n", Role=sender_role
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

    def count(metric: str) -> float | None:
        return metric_sum(make_client, metric, FunctionName=function.name)

    wait_until(lambda: count("DeadLetterErrors") == 1, "the dead letter to fail")
    assert count("DestinationDeliveryFailures") == 1
    assert count("AsyncEventsReceived") == 1
    assert count("AsyncEventsDropped") == 1
    assert queue.messages() == (0, 0)
