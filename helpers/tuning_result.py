"""What a power tuning run found: the table of memory sizes, the best size, and how sure that is."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from helpers import pricing, statistics
from helpers.calibration import Calibration
from helpers.statistics import Estimate
from helpers.tuning import table as tuning_table
from helpers.tuning import visualization
from helpers.tuning.best import Best, Strategy, choose, ratio_over_rounds
from helpers.tuning.billing import Billing
from helpers.tuning.failure import Elimination, Failure, sentences
from helpers.tuning.table import PERCENTILES

MILLION = 1_000_000
INVOCATION_COLUMNS = (
    "round",
    "memory_mb",
    "duration_ms",
    "init_duration_ms",
    "billed_duration_ms",
    "max_memory_used_mb",
    "cost_usd",
    "cpu_ms",
)


@dataclass(frozen=True)
class Optimization:
    """What auto_optimize has set: the memory and, with an alias, the version that the alias now names.

    Without a winner there was nothing to set, and `memory_mb` is None.
    """

    memory_mb: int | None
    alias: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        if self.memory_mb is None:
            return "The function keeps its memory, because this run has no winner."
        text = f"The function now has {self.memory_mb:,} MB"
        return text + (f", and alias {self.alias} names its version {self.version}." if self.alias else ".")


def no_invocations() -> pd.DataFrame:
    """An empty table of invocations."""
    return pd.DataFrame(columns=list(INVOCATION_COLUMNS))


@dataclass(frozen=True)
class TuningResult:
    """The invocations of one power tuning run.

    `invocations` has one row an invocation: round, memory_mb, duration_ms (Duration plus Init and Restore
    Duration), init_duration_ms (Init Duration or, with SnapStart, Restore Duration; missing when warm),
    billed_duration_ms (Billed Duration, which holds what is billed of INIT or of a restore),
    max_memory_used_mb, cost_usd (duration price of that invocation), cpu_ms (CPU time of the INVOKE phase;
    missing on AWS). Sizes that failed are in `failures`, and their invocations in `left_out` instead.
    `allowed` are errors that counted as success. Adaptive tuning fills `eliminated`, and `stop_reason` when
    it took no further round. `billing` turns durations into money; None stands for today's prices.
    """

    function_name: str
    architecture: pricing.Architecture
    discard_top_bottom: float
    invocations: pd.DataFrame
    failures: tuple[Failure, ...]
    calibration: Calibration | None
    strategy: Strategy = "cost"
    balanced_weight: float = 0.5
    billing: Billing | None = None
    allowed: tuple[Failure, ...] = ()
    eliminated: tuple[Elimination, ...] = ()
    stop_reason: str | None = None
    adaptive: bool = False
    left_out: pd.DataFrame = field(default_factory=no_invocations)
    include_output_results: bool = False
    dry_run: bool = False
    optimization: Optimization | None = None

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a memory size (index memory_mb), failed sizes included and empty.

        Columns: n, cold_starts; mean_ms, mean_low_ms, mean_high_ms (trimmed mean, bootstrap interval);
        p50_ms, p50_low_ms, p50_high_ms and so on for p90, p95, p99 (order statistics); billed_ms (trimmed
        mean); cost_usd, cost_low_usd, cost_high_usd (of one invocation, from billed_ms); max_memory_used_mb;
        failure (its kinds, or empty). A figure that takes more samples than there are is empty.
        """
        billing = self.billing or Billing.today(self.architecture)
        return tuning_table.build(self.invocations, self.failures, self.discard_top_bottom, billing)

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

    def errors(self) -> pd.DataFrame:
        """Errors by memory size and kind, with columns memory_mb, kind, count, allowed."""
        rows = [
            (failure.memory_mb, failure.kind, failure.count, allowed)
            for failures, allowed in ((self.failures, False), (self.allowed, True))
            for failure in failures
        ]
        return pd.DataFrame(rows, columns=["memory_mb", "kind", "count", "allowed"])

    @property
    def run_cost(self) -> pricing.Cost:
        """What the invocations of this run cost on AWS, requests and sizes that failed included.

        Requests that Lambda refused cost nothing. Those of pre- and post-processors are not in it.
        """
        cost = pricing.Cost(())
        for invocations in (self.invocations, self.left_out):
            for size, group in invocations.groupby("memory_mb"):
                mean_billed_ms = float(group["billed_duration_ms"].mean())
                cost += pricing.lambda_cost(len(group), mean_billed_ms, int(str(size)), self.architecture)
        return cost

    def best(self, strategy: Strategy = "cost", balanced_weight: float = 0.5) -> Best:
        """The best size by AWS Lambda Power Tuning's rules, and whether noise leaves it in doubt.

        See tuning/best.py for the rules. Raises ValueError when every size failed, and for a dry run,
        which compares nothing.
        """
        if self.dry_run:
            raise ValueError(f"A dry run of {self.function_name} compares nothing: run it without dry_run.")
        if self.invocations.empty:
            kinds = ", ".join(f"{failure.memory_mb} MB: {failure.kind}" for failure in self.failures)
            raise ValueError(f"No memory size of {self.function_name} could be measured ({kinds}).")
        same_question = strategy == self.strategy and (
            strategy != "balanced" or balanced_weight == self.balanced_weight
        )
        measured = self.table[self.table["n"] > 0]
        finalists_mb = None
        if self.adaptive and same_question:
            eliminated_mb = [elimination.memory_mb for elimination in self.eliminated]
            finalists_mb = [int(size) for size in measured.index if size not in eliminated_mb]
        return choose(measured, self.invocations, strategy, balanced_weight, finalists_mb)

    @property
    def answer(self) -> Best | None:
        """The best size by the run's own strategy, or None when the run has no winner."""
        if self.dry_run or self.invocations.empty:
            return None
        best = self.best(self.strategy, self.balanced_weight)
        return best if best.decided else None

    def ratio(self, column: str, memory_mb: int, reference_mb: int) -> Estimate:
        """The median over rounds of a column of `invocations` at one size relative to another.

        Raises TooFewSamples below six rounds that have both, KeyError for a size that was not measured.
        """
        return ratio_over_rounds(self.invocations, column, memory_mb, reference_mb)

    def least(self, column: str) -> pd.Series:
        """The smallest value of a column of `invocations` by memory_mb.

        The fastest of several runs of the same work is the one that other programs disturbed least (Python
        documentation, `timeit.repeat`), so this shows a law of the platform on a busy machine.
        """
        return self.invocations.groupby("memory_mb")[column].min()

    @property
    def visualization_url(self) -> str:
        """The page that draws mean duration and cost of the measured sizes (see visualization.url)."""
        table = self.table[self.table["n"] > 0]
        return visualization.url(
            [int(size) for size in table.index], list(table["mean_ms"]), list(table["cost_usd"])
        )

    def output(self) -> dict[str, Any]:
        """The result in the form of AWS Lambda Power Tuning, for programs that read that.

        Its field `stats`, one entry a memory size, is there after a run with include_output_results. No state
        machine ran, so that its executionCost is 0. Raises ValueError as `best` does.
        """
        best = self.best(self.strategy, self.balanced_weight)
        table = self.table[self.table["n"] > 0]
        cost_usd, duration_ms = (table[name].to_dict() for name in ("cost_usd", "mean_ms"))
        output: dict[str, Any] = {
            "power": best.memory_mb,
            "cost": cost_usd[best.memory_mb],
            "duration": duration_ms[best.memory_mb],
            "stateMachine": {
                "executionCost": 0,
                "lambdaCost": float(self.invocations["cost_usd"].sum()),
                "visualization": self.visualization_url,
            },
        }
        if self.include_output_results:
            output["stats"] = [
                {"averagePrice": row.cost_usd, "averageDuration": row.mean_ms, "value": row.Index}
                for row in table.itertuples()
            ]
        return output

    def describe(self) -> str:
        """The result in sentences: winners or why there is none, failures, noise, percentiles left out."""
        return "\n".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if self.dry_run:
            yield from self._dry_run_sentences()
        elif not self.invocations.empty:
            strategies: list[Strategy] = ["cost", "speed", self.strategy]
            for strategy in dict.fromkeys(strategies):
                yield str(self.best(strategy, self.balanced_weight))
        yield from sentences(self.failures)
        for allowed in self.allowed:
            yield f"{allowed.memory_mb:,} MB: {allowed.count} times {allowed.kind}, which is allowed."
        yield from map(str, self.eliminated)
        if self.stop_reason is not None:
            yield self.stop_reason
        if self.optimization is not None:
            yield str(self.optimization)
        if self.calibration is not None:
            yield str(self.calibration)
        if not self.dry_run and not self.invocations.empty:
            yield from self._missing_percentiles()

    def _dry_run_sentences(self) -> Iterator[str]:
        for row in self.invocations.itertuples():
            yield f"Dry run: {row.memory_mb:,} MB answered in {row.duration_ms:.0f} ms; nothing was compared."

    def _missing_percentiles(self) -> Iterator[str]:
        fewest = int(self.table["n"][self.table["n"] > 0].min())
        needs = {percent: statistics.samples_needed(percent) for percent in PERCENTILES}
        missing = [f"p{percent} needs {need}" for percent, need in needs.items() if need > fewest]
        if missing:
            yield f"Not shown with {fewest} invocations a size: {', '.join(missing)}."
