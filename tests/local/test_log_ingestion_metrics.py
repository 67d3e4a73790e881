"""What is written to log groups is limited, rejected and counted as CloudWatch Logs does it.

AWS: CloudWatch Logs API reference, "PutLogEvents", "RejectedLogEventsInfo", "DescribeLogGroups" and
"DescribeLogStreams"; user guide, "Monitoring usage with CloudWatch metrics".
"""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_S = 7 * 24 * 3600


@dataclass
class LogGroup:
    """A log group of its own with one stream. `client` is a boto3 client of CloudWatch Logs."""

    client: Any
    name: str
    stream: str = "main"

    @property
    def names(self) -> dict[str, str]:
        return {"logGroupName": self.name, "logStreamName": self.stream}

    def put(self, *events: tuple[int, str]) -> dict[str, Any]:
        log_events = [{"timestamp": time_ms, "message": message} for time_ms, message in events]
        answer: dict[str, Any] = self.client.put_log_events(**self.names, logEvents=log_events)
        return answer

    def messages(self) -> list[str]:
        answer = self.client.get_log_events(**self.names, startFromHead=True)
        return [event["message"] for event in answer["events"]]

    def described(self) -> dict[str, Any]:
        [group] = self.client.describe_log_groups(logGroupNamePrefix=self.name)["logGroups"]
        return dict(group)


@pytest.fixture
def group(make_client: Callable[..., Any]) -> Iterator[LogGroup]:
    made = LogGroup(make_client("logs"), f"/test/ingestion-{secrets.token_hex(4)}")
    made.client.create_log_group(logGroupName=made.name)
    made.client.create_log_stream(**made.names)
    yield made
    made.client.delete_log_group(logGroupName=made.name)


@pytest.fixture
def now_ms() -> int:
    return int(time.time() * 1000)


def metric(cloudwatch: Any, name: str, **dimensions: str) -> dict[str, Any]:
    """Sum and Unit of a metric of namespace AWS/Logs: {} when there are no values."""
    now = datetime.now(UTC)
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/Logs",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        # A period that no test run outlasts, so that there is one data point.
        Period=WEEK_S,
        Statistics=["Sum"],
    )["Datapoints"]
    return {"Sum": points[0]["Sum"], "Unit": points[0]["Unit"]} if points else {}


def refusal(call: Callable[..., Any], *arguments: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_bytes_are_those_of_the_messages_in_utf8_and_26_for_each_event(
    group: LogGroup, now_ms: int, make_client: Callable[..., Any]
) -> None:
    """PutLogEvents: the sum of all messages in UTF-8, plus 26 bytes for each log event."""
    group.put((now_ms, "twelve bytes"), (now_ms, "é" * 10))
    group.put((now_ms, "x"))
    cloudwatch = make_client("cloudwatch")
    size_bytes = 12 + 26 + 20 + 26 + 1 + 26
    assert metric(cloudwatch, "IncomingBytes", LogGroupName=group.name) == {
        "Sum": size_bytes,
        "Unit": "Bytes",
    }
    assert metric(cloudwatch, "IncomingLogEvents", LogGroupName=group.name) == {"Sum": 3, "Unit": "None"}
    assert group.described()["storedBytes"] == size_bytes


def test_the_account_is_counted_too(group: LogGroup, now_ms: int, make_client: Callable[..., Any]) -> None:
    """User guide: IncomingBytes without the dimension is what was uploaded to CloudWatch Logs."""
    cloudwatch = make_client("cloudwatch")
    group.put((now_ms, "x"))
    before = metric(cloudwatch, "IncomingLogEvents")["Sum"]
    group.put((now_ms, "x"), (now_ms, "x"))
    assert metric(cloudwatch, "IncomingLogEvents")["Sum"] >= before + 2


def test_what_lambda_writes_is_counted(
    deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any]
) -> None:
    """The platform's lines are ingested, and billed, as those of the function are."""
    function = deploy("def handler(event, context):\n    print('x' * event)")
    for size_bytes in (10, 1000):
        function.invoke(size_bytes)
    logs, cloudwatch = make_client("logs"), make_client("cloudwatch")
    group_name = f"/aws/lambda/{function.name}"
    events = logs.filter_log_events(logGroupName=group_name)["events"]
    messages = [event["message"] for event in events]
    assert [len(message) for message in messages if message.startswith("x")] == [10, 1000]
    expected = sum(len(message.encode()) + 26 for message in messages)
    assert metric(cloudwatch, "IncomingBytes", LogGroupName=group_name)["Sum"] == expected
    assert metric(cloudwatch, "IncomingLogEvents", LogGroupName=group_name)["Sum"] == len(messages)


def test_rejected_events_are_named_and_the_others_stored(
    group: LogGroup, now_ms: int, make_client: Callable[..., Any]
) -> None:
    """Older than 14 days or more than 2 hours in the future; the end index is exclusive."""
    answer = group.put(
        (now_ms - 15 * DAY_MS, "too old"),
        (now_ms - 14 * DAY_MS - HOUR_MS, "too old as well"),
        (now_ms - HOUR_MS, "valid"),
        (now_ms + HOUR_MS, "valid too"),
        (now_ms + 3 * HOUR_MS, "too new"),
    )
    assert answer["rejectedLogEventsInfo"] == {
        "tooOldLogEventEndIndex": 2,
        "tooNewLogEventStartIndex": 4,
    }
    assert group.messages() == ["valid", "valid too"]
    counted = metric(make_client("cloudwatch"), "IncomingLogEvents", LogGroupName=group.name)
    assert counted["Sum"] == 2


