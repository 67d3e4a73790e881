"""`@ptr`: what GetLogRecord takes to find a log event again.

AWS, CloudWatch Logs API reference, "GetLogRecord": the value of `@ptr` in a query's results is the
pointer of a log event, and all fields of that event are returned. To the caller it is opaque; here
it spells the event's log, stream, time and digest, so that no register of pointers is needed.
"""

import base64
import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.local.services.logs_insights.event_index import StoredEvent, valid_text


@dataclass(frozen=True)
class Pointer:
    """`log` is `<account id>:<log group>`; `digest` is the MD5 of the message."""

    log: str
    log_stream: str
    timestamp_ms: int
    digest: str

    @staticmethod
    def decode(pointer: str) -> "Pointer":
        """Raises ValueError for what is not a pointer."""
        log, log_stream, timestamp_ms, digest = base64.b64decode(pointer, validate=True).decode().split("\n")
        return Pointer(log, log_stream, int(timestamp_ms), digest)

    def find(self, events: Sequence[StoredEvent]) -> int | None:
        """The index of the event among those of its stream; None when it is not there any more."""
        index = bisect_left(events, self.timestamp_ms, key=lambda event: event["timestamp"])
        while index < len(events) and events[index]["timestamp"] == self.timestamp_ms:
            message = valid_text(events[index]["message"]).encode()
            if hashlib.md5(message, usedforsecurity=False).hexdigest() == self.digest:
                return index
            index += 1
        return None
