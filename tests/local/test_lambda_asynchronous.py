"""Asynchronous invocation: what becomes of events that fail, are throttled, or grow too old.

AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation".
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from asynchronous_functions import HANDLER, configure, on_failure, on_success
from botocore.exceptions import ClientError
from deployed import DeployedFunction, zipped
from mapped_functions import Queue, metric_sum

from helpers.waiting import wait_until


def test_a_retry_may_succeed_and_has_the_same_request_id(
    deploy: Callable[..., DeployedFunction], sender_role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, "How Lambda handles errors and retries with asynchronous invocation"."""
    function = deploy(HANDLER, Role=sender_role)
    configure(function, DestinationConfig=on_success(queue.arn))
    request_id, _ = send(function, failures=2)
    record = queue.receive_record()
    assert record["requestContext"]["condition"] == "Success"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == [request_id] * 3


def test_the_second_wait_is_longer_than_the_first(
    deploy: Callable[..., DeployedFunction], sender_role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, ... asynchronous invocation: one minute, then two minutes."""
    source = HANDLER.replace("context.aws_request_id", "__import__('time').time()")
    function = deploy(source, Role=sender_role)
    configure(function, DestinationConfig=on_success(queue.arn))
    send(function, failures=2)
    first, second, third = queue.receive_record()["responsePayload"]
    assert third - second > 1.3 * (second - first) > 0


@pytest.mark.parametrize("attempts", [0, 1])
def test_fewer_retries_when_configured(
    deploy: Callable[..., DeployedFunction],
    sender_role: str,
    queue: Queue,
    send: Callable[..., Any],
    attempts: int,
) -> None:
    """API reference, "PutFunctionEventInvokeConfig": MaximumRetryAttempts."""
    function = deploy(HANDLER, Role=sender_role)
    configure(function, MaximumRetryAttempts=attempts, DestinationConfig=on_failure(queue.arn))
    send(function, failures=9)
    context = queue.receive_record()["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", attempts + 1)


def test_an_event_expires_before_a_retry_that_would_be_too_late(
    deploy: Callable[..., DeployedFunction], sender_role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """API reference, "PutFunctionEventInvokeConfig": MaximumEventAgeInSeconds. The minute before the
    first retry and the two before the second count in full, however short they are here."""
    function = deploy(HANDLER, Role=sender_role)
    for age_s, invocations in ((60, 1), (170, 2)):
        configure(function, MaximumEventAgeInSeconds=age_s, DestinationConfig=on_failure(queue.arn))
        send(function, failures=9)
        context = queue.receive_record()["requestContext"]
        assert context["condition"] == "EventAgeExceeded"
        assert context["approximateInvokeCount"] == invocations


def test_a_throttled_event_waits_for_its_turn(
    deploy: Callable[..., DeployedFunction], sender_role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, ... asynchronous invocation: throttled events return to the queue, and their
    attempts do not count as retries."""
    function = deploy("import time\ndef handler(event, context):\n    time.sleep(0.3)\n", Role=sender_role)
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    configure(function, MaximumRetryAttempts=0, DestinationConfig=on_success(queue.arn))
    sent = {send(function)[0] for _ in range(4)}
    contexts = [queue.receive_record()["requestContext"] for _ in range(4)]
    assert {context["requestId"] for context in contexts} == sent
    assert {context["approximateInvokeCount"] for context in contexts} == {1}


def test_a_throttled_event_expires(
    deploy: Callable[..., DeployedFunction], sender_role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, ... asynchronous invocation: throttled events are kept up to their maximum age."""
    function = deploy("import time\ndef handler(event, context):\n    time.sleep(6)\n", Role=sender_role)
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
    deploy: Callable[..., DeployedFunction], sender_role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, "Capturing records ...", note on reserved concurrency zero: without any retries."""
    function = deploy(HANDLER, Role=sender_role)
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    configure(function, DestinationConfig=on_failure(queue.arn))
    send(function)
    record = queue.receive_record()
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record


def test_an_event_of_a_function_that_is_gone_is_dropped(
    deploy: Callable[..., DeployedFunction],
    sender_role: str,
    queue: Queue,
    send: Callable[..., Any],
    make_client: Callable[..., Any],
    lambda_role: str,
) -> None:
    def count(metric: str) -> float | None:
        return metric_sum(make_client, metric, FunctionName=function.name)

    function = deploy(HANDLER, Role=sender_role)
    configure(function, DestinationConfig=on_failure(queue.arn))
    send(function, failures=9)
    wait_until(lambda: count("Errors") == 1, "the first attempt")
    function.client.delete_function(FunctionName=function.name)
    wait_until(lambda: count("AsyncEventsDropped") == 1, "the event to be dropped")
    assert queue.messages() == (0, 0)
    # The fixture will delete it once more.
    function.client.create_function(
        FunctionName=function.name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=lambda_role,
        Code={"ZipFile": zipped({"index.py": HANDLER})},
    )


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
