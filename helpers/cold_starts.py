"""Force cold starts of functions, keep what Lambda reports of each, and take percentiles of them.

Two ways lead to the same percentiles: the query of the post "Build a custom Java runtime for AWS Lambda" over
the logs (insights.COLD_START_QUERY), and REPORT lines.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pandas as pd

from helpers import insights, statistics
from helpers.calibration import Calibration, time_loop_ms
from helpers.fresh_environments import By, fresh_environments
from helpers.invocations import invoke
from helpers.progress import progress
from helpers.report_line import ReportLine
from helpers.statistics import Estimate, percentile
from helpers.waiting import wait_until

ATTEMPTS = 3
PERCENTS = (0, 25, 50, 75, 90, 95, 99, 100)
COLUMNS = ["function", "coldstart", "invocations", *(f"p{percent}" for percent in PERCENTS)]
# REPORT lines have two decimals; a position between two of at most 100 parts adds two.
DECIMALS = 4
# For both log formats of Lambda, text and JSON, and for any log group: fields such as @requestId are there
# only where its name says that it is Lambda's. Logs Insights returns at most 10,000 rows (CloudWatch Logs
# user guide, "limit").
ENVIRONMENTS_QUERY = r"""
parse @message /^REPORT RequestId: (?<in_text>\S+)/
    | filter ispresent(in_text) or type = "platform.report"
    | fields coalesce(in_text, record.requestId) as request_id, @logStream as environment
    | limit 10000
"""
# The clocks of this machine and of AWS may differ.
CLOCK_TOLERANCE = timedelta(minutes=1)


@dataclass(frozen=True)
class ColdStarts:
    """Forced cold starts of one or more functions.

    `invocations` has one row an invocation: round, function_name, cold_start, init_duration_ms (missing when
    warm), duration_ms, total_duration_ms (both added up), billed_duration_ms, max_memory_used_mb, request_id,
    started_s and ended_s (by the clock of the caller, since the measurement began) and environment (the name
    of its log stream, of which each execution environment has one of its own; None until `wait_for_logs`).
    """

    invocations: pd.DataFrame
    calibration: Calibration | None
    log_group_names: tuple[str, ...] = ()
    started_at: datetime | None = None

    def samples(
        self, function_name: str, column: str = "init_duration_ms", cold_start: bool = True
    ) -> list[float]:
        """A column of one function's cold (or warm) invocations, in the order they were made."""
        return [float(value) for value in self._rows(function_name, cold_start)[column]]

    def ratio(self, function_name: str, reference_name: str, column: str = "init_duration_ms") -> Estimate:
        """The median over rounds of one function's cold starts relative to another's, with its interval.

        Of a burst counts the median of its cold starts.
        """
        by_round = [
            self._rows(name, cold_start=True).groupby("round")[column].median()
            for name in (function_name, reference_name)
        ]
        pairs = pd.concat(by_round, axis="columns", join="inner", keys=["numerator", "denominator"])
        return statistics.median_ratio(list(pairs["numerator"]), list(pairs["denominator"]))

    def percentiles(self) -> pd.DataFrame:
        """The table of `percentiles_of_reports` from what the invocations themselves returned."""
        rows = self.invocations
        return _percentiles(rows["function_name"], rows["init_duration_ms"], rows["duration_ms"])

    def _rows(self, function_name: str, cold_start: bool) -> pd.DataFrame:
        rows = self.invocations
        return rows[(rows["function_name"] == function_name) & (rows["cold_start"] == cold_start)]


class NoColdStart(RuntimeError):
    """A function kept answering from a warm environment after its configuration had changed."""


def force(
    lambda_client: Any,
    function_names: Sequence[str],
    rounds: int,
    payload: Any = None,
    warm_invocations: int = 0,
    calibrate: bool = True,
    seed: int = 1,
    by: By = "nonce",
    burst: int = 1,
) -> ColdStarts:
    """Force cold starts of each function in every round, in an order drawn from `seed`.

    A round renews the execution environments of all functions, by a new value of an environment variable or
    by new versions (see fresh_environments.py), and then invokes each function: once, or `burst` times at
    the same moment. Every invocation of a burst finds an environment of its own unless an earlier one has
    finished by then; those that found a warm one are in the result as what they are. `warm_invocations`
    follow one by one. A calibration loop before every round shows the machine's own noise (see
    calibration.py). At the end, also after an error, the functions are as they were and the versions gone.

    A client keeps ten connections open unless its Config(max_pool_connections=...) says more, and makes the
    others anew in every burst: give it `burst`.

    Raises NoColdStart, InvocationFailed when a function fails, or ValueError for inputs out of range.
    """
    _check(function_names, rounds, warm_invocations, burst)
    order = random.Random(seed)
    rows: list[dict[str, Any]] = []
    loop_ms: list[float] = []
    started_at, began = datetime.now(UTC), time.perf_counter()
    with fresh_environments(lambda_client, function_names, by) as fresh:

        def call(round_number: int, name: str) -> dict[str, Any]:
            started_s = time.perf_counter() - began
            report = invoke(lambda_client, name, payload, fresh.qualifier(name)).report
            return _row(round_number, name, report, started_s, time.perf_counter() - began)

        for round_number in progress(range(1, rounds + 1), "Cold starts"):
            if calibrate:
                loop_ms.append(time_loop_ms())
            fresh.renew(function_names)
            for name in order.sample(list(function_names), len(function_names)):
                one = partial(call, round_number, name)
                rows += _cold_calls(one, burst, name, renew=partial(fresh.renew, [name]))
                rows += [one() for _ in range(warm_invocations)]
    return ColdStarts(
        pd.DataFrame(rows),
        Calibration(tuple(loop_ms)) if calibrate else None,
        tuple(fresh.log_group_names),
        started_at,
    )


