"""Send many messages to an Amazon SQS queue, and wait until they have all been taken out of it."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from helpers.progress import progress
from helpers.waiting import wait_until

# The most that one request takes (Amazon SQS API reference, "SendMessageBatch").
BATCH_SIZE = 10
ATTEMPTS = 5
FIRST_BACKOFF_S = 0.2
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class NotSent(RuntimeError):
    """SQS did not take some messages; the message of this error says how many and why."""


def send_all(sqs: Any, queue_url: str, messages: Sequence[Mapping[str, Any]]) -> None:
    """Send messages in batches of ten, each with the parameters of SendMessage but without the queue.

    What SQS could not take because of itself is sent again, with exponential back-off. Raises NotSent for
    messages that are at fault themselves, or that SQS still did not take.
    """
    for first in progress(range(0, len(messages), BATCH_SIZE), "Sending"):
        batch = messages[first : first + BATCH_SIZE]
        entries = [{"Id": str(number), **message} for number, message in enumerate(batch)]
        for attempt in range(ATTEMPTS):
            failed = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", [])
            if not failed:
                break
            if attempt == ATTEMPTS - 1 or any(failure["SenderFault"] for failure in failed):
                raise NotSent(
                    f"SQS did not take {len(failed)} of {len(entries)} messages: "
                    f"{failed[0]['Code']}: {failed[0].get('Message', '')}"
                )
            failed_ids = {failure["Id"] for failure in failed}
            entries = [entry for entry in entries if entry["Id"] in failed_ids]
            time.sleep(FIRST_BACKOFF_S * 2**attempt)


def wait_until_empty(
    sqs: Any, queue_urls: Mapping[str, str], quiet_s: float = 0, timeout_s: float = 300
) -> None:
    """Wait until no queue has had a message for `quiet_s`: none to receive, none in flight, none delayed.

    The counts of SQS are approximate, and become right a minute or more after the last message was sent
    (Amazon SQS API reference, "GetQueueAttributes"): on AWS let `quiet_s` be 60. Raises NotObserved with what
    each queue held last.
    """
    empty_since: float | None = None

    def held() -> dict[str, int]:
        nonlocal empty_since
        counts = {label: _messages(sqs, url) for label, url in queue_urls.items()}
        if any(counts.values()):
            empty_since = None
        elif empty_since is None:
            empty_since = time.monotonic()
        return counts

    def quiet(_: dict[str, int]) -> bool:
        return empty_since is not None and time.monotonic() - empty_since >= quiet_s

    wait_until(held, f"empty queues for {quiet_s:g} s", quiet, timeout_s, interval_s=0.2)


def _messages(sqs: Any, queue_url: str) -> int:
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(COUNTS))["Attributes"]
    return sum(int(attributes[name]) for name in COUNTS)
