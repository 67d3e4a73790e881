"""How long a function takes and what it costs at each memory size, measured side by side.

The question is the one of alexcasalboni/aws-lambda-power-tuning, and so are the meaning and the defaults of
inputs that have its names. Here each memory size is a published version of the function, so that every round
can invoke all sizes in turn: drift of the machine or of AWS then hits all sizes alike.
"""

import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pandas as pd
from botocore.exceptions import ClientError, WaiterError

from helpers import pricing
from helpers.calibration import Calibration, time_loop_ms
from helpers.function_configuration import publish, update
from helpers.invocations import InvocationFailed, invoke
from helpers.progress import progress
from helpers.report_line import ReportLine
from helpers.tuning_result import INVOCATION_COLUMNS, Failure, TuningResult

POWER_VALUES = (128, 256, 512, 1024, 1536, 3008)
SMALLEST_MB, LARGEST_MB = 128, 10_240
SMALLEST_NUM = 5
PREPARATION = 0


def run(
    lambda_client: Any,
    function_name: str,
    power_values: Sequence[int] = POWER_VALUES,
    num: int = 50,
    payload: Any = None,
    discard_top_bottom: float = 0.2,
    calibrate: bool = True,
    seed: int = 1,
) -> TuningResult:
    """Invoke a function `num` times at each memory size of `power_values` (MB) and compare.

    Every round invokes each size once, in an order drawn from `seed`, after one calibration loop (which
    says nothing about AWS: leave it out there with `calibrate=False`). A size that fails is reported and
    left out of the rest. `payload` is any JSON value. The versions made for the run are removed and the
    function's memory and description are put back, also after an error or an interrupt.

    Raises ValueError for inputs out of range, ClientError when the function does not exist.
    """
    _check(power_values, num)
    configuration = lambda_client.get_function_configuration(FunctionName=function_name)
    architecture: pricing.Architecture = configuration.get("Architectures", ["x86_64"])[0]
    order = random.Random(seed)
    rows: list[dict[str, Any]] = []
    loop_ms: list[float] = []
    with _restoring(lambda_client, configuration) as marker:
        versions, failures = _publish_sizes(lambda_client, function_name, power_values, marker)
        for round_number in progress(range(1, num + 1), f"Tuning {function_name}"):
            if calibrate:
                loop_ms.append(time_loop_ms())
            for memory_mb in order.sample(list(versions), len(versions)):
                try:
                    report = invoke(lambda_client, function_name, payload, versions[memory_mb]).report
                except InvocationFailed as error:
                    failures.append(Failure(memory_mb, round_number, error.kind, error.reason))
                    del versions[memory_mb]
                else:
                    rows.append(_row(round_number, memory_mb, report, architecture))
    invocations = pd.DataFrame(rows, columns=list(INVOCATION_COLUMNS))
    return TuningResult(
        function_name,
        architecture,
        discard_top_bottom,
        invocations[invocations["memory_mb"].isin(list(versions))],
        tuple(failures),
        Calibration(tuple(loop_ms)) if calibrate else None,
    )


def _check(power_values: Sequence[int], num: int) -> None:
    if num < SMALLEST_NUM:
        raise ValueError(f"num is the invocations a memory size, at least {SMALLEST_NUM}, not {num}.")
    if not power_values or len(set(power_values)) < len(power_values):
        raise ValueError(f"power_values are different memory sizes in MB, not {list(power_values)}.")
    for memory_mb in power_values:
        if not SMALLEST_MB <= memory_mb <= LARGEST_MB:
            raise ValueError(f"A memory size is {SMALLEST_MB} to {LARGEST_MB:,} MB, not {memory_mb}.")


@contextmanager
def _restoring(lambda_client: Any, configuration: dict[str, Any]) -> Iterator[str]:
    """Yield a description for versions of this run; at the end remove these and restore the function."""
    function_name = configuration["FunctionName"]
    marker = f"power tuning {uuid.uuid4().hex[:12]}"
    original = {
        "MemorySize": configuration["MemorySize"],
        "Description": configuration.get("Description", ""),
    }
    with ExitStack() as undo:
        undo.callback(update, lambda_client, function_name, **original)
        undo.callback(_remove_versions, lambda_client, function_name, marker)
        yield marker


def _publish_sizes(
    lambda_client: Any, function_name: str, power_values: Sequence[int], marker: str
) -> tuple[dict[int, str], list[Failure]]:
    """One version a memory size; a size that AWS refuses (an account may be limited) is a failure."""
    versions: dict[int, str] = {}
    failures: list[Failure] = []
    for memory_mb in power_values:
        try:
            update(lambda_client, function_name, MemorySize=memory_mb, Description=marker)
            versions[memory_mb] = publish(lambda_client, function_name)
        except ClientError as error:
            code, reason = error.response["Error"]["Code"], error.response["Error"]["Message"]
            failures.append(Failure(memory_mb, PREPARATION, code, reason))
        except WaiterError as error:
            failures.append(Failure(memory_mb, PREPARATION, "WaiterError", str(error)))
    return versions, failures


def _remove_versions(lambda_client: Any, function_name: str, marker: str) -> None:
    pages = lambda_client.get_paginator("list_versions_by_function").paginate(FunctionName=function_name)
    made_here = [
        version["Version"]
        for page in pages
        for version in page["Versions"]
        if version.get("Description") == marker and version["Version"] != "$LATEST"
    ]
    for version in made_here:
        lambda_client.delete_function(FunctionName=function_name, Qualifier=version)


def _row(
    round_number: int, memory_mb: int, report: ReportLine, architecture: pricing.Architecture
) -> dict[str, Any]:
    return {
        "round": round_number,
        "memory_mb": memory_mb,
        "duration_ms": report.total_duration_ms,
        "init_duration_ms": report.init_duration_ms,
        "billed_duration_ms": report.billed_duration_ms,
        "max_memory_used_mb": report.max_memory_used_mb,
        "cost_usd": pricing.invocation_usd(report.billed_duration_ms, memory_mb, architecture),
    }
