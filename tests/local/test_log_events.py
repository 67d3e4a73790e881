"""The events of a log stream read as a list, whether they are in memory or on disk."""

import itertools
import random
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.local.log_events import BLOCK_SIZE, Event, LogEvents


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the files of a test's streams lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def make_events(count: int, start_ms: int = 0, step_ms: int = 3) -> list[Event]:
    return [
        {"timestamp": start_ms + step_ms * number, "message": f"line {number} é\ud800", "ingestionTime": 7}
        for number in range(count)
    ]


def timestamp(event: Event) -> int:
    return int(event["timestamp"])


def test_reads_like_the_list_of_the_same_events() -> None:
    expected = make_events(2000)
    events = LogEvents(expected)
    assert len(events) == 2000
    assert list(events) == expected
    assert list(reversed(events)) == expected[::-1]
    for index in (0, 1, 127, 128, 129, 1000, 1999, -1, -2000):
        assert events[index] == expected[index]
    for bounds in (
        slice(0, 5),
        slice(100, 900),
        slice(1990, 3000),
        slice(5, 2),
        slice(-3, None),
        slice(0, 9, 4),
    ):
        assert events[bounds] == expected[bounds]
    for time_ms in (-1, 0, 2, 3, 3000, 5997, 9999):
        assert bisect_left(events, time_ms, key=timestamp) == bisect_left(expected, time_ms, key=timestamp)
        assert bisect_right(events, time_ms, key=timestamp) == bisect_right(expected, time_ms, key=timestamp)


@pytest.mark.parametrize("index", [2000, -2001])
def test_an_index_beyond_the_ends_is_refused(index: int) -> None:
    with pytest.raises(IndexError):
        LogEvents(make_events(2000))[index]


@pytest.mark.parametrize("count", [0, 1, 500, 2000])
def test_without_its_first_events_the_rest_is_the_same(count: int) -> None:
    expected = make_events(2000)
    events = LogEvents(expected)
    assert list(events.without_first(count)) == expected[count:]
    assert list(events) == expected, "a reader of the stream sees what it saw"


def test_an_empty_stream() -> None:
    events = LogEvents()
    assert not events
    assert list(events) == events[:] == []


def test_late_events_are_merged_by_time_and_equal_times_keep_their_order() -> None:
    expected = make_events(500)
    events = LogEvents(expected)
    late = [{"timestamp": 300, "message": "late", "ingestionTime": 9}]
    merged = events.merged_with(late)
    assert [event["message"] for event in merged if event["timestamp"] == 300] == ["line 100 é\ud800", "late"]
    assert [timestamp(event) for event in merged] == sorted([*map(timestamp, expected), 300])
    assert list(events) == expected, "a reader of the stream before the merge sees what it saw"


def test_a_reader_is_not_disturbed_by_what_is_appended_meanwhile() -> None:
    expected = make_events(4000)
    events = LogEvents(expected[:1000])
    reader = iter(events)
    read = list(itertools.islice(reader, 990))
    events.extend(expected[1000:])
    read += itertools.islice(reader, 10)
    assert read == expected[:1000]
    assert list(events) == expected


def test_few_events_are_in_memory_and_the_file_goes_with_the_stream(directory: Path) -> None:
    events = LogEvents(make_events(5000))
    assert len(events._newest[1]) < 200
    assert len(list(directory.iterdir())) == 1
    del events
    assert not list(directory.iterdir())


def test_large_events_reach_the_disk_at_once(directory: Path) -> None:
    large = {"timestamp": 1, "message": "x" * BLOCK_SIZE, "ingestionTime": 1}
    events = LogEvents([large])
    assert list(directory.iterdir())
    assert events[0] == large


def test_nothing_is_lost_when_the_disk_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = make_events(3000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    events = LogEvents(expected[:1000])
    assert list(events) == expected[:1000]
    assert "log events stay in memory" in caplog.text
    assert len(caplog.records) < 10, "one warning for each doubling, not one for each event"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    events.extend(expected[1000:])
    assert list(events) == expected
    assert len(events._newest[1]) < 200


def test_any_mixture_of_batches_reads_like_a_sorted_list() -> None:
    choose = random.Random(20)
    events, expected = LogEvents(), list[Event]()
    for _ in range(60):
        batch = make_events(choose.randrange(1, 90), choose.randrange(10_000), choose.randrange(3))
        if events and timestamp(batch[0]) < timestamp(events[-1]):
            events = events.merged_with(batch)
        else:
            events.extend(batch)
        expected = sorted([*expected, *batch], key=timestamp)
    assert list(events) == expected
