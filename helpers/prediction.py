"""The power tuning curve of a function, predicted from one of its memory sizes by the memory law.

An invocation takes CPU time, which memory buys, and waiting time, which it does not. The law (AWS Lambda
Developer Guide, "Configure Lambda function memory"): 1,769 MB buy one vCPU, any other size its share of that.
The share is given out in periods of 20 ms (measured on AWS by pwrdrvr/lambda-throttling), by the rules of
"CFS Bandwidth Control" in the Linux kernel's documentation; `burst_durations_ms` states them.

A prediction is as good as its assumptions: the CPU time is the same at every size and is used in one go. A
handler that computes and waits in turns gets its quota back while it waits, and is faster at small sizes than
predicted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from helpers import statistics
from helpers.tuning.best import listed
from helpers.tuning.billing import Billing
from helpers.tuning.input import POWER_VALUES
from helpers.tuning_result import TuningResult

MB_PER_VCPU = 1769
PERIOD_MS = 20.0
TICK_MS = 4.0
_REFILL_PHASES, _TICK_PHASES = 40, 8
# From then on each further quota takes one further period.
_LONG_QUOTAS = 60
_PARALLEL_FROM = 1.05


@dataclass(frozen=True)
class Prediction:
    """What the memory law says of a function, given how it was seen at one size or two.

    `cpu_ms` and `wait_ms` are the two parts of its duration at full speed, `init_ms` is INIT where the run
    was one of cold starts, `threads` how many vCPUs its CPU time uses at once. `source` says what they come
    from, `tuning` is the run and `source_sizes` are its sizes (MB) that were used. `sizes` are those of the
    table.
    """

    tuning: TuningResult
    source: str
    source_sizes: tuple[int, ...]
    cpu_ms: float
    wait_ms: float
    init_ms: float
    threads: float
    sizes: tuple[int, ...]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a size (index memory_mb) with columns duration_ms and cost_usd (of one invocation)."""
        billing = self.tuning.billing or Billing.today(self.tuning.architecture)
        durations = {size: self.duration_ms(size) for size in self.sizes}
        return pd.DataFrame(
            {
                "duration_ms": list(durations.values()),
                "cost_usd": [billing.usd(duration_ms, size) for size, duration_ms in durations.items()],
            },
            index=pd.Index(durations, name="memory_mb"),
        )

    def duration_ms(self, memory_mb: int) -> float:
        """INIT, waiting, and the CPU time under the quota of that size: a trimmed mean like the measured."""
        limited_ms = _limited_ms(self.cpu_ms, memory_mb, self.threads, self.tuning.discard_top_bottom)
        return self.init_ms + self.wait_ms + limited_ms

    def error(self, measured: TuningResult) -> float:
        """The mean absolute relative error of the duration over the measured sizes.

        Sizes that the prediction was made from fit by construction and do not count. Raises ValueError when
        there is no other.
        """
        durations = measured.table["mean_ms"].dropna().drop(list(self.source_sizes), errors="ignore")
        if durations.empty:
            sizes = listed(self.source_sizes)
            raise ValueError(f"A prediction from {sizes} is judged by other sizes; none was measured.")
        errors = [self.duration_ms(int(str(size))) / duration - 1 for size, duration in durations.items()]
        return float(np.mean(np.abs(errors)))

    def __str__(self) -> str:
        parts = [f"{self.cpu_ms:.1f} ms of CPU time", f"{self.wait_ms:.1f} ms of waiting"]
        if self.init_ms:
            parts.append(f"{self.init_ms:.1f} ms of INIT")
        text = f"Predicted from {self.source}: {', '.join(parts)}."
        if self.threads > _PARALLEL_FROM:
            text += f" It used {self.threads:.1f} vCPUs at once, and is predicted to use no more at any size."
        others = sorted(set(self.tuning.invocations["memory_mb"]) - set(self.source_sizes))
        if others:
            text += (
                f" Mean absolute error of the duration at {listed(others)}: {self.error(self.tuning):.1%}."
            )
        return text


