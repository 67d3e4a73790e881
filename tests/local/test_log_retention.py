"""Log events are gone once they are older than their log group's retention.

AWS: CloudWatch Logs API reference, "PutRetentionPolicy".
"""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from insights_logs import InsightsLogs

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MESSAGES = ["4 days", "30 hours", "1 hour"]
ALL_TIME = {"startTime": 0, "endTime": 2**31}


@pytest.fixture
def logs(make_client: Callable[..., Any]) -> Any:
    return make_client("logs")


@pytest.fixture
def names(logs: Any) -> Iterator[dict[str, str]]:
    """Keywords that name a stream with three events of different ages."""
    made = {"logGroupName": f"/test/retention-{secrets.token_hex(4)}", "logStreamName": "main"}
    logs.create_log_group(logGroupName=made["logGroupName"])
    logs.create_log_stream(**made)
    now_ms = int(time.time() * 1000)
    for message, age_ms in zip(MESSAGES, (4 * DAY_MS, 30 * HOUR_MS, HOUR_MS), strict=True):
        # One batch each: a batch cannot span more than 24 hours.
        logs.put_log_events(**made, logEvents=[{"timestamp": now_ms - age_ms, "message": message}])
    yield made
    logs.delete_log_group(logGroupName=made["logGroupName"])


def keep(logs: Any, names: dict[str, str], days: int) -> None:
    logs.put_retention_policy(logGroupName=names["logGroupName"], retentionInDays=days)


def read(logs: Any, names: dict[str, str]) -> list[str]:
    answer = logs.get_log_events(**names, startFromHead=True)
    return [event["message"] for event in answer["events"]]


def stored_bytes(logs: Any, names: dict[str, str]) -> int:
    [group] = logs.describe_log_groups(logGroupNamePrefix=names["logGroupName"])["logGroups"]
    return int(group["storedBytes"])


@pytest.mark.parametrize(("days", "kept"), [(1, 1), (3, 2), (5, 3)])
def test_only_younger_events_are_read(logs: Any, names: dict[str, str], days: int, kept: int) -> None:
    keep(logs, names, days)
    assert read(logs, names) == MESSAGES[-kept:]


def test_expired_events_are_found_by_no_search_and_no_query(logs: Any, names: dict[str, str]) -> None:
    group_name = names["logGroupName"]
    keep(logs, names, 1)
    found = logs.filter_log_events(logGroupName=group_name)["events"]
    assert [event["message"] for event in found] == MESSAGES[-1:]
    insights = InsightsLogs(logs)
    assert insights.ask("fields @message", group_name, **ALL_TIME) == [{"@message": MESSAGES[-1]}]


def test_expired_events_are_not_stored_any_more(logs: Any, names: dict[str, str]) -> None:
    """They are not included in storedBytes, and do not add to the storage costs."""
    assert stored_bytes(logs, names) == sum(len(message) + 26 for message in MESSAGES)
    keep(logs, names, 1)
    assert stored_bytes(logs, names) == len(MESSAGES[-1]) + 26
    [stream] = logs.describe_log_streams(logGroupName=names["logGroupName"])["logStreams"]
    assert stream["firstEventTimestamp"] == stream["lastEventTimestamp"]


def test_what_has_expired_does_not_come_back(logs: Any, names: dict[str, str]) -> None:
    keep(logs, names, 1)
    assert read(logs, names) == MESSAGES[-1:]
    logs.delete_retention_policy(logGroupName=names["logGroupName"])
    assert read(logs, names) == MESSAGES[-1:]


def test_a_stream_goes_on_after_its_events_have_expired(logs: Any, names: dict[str, str]) -> None:
    stream = {**names, "logStreamName": "old"}
    logs.create_log_stream(**stream)
    now_ms = int(time.time() * 1000)
    logs.put_log_events(**stream, logEvents=[{"timestamp": now_ms - 2 * DAY_MS, "message": "old"}])
    keep(logs, names, 1)
    assert read(logs, stream) == []
    logs.put_log_events(**stream, logEvents=[{"timestamp": now_ms, "message": "new"}])
    assert read(logs, stream) == ["new"]


def test_long_streams_lose_their_oldest_events_only(logs: Any, names: dict[str, str]) -> None:
    """Most of the events are on disk."""
    stream = {**names, "logStreamName": "long"}
    logs.create_log_stream(**stream)
    start_ms = int(time.time() * 1000) - DAY_MS - 90 * 60_000
    # A minute apart, from 25.5 hours ago until an hour and a half ago.
    events = [{"timestamp": start_ms + number * 60_000, "message": f"{number}"} for number in range(1440)]
    logs.put_log_events(**stream, logEvents=events)
    keep(logs, names, 1)
    kept = [int(message) for message in read(logs, stream)]
    assert kept == list(range(kept[0], 1440))
    # Of the minute that is just beginning or ending, and of those that pass during the test.
    assert 89 <= kept[0] <= 100


def test_without_a_retention_nothing_expires(logs: Any, names: dict[str, str]) -> None:
    assert read(logs, names) == MESSAGES


def test_only_the_documented_numbers_of_days_are_taken(logs: Any, names: dict[str, str]) -> None:
    """`retentionInDays`: possible values."""
    for days in (2, 31, 0):
        with pytest.raises(ClientError) as refused:
            keep(logs, names, days)
        assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
