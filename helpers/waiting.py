"""Wait until something is observed, or say what was seen instead."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.client import BaseClient

Value = TypeVar("Value")

LONGEST_POLL_S = 20
PART_OF_VALUE_SHOWN = 500


class NotObserved(TimeoutError):
    """What was waited for did not happen in time; the message says what was seen last."""


def wait_until(
    observe: Callable[[], Value],
    what: str,
    accept: Callable[[Value], bool] = bool,
    timeout_s: float = 30.0,
    interval_s: float = 0.1,
) -> Value:
    """Call `observe` until `accept` says yes to what it returns, and return that.

    `what` completes the sentence "waited for ...". `observe` is called at least once. Raises
    NotObserved with the last value seen.
    """
    started = time.monotonic()
    while True:
        value = observe()
        if accept(value):
            return value
        if time.monotonic() - started >= timeout_s:
            raise NotObserved(f"Waited {timeout_s:g} s for {what}; last seen: {_shown(value)}")
        time.sleep(interval_s)


def wait_for_message(sqs: BaseClient, queue_url: str, timeout_s: float = 30.0) -> Any:
    """The body of the next message of a queue, as JSON where it is JSON; it is taken out of the queue.

    Raises NotObserved, which says how many messages the queue holds that nobody can see just now.
    """
    return wait_for_messages(sqs, queue_url, 1, timeout_s)[0]


def wait_for_messages(sqs: BaseClient, queue_url: str, minimum: int, timeout_s: float = 30.0) -> list[Any]:
    """At least `minimum` messages of a queue, as wait_for_message returns them, in order of arrival."""
    bodies: list[Any] = []
    deadline = time.monotonic() + timeout_s
    while len(bodies) < minimum:
        # Rounded up: a whole second at least, because without a wait SQS asks only some of its servers.
        remaining_s = max(1, min(LONGEST_POLL_S, int(deadline - time.monotonic() + 0.999)))
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=remaining_s)
        for message in answer.get("Messages", []):
            bodies.append(_decoded(message["Body"]))
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        if len(bodies) < minimum and time.monotonic() >= deadline:
            raise NotObserved(
                f"Waited {timeout_s:g} s for {minimum} messages in {queue_url}; last seen: "
                f"{_shown(bodies)}, and {_invisible(sqs, queue_url)} held by another reader or delayed."
            )
    return bodies


def wait_for_log_events(
    logs: BaseClient, log_group: str, pattern: str, minimum: int = 1, timeout_s: float = 30.0
) -> list[str]:
    """The messages of a log group that fit a filter pattern, once there are at least `minimum`.

    `pattern` is CloudWatch Logs' own ("" fits all). A log group that does not exist yet counts as
    empty. Raises NotObserved with the messages found.
    """

    def messages() -> list[str]:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=log_group, filterPattern=pattern
        )
        try:
            return [event["message"] for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []

    return wait_until(
        messages,
        f"{minimum} log events that fit {pattern!r} in {log_group}",
        lambda found: len(found) >= minimum,
        timeout_s,
        interval_s=0.5,
    )


def _invisible(sqs: BaseClient, queue_url: str) -> int:
    names = ["ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def _decoded(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _shown(value: Any) -> str:
    text = repr(value)
    return (
        text
        if len(text) <= PART_OF_VALUE_SHOWN
        else f"{text[:PART_OF_VALUE_SHOWN]}... ({len(text)} characters)"
    )
