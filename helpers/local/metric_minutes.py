"""One CloudWatch metric, aggregated by the minute.

Amazon CloudWatch user guide, "Metrics concepts": AWS services send their metrics as statistic sets
of a minute, and a percentile needs the values themselves. So a minute is kept as the values that
occurred in it and how often each did, from which every statistic can be computed exactly.
"""

import itertools
import math
import threading
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

MINUTE_S = 60

# The emulator's form of a data point: Timestamp (seconds since 1970), Value, Count, Unit, Dimensions.
Point = dict[str, Any]


@dataclass
class _Minute:
    """`last_s` is the time of the last value, by which the emulator selects points."""

    number: int
    last_s: float
    counts: dict[float, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _PastMinute:
    """A minute that is over: 12 bytes for each distinct value instead of a hundred."""

    last_s: float
    values: "array[float]"
    counts: "array[int]"


class MetricMinutes(Sequence[Point]):
    """Reads as the list of points that the emulator keeps for a metric, one for each distinct value
    of a minute. All methods may be called from any thread."""

    def __init__(self, unit: str, dimensions: dict[str, str]) -> None:
        self._unit = unit
        self._dimensions = dimensions
        self._lock = threading.Lock()
        self._past: list[_PastMinute] = []
        self._current: _Minute | None = None

    def add(self, value: float, now_s: float) -> None:
        with self._lock:
            number = int(now_s // MINUTE_S)
            current = self._current
            if current is None or current.number < number:
                self._end_minute()
                current = self._current = _Minute(number, now_s)
            current.last_s = max(current.last_s, now_s)
            current.counts[value] = current.counts.get(value, 0) + 1

    def forget_before(self, oldest_s: float) -> None:
        with self._lock:
            self._past = [minute for minute in self._past if minute.last_s >= oldest_s]
            if self._current is not None and self._current.last_s < oldest_s:
                self._current = None

    def _end_minute(self) -> None:
        if self._current is not None:
            counts = self._current.counts
            self._past.append(
                _PastMinute(self._current.last_s, array("d", counts), array("I", counts.values()))
            )

    def __len__(self) -> int:
        with self._lock:
            current = len(self._current.counts) if self._current else 0
            return current + sum(len(minute.values) for minute in self._past)

    def __iter__(self) -> Iterator[Point]:
        return self.since(-math.inf)

    def since(self, oldest_s: float) -> Iterator[Point]:
        """The points of the minutes that have a value at `oldest_s` (seconds since 1970) or later."""
        with self._lock:
            past = [minute for minute in self._past if minute.last_s >= oldest_s]
            current = self._current
            newest = list(current.counts.items()) if current and current.last_s >= oldest_s else []
        for minute in past:
            for value, count in zip(minute.values, minute.counts, strict=True):
                yield self._point(minute.last_s, value, count)
        for value, count in newest:
            assert current is not None
            yield self._point(current.last_s, value, count)

    def _point(self, time_s: float, value: float, count: int) -> Point:
        return {
            "Timestamp": time_s,
            "Value": value,
            "Count": float(count),
            "Unit": self._unit,
            "Dimensions": self._dimensions,
        }

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> list[Point]: ...
    def __getitem__(self, index: int | slice) -> Point | list[Point]:
        if isinstance(index, slice) or index < 0:
            return list(self)[index]
        return next(itertools.islice(self, index, None))
