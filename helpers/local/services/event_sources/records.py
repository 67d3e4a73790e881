"""Records on their way from an event source to a function, and the batches that they make.

AWS Lambda developer guide, "How Lambda processes records from stream and queue-based event
sources", batching behavior: Lambda invokes the function when the batching window is over, the
batch has its full size, or the payload reaches 6 MB.
"""

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# Lambda quotas, "Invocation payload": 6 MB for synchronous invocations.
LARGEST_PAYLOAD_BYTES = 6 * 1024 * 1024
_BEFORE, _BETWEEN, _AFTER = '{"Records": [', ", ", "]}"


@dataclass(frozen=True)
class Record:
    """One record. `event` is what the function sees of it.

    `identifier`: message id or sequence number, by which the function reports failures.
    `order_key`: records of one key are processed in order; streams only.
    `receipt_handle`: what deletes the message; queues only.
    `arrived_s`: when the source took it, in seconds since the epoch.
    """

    event: dict[str, Any]
    identifier: str
    arrived_s: float
    order_key: str = ""
    receipt_handle: str = ""

    @cached_property
    def text(self) -> str:
        return json.dumps(self.event)

    @property
    def payload_bytes(self) -> int:
        """What the record adds to a payload; JSON in ASCII has a byte a character."""
        return len(self.text) + len(_BETWEEN)


def payload(records: Sequence[Record]) -> bytes:
    """The event that a function gets."""
    return (_BEFORE + _BETWEEN.join(record.text for record in records) + _AFTER).encode()


class Gathering:
    """Records that wait until they are a batch."""

    def __init__(self) -> None:
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._since_s = 0.0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, records: Iterable[Record], now_s: float) -> None:
        if not self._records:
            self._since_s = now_s
        for record in records:
            self._records.append(record)
            self._bytes += record.payload_bytes

    def is_full(self, batch_size: int) -> bool:
        return len(self._records) >= batch_size or self._bytes >= LARGEST_PAYLOAD_BYTES

    def wait_s(self, batch_size: int, window_s: float, now_s: float) -> float | None:
        """Seconds until there is a batch; None when there is nothing to wait for."""
        if not self._records:
            return None
        return 0.0 if self.is_full(batch_size) else max(0.0, self._since_s + window_s - now_s)

    def take(self, batch_size: int, window_s: float, now_s: float) -> list[Record]:
        """The next batch; empty when its time has not come."""
        if self.wait_s(batch_size, window_s, now_s) != 0.0:
            return []
        batch: list[Record] = []
        room_bytes = LARGEST_PAYLOAD_BYTES - len(_BEFORE + _AFTER)
        while self._records and len(batch) < batch_size:
            size_bytes = self._records[0].payload_bytes
            if batch and size_bytes > room_bytes:
                break
            room_bytes -= size_bytes
            self._bytes -= size_bytes
            batch.append(self._records.popleft())
        self._since_s = now_s
        return batch