def test_a_batch_may_be_rejected_as_a_whole(
    group: LogGroup, now_ms: int, make_client: Callable[..., Any]
) -> None:
    answer = group.put((now_ms - 20 * DAY_MS, "too old"))
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert group.messages() == []
    assert metric(make_client("cloudwatch"), "IncomingBytes", LogGroupName=group.name) == {}


def test_events_before_the_retention_are_expired(group: LogGroup, now_ms: int) -> None:
    """Events preceding the log group's retention period are rejected."""
    group.client.put_retention_policy(logGroupName=group.name, retentionInDays=3)
    answer = group.put((now_ms - 4 * DAY_MS, "expired"), (now_ms - 2 * DAY_MS, "valid"))
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert group.messages() == ["valid"]


def test_without_rejections_there_is_no_word_of_them(group: LogGroup, now_ms: int) -> None:
    assert "rejectedLogEventsInfo" not in group.put((now_ms - 13 * DAY_MS, "old"))


@pytest.mark.parametrize(
    ("times_ms", "message"),
    [
        ((0, -1), "must be in chronological order"),
        ((-25 * HOUR_MS, 0), "cannot span more than 24 hours"),
    ],
)
def test_batches_that_fail_as_a_whole(
    group: LogGroup, now_ms: int, times_ms: tuple[int, ...], message: str
) -> None:
    """PutLogEvents: otherwise the operation fails."""
    code, found = refusal(group.put, *[(now_ms + offset_ms, "x") for offset_ms in times_ms])
    assert code == "InvalidParameterException"
    assert message in found
    assert group.messages() == []


def test_a_batch_has_at_most_one_megabyte_and_ten_thousand_events(group: LogGroup, now_ms: int) -> None:
    largest = "x" * (1_048_576 - 26)
    code, found = refusal(group.put, (now_ms, f"{largest}x"))
    assert code == "InvalidParameterException"
    assert found == "Upload too large: 1048577 bytes exceeds limit of 1048576"
    group.put((now_ms, largest))
    code, found = refusal(group.put, *[(now_ms, "x")] * 10_001)
    assert code == "InvalidParameterException"
    assert "10000" in found


def test_streams_do_not_say_how_much_they_store(group: LogGroup, now_ms: int) -> None:
    """API reference, "LogStream": storedBytes is always reported as zero."""
    group.put((now_ms, "x"))
    [stream] = group.client.describe_log_streams(logGroupName=group.name)["logStreams"]
    assert stream["storedBytes"] == 0
    assert stream["firstEventTimestamp"] == stream["lastEventTimestamp"] == now_ms


def test_streams_are_listed_by_name_or_by_their_last_event(group: LogGroup, now_ms: int) -> None:
    """API reference, "DescribeLogStreams": orderBy, descending, limit and nextToken."""
    for stream, age_ms in (("a", 2), ("b", 1), ("c", 3)):
        group.stream = stream
        group.client.create_log_stream(**group.names)
        group.put((now_ms - age_ms, "x"))

    def listed(**parameters: Any) -> list[str]:
        pages = group.client.get_paginator("describe_log_streams").paginate(
            logGroupName=group.name, PaginationConfig={"PageSize": 2}, **parameters
        )
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    assert listed() == ["a", "b", "c", "main"]
    assert listed(descending=True) == ["main", "c", "b", "a"]
    assert listed(orderBy="LastEventTime", descending=True) == ["b", "a", "c", "main"]
    assert listed(logStreamNamePrefix="m") == ["main"]
    code, _ = refusal(listed, orderBy="LastEventTime", logStreamNamePrefix="m")
    assert code == "InvalidParameterException"


def test_groups_are_found_by_name_pattern_and_class(group: LogGroup) -> None:
    """API reference, "DescribeLogGroups"."""
    cheap = f"{group.name}-CHEAP"
    group.client.create_log_group(logGroupName=cheap, logGroupClass="INFREQUENT_ACCESS")

    def listed(**parameters: Any) -> list[str]:
        pages = group.client.get_paginator("describe_log_groups").paginate(
            PaginationConfig={"PageSize": 1}, **parameters
        )
        return [found["logGroupName"] for page in pages for found in page["logGroups"]]

    prefix = {"logGroupNamePrefix": group.name}
    assert listed(**prefix) == [group.name, cheap]
    assert listed(logGroupNamePattern=f"{group.name[6:]}-cheap") == [cheap]
    assert listed(**prefix, logGroupClass="STANDARD") == [group.name]
    assert listed(logGroupIdentifiers=[cheap]) == [cheap]
    group.client.delete_log_group(logGroupName=cheap)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"logGroupName": "no blanks"}, "InvalidParameterException"),
        ({"logGroupName": "x" * 513}, "InvalidParameterException"),
        ({"logGroupName": "/a/b", "deletionProtectionEnabled": True}, "NotImplementedException"),
    ],
)
def test_log_groups_that_are_refused(
    make_client: Callable[..., Any], parameters: dict[str, Any], code: str
) -> None:
    """API reference, "CreateLogGroup"."""
    assert refusal(make_client("logs").create_log_group, **parameters)[0] == code
