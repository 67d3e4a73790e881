"""PutLogEvents takes what CloudWatch Logs takes, and says which events of a batch it rejected.

Restores: the limits of a batch, beyond which the operation fails; events that are too old, too new or
older than the log group's retention are rejected while the others are stored. CloudWatch Logs API
reference, "PutLogEvents" and "RejectedLogEventsInfo".
"""

import itertools
import json
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import json_response
from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.functions.refusal import Refused, Response, refusing

MAXIMUM_EVENTS = 10_000
MAXIMUM_BATCH_BYTES = 1_048_576
# What each event counts in a batch, and on the bill, besides its message in UTF-8.
EVENT_OVERHEAD_BYTES = 26
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
OLDEST_MS = 14 * DAY_MS
NEWEST_MS = 2 * HOUR_MS
LONGEST_BATCH_MS = DAY_MS

_log_groups = contract.expect(cloudwatch_logs, "_log_groups")


def install() -> None:
    put = contract.expect(cloudwatch_logs, "_put_log_events", ("data",))
    cloudwatch_logs._put_log_events = refusing(_taking_what_is_valid(put))


def billed_bytes(events: Sequence[dict[str, Any]]) -> int:
    """The bytes that CloudWatch Logs counts for events when they are ingested."""
    return sum(_message_bytes(event["message"]) + EVENT_OVERHEAD_BYTES for event in events)


def _message_bytes(message: str) -> int:
    return len(message) if message.isascii() else len(message.encode(errors="surrogatepass"))


@dataclass(frozen=True)
class _Valid:
    """The valid events of a batch are those from the index `first` up to and without `end`."""

    first: int
    end: int
    rejected: dict[str, int]


def _taking_what_is_valid(put: Callable[[dict[str, Any]], Response]) -> Callable[..., Response]:
    def put_log_events(data: dict[str, Any]) -> Response:
        group = _log_groups.get(data.get("logGroupName"))
        if group is None or data.get("logStreamName") not in group["streams"]:
            return put(data)
        events = data.get("logEvents") or []
        times_ms = [event["timestamp"] for event in events]
        _check_batch(events, times_ms)
        valid = _valid_part(times_ms, int(time.time() * 1000), group.get("retentionInDays"))
        if valid.end > valid.first and times_ms[valid.end - 1] - times_ms[valid.first] > LONGEST_BATCH_MS:
            raise _invalid(
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
            )
        answer = put({**data, "logEvents": events[valid.first : valid.end]})
        if not valid.rejected:
            return answer
        content = json.loads(answer[2]) | {"rejectedLogEventsInfo": valid.rejected}
        response: Response = json_response(content)
        return response

    return put_log_events


def _check_batch(events: Sequence[dict[str, Any]], times_ms: Sequence[int]) -> None:
    """Raises Refused."""
    if not 1 <= len(events) <= MAXIMUM_EVENTS:
        raise _invalid(
            f"1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must "
            f"have length between 1 and {MAXIMUM_EVENTS}, not {len(events)}"
        )
    if any(first > second for first, second in itertools.pairwise(times_ms)):
        raise _invalid("Log events in a single PutLogEvents request must be in chronological order.")
    size_bytes = billed_bytes(events)
    if size_bytes > MAXIMUM_BATCH_BYTES:
        raise _invalid(f"Upload too large: {size_bytes} bytes exceeds limit of {MAXIMUM_BATCH_BYTES}")


def _valid_part(times_ms: Sequence[int], now_ms: int, retention_days: int | None) -> _Valid:
    rejected: dict[str, int] = {}
    # The indexes where events begin are inclusive, those where they end are exclusive.
    too_old = bisect_left(times_ms, now_ms - OLDEST_MS)
    expired = bisect_left(times_ms, now_ms - retention_days * DAY_MS) if retention_days else 0
    too_new = bisect_right(times_ms, now_ms + NEWEST_MS)
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expired:
        rejected["expiredLogEventEndIndex"] = expired
    if too_new < len(times_ms):
        rejected["tooNewLogEventStartIndex"] = too_new
    return _Valid(max(too_old, expired), too_new, rejected)


def _invalid(message: str) -> Refused:
    return Refused("InvalidParameterException", message, 400)
