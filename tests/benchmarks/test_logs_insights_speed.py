"""The query of post 04 over 1,000,000 REPORT lines in the local AWS: how long it takes, in what memory.

Compared, in one run, with what DuckDB alone takes for the same aggregation over a table in which the
numbers of the lines have already been parsed.
"""

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import psutil
import pytest

from helpers.insights import COLD_START_QUERY
from helpers.local_aws import LocalAws

LINES = 1_000_000
FUNCTIONS = 2
STREAMS_PER_FUNCTION = 2
# Of PutLogEvents, which takes up to 1 MB.
BATCH = 4_000
ROUNDS = 9
MAXIMUM_RATIO = 3
MAXIMUM_MEMORY_MB = 1024
PERCENTS = (0, 25, 50, 75, 90, 95, 99, 100)
START_S = int(time.time()) - 3600
SEED = 4

_quantiles = ", ".join(
    f"quantile_cont(duration + coalesce(init_duration, 0), {percent / 100})" for percent in PERCENTS
)
SAME_AGGREGATION = f"""
    SELECT function, init_duration IS NOT NULL AS coldstart, count(*), {_quantiles}
    FROM parsed GROUP BY ALL ORDER BY coldstart, function"""

pytestmark = pytest.mark.slow


def test_post_04_query_over_a_million_report_lines(
    local_aws: LocalAws, make_client: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = np.random.default_rng(SEED)
    durations = np.round(numbers.lognormal(2, 0.7, LINES), 2)
    init_durations = np.round(numbers.normal(300, 40, LINES), 2)
    init_durations[numbers.random(LINES) > 0.05] = np.nan
    client = make_client("logs")
    began = time.perf_counter()
    groups = _write_logs(client, durations, init_durations)
    writing_s = time.perf_counter() - began
    memory_before_mb = _memory_mb(local_aws)
    connection = _parsed_table(durations, init_durations)
    seconds: dict[str, list[float]] = {"insights": [], "duckdb": []}
    measured: dict[str, Callable[[], list[list[float]]]] = {
        "insights": lambda: _ask(client, groups),
        "duckdb": lambda: [
            [float(value) for value in row[2:]] for row in connection.execute(SAME_AGGREGATION).fetchall()
        ],
    }
    answers: dict[str, list[list[float]]] = {}
    # A machine's speed can change within seconds: rounds interleave what is compared.
    for _ in range(ROUNDS):
        for name in random.sample(list(measured), len(measured)):
            began = time.perf_counter()
            answers[name] = measured[name]()
            seconds[name].append(time.perf_counter() - began)
    insights_s, duckdb_s = (statistics.median(seconds[name]) for name in ("insights", "duckdb"))
    memory_mb = _memory_mb(local_aws)
    with capsys.disabled():
        print(f"\nLogs Insights, post 04, {LINES:,} REPORT lines (written in {writing_s:.0f} s)")
        print(f"  StartQuery to Complete: {insights_s:.3f} s, the first time {seconds['insights'][0]:.3f} s")
        print(f"  DuckDB, the same aggregation over parsed numbers: {duckdb_s:.3f} s")
        print(f"  ratio {insights_s / duckdb_s:.2f}, at most {MAXIMUM_RATIO}")
        print(f"  memory of the local AWS: {memory_mb:.0f} MB, before the queries {memory_before_mb:.0f} MB")
    assert np.allclose(answers["insights"], answers["duckdb"], atol=0.51e-4, rtol=0)
    assert insights_s <= MAXIMUM_RATIO * duckdb_s
    assert memory_mb < MAXIMUM_MEMORY_MB


def _write_logs(client: Any, durations: np.ndarray, init_durations: np.ndarray) -> list[str]:
    """The lines in turn to the streams of the functions; the names of the log groups."""
    groups = [f"/aws/lambda/benchmark-{function}" for function in range(FUNCTIONS)]
    for group in groups:
        client.create_log_group(logGroupName=group)
        for stream in range(STREAMS_PER_FUNCTION):
            client.create_log_stream(logGroupName=group, logStreamName=f"s{stream}")
    for batch, first in enumerate(range(0, LINES, BATCH)):
        events = [
            {"timestamp": START_S * 1000 + index, "message": _report_line(index, duration, init)}
            for index, duration, init in zip(
                range(first, first + BATCH),
                durations[first : first + BATCH].tolist(),
                init_durations[first : first + BATCH].tolist(),
                strict=True,
            )
        ]
        client.put_log_events(
            logGroupName=groups[batch % FUNCTIONS],
            logStreamName=f"s{batch // FUNCTIONS % STREAMS_PER_FUNCTION}",
            logEvents=events,
        )
    return groups


def _report_line(index: int, duration_ms: float, init_duration_ms: float) -> str:
    init = "" if np.isnan(init_duration_ms) else f"Init Duration: {init_duration_ms:.2f} ms\t"
    return (
        f"REPORT RequestId: {index:08x}-0000-4000-8000-{random.getrandbits(48):012x}\t"
        f"Duration: {duration_ms:.2f} ms\tBilled Duration: {-(-duration_ms // 1):.0f} ms\t"
        f"Memory Size: 512 MB\tMax Memory Used: 90 MB\t{init}\n"
    )


def _parsed_table(durations: np.ndarray, init_durations: np.ndarray) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.register("numbers", {"duration": durations, "init_duration": init_durations})
    connection.execute(f"""
        CREATE TABLE parsed AS SELECT
            'benchmark-' || (row_number() OVER () - 1) // {BATCH} % {FUNCTIONS} AS function,
            duration,
            nullif(init_duration, 'nan'::DOUBLE) AS init_duration
        FROM numbers""")
    return connection


def _ask(client: Any, groups: list[str]) -> list[list[float]]:
    query_id = client.start_query(
        logGroupNames=groups, startTime=START_S, endTime=START_S + LINES, queryString=COLD_START_QUERY
    )["queryId"]
    while True:
        answer = client.get_query_results(queryId=query_id)
        if answer["status"] not in ("Scheduled", "Running"):
            assert answer["status"] == "Complete"
            assert answer["statistics"]["recordsMatched"] == LINES
            return [[float(field["value"]) for field in row[2:]] for row in answer["results"]]
        time.sleep(0.005)


def _memory_mb(local_aws: LocalAws) -> float:
    process = psutil.Process(local_aws.process.pid)
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True))) / 1e6
