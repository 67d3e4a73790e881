"""Logs Insights queries through boto3 against logs on the local AWS."""

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from helpers import insights

MEANS = 'filter @type = "REPORT" | stats count(*) as invocations, avg(@duration) as mean by @memorySize'


@pytest.fixture(scope="module")
def logs_client(make_client: Callable[..., Any]) -> Any:
    return make_client("logs")


@pytest.fixture
def log_group(logs_client: Any) -> str:
    name = f"/aws/lambda/insights-{uuid.uuid4().hex[:8]}"
    logs_client.create_log_group(logGroupName=name)
    logs_client.create_log_stream(logGroupName=name, logStreamName="2026/01/01/[$LATEST]a")
    return name


def write_reports(logs_client: Any, log_group: str, durations_ms: list[float]) -> None:
    events = [
        {
            "timestamp": int(time.time() * 1000),
            "message": f"REPORT RequestId: {uuid.uuid4()}\tDuration: {duration:.2f} ms\t"
            f"Billed Duration: {int(duration) + 1} ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t\n",
        }
        for duration in durations_ms
    ]
    logs_client.put_log_events(
        logGroupName=log_group, logStreamName="2026/01/01/[$LATEST]a", logEvents=events
    )


def test_columns_of_numbers_are_numeric(logs_client: Any, log_group: str) -> None:
    """Amazon CloudWatch Logs API Reference, GetQueryResults: every value comes as a string."""
    write_reports(logs_client, log_group, [10.0, 20.0, 30.0])
    frame = insights.run_query(logs_client, MEANS, [log_group], expected_records=3)
    assert len(frame) == 1
    assert frame.loc[0, "invocations"] == 3
    assert frame.loc[0, "mean"] == pytest.approx(20.0)


def test_text_stays_text_and_the_pointer_is_left_out(logs_client: Any, log_group: str) -> None:
    write_reports(logs_client, log_group, [10.0])
    frame = insights.run_query(logs_client, "fields @message, @duration", [log_group], expected_records=1)
    assert list(frame.columns) == ["@message", "@duration"]
    assert frame.loc[0, "@message"].startswith("REPORT RequestId: ")
    assert frame.loc[0, "@duration"] == 10.0


def test_waits_until_the_records_are_there(logs_client: Any, log_group: str) -> None:
    write_reports(logs_client, log_group, [10.0])
    late = threading.Timer(1.0, write_reports, (logs_client, log_group, [30.0]))
    late.start()
    frame = insights.run_query(logs_client, MEANS, [log_group], expected_records=2)
    late.join()
    assert frame.loc[0, "mean"] == pytest.approx(20.0)


def test_missing_records_are_counted_in_the_error(logs_client: Any, log_group: str) -> None:
    write_reports(logs_client, log_group, [10.0])
    with pytest.raises(
        insights.RecordsMissing, match="matched 1 of 5 expected records in /aws/lambda/insights-"
    ):
        insights.run_query(logs_client, MEANS, [log_group], expected_records=5, timeout_s=0.5)


def test_a_log_group_may_appear_later(logs_client: Any) -> None:
    with pytest.raises(insights.RecordsMissing, match="matched 0 of 1"):
        insights.run_query(logs_client, MEANS, ["/aws/lambda/not-yet"], expected_records=1, timeout_s=0.5)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        insights.run_query(logs_client, MEANS, ["/aws/lambda/not-yet"])


def test_a_query_that_does_not_parse_is_refused_at_once(logs_client: Any, log_group: str) -> None:
    """Amazon CloudWatch Logs API Reference, StartQuery: MalformedQueryException."""
    with pytest.raises(ClientError, match="MalformedQueryException"):
        insights.run_query(logs_client, "fields @message | stats (", [log_group], expected_records=1)
