"""Two tuning runs against each other: two versions of a function, two architectures, two runtimes."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from helpers import statistics
from helpers.statistics import Estimate, TooFewSamples
from helpers.tuning_result import TuningResult

MEASURES = {"duration": ("duration_ms", "ms"), "cost": ("cost_usd", "usd")}


@dataclass(frozen=True)
class TuningComparison:
    """Two runs and what they are called, for example ("x86_64", "arm64")."""

    first: TuningResult
    second: TuningResult
    labels: tuple[str, str]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a memory size that both have measured (index memory_mb).

        Columns: first_ms, second_ms, difference_ms, difference_low_ms, difference_high_ms, duration_change,
        duration_change_low, duration_change_high, and the same in usd and of the cost. Durations and costs
        are trimmed means, costs those of the single invocations, of which Lambda rounds up each;
        `TuningResult.table` rounds up their mean, as AWS Lambda Power Tuning does. A difference is second
        minus first, a change the same as a share of the first, both with their 95 % bootstrap intervals:
        when these hold 0, the two cannot be told apart. Where a run has fewer than five invocations the
        intervals are empty.
        """
        rows = [self._row(size) for size in _sizes_of_both(self.first, self.second)]
        return pd.DataFrame(rows).set_index("memory_mb")

    def _row(self, memory_mb: int) -> dict[str, float]:
        share = self.first.discard_top_bottom
        row: dict[str, float] = {"memory_mb": memory_mb}
        for name, (column, unit) in MEASURES.items():
            first, second = (_samples(run, memory_mb, column) for run in (self.first, self.second))
            first_mean, second_mean = (statistics.trimmed_mean(samples, share) for samples in (first, second))
            difference = Estimate(second_mean - first_mean, math.nan, math.nan)
            change = Estimate(second_mean / first_mean - 1, math.nan, math.nan)
            with contextlib.suppress(TooFewSamples):
                difference = statistics.trimmed_mean_difference(first, second, share)
                change = statistics.trimmed_mean_change(first, second, share)
            row |= {f"first_{unit}": first_mean, f"second_{unit}": second_mean}
            row |= {f"difference_{unit}": difference.value}
            row |= {f"difference_low_{unit}": difference.low, f"difference_high_{unit}": difference.high}
            row |= {f"{name}_change": change.value}
            row |= {f"{name}_change_low": change.low, f"{name}_change_high": change.high}
        return row

    def describe(self) -> str:
        """One sentence a memory size: which of the two is faster and cheaper, or that nobody can tell."""
        return "\n".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        for size, row in self.table.iterrows():
            faster = self._verdict(row, "ms", "faster")
            cheaper = self._verdict(row, "usd", "cheaper")
            yield f"{size:,} MB: {faster}; {cheaper}."

    def _verdict(self, row: "pd.Series[float]", unit: str, word: str) -> str:
        if row[f"difference_low_{unit}"] > 0:
            better, worse = "first", "second"
        elif row[f"difference_high_{unit}"] < 0:
            better, worse = "second", "first"
        else:
            return f"neither is {word} at 95 %"
        share = 1 - row[f"{better}_{unit}"] / row[f"{worse}_{unit}"]
        return f"{self.labels[better == 'second']} is {share:.0%} {word}"


def compare(first: TuningResult, second: TuningResult, labels: tuple[str, str]) -> TuningComparison:
    """Compare two runs at the memory sizes that both have measured.

    Raises ValueError when there is no such size, and for runs that drop different shares of their samples
    (a run of cold starts and one of warm invocations, for example), whose means mean different things.
    """
    if first.discard_top_bottom != second.discard_top_bottom:
        raise ValueError(
            f"{labels[0]} was measured with discard_top_bottom={first.discard_top_bottom}, {labels[1]} with "
            f"{second.discard_top_bottom}: means of different shares cannot be compared. Give both the same."
        )
    if not _sizes_of_both(first, second):
        raise ValueError(
            f"{labels[0]} and {labels[1]} have no memory size in common: give both the same power_values."
        )
    return TuningComparison(first, second, labels)


def _sizes_of_both(first: TuningResult, second: TuningResult) -> list[int]:
    common = set(first.invocations["memory_mb"]).intersection(second.invocations["memory_mb"])
    return sorted(int(size) for size in common)


def _samples(run: TuningResult, memory_mb: int, column: str) -> list[float]:
    return list(run.invocations.loc[run.invocations["memory_mb"] == memory_mb, column])
