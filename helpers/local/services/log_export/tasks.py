"""An export task, from PENDING to its end, in a thread of its own.

AWS: CloudWatch Logs user guide, "Exporting log data to Amazon S3"; API reference, "ExportTask". For each
log stream with events in the range there is a file of gzip, with a line for each event: its time, a blank
and its message.
"""

import asyncio
import gzip
import io
import logging
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import request_scope

from helpers.local.services.log_export.destination import Destination, DestinationRefused
from helpers.local.services.log_export.request import ExportRequest

PENDING, RUNNING = "PENDING", "RUNNING"
COMPLETED, CANCELLED, FAILED = "COMPLETED", "CANCELLED", "FAILED"
STATUSES = (CANCELLED, COMPLETED, FAILED, PENDING, "PENDING_CANCEL", RUNNING)
ACTIVE = (PENDING, RUNNING)
# On AWS it takes seconds at least: who takes a task for done when it was created must notice here.
START_DELAY_S = 1.0
# Events that are read at a time: the store keeps most of them compressed on disk.
_CHUNK = 8192

_logger = logging.getLogger("logs.export")


def _now_ms() -> int:
    return int(time.time() * 1000)


@dataclass
class ExportTask:
    """`streams` are the emulator's records of the log streams by name, as they were at the creation."""

    task_id: str
    request: ExportRequest
    destination: Destination
    streams: dict[str, dict[str, Any]]
    status: str = PENDING
    message: str = "Pending"
    created_ms: int = field(default_factory=_now_ms)
    completed_ms: int | None = None
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        threading.Thread(target=self._run, name="log-export", daemon=True).start()

    def cancel(self) -> bool:
        """Returns False when the task has already ended."""
        with self._changing:
            if self.status not in ACTIVE:
                return False
            self._end(CANCELLED, "Cancelled by user")
        self._cancelled.set()
        return True

    def described(self) -> dict[str, Any]:
        request = self.request
        execution = {"creationTime": self.created_ms}
        if self.completed_ms is not None:
            execution["completionTime"] = self.completed_ms
        described = {
            "taskId": self.task_id,
            "logGroupName": request.log_group,
            "from": request.from_ms,
            "to": request.to_ms,
            "destination": request.bucket,
            "destinationPrefix": request.prefix,
            "status": {"code": self.status, "message": self.message},
            "executionInfo": execution,
        }
        return described | ({"taskName": request.task_name} if request.task_name else {})

    def _run(self) -> None:
        if self._cancelled.wait(START_DELAY_S):
            return
        with self._changing:
            if self.status != PENDING:
                return
            self.status, self.message = RUNNING, "Started Successfully"
        status, message = COMPLETED, "Completed successfully"
        try:
            with request_scope(self.destination.account_id, self.destination.region):
                self._export()
        except DestinationRefused as error:
            status, message = FAILED, str(error)
        except Exception as error:
            _logger.exception("export task %s", self.task_id)
            status, message = FAILED, f"InternalError: {error}"
        with self._changing:
            if self.status == RUNNING:
                self._end(status, message)

    def _export(self) -> None:
        """Raises DestinationRefused."""
        for name in sorted(self.streams):
            if self._cancelled.is_set():
                return
            content = exported_lines(self.streams[name]["events"], self.request.from_ms, self.request.to_ms)
            if content is not None:
                key = f"{self.request.prefix}/{self.task_id}/{name.replace('/', '-')}/000000.gz"
                asyncio.run(self.destination.put(key, content))

    def _end(self, status: str, message: str) -> None:
        self.status, self.message, self.completed_ms = status, message, _now_ms()


def exported_lines(events: Sequence[dict[str, Any]], from_ms: int, to_ms: int) -> bytes | None:
    """The lines of the events from `from_ms` to `to_ms`, both inclusive, as gzip: None without events."""
    count = len(events)
    first = bisect_left(events, from_ms, hi=count, key=_timestamp)
    end = bisect_right(events, to_ms, lo=first, hi=count, key=_timestamp)
    if first == end:
        return None
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as lines:
        for start in range(first, end, _CHUNK):
            for event in events[start : min(start + _CHUNK, end)]:
                line = f"{_iso(event['timestamp'])} {event['message']}\n"
                lines.write(line.encode(errors="replace"))
    return buffer.getvalue()


def _timestamp(event: dict[str, Any]) -> int:
    return int(event["timestamp"])


def _iso(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z"
