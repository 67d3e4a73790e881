"""Force cold starts of functions and keep what Lambda reports of each.

Any change of a function's configuration makes Lambda start new execution environments (AWS Lambda Developer
Guide, "Understanding the Lambda execution environment lifecycle"), so each cold start here is one new value
of an environment variable.
"""

import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from helpers import statistics
from helpers.calibration import Calibration, time_loop_ms
from helpers.function_configuration import update, wait_updated
from helpers.invocations import invoke
from helpers.progress import progress
from helpers.report_line import ReportLine
from helpers.statistics import Estimate

NONCE = "COLD_START_NONCE"
ATTEMPTS = 3


@dataclass(frozen=True)
class ColdStarts:
    """Forced cold starts of one or more functions.

    `invocations` has one row an invocation: round, function_name, cold_start, init_duration_ms (missing when
    warm), duration_ms, total_duration_ms (both added up), billed_duration_ms, max_memory_used_mb, request_id.
    """

    invocations: pd.DataFrame
    calibration: Calibration | None

    def samples(
        self, function_name: str, column: str = "init_duration_ms", cold_start: bool = True
    ) -> list[float]:
        """A column of one function's cold (or warm) invocations, in the order they were made."""
        rows = self.invocations
        chosen = (rows["function_name"] == function_name) & (rows["cold_start"] == cold_start)
        return [float(value) for value in rows.loc[chosen, column]]

    def ratio(self, function_name: str, reference_name: str, column: str = "init_duration_ms") -> Estimate:
        """The median over rounds of one function's cold starts relative to another's, with its interval."""
        return statistics.median_ratio(
            self.samples(function_name, column), self.samples(reference_name, column)
        )


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
) -> ColdStarts:
    """Force one cold start of each function in every round, in an order drawn from `seed`.

    Each cold start is followed by `warm_invocations` invocations of the same function. A calibration loop
    before every round shows the machine's own noise (see calibration.py). The environment variables of the
    functions are put back at the end, also after an error.

    Raises NoColdStart, or InvocationFailed when a function fails.
    """
    order = random.Random(seed)
    rows: list[dict[str, Any]] = []
    loop_ms: list[float] = []
    with _keeping_variables(lambda_client, function_names) as variables:
        for round_number in progress(range(1, rounds + 1), "Cold starts"):
            if calibrate:
                loop_ms.append(time_loop_ms())
            _replace_environments(lambda_client, variables)
            for name in order.sample(list(function_names), len(function_names)):
                cold = _cold_start(lambda_client, name, variables[name], payload)
                rows.append(_row(round_number, name, cold))
                for _ in range(warm_invocations):
                    rows.append(_row(round_number, name, invoke(lambda_client, name, payload).report))
    return ColdStarts(pd.DataFrame(rows), Calibration(tuple(loop_ms)) if calibrate else None)


@contextmanager
def _keeping_variables(
    lambda_client: Any, function_names: Sequence[str]
) -> Iterator[dict[str, dict[str, str]]]:
    """Yield each function's environment variables and put them back at the end."""
    variables: dict[str, dict[str, str]] = {}
    with ExitStack() as undo:
        for name in function_names:
            configuration = lambda_client.get_function_configuration(FunctionName=name)
            variables[name] = configuration.get("Environment", {}).get("Variables", {})
            undo.callback(update, lambda_client, name, Environment={"Variables": variables[name]})
        yield variables


def _replace_environments(lambda_client: Any, variables: dict[str, dict[str, str]]) -> None:
    """Change all functions and then wait for all, so that the waits overlap."""
    for name, kept in variables.items():
        changed = {"Variables": {**kept, NONCE: uuid.uuid4().hex}}
        lambda_client.update_function_configuration(FunctionName=name, Environment=changed)
    for name in variables:
        wait_updated(lambda_client, name)


def _cold_start(
    lambda_client: Any, function_name: str, variables: dict[str, str], payload: Any
) -> ReportLine:
    for _ in range(ATTEMPTS):
        report = invoke(lambda_client, function_name, payload).report
        if report.cold_start:
            return report
        _replace_environments(lambda_client, {function_name: variables})
    raise NoColdStart(
        f"{function_name} answered {ATTEMPTS} times from a warm environment right after a change of its "
        "configuration. Is something else invoking it at the same time?"
    )


def _row(round_number: int, function_name: str, report: ReportLine) -> dict[str, Any]:
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
    }
