"""The index of log events answers as reading the events would, however they arrived."""

import gc
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from insights_logs import report_line

from helpers.local.log_events import LogEvents
from helpers.local.services.logs_insights.engine import run_query
from helpers.local.services.logs_insights.event_index import Array, EventIndex, StoredEvent, index_of
from helpers.local.services.logs_insights.events import StreamEvents

SEED = 7


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of a test's indexes and streams lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def lines() -> list[StoredEvent]:
    numbers = random.Random(SEED)
    messages = [
        "START RequestId: x Version: 1",
        "own words",
        "END RequestId: x",
        "REPORT RequestId: x\tDuration: ? ms",
    ]
    messages += [report_line(numbers.uniform(1, 99), numbers.choice([None, 100.5])) for _ in range(3000)]
    numbers.shuffle(messages)
    return [
        {"timestamp": 10 * position, "message": message, "ingestionTime": 0}
        for position, message in enumerate(messages)
    ]


def same(one: Array, other: Array) -> bool:
    """Also where numbers are missing: NaN is not equal to itself."""
    return one.tobytes() == other.tobytes()


def test_growing_in_pieces_is_the_same_as_at_once(lines: list[StoredEvent], directory: Path) -> None:
    at_once, in_pieces = EventIndex(), EventIndex()
    arrived: list[StoredEvent] = []
    numbers = random.Random(SEED)
    while len(arrived) < len(lines):
        arrived += lines[len(arrived) : len(arrived) + numbers.randint(1, 300)]
        in_pieces.catch_up(arrived)
    expected = at_once.records(lines, len(lines))
    assert list(directory.glob("log-index-*")), "most of it lies in a file"
    for count in (0, 1, 255, 256, 257, 1000, len(lines)):
        assert same(in_pieces.records(arrived, count), expected[:count])


def test_what_arrives_late_is_in_its_place(lines: list[StoredEvent]) -> None:
    early, late = LogEvents(lines[::2]), lines[1::2]
    index_of(early).catch_up(early)
    merged = early.merged_with(list(late))
    expected = EventIndex().records(lines, len(lines))
    assert same(index_of(merged).records(merged, len(merged)), expected)
    half = index_of(early).records(early, len(early))
    assert half["timestamp"].tolist() == [line["timestamp"] for line in lines[::2]]


def test_the_file_goes_with_the_events(lines: list[StoredEvent], directory: Path) -> None:
    events = LogEvents(lines)
    index_of(events).catch_up(events)
    assert list(directory.glob("log-index-*"))
    del events
    gc.collect()
    assert not list(directory.glob("log-index-*"))


def test_a_full_disk_costs_memory_and_no_record(
    lines: list[StoredEvent], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    index = EventIndex()
    index.catch_up(lines[:1000])

    def full(*arguments: Any, **options: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", full)
        index.catch_up(lines[:2000])
        assert "stay in memory" in caplog.text
    expected = EventIndex().records(lines, len(lines))
    assert same(index.records(lines, len(lines)), expected)


def test_queries_with_and_without_the_index_agree(lines: list[StoredEvent]) -> None:
    """The index gives @duration; parse finds the same number in the line."""
    stream = StreamEvents("111122223333:/aws/lambda/f", "s", LogEvents(lines), len(lines))
    query = r"""filter @type = "REPORT"
        | parse @message /\tDuration: (?<duration>[\d.]+) ms/
        | parse @message /\tInit Duration: (?<init>[\d.]+) ms/
        | filter coalesce(@duration, 0) != coalesce(duration, 0)
            or coalesce(@initDuration, 0) != coalesce(init, 0)"""
    result = run_query(query, [stream])
    assert result.rows == []
    assert result.records_scanned == len(lines)
