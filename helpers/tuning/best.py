"""Which memory size wins by a strategy, and whether the noise lets anyone say so."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from helpers import statistics
from helpers.statistics import Estimate, TooFewSamples

Strategy = Literal["cost", "speed", "balanced"]

_VERBS: dict[Strategy, str] = {"cost": "costs", "speed": "takes", "balanced": "scores"}


@dataclass(frozen=True)
class Best:
    """The best memory size by a strategy and how it compares with the second best.

    `ratio` is the runner-up's cost (strategy cost), duration (speed) or score (balanced) relative to the
    best one's, as the median over rounds; None without a runner-up, below six rounds, and where adaptive
    tuning has left several sizes, which it judges by intervals of its own. `undecided_mb` are the other sizes
    that the run cannot tell from the best one at 95 %.
    """

    strategy: Strategy
    memory_mb: int
    runner_up_mb: int | None
    ratio: Estimate | None
    undecided_mb: tuple[int, ...] = ()

    @property
    def decided(self) -> bool:
        """Whether there is a winner: every other size is worse, and noise does not explain the difference."""
        return not self.undecided_mb

    def __str__(self) -> str:
        if self.decided:
            return f"Best by {self.strategy}: {self.memory_mb:,} MB." + self._comparison()
        sizes = listed(sorted((self.memory_mb, *self.undecided_mb)))
        return f"No winner by {self.strategy}: {sizes} cannot be told apart at 95 %." + self._comparison()

    def _comparison(self) -> str:
        if self.ratio is None or self.runner_up_mb is None:
            return ""
        return (
            f" {self.runner_up_mb:,} MB {_VERBS[self.strategy]} {self.ratio.value:.2f} times as much as "
            f"{self.memory_mb:,} MB (95 % interval {self.ratio.low:.2f} to {self.ratio.high:.2f})."
        )


def choose(
    table: pd.DataFrame,
    invocations: pd.DataFrame,
    strategy: Strategy,
    balanced_weight: float,
    finalists_mb: Sequence[int] | None = None,
) -> Best:
    """The best size by AWS Lambda Power Tuning's rules.

    cost takes the cheapest (of equals the faster), speed the fastest (of equals the cheaper), balanced the
    smallest balanced_weight * cost / max cost + (1 - balanced_weight) * duration / max duration.

    `table` and `invocations` are those of a TuningResult, without sizes that failed. `finalists_mb` are the
    sizes that adaptive tuning has left: only these can win, whatever the few invocations of the others look
    like, and several are without a winner.
    """
    cost, duration = table["cost_usd"], table["mean_ms"]
    weight = {"cost": 1.0, "speed": 0.0, "balanced": balanced_weight}[strategy]
    cost_weight, duration_weight = weight / cost.max(), (1 - weight) / duration.max()
    ranking = pd.DataFrame(
        {
            "out": ~table.index.isin(table.index if finalists_mb is None else finalists_mb),
            "score": cost_weight * cost + duration_weight * duration,
            "second": duration if strategy == "cost" else cost,
        }
    ).sort_values(["out", "score", "second"])
    best_mb, *others_mb = (int(size) for size in ranking.index)
    score = cost_weight * invocations["cost_usd"] + duration_weight * invocations["duration_ms"]
    scored = invocations.assign(score=score)
    ratios: dict[int, Estimate] = {}
    for size in others_mb:
        with contextlib.suppress(TooFewSamples):
            ratios[size] = ratio_over_rounds(scored, "score", size, best_mb)
    runner_up_mb = others_mb[0] if others_mb else None
    ratio = ratios.get(runner_up_mb) if runner_up_mb else None
    if finalists_mb is None:
        undecided_mb = tuple(size for size in others_mb if not (size in ratios and ratios[size].low > 1))
        return Best(strategy, best_mb, runner_up_mb, ratio, undecided_mb)
    undecided_mb = tuple(size for size in others_mb if size in finalists_mb)
    return Best(strategy, best_mb, runner_up_mb, None if undecided_mb else ratio, undecided_mb)


def ratio_over_rounds(invocations: pd.DataFrame, column: str, memory_mb: int, reference_mb: int) -> Estimate:
    """The median of a column at one size relative to another, over the rounds that measured both.

    Raises TooFewSamples below six such rounds, KeyError for a size that was not measured.
    """
    by_round = invocations.pivot(index="round", columns="memory_mb", values=column)
    complete = by_round.dropna(subset=[memory_mb, reference_mb])
    return statistics.median_ratio(list(complete[memory_mb]), list(complete[reference_mb]))


def listed(sizes_mb: Sequence[int]) -> str:
    """`128, 256 and 512 MB`, for sentences."""
    *first, last = (f"{size:,}" for size in sizes_mb)
    return f"{', '.join(first)} and {last} MB" if first else f"{last} MB"
