"""Run a CloudWatch Logs Insights query and return its result as a DataFrame."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

POLL_S = 0.2
QUERY_TIMEOUT_S = 60.0
LOOK_BACK = timedelta(hours=1)

# The query of the post "Build a custom Java runtime for AWS Lambda" (AWS Compute Blog), as it stands there.
COLD_START_QUERY = r"""filter @type = "REPORT"
    | parse @log /\d+:\/aws\/lambda\/(?<function>.*)/
    | stats
    count(*) as invocations,
    pct(@duration+coalesce(@initDuration,0), 0) as p0,
    pct(@duration+coalesce(@initDuration,0), 25) as p25,
    pct(@duration+coalesce(@initDuration,0), 50) as p50,
    pct(@duration+coalesce(@initDuration,0), 75) as p75,
    pct(@duration+coalesce(@initDuration,0), 90) as p90,
    pct(@duration+coalesce(@initDuration,0), 95) as p95,
    pct(@duration+coalesce(@initDuration,0), 99) as p99,
    pct(@duration+coalesce(@initDuration,0), 100) as p100
    group by function, ispresent(@initDuration) as coldstart
    | sort by coldstart, function"""


class QueryFailed(RuntimeError):
    """Logs Insights ended the query with a status other than Complete."""


class RecordsMissing(TimeoutError):
    """The logs did not hold the expected number of records in time."""


def run_query(
    logs_client: Any,
    query: str,
    log_group_names: Sequence[str],
    expected_records: int = 0,
    start: datetime | None = None,
    timeout_s: float = 60.0,
) -> pd.DataFrame:
    """Run a query over log groups from `start` (an hour ago by default) until now.

    Log events reach Logs Insights some seconds after they are written. With `expected_records` the query is
    repeated until its filter matches at least that many records. Columns that hold only numbers become
    numeric, an absent value is missing, and the column @ptr is left out.

    Raises RecordsMissing after `timeout_s`, QueryFailed when the query fails or one run of it takes longer
    than a minute, and ClientError (MalformedQueryException) when it does not parse.
    """
    start = start or datetime.now(UTC) - LOOK_BACK
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            answer = _complete(logs_client, query, log_group_names, start)
            matched = int(answer["statistics"]["recordsMatched"])
            if matched >= expected_records:
                return _to_frame(answer["results"])
        except logs_client.exceptions.ResourceNotFoundException:
            # Lambda creates a function's log group with its first log event.
            if not expected_records:
                raise
            matched = 0
        if time.monotonic() > deadline:
            raise RecordsMissing(
                f"The query matched {matched} of {expected_records} expected records in "
                f"{', '.join(log_group_names)} within {timeout_s:g} s."
            )
        time.sleep(POLL_S)


def _complete(
    logs_client: Any, query: str, log_group_names: Sequence[str], start: datetime
) -> dict[str, Any]:
    # Log events may carry the current second: the end lies behind it.
    end = datetime.now(UTC) + timedelta(seconds=1)
    query_id = logs_client.start_query(
        logGroupNames=list(log_group_names),
        startTime=int(start.timestamp()),
        endTime=int(end.timestamp()),
        queryString=query,
    )["queryId"]
    deadline = time.monotonic() + QUERY_TIMEOUT_S
    while True:
        answer: dict[str, Any] = logs_client.get_query_results(queryId=query_id)
        if answer["status"] == "Complete":
            return answer
        if answer["status"] not in ("Scheduled", "Running"):
            raise QueryFailed(f"Logs Insights ended the query with status {answer['status']}.")
        if time.monotonic() > deadline:
            logs_client.stop_query(queryId=query_id)
            raise QueryFailed(
                f"Logs Insights did not finish within {QUERY_TIMEOUT_S:g} s (status {answer['status']})."
            )
        time.sleep(POLL_S)


def _to_frame(results: list[list[dict[str, str]]]) -> pd.DataFrame:
    rows = [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in results]
    frame = pd.DataFrame(rows)
    for column in frame.columns:
        numeric = pd.to_numeric(frame[column], errors="coerce")
        if numeric.notna().equals(frame[column].notna()):
            frame[column] = numeric
    return frame
