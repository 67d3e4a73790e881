"""Waiting ends when something is observed, and otherwise says what was seen."""

import threading
import time

import pytest

from helpers.waiting import NotObserved, wait_for_log_events, wait_for_message, wait_for_messages, wait_until
from helpers.workshop import Workshop


def test_it_returns_what_was_accepted() -> None:
    values = iter([0, 1, 2, 3])
    assert wait_until(lambda: next(values), "three", lambda value: value == 3, interval_s=0) == 3


def test_it_says_what_was_seen_last() -> None:
    with pytest.raises(NotObserved, match=r"Waited 0 s for the order; last seen: \['o-1'\]"):
        wait_until(lambda: ["o-1"], "the order", lambda orders: "o-2" in orders, timeout_s=0)


def test_long_values_are_cut() -> None:
    with pytest.raises(NotObserved, match=r"\(10002 characters\)") as caught:
        wait_until(lambda: "x" * 10_000, "nothing", lambda value: False, timeout_s=0)
    assert len(str(caught.value)) < 1000


def test_an_error_while_looking_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, "nothing")


def test_messages_are_decoded_and_taken_out(workshop: Workshop) -> None:
    sqs = workshop.client("sqs")
    url = sqs.create_queue(QueueName=workshop.name("orders"))["QueueUrl"]
    for body in ('{"order": 1}', "plain text", '{"order": 2}'):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    bodies = wait_for_messages(sqs, url, 3, timeout_s=10)
    assert sorted(map(str, bodies)) == ["plain text", "{'order': 1}", "{'order': 2}"]
    with pytest.raises(NotObserved, match=r"last seen: .*, and 0 held"):
        wait_for_message(sqs, url, timeout_s=0.2)


def test_a_message_that_comes_later_is_waited_for(workshop: Workshop) -> None:
    sqs = workshop.client("sqs")
    url = sqs.create_queue(QueueName=workshop.name("orders"))["QueueUrl"]
    sender = threading.Timer(1.0, sqs.send_message, kwargs={"QueueUrl": url, "MessageBody": '"late"'})
    sender.start()
    started = time.monotonic()
    assert workshop.wait_for_message(url, timeout_s=20) == "late"
    assert time.monotonic() - started < 15
    sender.join()


def test_messages_that_another_reader_holds_are_mentioned(workshop: Workshop) -> None:
    sqs = workshop.client("sqs")
    url = sqs.create_queue(QueueName=workshop.name("orders"))["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="text")
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)
    with pytest.raises(NotObserved, match="and 1 held by another reader"):
        wait_for_message(sqs, url, timeout_s=0.2)


def test_log_events(workshop: Workshop) -> None:
    logs = workshop.client("logs")
    group = f"/orders/{workshop.name('log')}"
    with pytest.raises(NotObserved, match=r"last seen: \[\]"):
        wait_for_log_events(logs, group, "", timeout_s=0)
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    now_ms = int(time.time() * 1000)
    texts = ["order 1 accepted", "order 2 refused"]
    logs.put_log_events(
        logGroupName=group,
        logStreamName="one",
        logEvents=[{"timestamp": now_ms, "message": text} for text in texts],
    )
    assert wait_for_log_events(logs, group, "refused", timeout_s=10) == ["order 2 refused"]
    assert wait_for_log_events(logs, group, "", minimum=2, timeout_s=10) == texts
