"""Log events for tests of Logs Insights, and queries over them through boto3."""

import contextlib
import itertools
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from botocore.exceptions import ClientError
from log_filter_logs import FilterLogs

TIMEOUT_S = 60
# Yesterday at 22:13:20 UTC, because PutLogEvents rejects what is older than two weeks.
START = (datetime.now(UTC) - timedelta(days=1)).replace(hour=22, minute=13, second=20, microsecond=0)
START_MS = int(START.timestamp()) * 1000
# Its date, as queries show it.
DAY = f"{START:%Y-%m-%d}"
_numbers = itertools.count(1)

# The query of the post "Build a custom Java runtime for AWS Lambda", as it stands there.
POST_04_QUERY = r"""filter @type = "REPORT"
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


def report_line(
    duration_ms: float,
    init_duration_ms: float | None = None,
    memory_mb: int = 128,
    used_mb: int = 36,
    request_id: str | None = None,
) -> str:
    """A REPORT line as Lambda writes it: fields divided by tabs."""
    init = "" if init_duration_ms is None else f"Init Duration: {init_duration_ms:.2f} ms\t"
    return (
        f"REPORT RequestId: {request_id or uuid.uuid4()}\tDuration: {duration_ms:.2f} ms\t"
        f"Billed Duration: {-(-duration_ms // 1):.0f} ms\tMemory Size: {memory_mb} MB\t"
        f"Max Memory Used: {used_mb} MB\t{init}\n"
    )


def report_lines(warm: int, cold: int, seed: int) -> list[str]:
    """REPORT lines of so many warm and cold invocations, whose durations are drawn from `seed`."""
    random = np.random.default_rng(seed)
    lines = [report_line(duration_ms) for duration_ms in random.lognormal(2, 1, warm)]
    lines += [
        report_line(duration_ms, random.normal(300, 60)) for duration_ms in random.lognormal(3, 1, cold)
    ]
    return lines


@dataclass
class InsightsLogs:
    """`client` is a boto3 client of CloudWatch Logs."""

    client: Any

    def put(
        self,
        messages: Sequence[str],
        group: str | None = None,
        stream: str = "2024/01/01/[$LATEST]abc",
        times_ms: Sequence[int] | None = None,
    ) -> str:
        """Write the messages, a millisecond apart unless `times_ms` says when; return the log group."""
        name = group or f"/aws/lambda/insights-{next(_numbers)}"
        with contextlib.suppress(self.client.exceptions.ResourceAlreadyExistsException):
            self.client.create_log_group(logGroupName=name)
        now_ms = int(time.time() * 1000)
        times = times_ms or range(now_ms - len(messages), now_ms)
        FilterLogs(self.client, name).put(stream, messages, times)
        return name

    def start(self, query: str, *groups: str, **parameters: Any) -> str:
        """Start a query over all time unless `startTime` and `endTime` are given; return its id."""
        times = {"startTime": 0, "endTime": int(time.time()) + 60}
        request = times | {"logGroupNames": list(groups), "queryString": query} | parameters
        return str(self.client.start_query(**request)["queryId"])

    def finished(self, query_id: str, **parameters: Any) -> dict[str, Any]:
        """The answer of GetQueryResults once the query has ended."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            answer: dict[str, Any] = self.client.get_query_results(queryId=query_id, **parameters)
            if answer["status"] not in ("Scheduled", "Running"):
                return answer
            time.sleep(0.005)
        raise AssertionError(f"the query is still {answer['status']} after {TIMEOUT_S} s")

    def ask(self, query: str, *groups: str, **parameters: Any) -> list[dict[str, str]]:
        """The rows of a query that completes, without their `@ptr`."""
        answer = self.finished(self.start(query, *groups, **parameters))
        assert answer["status"] == "Complete", answer
        rows = [{field["field"]: field["value"] for field in row} for row in answer["results"]]
        return [{name: value for name, value in row.items() if name != "@ptr"} for row in rows]

    def refusal(self, query: str, group: str, **parameters: Any) -> ClientError:
        """The error with which StartQuery answers."""
        try:
            self.start(query, group, **parameters)
        except ClientError as error:
            return error
        raise AssertionError(f"StartQuery accepted {query!r}")
