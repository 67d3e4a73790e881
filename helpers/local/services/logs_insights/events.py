"""Log events as a query reads them: the columns that it needs, as arrays for DuckDB."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from helpers.local.services.logs_insights.event_index import (
    RECORD,
    Array,
    StoredEvent,
    index_of,
    valid_text,
)
from helpers.local.services.logs_insights.json_fields import fields_of_json
from helpers.local.services.logs_insights.scope import Needs

LAMBDA_COLUMNS = frozenset(RECORD.names or ()) - {"timestamp", "size_bytes"}

_CHUNK = 8192
_END_OF_TIME_MS = 2**62


def _message(event: StoredEvent) -> str:
    return valid_text(event["message"])


# Columns that are made by reading the events: their type, and their value for an event.
_READ: dict[str, tuple[type, Callable[[StoredEvent], Any]]] = {
    "message": (object, _message),
    "ingestion_time": (np.int64, itemgetter("ingestionTime")),
}


@dataclass(frozen=True)
class StreamEvents:
    """Events of one log stream, in the order of their timestamps. `log` is `<account id>:<log group>`.

    The first `count` of `events` are meant, as far as they are from `start_ms` to `end_ms`, both
    inclusive. `discovery` says whether fields are discovered: only in log groups of the Standard class.
    """

    log: str
    log_stream: str
    events: Sequence[StoredEvent]
    count: int
    discovery: bool = True
    start_ms: int = 0
    end_ms: int = _END_OF_TIME_MS

    @property
    def from_lambda(self) -> bool:
        """Whether the lines are Lambda's, whose own fields are discovered."""
        return self.discovery and self.log.partition(":")[2].startswith("/aws/lambda/")

    def part(self) -> tuple[int, Array]:
        """The events of the time range: the index of the first, and the record of each."""
        records = index_of(self.events).records(self.events, self.count)
        first = int(np.searchsorted(records["timestamp"], self.start_ms, "left"))
        end = int(np.searchsorted(records["timestamp"], self.end_ms, "right"))
        return first, records[first:end]

    def chunks(self, first: int, end: int) -> Iterator[tuple[int, Sequence[StoredEvent]]]:
        """A part at a time, with its position: a store may keep events in less memory than lists take."""
        for start in range(first, end, _CHUNK):
            yield start - first, self.events[start : min(start + _CHUNK, end)]


@dataclass(frozen=True)
class LogTable:
    """The events of one log group: arrays of equal length by the name of their column in SQL.

    Lambda's columns are there `from_lambda` only. `log` is the same for the whole table.
    """

    log: str
    from_lambda: bool
    columns: dict[str, Array]
    size_bytes: int

    def __len__(self) -> int:
        return len(self.columns["sequence"])


def load(
    streams: Iterable[StreamEvents], needs: Needs, check: Callable[[], None] = lambda: None
) -> list[LogTable]:
    """A table for each log group, never none.

    `check` is called again and again meanwhile, and may raise to end it.
    """
    by_log: dict[str, list[StreamEvents]] = {}
    for stream in list(streams) or [StreamEvents(log="", log_stream="", events=[], count=0)]:
        by_log.setdefault(stream.log, []).append(stream)
    tables: list[LogTable] = []
    for log, members in by_log.items():
        parts = [_stream_columns(stream, needs, check) for stream in members]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        # The order of arrival decides between events of the same millisecond.
        first = sum(map(len, tables))
        sizes = columns.pop("size_bytes")
        columns["sequence"] = np.arange(first, first + len(sizes))
        tables.append(LogTable(log, members[0].from_lambda, columns, int(sizes.sum())))
    return tables


def _stream_columns(stream: StreamEvents, needs: Needs, check: Callable[[], None]) -> dict[str, Array]:
    check()
    first, records = stream.part()
    recorded = (needs.columns & set(RECORD.names or ())) | {"size_bytes"}
    columns = {name: records[name] for name in recorded if stream.from_lambda or name not in LAMBDA_COLUMNS}
    if "log_stream" in needs.columns:
        columns["log_stream"] = np.full(len(records), stream.log_stream, object)
    return columns | _read_columns(stream, first, len(records), needs, check)


def _read_columns(
    stream: StreamEvents, first: int, count: int, needs: Needs, check: Callable[[], None]
) -> dict[str, Array]:
    """The columns that take reading the events, if there are any."""
    columns: dict[str, Array] = {
        name: np.empty(count, _READ[name][0]) for name in needs.columns & _READ.keys()
    }
    json_columns = [np.empty(count, object) for _ in needs.json_fields]
    if not columns and not json_columns:
        return {}
    for start, events in stream.chunks(first, first + count):
        check()
        chunk = slice(start, start + len(events))
        for name, array in columns.items():
            array[chunk] = np.fromiter(map(_READ[name][1], events), array.dtype, len(events))
        if json_columns and stream.discovery:
            rows = [fields_of_json(_message(event), embedded=stream.from_lambda) for event in events]
            for name, array in zip(needs.json_fields, json_columns, strict=True):
                array[chunk] = np.fromiter((row.get(name) for row in rows), object, len(rows))
    return columns | {f"json_{index}": array for index, array in enumerate(json_columns)}
