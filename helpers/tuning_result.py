"""What a power tuning run found: the table of memory sizes, the best size, and how sure that is."""

import contextlib
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pandas as pd

from helpers import pricing, statistics
from helpers.calibration import Calibration
from helpers.statistics import Estimate, TooFewSamples

PERCENTILES = (50, 90, 95, 99)
MILLION = 1_000_000
INVOCATION_COLUMNS = (
    "round",
    "memory_mb",
    "duration_ms",
    "init_duration_ms",
    "billed_duration_ms",
    "max_memory_used_mb",
    "cost_usd",
)

Strategy = Literal["cost", "speed", "balanced"]
_COMPARED: tuple[Strategy, ...] = ("cost", "speed")


@dataclass(frozen=True)
class Failure:
    """Why a memory size was left out; `kind` is the errorType or error code, round 0 the preparation."""

    memory_mb: int
    round: int
    kind: str
    reason: str

    def __str__(self) -> str:
        return f"{self.memory_mb:,} MB left out in round {self.round}: {self.kind}: {self.reason}"


@dataclass(frozen=True)
class Best:
    """The best memory size by a strategy and how it compares with the second best.

    `ratio` is the runner-up's cost (strategy cost) or duration (strategy speed) relative to the best one's,
    as the median over rounds; None without a runner-up, below six rounds, and for the strategy balanced.
    """

    strategy: Strategy
    memory_mb: int
    runner_up_mb: int | None
    ratio: Estimate | None

    @property
    def decided(self) -> bool:
        """Whether the interval of the ratio lies above 1, so that noise does not explain the difference."""
        return self.ratio is not None and self.ratio.low > 1

    def __str__(self) -> str:
        text = f"Best by {self.strategy}: {self.memory_mb:,} MB."
        if self.ratio is None:
            return text
        quantity = "costs" if self.strategy == "cost" else "takes"
        text += (
            f" {self.runner_up_mb:,} MB {quantity} {self.ratio.value:.2f} times as much "
            f"(95 % interval {self.ratio.low:.2f} to {self.ratio.high:.2f})"
        )
        return text + ("." if self.decided else ": the two cannot be told apart.")


