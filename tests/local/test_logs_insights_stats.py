"""`stats`, against the same computed by NumPy.

AWS: CloudWatch Logs user guide, "stats".
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from insights_logs import DAY, START_MS, InsightsLogs

SEED = 20241123
DECIMALS = 4


@pytest.fixture(scope="module")
def logs(make_client: Callable[..., Any]) -> InsightsLogs:
    return InsightsLogs(make_client("logs"))


@pytest.fixture(scope="module")
def latencies() -> np.ndarray:
    return np.round(np.random.default_rng(SEED).lognormal(3, 1, 997), 3)


@pytest.fixture(scope="module")
def group(logs: InsightsLogs, latencies: np.ndarray) -> str:
    """One event a second from 22:13:20 UTC on, of two kinds."""
    events = [
        {"latency": value, "kind": "even" if i % 2 == 0 else "odd"} for i, value in enumerate(latencies)
    ]
    times = range(START_MS, START_MS + 1000 * len(events), 1000)
    return logs.put([json.dumps(event) for event in events], times_ms=times)


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [
        ("count(*)", len),
        ("count()", len),
        ("count(latency)", len),
        ("count(nothing)", lambda values: 0),
        ("count_distinct(latency)", lambda values: len(set(values))),
        ("sum(latency)", np.sum),
        ("avg(latency)", np.mean),
        ("min(latency)", np.min),
        ("max(latency)", np.max),
        ("stddev(latency)", np.std),
        ("median(latency)", np.median),
        ("sum(latency) / count(*)", np.mean),
        ("max(latency) - min(latency)", np.ptp),
        ("avg(latency * 2 + 1)", lambda values: np.mean(values * 2 + 1)),
        ("earliest(latency)", lambda values: values[0]),
        ("latest(latency)", lambda values: values[-1]),
        ("sortsFirst(latency)", np.min),
        ("sortsLast(latency)", np.max),
    ],
)
def test_aggregations(
    logs: InsightsLogs,
    group: str,
    latencies: np.ndarray,
    aggregation: str,
    expected: Callable[[np.ndarray], float],
) -> None:
    [row] = logs.ask(f"stats {aggregation}", group)
    assert float(row[aggregation]) == pytest.approx(float(expected(latencies)), abs=0.51 * 10**-DECIMALS)


def test_percentiles_are_linear_between_the_closest_observations(
    logs: InsightsLogs, group: str, latencies: np.ndarray
) -> None:
    """AWS names no interpolation; ours is NumPy's default, as aggregation.py says with its reasons."""
    percents = [0, 0.1, 1, 25, 33.3, 50, 75, 90, 95, 99, 99.9, 100]
    query = "stats " + ", ".join(f"pct(latency, {percent}) as `p{percent}`" for percent in percents)
    [row] = logs.ask(query, group)
    expected = np.percentile(latencies, percents, method="linear")
    assert [float(row[f"p{percent}"]) for percent in percents] == pytest.approx(expected, abs=0.51e-4)


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_percentiles_of_few_observations(logs: InsightsLogs, size: int) -> None:
    values = np.random.default_rng(size).integers(0, 100, size)
    group = logs.put([f'{{"value": {value}}}' for value in values])
    [row] = logs.ask("stats pct(value, 10) as p10, pct(value, 50) as p50, pct(value, 90) as p90", group)
    expected = np.percentile(values, [10, 50, 90])
    assert [float(row[name]) for name in ("p10", "p50", "p90")] == pytest.approx(expected, abs=0.51e-4)


def test_groups_come_first_in_a_row(logs: InsightsLogs, group: str, latencies: np.ndarray) -> None:
    rows = logs.ask("stats count(*) as n, max(latency) as most by kind, latency > 20 as slow", group)
    expected = []
    for index, kind in enumerate(("even", "odd")):
        of_kind = latencies[index::2]
        for slow in (False, True):
            part = of_kind[(of_kind > 20) == slow]
            expected.append(
                {"kind": kind, "slow": str(int(slow)), "n": str(len(part)), "most": f"{part.max():g}"}
            )
    assert rows == expected
    assert list(rows[0]) == ["kind", "slow", "n", "most"]