def predict(
    tuning: TuningResult,
    memory_mb: int | Sequence[int] | None = None,
    sizes: Sequence[int] = POWER_VALUES,
) -> Prediction:
    """Tell CPU time and waiting apart at one size (or two) of a run, and predict the duration at `sizes`.

    With one size the CPU time is the one that the local AWS reports, and the rest of the duration is waiting.
    AWS does not report it: there two sizes, of which one is below 1,769 MB, give two equations for CPU time
    and waiting; one thread is assumed. By default the largest size of the run is used, where the quota
    matters least, and where there is no CPU time the smallest and the largest. Raises ValueError for a size
    that was not measured, for more than two, for one without CPU time, and for two that have a vCPU each.
    """
    chosen = _choose(tuning, memory_mb)
    if len(chosen) == 1:
        source = f"CPU time at {listed(chosen)}"
        cpu_ms = _typical(tuning, chosen[0], "cpu_ms")
        duration_ms = _typical(tuning, chosen[0], "handler_ms")
        threads = max(1.0, cpu_ms / duration_ms)
    else:
        source = f"two sizes, {listed(chosen)}"
        smaller_ms, duration_ms = (_typical(tuning, size, "handler_ms") for size in chosen)
        cpu_ms = _solve_cpu_ms(chosen, (smaller_ms, duration_ms), tuning.discard_top_bottom)
        threads = 1.0
    limited_ms = _limited_ms(cpu_ms, chosen[-1], threads, tuning.discard_top_bottom)
    return Prediction(
        tuning,
        source,
        chosen,
        cpu_ms,
        max(0.0, duration_ms - limited_ms),
        _typical(tuning, chosen[-1], "init_ms"),
        threads,
        tuple(sizes),
    )


def burst_durations_ms(cpu_ms: float, memory_mb: int, threads: float = 1.0) -> np.ndarray:
    """How long `cpu_ms` of CPU time take at a size, once for each phase of the kernel's clocks.

    A size has a quota of 20 ms x memory / 1,769 MB. It is there in full when the burst begins, and is filled
    up every 20 ms from some moment on; what is over is lost. The kernel looks at the account at every tick of
    its clock (4 ms, CONFIG_HZ=250 as in Debian's kernels) and then stops who has used it up, until it is
    filled. What was used beyond the quota by then is owed: two or three fillings may pass before a function
    of 128 MB goes on. AWS shows the same: in the run that pwrdrvr/lambda-throttling publishes for 128 MB,
    4.5 ms of CPU time take 20 to 100 ms, where an account to the point would make it 40 to 80.

    A burst begins at any phase of the period and of the tick, all equally likely: the array holds the
    duration for 40 x 8 of them. Above 1,769 MB a burst of one thread is not limited. `threads` is how many
    vCPUs the burst uses at once.
    """
    quota_ms = PERIOD_MS * memory_mb / MB_PER_VCPU
    next_fill, next_tick = (
        phase.ravel()
        for phase in np.meshgrid(_phases(PERIOD_MS, _REFILL_PHASES), _phases(TICK_MS, _TICK_PHASES))
    )
    if quota_ms >= threads * PERIOD_MS:
        return np.full(next_fill.shape, cpu_ms / threads)
    whole_quotas = max(0, math.floor(cpu_ms / quota_ms) - _LONG_QUOTAS)
    left_ms = np.full(next_fill.shape, cpu_ms - whole_quotas * quota_ms)
    account_ms = np.full(next_fill.shape, quota_ms)
    running = np.ones(next_fill.shape, dtype=bool)
    now = np.zeros(next_fill.shape)
    ended = np.zeros(next_fill.shape)
    while (left_ms > 0).any():
        event = np.minimum(next_fill, next_tick)
        used_ms = np.where(running, np.minimum(left_ms, threads * (event - now)), 0.0)
        ended = np.where((left_ms > 0) & (used_ms == left_ms), now + used_ms / threads, ended)
        left_ms = left_ms - used_ms
        account_ms = account_ms - used_ms
        now = event
        filled, looked = next_fill <= now, next_tick <= now
        account_ms = np.where(filled, np.minimum(account_ms + quota_ms, quota_ms), account_ms)
        running = np.where(filled & (account_ms > 0), True, running & ~(looked & (account_ms <= 0)))
        next_fill = next_fill + PERIOD_MS * filled
        next_tick = next_tick + TICK_MS * looked
    return ended + whole_quotas * PERIOD_MS


