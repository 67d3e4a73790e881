"""What is discovered in log events when they arrive: time, size, and the numbers of Lambda's lines.

CloudWatch Logs discovers fields when it ingests an event. A query that reads nothing else, such as
one on the durations of a function, then need not read the events again.
"""

import logging
import os
import struct
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from helpers.local.services.logs_insights.lambda_lines import read_line

Array: TypeAlias = NDArray[Any]

# One record for each event: `_pack` writes it, `RECORD` reads it.
RECORD = np.dtype(
    [
        ("timestamp", "<i8"),
        ("size_bytes", "<i4"),
        ("line_type", "<i1"),
        ("duration", "<f8"),
        ("billed_duration", "<f8"),
        ("init_duration", "<f8"),
        ("memory_size", "<f8"),
        ("max_memory_used", "<f8"),
    ]
)
_pack = struct.Struct("<qib5d").pack
_LARGEST_IN_MEMORY = 256 * RECORD.itemsize
_CHUNK = 8192
_logger = logging.getLogger(__name__)


class StoredEvent(TypedDict):
    """What is read of a log event as the emulator stores it: times in ms since 1970."""

    timestamp: int
    message: str
    ingestionTime: int


def valid_text(text: str) -> str:
    """The text with `?` for what is no character: JSON can spell half of a surrogate pair."""
    return text if text.isascii() else text.encode(errors="replace").decode()


class EventIndex:
    """The records of one sequence of events, which only grows: in a file, but for the newest.

    Any number of threads may use it. The file goes with the object. When the disk is full, records
    stay in memory and a warning goes to the log.
    """

    def __init__(self) -> None:
        self._newest = bytearray()
        self._largest_newest = _LARGEST_IN_MEMORY
        self._file: Path | None = None
        self._written = 0
        self._lock = threading.Lock()

    def catch_up(self, events: Sequence[StoredEvent]) -> None:
        """Index the events that were appended since the last time."""
        with self._lock:
            while self._count < (end := len(events)):
                for event in events[self._count : min(self._count + _CHUNK, end)]:
                    size_bytes = len(event["message"].encode(errors="surrogatepass"))
                    self._newest += _pack(event["timestamp"], size_bytes, *read_line(event["message"]))
                if len(self._newest) > self._largest_newest:
                    self._move_to_disk()

    def records(self, events: Sequence[StoredEvent], count: int) -> Array:
        """The records of the first `count` events: an array of RECORD."""
        self.catch_up(events)
        with self._lock:
            newest = np.frombuffer(bytes(self._newest), RECORD)
            if self._file is None:
                return newest[:count]
            return np.concatenate((np.fromfile(self._file, RECORD, self._written), newest))[:count]

    @property
    def _count(self) -> int:
        return self._written + len(self._newest) // RECORD.itemsize

    def _move_to_disk(self) -> None:
        try:
            self._write()
        except OSError as error:
            _logger.warning("%d bytes of an index of log events stay in memory: %s", len(self._newest), error)
            # Lest every event that follows tries again.
            self._largest_newest = 2 * len(self._newest)
            return
        self._written = self._count
        self._newest = bytearray()
        self._largest_newest = _LARGEST_IN_MEMORY

    def _write(self) -> None:
        if self._file is None:
            descriptor, name = tempfile.mkstemp(prefix="log-index-")
            os.close(descriptor)
            self._file = Path(name)
            weakref.finalize(self, self._file.unlink, missing_ok=True)
        with self._file.open("r+b") as file:
            # Not at the end of the file: a write that failed may have left a part of its data there.
            file.seek(self._written * RECORD.itemsize)
            file.write(self._newest)


_indexes: weakref.WeakKeyDictionary[Sequence[StoredEvent], EventIndex] = weakref.WeakKeyDictionary()
_indexes_lock = threading.Lock()


def index_of(events: Sequence[StoredEvent]) -> EventIndex:
    """The index of these events, kept for as long as they are. A plain list gets a new one each time."""
    if isinstance(events, list):
        return EventIndex()
    with _indexes_lock:
        return _indexes.setdefault(events, EventIndex())
