"""Log events that are older than their log group's retention are gone.

Restores: PutRetentionPolicy deletes, which MiniStack only stores. CloudWatch Logs API reference,
"PutRetentionPolicy". AWS deletes within up to 72 hours after events have reached their retention; here
it is at the first request to CloudWatch Logs in a later minute, so that what is read is what is kept.

To be installed after all that replaces `cloudwatch_logs.handle_request`: nothing may read before it.
"""

import asyncio
import threading
import time
from bisect import bisect_left
from typing import Any

from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.log_events import LogEvents
from helpers.local.patches.log_ingestion import DAY_MS

MINUTE_MS = 60_000
# The emulator's record of a group keeps here up to which time its events were deleted, in ms since 1970.
_DELETED_BEFORE = "deletedBefore"

_log_groups = contract.expect(cloudwatch_logs, "_log_groups")
_events_lock = contract.expect(cloudwatch_logs, "_log_events_lock")
_deleting = threading.Lock()


def install() -> None:
    parameters = ("method", "path", "headers", "body", "query_params")
    handle = contract.expect(cloudwatch_logs, "handle_request", parameters)

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any
    ) -> Any:
        if _due():
            # Long streams take a while to be copied: other requests need not wait.
            await asyncio.to_thread(_delete_expired)
        return await handle(method, path, headers, body, query_params)

    cloudwatch_logs.handle_request = handle_request


def _due() -> list[tuple[dict[str, Any], int]]:
    """The groups of the current account and Region whose retention was not applied in this minute.

    With each the time before which its events have expired, in ms since 1970. By the minute, because
    a stream is copied when some of its events go.
    """
    minute_ms = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS
    due = []
    for group in _log_groups.values():
        if group.get("retentionInDays"):
            before_ms = minute_ms - group["retentionInDays"] * DAY_MS
            if group.get(_DELETED_BEFORE) != before_ms:
                due.append((group, before_ms))
    return due


def _delete_expired() -> None:
    with _deleting:
        for group, before_ms in _due():
            for stream in list(group["streams"].values()):
                _delete_before(stream, before_ms)
            group[_DELETED_BEFORE] = before_ms


def _delete_before(stream: dict[str, Any], before_ms: int) -> None:
    first_ms = stream["firstEventTimestamp"]
    if first_ms is None or first_ms >= before_ms:
        return
    with _events_lock:
        events = stream["events"]
        expired = bisect_left(events, before_ms, key=lambda event: event["timestamp"])
        # A new sequence: whoever reads the old one goes on doing so.
        kept = events.without_first(expired) if isinstance(events, LogEvents) else events[expired:]
        stream["events"] = kept
        stream["firstEventTimestamp"] = kept[0]["timestamp"] if kept else None
