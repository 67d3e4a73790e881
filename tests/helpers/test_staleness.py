"""Watching readers: when each one saw a new value, and which ones never did."""

import itertools
import math
import threading
from collections.abc import Callable

import pytest

from helpers.staleness import start
from helpers.waiting import NotObserved


def reader(old_reads: int) -> Callable[[], int]:
    """Returns version 1 so many times, and version 2 from then on."""
    reads = itertools.count()
    return lambda: 1 if next(reads) < old_reads else 2


def is_new(version: int) -> bool:
    return version == 2


def test_readers_see_the_new_value_at_different_times_or_not_at_all() -> None:
    readers = {"fresh": reader(0), "cached": reader(5), "frozen": lambda: 1}
    seconds = start(readers, is_new, until=["fresh", "cached"], interval_s=0.01).result()
    assert list(seconds.index) == ["fresh", "cached", "frozen"]
    assert seconds["fresh"] < 0.05 <= seconds["cached"]
    assert math.isnan(seconds["frozen"])


def test_it_goes_on_in_the_background() -> None:
    changed = threading.Event()
    watch = start({"cached": lambda: 1 + changed.is_set()}, is_new, ["cached"], interval_s=0)
    changed.set()
    assert watch.result()["cached"] >= 0


def test_a_reader_that_is_new_is_asked_no_more() -> None:
    reads: list[int] = []

    def once() -> int:
        reads.append(2)
        return 2

    start({"once": once, "cached": reader(5)}, is_new, ["cached"], interval_s=0).result()
    assert reads == [2]


def test_it_says_which_readers_never_saw_it() -> None:
    readers = {"fresh": reader(0), "frozen": lambda: 1}
    with pytest.raises(NotObserved, match=r"new value from frozen; it was seen from fresh\."):
        start(readers, is_new, list(readers), timeout_s=0).result()
    with pytest.raises(NotObserved, match="seen from no reader"):
        start({"frozen": lambda: 1}, is_new, ["frozen"], timeout_s=0).result()


def test_an_error_of_a_reader_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        start({"broken": lambda: 1 // 0}, is_new, ["broken"]).result()


def test_a_reader_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="agent is not among the readers cached"):
        start({"cached": reader(0)}, is_new, ["agent"])