def _phases(interval_ms: float, count: int) -> np.ndarray:
    return (np.arange(count) + 0.5) / count * interval_ms


def _limited_ms(cpu_ms: float, memory_mb: int, threads: float, discard_top_bottom: float) -> float:
    """The trimmed mean over all phases, since a measured duration is the trimmed mean of many invocations."""
    return statistics.trimmed_mean(list(burst_durations_ms(cpu_ms, memory_mb, threads)), discard_top_bottom)


def _solve_cpu_ms(
    sizes: Sequence[int], durations_ms: tuple[float, float], discard_top_bottom: float
) -> float:
    """The CPU time whose limited durations at two sizes differ as the measured ones do."""

    def excess_ms(cpu_ms: float) -> float:
        smaller, larger = (_limited_ms(cpu_ms, size, 1.0, discard_top_bottom) for size in sizes)
        return smaller - larger - (durations_ms[0] - durations_ms[1])

    if sizes[0] >= MB_PER_VCPU:
        raise ValueError(
            f"{listed(sizes)} both have a vCPU or more: one of two sizes must be below {MB_PER_VCPU:,} MB."
        )
    # Not even a handler that only computes can use more than its time at the larger size.
    most_ms = durations_ms[1]
    if excess_ms(0.0) >= 0:
        return 0.0
    if excess_ms(most_ms) <= 0:
        return most_ms
    return float(brentq(excess_ms, 0.0, most_ms, xtol=0.01))


def _choose(tuning: TuningResult, memory_mb: int | Sequence[int] | None) -> tuple[int, ...]:
    invocations = tuning.invocations
    measured = sorted(int(size) for size in invocations["memory_mb"].unique())
    if not measured:
        raise ValueError(f"No memory size of {tuning.function_name} was measured: nothing to predict from.")
    with_cpu_time = set(invocations["memory_mb"][invocations["cpu_ms"].notna()])
    if memory_mb is None:
        chosen = {measured[-1]} if measured[-1] in with_cpu_time else {measured[0], measured[-1]}
    else:
        chosen = set(memory_mb) if isinstance(memory_mb, Sequence) else {int(memory_mb)}
    if len(chosen) not in (1, 2):
        raise ValueError(f"A prediction is made from one size or two, not from {len(chosen)}.")
    missing = sorted(chosen - set(measured))
    if missing:
        raise ValueError(f"{listed(missing)} was not measured, only {listed(measured)}.")
    if len(chosen) == 1 and not chosen <= with_cpu_time:
        raise ValueError(
            f"AWS reports no CPU time: to predict from {listed(sorted(chosen))} takes a second measured size."
        )
    return tuple(sorted(chosen))


def _typical(tuning: TuningResult, memory_mb: int, part: str) -> float:
    """The trimmed mean of one part of the invocations of a size: cpu_ms, init_ms, or the handler's time."""
    rows = tuning.invocations[tuning.invocations["memory_mb"] == memory_mb]
    init_ms = rows["init_duration_ms"].fillna(0.0)
    parts = {
        "cpu_ms": rows["cpu_ms"].dropna(),
        "init_ms": init_ms,
        "handler_ms": rows["duration_ms"] - init_ms,
    }
    return statistics.trimmed_mean(list(parts[part]), tuning.discard_top_bottom)
