"""Every message is sent, also one that SQS did not take at once; an empty queue is told from a busy one."""

import threading
from typing import Any

import pytest

from helpers.queues import NotSent, send_all, wait_until_empty
from helpers.waiting import NotObserved, wait_for_messages
from helpers.workshop import Workshop


class RefusingOnce:
    """SQS where one message of each batch fails at first (Amazon SQS API reference, "SendMessageBatch")."""

    def __init__(self, sender_fault: bool) -> None:
        self.sender_fault = sender_fault
        self.taken: list[str] = []
        self.refused: set[str] = set()

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        failed = [
            entry for entry in Entries if entry["Id"] == "1" and entry["MessageBody"] not in self.refused
        ]
        self.refused |= {entry["MessageBody"] for entry in failed}
        self.taken += [entry["MessageBody"] for entry in Entries if entry not in failed]
        failure = {"Id": "1", "SenderFault": self.sender_fault, "Code": "InternalError", "Message": "busy"}
        return {"Failed": [failure for _ in failed]}


@pytest.fixture
def queue_url(workshop: Workshop) -> str:
    return str(workshop.client("sqs").create_queue(QueueName=workshop.name("payments"))["QueueUrl"])


def test_more_messages_than_one_request_takes_all_arrive(workshop: Workshop, queue_url: str) -> None:
    sqs, bodies = workshop.client("sqs"), [str(number) for number in range(23)]
    send_all(sqs, queue_url, [{"MessageBody": body} for body in bodies])
    assert sorted(wait_for_messages(sqs, queue_url, 23), key=int) == list(range(23))


def test_what_sqs_did_not_take_is_sent_again_and_nothing_twice() -> None:
    sqs, bodies = RefusingOnce(sender_fault=False), [str(number) for number in range(13)]
    send_all(sqs, "url", [{"MessageBody": body} for body in bodies])
    assert sorted(sqs.taken, key=int) == bodies


def test_a_message_at_fault_is_not_sent_again() -> None:
    with pytest.raises(NotSent, match="did not take 1 of 2 messages: InternalError: busy"):
        send_all(RefusingOnce(sender_fault=True), "url", [{"MessageBody": "a"}, {"MessageBody": "b"}])


def test_a_queue_is_empty_when_the_last_message_is_deleted(workshop: Workshop, queue_url: str) -> None:
    sqs = workshop.client("sqs")
    wait_until_empty(sqs, {"payments": queue_url})
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")
    received = sqs.receive_message(QueueUrl=queue_url, VisibilityTimeout=60, WaitTimeSeconds=5)["Messages"][0]
    with pytest.raises(NotObserved, match=r"last seen: {'payments': 1}"):
        wait_until_empty(sqs, {"payments": queue_url}, timeout_s=0)
    handle = {"QueueUrl": queue_url, "ReceiptHandle": received["ReceiptHandle"]}
    delete = threading.Timer(0.5, sqs.delete_message, kwargs=handle)
    delete.start()
    wait_until_empty(sqs, {"payments": queue_url}, quiet_s=0.3, timeout_s=20)
    assert not delete.is_alive()
    delete.join()
