"""Log events go to disk, so that the memory of the local AWS does not grow with what functions log.

CloudWatch Logs API reference, "PutLogEvents": events may arrive out of order; a stream returns
them by time.
"""

from typing import Any

from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.log_events import Event, LogEvents

_lock = contract.expect(cloudwatch_logs, "_log_events_lock")


def install() -> None:
    contract.replace(cloudwatch_logs, "_append_log_events", ("stream", "events"), _append_log_events)


def _append_log_events(stream: dict[str, Any], events: list[Event]) -> None:
    """Every event of every stream passes here. The emulator makes a stream with an empty list."""
    if not events:
        return
    ordered = sorted(events, key=lambda event: event["timestamp"])
    first, last = ordered[0]["timestamp"], ordered[-1]["timestamp"]
    with _lock:
        stored = stream["events"]
        if not isinstance(stored, LogEvents):
            stored = LogEvents(stored)
        if stored and stored[-1]["timestamp"] > first:
            # Not in place: a reader that has taken the length goes on reading what it began with.
            stored = stored.merged_with(ordered)
        else:
            stored.extend(ordered)
        stream["events"] = stored
        stream["firstEventTimestamp"] = _least(stream["firstEventTimestamp"], first)
        stream["lastEventTimestamp"] = _greatest(stream["lastEventTimestamp"], last)
        stream["lastIngestionTime"] = events[-1]["ingestionTime"]


def _least(known_ms: int | None, time_ms: int) -> int:
    return time_ms if known_ms is None else min(known_ms, time_ms)


def _greatest(known_ms: int | None, time_ms: int) -> int:
    return time_ms if known_ms is None else max(known_ms, time_ms)