def wait_for_logs(logs_client: Any, starts: ColdStarts, timeout_s: float = 120.0) -> ColdStarts:
    """Wait until the logs hold every invocation, and return the cold starts with their environments.

    Logs Insights finds at most 10,000 of them. Raises RecordsMissing or NotObserved after `timeout_s`.
    """
    environments: dict[str, str] = {}
    wanted = set(starts.invocations["request_id"])
    since = starts.started_at and starts.started_at - CLOCK_TOLERANCE

    def missing() -> set[str]:
        found = insights.run_query(
            logs_client, ENVIRONMENTS_QUERY, starts.log_group_names, len(wanted), since, timeout_s
        )
        environments.update(zip(found["request_id"], found["environment"], strict=True))
        return wanted - environments.keys()

    wait_until(
        missing,
        f"the REPORT lines of {len(wanted)} invocations in {', '.join(starts.log_group_names)} "
        "(the request ids that were missing follow)",
        accept=lambda request_ids: not request_ids,
        timeout_s=timeout_s,
    )
    invocations = starts.invocations.assign(environment=starts.invocations["request_id"].map(environments))
    return replace(starts, invocations=invocations)


def percentiles(
    logs_client: Any,
    log_group_names: Sequence[str],
    expected_records: int = 0,
    start: datetime | None = None,
    timeout_s: float = 120.0,
) -> pd.DataFrame:
    """Percentiles of Duration plus Init Duration in ms by function and coldstart, as Logs Insights has them.

    Columns: function, coldstart (1 or 0), invocations, p0, p25, p50, p75, p90, p95, p99 and p100. The query
    shows all of them, however few invocations there are: statistics.percentile_table says which of them
    mean something. It finds REPORT lines, of log groups below /aws/lambda/: for functions with the JSON log
    format or a log group of another name there is ColdStarts.percentiles. The arguments and errors are those
    of insights.run_query.

    AWS does not say what `pct` returns between two observations (CloudWatch Logs user guide, "stats"). The
    local AWS interpolates linearly. AWS's own results, as far as they are published (aws-samples,
    serverless-dotnet-demo, load-test-report-*.txt), are observations for up to 65 values, so that p99 is the
    largest, and approximations for 117 and more.
    """
    found = insights.run_query(
        logs_client, insights.COLD_START_QUERY, log_group_names, expected_records, start, timeout_s
    )
    return found.reindex(columns=COLUMNS)


def percentiles_of_reports(reports: Mapping[str, Sequence[ReportLine]]) -> pd.DataFrame:
    """The table of `percentiles`, from the REPORT lines of each function by its name.

    Like the query, it counts as cold what has an Init Duration: a SnapStart restore has none.
    """
    lines = [(name, line) for name, lines_of_name in reports.items() for line in lines_of_name]
    return _percentiles(
        pd.Series([name for name, _ in lines], dtype=object),
        pd.Series([line.init_duration_ms for _, line in lines]),
        pd.Series([line.duration_ms for _, line in lines]),
    )


def _percentiles(function_name: pd.Series, init_ms: pd.Series, duration_ms: pd.Series) -> pd.DataFrame:
    # Of warm invocations only, a column has no number that says that it holds numbers.
    init_ms = init_ms.astype(float)
    total_ms = duration_ms.astype(float) + init_ms.fillna(0)
    rows = [
        (name, int(bool(cold)), len(group), *(round(percentile(list(group), p), DECIMALS) for p in PERCENTS))
        for (cold, name), group in total_ms.groupby([init_ms.notna(), function_name])
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _check(function_names: Sequence[str], rounds: int, warm_invocations: int, burst: int) -> None:
    if isinstance(function_names, str) or not function_names:
        raise ValueError(f"function_names is a list of at least one name, not {function_names!r}.")
    for name, value, least in (
        ("rounds", rounds, 1),
        ("warm_invocations", warm_invocations, 0),
        ("burst", burst, 1),
    ):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, not {value}.")


def _cold_calls(
    call: Callable[[], dict[str, Any]], burst: int, function_name: str, renew: Callable[[], None]
) -> list[dict[str, Any]]:
    """The rows of a burst of which at least one invocation started cold."""
    for _ in range(ATTEMPTS):
        rows = _at_once(call, burst)
        if any(row["cold_start"] for row in rows):
            return rows
        renew()
    raise NoColdStart(
        f"{function_name} answered {ATTEMPTS} times from a warm environment right after a change of its "
        "configuration. Is something else invoking it at the same time?"
    )


def _at_once(call: Callable[[], dict[str, Any]], count: int) -> list[dict[str, Any]]:
    if count == 1:
        return [call()]
    together = threading.Barrier(count)

    def wait_and_call() -> dict[str, Any]:
        together.wait()
        return call()

    with ThreadPoolExecutor(count) as threads:
        calls = [threads.submit(wait_and_call) for _ in range(count)]
        return [call.result() for call in calls]


def _row(
    round_number: int, function_name: str, report: ReportLine, started_s: float, ended_s: float
) -> dict[str, Any]:
    return {
        "round": round_number,
        "function_name": function_name,
        "cold_start": report.cold_start,
        "init_duration_ms": report.init_duration_ms,
        "duration_ms": report.duration_ms,
        "total_duration_ms": report.total_duration_ms,
        "billed_duration_ms": report.billed_duration_ms,
        "max_memory_used_mb": report.max_memory_used_mb,
        "request_id": report.request_id,
        "started_s": started_s,
        "ended_s": ended_s,
        "environment": None,
    }
