"""The CPU that memory buys, against the law memory/1769 and against what others measured on AWS."""

import random
from collections.abc import Callable
from statistics import fmean
from typing import Any

import pandas as pd
import pytest
from figures import show

from helpers import cold_starts, comparison
from helpers.calibration import Calibration, time_loop_ms
from helpers.invocations import invoke
from helpers.local_aws import LocalAws
from helpers.published import DATA_DIRECTORY
from helpers.statistics import percentile

MB_PER_VCPU = 1769
SIZES_MB = (128, 256, 512, 1024, MB_PER_VCPU)
ROUNDS = 20
COLD_STARTS = 21
PUBLISHED_S = 5
BUSY_S = 20
SEED = 2

# `work` takes some 200 ms of CPU: the share is given out in periods of 20 ms, of which an invocation
# may take the first and the last early. `stay_busy` says how much CPU it got in some seconds.
SOURCE = """
import json
import time

def compute(count):
    total = 0
    for number in range(count):
        total += number
    return total

# Something for INIT to do.
compute(500_000)

def work(event, context):
    compute(4_000_000)

def stay_busy(event, context):
    started, cpu_started = time.perf_counter(), time.process_time()
    while time.perf_counter() - started < event["s"]:
        compute(1000)
    return (time.process_time() - cpu_started) * 1000
"""


@pytest.fixture
def tolerance(local_aws: LocalAws) -> float:
    """The fallback limiter is coarser than those of the kernel."""
    return 0.15 if local_aws.limiter.startswith("duty cycle") else 0.10


def test_duration_of_a_computing_handler(
    deploy: Callable[..., str], make_client: Callable[..., Any], local_aws: LocalAws, tolerance: float
) -> None:
    """Every size computes for the same wall time in a round, and its mean duration is one sample.

    A machine that changes between fast and slow within seconds would otherwise show its usual speed in the
    short invocations of the large sizes, and the mean of both speeds in the long ones of the small sizes.
    """
    client = make_client("lambda")
    names = {size: deploy({"index.py": SOURCE}, Handler="index.work", MemorySize=size) for size in SIZES_MB}

    def measure(size: int) -> Callable[[], float]:
        invocations = size // SIZES_MB[0]
        return lambda: fmean(invoke(client, names[size]).report.duration_ms for _ in range(invocations))

    for name in names.values():
        invoke(client, name)
    measured = comparison.run({str(size): measure(size) for size in SIZES_MB}, ROUNDS)
    ratios = [measured.ratio(str(size), str(MB_PER_VCPU)) for size in SIZES_MB]
    table = pd.DataFrame(index=pd.Index(SIZES_MB, name="memory_mb"))
    table["p50_ms"] = [percentile(list(measured.samples[str(size)]), 50) for size in SIZES_MB]
    table["relative"] = [ratio.value for ratio in ratios]
    table["low"] = [ratio.low for ratio in ratios]
    table["high"] = [ratio.high for ratio in ratios]
    table["law"] = [MB_PER_VCPU / size for size in SIZES_MB]
    table["error"] = table["relative"] / table["law"] - 1
    show(
        f"Duration of a computing Python handler relative to {MB_PER_VCPU} MB, {ROUNDS} rounds",
        table.round(3),
        __file__,
        f"Limiter: {local_aws.limiter}. At most {tolerance:.0%} of error.",
        measured.calibration,
    )
    assert table["error"].abs().max() <= tolerance


def test_cpu_time_against_what_was_measured_on_aws(
    deploy: Callable[..., str], make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    """data/cpu_share_published.csv: the CPU that busy functions of these sizes got on AWS in about 5 s.

    Measured over a longer time, because a run gets the slice of the period in which it ends early: of 5 s,
    that one slice is nearly half a percent.
    """
    client = make_client("lambda")
    table = pd.read_csv(DATA_DIRECTORY / "cpu_share_published.csv").set_index("memory_mb")[["cpu_ms_in_5s"]]
    names = {
        size: deploy({"index.py": SOURCE}, Handler="index.stay_busy", MemorySize=int(size))
        for size in table.index
    }
    loop_ms = []
    measured: dict[int, float] = {}
    for size in random.Random(SEED).sample(list(names), len(names)):
        invoke(client, names[size], {"s": 0})
        loop_ms.append(time_loop_ms())
        measured[size] = invoke(client, names[size], {"s": BUSY_S}).payload * PUBLISHED_S / BUSY_S
    table["here"] = pd.Series(measured)
    table["error"] = table["here"] / table["cpu_ms_in_5s"] - 1
    show(
        f"CPU ms that a busy function gets in {PUBLISHED_S} s, published for AWS and here (over {BUSY_S} s)",
        table.round(3),
        __file__,
        f"Limiter: {local_aws.limiter}. At most 10% of error.",
        Calibration(tuple(loop_ms)),
    )
    assert table["error"].abs().max() <= 0.10


def test_init_duration_does_not_depend_on_memory(
    deploy: Callable[..., str], make_client: Callable[..., Any]
) -> None:
    """data/cold_starts_aws.csv shows the same of AWS: INIT runs at full speed."""
    names = {size: deploy({"index.py": SOURCE}, Handler="index.work", MemorySize=size) for size in SIZES_MB}
    starts = cold_starts.force(make_client("lambda"), list(names.values()), COLD_STARTS)
    table = pd.DataFrame(index=pd.Index(SIZES_MB, name="memory_mb"))
    table["init_p50_ms"] = [percentile(starts.samples(name), 50) for name in names.values()]
    table["error"] = table["init_p50_ms"] / table["init_p50_ms"].median() - 1
    show(
        f"Init Duration, medians of {COLD_STARTS} cold starts",
        table.round(3),
        __file__,
        "Each within 15% of the middle one.",
        starts.calibration,
    )
    assert table["error"].abs().max() <= 0.15
