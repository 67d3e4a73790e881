"""CloudWatch Logs returns what was logged, of streams that are far longer than what stays in memory."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from deployed import DeployedFunction

from helpers.local_aws import LocalAws

# An hour ago: PutLogEvents rejects what is older than two weeks.
START_MS = int(time.time() * 1000) - 3_600_000
EVENTS = 3000


@pytest.fixture
def logs(make_client: Callable[..., Any]) -> Any:
    return make_client("logs")


@pytest.fixture
def stream(logs: Any) -> Iterator[dict[str, str]]:
    """Keywords that name a stream with events a millisecond apart: `event 0000` to `event 2999`."""
    names = {"logGroupName": "/test/log-storage", "logStreamName": "main"}
    logs.create_log_group(logGroupName=names["logGroupName"])
    logs.create_log_stream(**names)
    for first in range(0, EVENTS, 1000):
        logs.put_log_events(
            **names,
            logEvents=[
                {"timestamp": START_MS + number, "message": f"event {number:04d}"}
                for number in range(first, first + 1000)
            ],
        )
    yield names
    logs.delete_log_group(logGroupName=names["logGroupName"])


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


def numbered(*numbers: int) -> list[str]:
    return [f"event {number:04d}" for number in numbers]


def stream_files(local_aws: LocalAws) -> set[Path]:
    directories = f"serverless-patterns-workshop-{local_aws.process.pid}-*"
    return set(Path(tempfile.gettempdir()).glob(f"{directories}/log-stream-*"))


def test_pages_from_the_head_of_the_stream(logs: Any, stream: dict[str, str]) -> None:
    """CloudWatch Logs API reference, "GetLogEvents": the token stays the same at the end of the stream."""
    found: list[str] = []
    answer = logs.get_log_events(**stream, startFromHead=True, limit=700)
    while answer["events"]:
        found += messages(answer)
        token = answer["nextForwardToken"]
        answer = logs.get_log_events(**stream, startFromHead=True, limit=700, nextToken=token)
    assert found == numbered(*range(EVENTS))
    assert answer["nextForwardToken"] == token


def test_the_latest_events_come_first_when_nothing_is_said(logs: Any, stream: dict[str, str]) -> None:
    """CloudWatch Logs API reference, "GetLogEvents": startFromHead is false by default."""
    answer = logs.get_log_events(**stream, limit=3)
    assert messages(answer) == numbered(2997, 2998, 2999)
    earlier = logs.get_log_events(**stream, limit=3, nextToken=answer["nextBackwardToken"])
    assert messages(earlier) == numbered(2994, 2995, 2996)


def test_events_of_a_time_range(logs: Any, stream: dict[str, str]) -> None:
    """CloudWatch Logs API reference, "GetLogEvents": from startTime up to and without endTime."""
    answer = logs.get_log_events(
        **stream, startTime=START_MS + 500, endTime=START_MS + 503, startFromHead=True
    )
    assert messages(answer) == numbered(500, 501, 502)


def test_late_events_are_found_at_their_time(logs: Any, stream: dict[str, str]) -> None:
    """CloudWatch Logs API reference, "PutLogEvents": only the events of one batch must be in order."""
    logs.put_log_events(
        **stream,
        logEvents=[
            {"timestamp": START_MS + 10, "message": "late"},
            {"timestamp": START_MS + EVENTS, "message": "in time"},
        ],
    )
    answer = logs.get_log_events(**stream, startFromHead=True)
    expected = numbered(*range(EVENTS))
    assert messages(answer) == [*expected[:11], "late", *expected[11:], "in time"]


def test_filter_finds_a_pattern_in_all_streams_by_time(logs: Any, stream: dict[str, str]) -> None:
    """CloudWatch Logs API reference, "FilterLogEvents": events of all streams, sorted by timestamp."""
    other = {**stream, "logStreamName": "other"}
    logs.create_log_stream(**other)
    logs.put_log_events(**other, logEvents=[{"timestamp": START_MS + 1500, "message": "event 1500 again"}])
    answer = logs.filter_log_events(logGroupName=stream["logGroupName"], filterPattern='"event 1500"')
    assert messages(answer) == ["event 1500", "event 1500 again"]
    assert [event["logStreamName"] for event in answer["events"]] == ["main", "other"]
    limited = logs.filter_log_events(logGroupName=stream["logGroupName"], startTime=START_MS + 2000, limit=2)
    assert messages(limited) == numbered(2000, 2001)


def test_a_description_of_the_stream_knows_its_bounds(logs: Any, stream: dict[str, str]) -> None:
    """CloudWatch Logs API reference, "DescribeLogStreams" and "DescribeLogGroups"."""
    (found,) = logs.describe_log_streams(logGroupName=stream["logGroupName"])["logStreams"]
    assert found["firstEventTimestamp"] == START_MS
    assert found["lastEventTimestamp"] == START_MS + EVENTS - 1
    (group,) = logs.describe_log_groups(logGroupNamePrefix=stream["logGroupName"])["logGroups"]
    assert group["storedBytes"] >= EVENTS * len("event 0000")


@pytest.mark.parametrize("delete", ["stream", "group"])
def test_what_is_deleted_is_gone_from_the_disk(
    delete: str, logs: Any, local_aws: LocalAws, stream: dict[str, str]
) -> None:
    names = {"logGroupName": f"/test/log-storage/{delete}", "logStreamName": "doomed"}
    before = stream_files(local_aws)
    assert before, "the events of the other stream are on disk"
    logs.create_log_group(logGroupName=names["logGroupName"])
    logs.create_log_stream(**names)
    events = [{"timestamp": START_MS + number, "message": "x" * 100} for number in range(1000)]
    logs.put_log_events(**names, logEvents=events)
    assert len(stream_files(local_aws) - before) == 1
    if delete == "stream":
        logs.delete_log_stream(**names)
    logs.delete_log_group(logGroupName=names["logGroupName"])
    assert stream_files(local_aws) <= before


def test_what_a_function_prints_is_kept_on_disk(
    logs: Any, local_aws: LocalAws, deploy: Callable[..., DeployedFunction]
) -> None:
    before = stream_files(local_aws)
    function = deploy("def handler(event, context):\n    print(*range(1000), sep='\\n')")
    function.invoke()
    assert len(stream_files(local_aws) - before) == 1
    group_name = f"/aws/lambda/{function.name}"
    found = messages(logs.filter_log_events(logGroupName=group_name))
    assert [line for line in found if line.isdigit()] == [str(number) for number in range(1000)]
