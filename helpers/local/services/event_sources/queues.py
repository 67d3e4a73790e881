"""An SQS queue as an event source: its messages as the function sees them.

AWS Lambda developer guide, "Using Lambda with Amazon SQS", example events for standard and FIFO
queues.
"""

import time
from collections.abc import Sequence
from typing import Any

from ministack.services import sqs

from helpers.local import contract
from helpers.local.services.event_sources.records import Record

# What one ReceiveMessage returns at most.
MOST_RECEIVED = 10

_queue_by_arn = contract.expect(sqs, "_queue_by_arn", ("arn",))
_queue_url = contract.expect(sqs, "_queue_url_for_account", ("account_id", "name"))
_receive = contract.expect(sqs, "_receive_messages_for_esm", ("queue_url", "max_number"))
_delete = contract.expect(sqs, "_delete_messages_for_esm", ("queue_url", "receipt_handles"))


class Queue:
    """A queue, by its ARN. To be used in its account and Region, on the thread that serves the API."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        _, _, _, self._region, account_id, self._name = arn.split(":")
        self._url = _queue_url(account_id, self._name)

    @property
    def exists(self) -> bool:
        return _queue_by_arn(self.arn) is not None

    @property
    def is_fifo(self) -> bool:
        return self._name.endswith(".fifo")

    @property
    def visibility_timeout_s(self) -> int:
        return int((_queue_by_arn(self.arn) or {"attributes": {}})["attributes"].get("VisibilityTimeout", 30))

    def next_message_in_s(self) -> float | None:
        """Seconds until a message is there to be received; None while there is none at all."""
        now_s = time.time()
        visible_s: dict[str | None, list[float]] = {}
        blocked_s: dict[str | None, float] = {}
        for message in (_queue_by_arn(self.arn) or {"messages": []})["messages"]:
            group, at_s = message.get("group_id"), message.get("visible_at", now_s)
            visible_s.setdefault(group, []).append(at_s)
            if group is not None and message.get("receive_count") and at_s > now_s:
                # A message in flight holds back the others of its group.
                blocked_s[group] = max(at_s, blocked_s.get(group, 0.0))
        if not visible_s:
            return None
        next_s = min(blocked_s.get(group, min(times)) for group, times in visible_s.items())
        return max(0.0, next_s - now_s)

    def receive(self, most: int) -> list[Record]:
        messages = _receive(self._url, min(most, MOST_RECEIVED))
        return [self._record(message) for message in messages]

    def delete(self, records: Sequence[Record]) -> int:
        """Delete messages that were received and are still to be had by these handles; return how many."""
        queue = _queue_by_arn(self.arn)
        if queue is None:
            return 0
        handles = {record.receipt_handle for record in records}
        there = sum(message.get("receipt_handle") in handles for message in queue["messages"])
        _delete(self._url, handles)
        return there

    def _record(self, message: dict[str, Any]) -> Record:
        system = message["sys"]
        attributes = {
            "ApproximateReceiveCount": str(message["receive_count"]),
            "AWSTraceHeader": system.get("AWSTraceHeader"),
            "SentTimestamp": str(int(message["sent_at"] * 1000)),
            "SequenceNumber": message["seq"],
            "MessageGroupId": message["group_id"],
            "SenderId": system.get("SenderId"),
            "MessageDeduplicationId": message["dedup_id"],
            "DeadLetterQueueSourceArn": system.get("DeadLetterQueueSourceArn"),
            "ApproximateFirstReceiveTimestamp": str(int(message["first_receive_at"] * 1000)),
        }
        event = {
            "messageId": message["id"],
            "receiptHandle": message["receipt_handle"],
            "body": message["body"],
            "attributes": {name: value for name, value in attributes.items() if value is not None},
            "messageAttributes": {
                name: _attribute(value) for name, value in (message["message_attributes"] or {}).items()
            },
            "md5OfBody": message["md5_body"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.arn,
            "awsRegion": self._region,
        }
        if message["md5_attrs"]:
            event["md5OfMessageAttributes"] = message["md5_attrs"]
        return Record(event, message["id"], message["sent_at"], receipt_handle=message["receipt_handle"])


def _attribute(attribute: dict[str, Any]) -> dict[str, Any]:
    """A message attribute, with the names that Lambda gives to its parts."""
    parts = {name[0].lower() + name[1:]: value for name, value in attribute.items()}
    return {"stringListValues": [], "binaryListValues": [], **parts}
