"""Percentiles of cold starts by Logs Insights, by our own code from the same lines, and by NumPy.

AWS: CloudWatch Logs user guide, "stats"; AWS Lambda Developer Guide, "Understanding Lambda log formats".
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from insights_logs import POST_04_QUERY, InsightsLogs, report_line, report_lines

from helpers import cold_starts, insights
from helpers.report_line import ReportLine, parse

PERCENTS = [0, 25, 50, 75, 90, 95, 99, 100]


@pytest.fixture(scope="module")
def logs(make_client: Callable[..., Any]) -> InsightsLogs:
    return InsightsLogs(make_client("logs"))


def parsed(lines: list[str]) -> list[ReportLine]:
    return [parse(line) for line in lines]


def test_the_query_is_the_post_s() -> None:
    assert insights.COLD_START_QUERY == POST_04_QUERY


@pytest.mark.parametrize("seed", range(3))
def test_insights_our_own_code_and_numpy_agree_on_the_same_lines(logs: InsightsLogs, seed: int) -> None:
    """Two decimals go in, and a percentile between two of them has four: nothing is lost by rounding."""
    functions = {
        f"agree-{seed}-{label}": report_lines(warm, cold, seed)
        for label, warm, cold in (
            ("many", 400, 73),
            ("few", 3, 2),
            ("warm", 10, 0),
            ("one", 0, 1),
        )
    }
    groups = [logs.put(lines, group=f"/aws/lambda/{name}") for name, lines in functions.items()]
    expected_records = sum(len(lines) for lines in functions.values())

    by_insights = cold_starts.percentiles(logs.client, groups, expected_records)
    by_reports = cold_starts.percentiles_of_reports(
        {name: parsed(lines) for name, lines in functions.items()}
    )

    pd.testing.assert_frame_equal(by_insights, by_reports, check_dtype=False, check_exact=True)
    assert len(by_reports) == 6 and by_reports["invocations"].sum() == expected_records
    for row in by_reports.itertuples():
        total_ms = [
            line.duration_ms + (line.init_duration_ms or 0)
            for line in parsed(functions[row.function])
            if (line.init_duration_ms is not None) == bool(row.coldstart)
        ]
        ours = [getattr(row, f"p{percent}") for percent in PERCENTS]
        assert ours == pytest.approx(list(np.percentile(total_ms, PERCENTS)), rel=1e-12)


def test_a_restore_counts_as_the_query_counts_it(logs: InsightsLogs) -> None:
    """A SnapStart restore has a Restore Duration and no Init Duration."""
    lines = [report_line(5.5).rstrip("\n") + "Restore Duration: 200.00 ms\t\n", report_line(4.25, 100.5)]
    group = logs.put(lines, group="/aws/lambda/restored")
    table = cold_starts.percentiles_of_reports({"restored": parsed(lines)})
    assert list(table["coldstart"]) == [0, 1]
    assert list(table["p50"]) == [5.5, 104.75]
    pd.testing.assert_frame_equal(
        cold_starts.percentiles(logs.client, [group], 2), table, check_dtype=False, check_exact=True
    )


def test_no_lines_give_an_empty_table(logs: InsightsLogs) -> None:
    group = logs.put(["START RequestId: x Version: 1\n"], group="/aws/lambda/never-invoked")
    for table in (
        cold_starts.percentiles(logs.client, [group]),
        cold_starts.percentiles_of_reports({"never-invoked": []}),
    ):
        assert table.empty
        assert list(table.columns) == ["function", "coldstart", "invocations", *(f"p{p}" for p in PERCENTS)]
