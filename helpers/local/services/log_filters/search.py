"""Search the log streams of a group in the order of time, page by page.

AWS: CloudWatch Logs API reference, "FilterLogEvents": events of all streams are interleaved, sorted
by timestamp and then by the time of ingestion; a page has up to 10,000 events and up to 1 MB, and may
be partially full or empty though there are more.
"""

import hashlib
import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

from helpers.local.services.log_filters.patterns import Pattern
from helpers.local.services.log_filters.tokens import Position

MAXIMUM_PAGE = 10_000
MAXIMUM_PAGE_BYTES = 1024 * 1024
# A page ends here though it may be empty, lest a search for what is rare takes seconds without an answer.
MAXIMUM_SCANNED = 100_000
_CHUNK = 1024


@dataclass(frozen=True)
class Stream:
    """The first `count` of the events were there when the search began."""

    name: str
    events: Sequence[dict[str, Any]]
    count: int


@dataclass(frozen=True)
class Candidate:
    """An event of a stream, by its index."""

    stream: Stream
    index: int
    event: dict[str, Any]

    @property
    def key(self) -> tuple[int, int, str]:
        return self.event["timestamp"], self.event.get("ingestionTime", 0), self.stream.name

    @property
    def position(self) -> Position:
        timestamp_ms, ingestion_ms, name = self.key
        before = self.stream.events[self.index - 1] if self.index else None
        ordinal = 0
        if before is not None and before["timestamp"] == timestamp_ms:
            ordinal = self.index - bisect_left(
                self.stream.events, timestamp_ms, hi=self.index, key=_timestamp
            )
        return Position(timestamp_ms, ingestion_ms, name, ordinal)

    @property
    def event_id(self) -> str:
        """56 digits, the same each time that the event is found."""
        position = self.position
        identity = f"{position.log_stream}\n{position.timestamp_ms}\n{position.ordinal}"
        number = int.from_bytes(hashlib.sha256(identity.encode(errors="surrogatepass")).digest())
        return f"{number % 10**56:056d}"


@dataclass(frozen=True)
class Search:
    """Times in ms since 1970, both inclusive; None is no limit. `after` is where the last page ended."""

    streams: tuple[Stream, ...]
    pattern: Pattern
    start_ms: int | None
    end_ms: int | None
    newest_first: bool
    after: Position | None

    def page(self, limit: int) -> tuple[list[Candidate], Position | None]:
        """Events that match, and the position to go on from: None when there is nothing left."""
        found: list[Candidate] = []
        size_bytes = 0
        previous: Candidate | None = None
        for scanned, candidate in enumerate(self._candidates()):
            message = candidate.event["message"]
            matches = self.pattern.match(message) is not None
            event_bytes = len(message.encode(errors="surrogatepass")) if matches else 0
            full = len(found) == limit or (found and size_bytes + event_bytes > MAXIMUM_PAGE_BYTES)
            if previous is not None and (full or scanned == MAXIMUM_SCANNED):
                return found, previous.position
            if matches:
                found.append(candidate)
                size_bytes += event_bytes
            previous = candidate
        return found, None

    def _candidates(self) -> Iterator[Candidate]:
        parts = [self._of_stream(stream) for stream in self.streams]
        return heapq.merge(*parts, key=lambda candidate: candidate.key, reverse=self.newest_first)

    def _of_stream(self, stream: Stream) -> Iterator[Candidate]:
        events, count = stream.events, stream.count
        first, end = 0, count
        start_ms, end_ms = self.start_ms, self.end_ms
        if self.after is not None:
            # All events with the timestamp of the last one: some of them may still be to come.
            if self.newest_first:
                end_ms = self.after.timestamp_ms
            else:
                start_ms = self.after.timestamp_ms
        if start_ms is not None:
            first = bisect_left(events, start_ms, hi=count, key=_timestamp)
        if end_ms is not None:
            end = bisect_right(events, end_ms, lo=first, hi=count, key=_timestamp)
        candidates = _in_chunks(stream, first, end, self.newest_first)
        return candidates if self.after is None else dropwhile(self._was_seen, candidates)

    def _was_seen(self, candidate: Candidate) -> bool:
        after = self.after
        assert after is not None
        if candidate.event["timestamp"] != after.timestamp_ms:
            return False
        if candidate.stream.name == after.log_stream:
            ordinal = candidate.position.ordinal
            return ordinal >= after.ordinal if self.newest_first else ordinal <= after.ordinal
        seen = (after.timestamp_ms, after.ingestion_ms, after.log_stream)
        return candidate.key > seen if self.newest_first else candidate.key < seen


def _in_chunks(stream: Stream, first: int, end: int, newest_first: bool) -> Iterator[Candidate]:
    """A part at a time: the store keeps most events compressed on disk."""
    starts = range(first, end, _CHUNK)
    for start in reversed(starts) if newest_first else starts:
        numbered = list(enumerate(stream.events[start : min(start + _CHUNK, end)], start))
        for index, event in reversed(numbered) if newest_first else numbered:
            yield Candidate(stream, index, event)


def _timestamp(event: dict[str, Any]) -> int:
    timestamp_ms: int = event["timestamp"]
    return timestamp_ms
