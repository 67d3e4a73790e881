"""The events of one log stream: the newest in memory, all others compressed in a file.

A function that is invoked some hundred times a second writes millions of events an hour. As a
list of dictionaries they would take gigabytes of memory.
"""

import heapq
import itertools
import logging
import marshal
import os
import tempfile
import weakref
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

# {"timestamp": milliseconds, "message": text, "ingestionTime": milliseconds}, and what else the
# emulator adds.
Event = dict[str, Any]

# Rough memory of an event in bytes, apart from its message.
EVENT_SIZE = 512
BLOCK_SIZE = 128 * EVENT_SIZE
_BLOCKS_CACHED = 64

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Block:
    """Where the file holds a run of events, of which the first has the index `first`."""

    first: int
    offset: int
    size_bytes: int


class LogEvents(Sequence[Event]):
    """Grows at its end only, so that whoever took its length may read that far at any time.

    One thread at a time may append; any number may read meanwhile. The file goes with the object.
    When the disk is full, events stay in memory and a warning goes to the log.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._path: Path | None = None
        self._blocks: list[_Block] = []
        # Index of the first event in memory, and the events. Replaced as a whole: a reader that holds
        # the pair finds the same events in it for ever.
        self._newest: tuple[int, list[Event]] = (0, [])
        self._newest_size = 0
        self._largest_newest_size = BLOCK_SIZE
        self.extend(events)

    def append(self, event: Event) -> None:
        self._newest[1].append(event)
        self._newest_size += EVENT_SIZE + len(event["message"])
        if self._newest_size >= self._largest_newest_size:
            self._move_to_disk()

    def extend(self, events: Iterable[Event]) -> None:
        for event in events:
            self.append(event)

    def merged_with(self, late: list[Event]) -> "LogEvents":
        """A new sequence that also holds `late` events, by time; equal times keep their order."""
        return LogEvents(heapq.merge(self, late, key=lambda event: event["timestamp"]))

    def without_first(self, count: int) -> "LogEvents":
        """A new sequence of the events that come after the first `count`."""
        return LogEvents(self._from(count))

    def __len__(self) -> int:
        first, events = self._newest
        return first + len(events)

    def __iter__(self) -> Iterator[Event]:
        return self._from(0)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return list(itertools.islice(self._from(start), max(0, stop - start)))
            return [self[each] for each in range(start, stop, step)]
        first, events = self._newest
        position = index if index >= 0 else index + first + len(events)
        if position >= first:
            return events[position - first]
        if position < 0:
            raise IndexError(f"{index} of {len(self)} log events")
        block = self._blocks[self._block_of(position)]
        return self._read(block)[position - block.first]

    def _from(self, position: int) -> Iterator[Event]:
        """The events from `position` on, as far as there are any when they are asked for."""
        first, events = self._newest
        if position < first:
            start = self._block_of(position)
            # Blocks that are added meanwhile hold what `events` holds.
            for block in itertools.takewhile(lambda each: each.first < first, self._blocks[start:]):
                yield from itertools.islice(self._read(block), max(0, position - block.first), None)
        yield from itertools.islice(events, max(0, position - first), None)

    def _block_of(self, position: int) -> int:
        return bisect_right(self._blocks, position, key=lambda block: block.first) - 1

    def _read(self, block: _Block) -> list[Event]:
        assert self._path is not None
        return _read_block(self._path, block)

    def _move_to_disk(self) -> None:
        first, events = self._newest
        content = zlib.compress(marshal.dumps(events), 1)
        try:
            block = self._write(first, content)
        except OSError as error:
            _logger.warning("%d log events stay in memory: %s", len(events), error)
            # Lest every event that follows tries again.
            self._largest_newest_size = 2 * self._newest_size
            return
        self._blocks.append(block)
        self._newest = (first + len(events), [])
        self._newest_size = 0
        self._largest_newest_size = BLOCK_SIZE

    def _write(self, first: int, content: bytes) -> _Block:
        if self._path is None:
            descriptor, name = tempfile.mkstemp(prefix="log-stream-")
            os.close(descriptor)
            self._path = Path(name)
            weakref.finalize(self, self._path.unlink, missing_ok=True)
        last = self._blocks[-1] if self._blocks else _Block(0, 0, 0)
        offset = last.offset + last.size_bytes
        with self._path.open("r+b") as file:
            # Not at the end of the file: a write that failed may have left a part of its data there.
            file.seek(offset)
            file.write(content)
        return _Block(first, offset, len(content))


@lru_cache(_BLOCKS_CACHED)
def _read_block(path: Path, block: _Block) -> list[Event]:
    with path.open("rb") as file:
        file.seek(block.offset)
        events: list[Event] = marshal.loads(zlib.decompress(file.read(block.size_bytes)))
    return events