@dataclass(frozen=True)
class TuningResult:
    """The invocations of one power tuning run.

    `invocations` has one row an invocation: round, memory_mb, duration_ms (Duration plus Init and Restore
    Duration), init_duration_ms (missing when warm), billed_duration_ms, max_memory_used_mb, cost_usd
    (duration price of that invocation). Sizes that failed are in `failures` and not in `invocations`.
    """

    function_name: str
    architecture: pricing.Architecture
    discard_top_bottom: float
    invocations: pd.DataFrame
    failures: tuple[Failure, ...]
    calibration: Calibration | None

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a memory size (index memory_mb), failed sizes included and empty.

        Columns: n, cold_starts; mean_ms, mean_low_ms, mean_high_ms (trimmed mean, bootstrap interval);
        p50_ms, p50_low_ms, p50_high_ms and so on for p90, p95, p99 (order statistics; empty where the
        samples are too few); billed_ms (trimmed mean); cost_usd, cost_low_usd, cost_high_usd (of one
        invocation, from billed_ms); max_memory_used_mb; failure (its kind, or empty).
        """
        rows = [self._row(int(str(size)), group) for size, group in self.invocations.groupby("memory_mb")]
        rows += [
            {"memory_mb": failure.memory_mb, "n": 0, "cold_starts": 0, "failure": failure.kind}
            for failure in self.failures
        ]
        return pd.DataFrame(rows).set_index("memory_mb").sort_index()

    def summary(self) -> pd.DataFrame:
        """The table for reading: trimmed means with their intervals, the cost in USD per million.

        One row a memory size with columns n, mean_ms, low_ms, high_ms, billed_ms, usd_per_million,
        usd_low, usd_high, failure; numbers rounded to two decimals.
        """
        table = self.table
        columns = {
            "n": table["n"],
            "mean_ms": table["mean_ms"],
            "low_ms": table["mean_low_ms"],
            "high_ms": table["mean_high_ms"],
            "billed_ms": table["billed_ms"],
            "usd_per_million": table["cost_usd"] * MILLION,
            "usd_low": table["cost_low_usd"] * MILLION,
            "usd_high": table["cost_high_usd"] * MILLION,
            "failure": table["failure"],
        }
        return pd.DataFrame(columns).round(2)

    @property
    def run_cost(self) -> pricing.Cost:
        """What the counted invocations of this run cost on AWS, requests included."""
        cost = pricing.Cost(())
        for size, group in self.invocations.groupby("memory_mb"):
            mean_billed_ms = float(group["billed_duration_ms"].mean())
            cost += pricing.lambda_cost(len(group), mean_billed_ms, int(str(size)), self.architecture)
        return cost

    def best(self, strategy: Strategy = "cost", balanced_weight: float = 0.5) -> Best:
        """The best size by AWS Lambda Power Tuning's rules.

        cost takes the cheapest (of equals the faster), speed the fastest (of equals the cheaper), balanced
        the smallest balanced_weight * cost / max cost + (1 - balanced_weight) * duration / max duration.
        Raises ValueError when every size failed.
        """
        table = self.table[self.table["n"] > 0]
        if table.empty:
            kinds = ", ".join(f"{failure.memory_mb} MB: {failure.kind}" for failure in self.failures)
            raise ValueError(f"No memory size of {self.function_name} could be measured ({kinds}).")
        cost, duration = table["cost_usd"], table["mean_ms"]
        scores = {
            "cost": (cost, duration),
            "speed": (duration, cost),
            "balanced": (
                balanced_weight * cost / cost.max() + (1 - balanced_weight) * duration / duration.max(),
                cost,
            ),
        }
        first, second = scores[strategy]
        ranked = pd.DataFrame({"first": first, "second": second}).sort_values(["first", "second"])
        order = [int(size) for size in ranked.index]
        runner_up_mb = order[1] if len(order) > 1 else None
        ratio = None
        if runner_up_mb is not None and strategy != "balanced":
            column = "cost_usd" if strategy == "cost" else "duration_ms"
            with contextlib.suppress(TooFewSamples):
                ratio = self.ratio(column, runner_up_mb, order[0])
        return Best(strategy, order[0], runner_up_mb, ratio)

    def ratio(self, column: str, memory_mb: int, reference_mb: int) -> Estimate:
        """The median over rounds of a column of `invocations` at one size relative to another.

        Raises TooFewSamples below six rounds, KeyError for a size that was not measured.
        """
        by_round = self.invocations.pivot(index="round", columns="memory_mb", values=column)
        complete = by_round.dropna(subset=[memory_mb, reference_mb])
        return statistics.median_ratio(list(complete[memory_mb]), list(complete[reference_mb]))

    def least(self, column: str) -> pd.Series:
        """The smallest value of a column of `invocations` by memory_mb.

        The fastest of several runs of the same work is the one that other programs disturbed least (Python
        documentation, `timeit.repeat`), so this shows a law of the platform on a busy machine.
        """
        return self.invocations.groupby("memory_mb")[column].min()

    def describe(self) -> str:
        """The result in sentences: the best sizes, failures, the machine's noise, percentiles left out."""
        measured = self.table["n"][self.table["n"] > 0]
        lines = [str(self.best(strategy)) for strategy in _COMPARED if not measured.empty]
        lines += [str(failure) for failure in self.failures]
        if self.calibration is not None:
            lines.append(str(self.calibration))
        needs = {percent: statistics.samples_needed(percent) for percent in PERCENTILES}
        missing = [f"p{percent} needs {need}" for percent, need in needs.items() if need > measured.min()]
        if missing:
            lines.append(f"Not shown with {measured.min()} invocations a size: {', '.join(missing)}.")
        return "\n".join(lines)

    def _row(self, memory_mb: int, group: pd.DataFrame) -> dict[str, object]:
        durations = list(group["duration_ms"])
        row: dict[str, object] = {
            "memory_mb": memory_mb,
            "n": len(group),
            "cold_starts": int(group["init_duration_ms"].notna().sum()),
        }
        mean = statistics.trimmed_mean_interval(durations, self.discard_top_bottom)
        row |= {"mean_ms": mean.value, "mean_low_ms": mean.low, "mean_high_ms": mean.high}
        for percent in PERCENTILES:
            estimate = statistics.percentile_interval(durations, percent)
            estimate = estimate or Estimate(math.nan, math.nan, math.nan)
            row |= {
                f"p{percent}_ms": estimate.value,
                f"p{percent}_low_ms": estimate.low,
                f"p{percent}_high_ms": estimate.high,
            }
        billed = statistics.trimmed_mean_interval(list(group["billed_duration_ms"]), self.discard_top_bottom)
        row |= {
            "billed_ms": billed.value,
            "cost_usd": pricing.invocation_usd(billed.value, memory_mb, self.architecture),
            "cost_low_usd": pricing.invocation_usd(billed.low, memory_mb, self.architecture),
            "cost_high_usd": pricing.invocation_usd(billed.high, memory_mb, self.architecture),
            "max_memory_used_mb": int(group["max_memory_used_mb"].max()),
            "failure": "",
        }
        return row