def test_time_bins(logs: InsightsLogs, group: str, latencies: np.ndarray) -> None:
    """An expression without an alias is named as it is written, and sort finds it by its expression."""
    rows = logs.ask("stats count(*), sum(latency) as total by bin(5m) | sort bin(5m) desc", group)
    # 22:13:20 to 22:15:00 are 100 seconds.
    bins = [latencies[:100], latencies[100:400], latencies[400:700], latencies[700:]]
    assert [row["bin(5m)"] for row in rows] == [f"{DAY} 22:{minute}:00.000" for minute in (25, 20, 15, 10)]
    assert [int(row["count(*)"]) for row in rows] == [len(part) for part in reversed(bins)]
    totals = [part.sum() for part in reversed(bins)]
    assert [float(row["total"]) for row in rows] == pytest.approx(totals, abs=0.51e-4)


def test_a_result_can_use_results_before_it(logs: InsightsLogs, group: str, latencies: np.ndarray) -> None:
    """As AWS's sample query on overprovisioned memory does: `provisonedMemoryMB - maxMemoryUsedMB`."""
    [row] = logs.ask("stats max(latency) as most, min(latency) as least, most - least as spread", group)
    assert float(row["spread"]) == pytest.approx(np.ptp(latencies), abs=0.51e-4)


def test_results_can_be_filtered_computed_with_and_sorted(logs: InsightsLogs, group: str) -> None:
    query = """stats count(*) as n by floor(latency / 100) as hundreds
        | filter n > 1 | fields n * 2 as twice | sort n desc | limit 2"""
    rows = logs.ask(query, group)
    counts = [int(row["n"]) for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert [int(row["twice"]) for row in rows] == [2 * count for count in counts]


def test_two_stats_commands(logs: InsightsLogs, group: str, latencies: np.ndarray) -> None:
    """User guide, "stats", "Use multiple stats commands in a single query"."""
    query = """STATS sum(latency) as total BY bin(1m) as @t
        | STATS max(total) AS peak, min(total) AS least, count(*) as bins BY dateceil(@t, 1h) as hour"""
    seconds = np.arange(len(latencies)) + 13 * 60 + 20
    totals = np.bincount(seconds // 60, latencies)[13:]
    [row] = logs.ask(query, group)
    assert row["hour"] == f"{DAY} 23:00:00.000"
    assert int(row["bins"]) == len(totals)
    expected = [totals.max(), totals.min()]
    assert [float(row["peak"]), float(row["least"])] == pytest.approx(expected, abs=0.51e-4)


def test_times_aggregate_to_milliseconds(logs: InsightsLogs, group: str) -> None:
    """Observed on AWS: `earliest(@timestamp)` returns epoch milliseconds, which fromMillis converts."""
    query = "stats earliest(@timestamp) as first, latest(@timestamp) as last, max(@timestamp) as most"
    [row] = logs.ask(query, group)
    last = str(START_MS + 996_000)
    assert row == {"first": str(START_MS), "last": last, "most": last}


def test_text_aggregates_by_order(logs: InsightsLogs) -> None:
    group = logs.put(["v9", "v100", "v10"], times_ms=range(START_MS, START_MS + 3))
    query = """stats min(@message) as least, max(@message) as most, earliest(@message) as first,
        latest(@message) as last, sortsFirst(@message) as sorted_first, sortsLast(@message) as sorted_last"""
    assert logs.ask(query, group) == [
        {
            "least": "v10",
            "most": "v9",
            "first": "v9",
            "last": "v10",
            "sorted_first": "v9",
            "sorted_last": "v100",
        }
    ]


def test_a_group_without_the_field_has_a_row_of_its_own(logs: InsightsLogs) -> None:
    group = logs.put(['{"kind": "a", "value": 1}', '{"value": 2}', '{"kind": "a"}'])
    assert logs.ask("stats count(*) as n, avg(value) as mean by kind", group) == [
        {"n": "1", "mean": "2"},
        {"kind": "a", "n": "2", "mean": "1"},
    ]
