"""Which memory sizes adaptive power tuning goes on with, and when it may stop.

Every round measures each size once, so sizes are compared within rounds: what changes from round to round,
such as the speed of a shared machine, drops out of their ratio. What is compared is the geometric mean over
rounds of the ratio of costs, durations or balanced scores, whichever the strategy asks for.

Sizes whose scores differ by less than the tolerance count as equal, and of equals AWS Lambda Power Tuning's
rule prefers one: by cost the faster, by speed (and by balance) the cheaper. So a size cannot win when

- it is worse than another one by more than the tolerance, or worse at all than a preferred one;
- or a preferred one is within the tolerance of every size to which it is preferred.

Such a size is dropped. The run stops when one is left, and that one is the winner.

All this is judged by intervals of the ratios, never by their middle. It is honest to call two sizes equal
when the whole interval of their ratio lies within the tolerance; that an interval holds 1 only says that the
two could not be told apart. Two mistakes are possible: to drop the best size for a worse one, and to prefer
one to it that is not within the tolerance. Each happens in at most 5 % of runs. The rivals of the best share
these 5 % (Bonferroni); looking after every round costs nothing, because the intervals are a confidence
sequence (`half_width`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from helpers.tuning.best import Strategy, listed

TOLERANCE = 0.05
ERROR_PROBABILITY = 0.05
SMALLEST_ROUNDS = 6
# In standard deviations of a round. Any value is valid; this one makes intervals of 6 to 50 rounds narrow.
EXPECTED_EFFECT = 3.0
# Rounding to whole milliseconds alone has the standard deviation of a uniform distribution.
ROUNDING_MS = 1 / math.sqrt(12)
# How far a mean may still move, in standard deviations: further with a probability of 10 % on either side.
FARTHEST_DRIFT = 1.28

_VERBS: dict[Strategy, str] = {"cost": "costs", "speed": "takes", "balanced": "scores"}
_PREFERRED: dict[Strategy, str] = {"cost": "faster", "speed": "cheaper", "balanced": "cheaper"}


@dataclass(frozen=True)
class Decision:
    """What follows from the rounds so far.

    `remaining` are the sizes (MB) that may still win; `dropped` says of each other size why not. `stop` says
    that no further round is needed: with one size remaining it is the winner, with several there is none.
    `reason` says why, or what is still open. `best_mb` is the size to name if the run ends now, None while no
    round has measured all sizes.
    """

    remaining: tuple[int, ...]
    stop: bool
    reason: str
    best_mb: int | None
    dropped: dict[int, str] = field(default_factory=dict)


def decide(
    invocations: pd.DataFrame,
    sizes: Sequence[int],
    strategy: Strategy = "cost",
    balanced_weight: float = 0.5,
    tolerance: float = TOLERANCE,
    num: int | None = None,
) -> Decision:
    """Judge the rounds so far of the `sizes` (MB) that are still measured.

    `invocations` are all of the run, in the columns of TuningResult.invocations, those of sizes dropped
    before included. Cold starts are left out unless there is nothing else. Nothing is dropped below six
    rounds. With `num`, the most rounds that the run may take, it also stops when not even those would
    probably settle more (Lan, Simon and Halperin, "Stochastically curtailed tests in long-term clinical
    trials", 1982). Raises ValueError without sizes, and for a tolerance that is not a share.
    """
    if not sizes:
        raise ValueError("There are no sizes to judge: every one has failed or was dropped.")
    if not 0 < tolerance < 1:
        raise ValueError(f"The tolerance is a share between 0 and 1, not {tolerance}.")
    if len(sizes) == 1:
        return Decision(tuple(sizes), True, f"only {listed(sizes)} is left.", sizes[0])
    rounds = _Rounds.of(invocations, sorted(sizes), strategy, balanced_weight)
    if rounds.count < SMALLEST_ROUNDS:
        reason = f"{rounds.count} of the {SMALLEST_ROUNDS} rounds that it takes before a size is dropped."
        everyone = rounds.candidates
        best_mb = rounds.best_mb(everyone, everyone, tolerance) if rounds.count else None
        return Decision(tuple(sorted(sizes)), False, reason, best_mb)
    now = _Judgement(rounds, rounds.margins(), tolerance)
    if num is None or num <= invocations["round"].max() or len(now.left) == 1:
        return now.decision()
    in_the_end = _Judgement(rounds, rounds.margins(num), tolerance)
    hopeless = in_the_end.left == now.left
    return now.decision(f"would probably not be told apart by {num} rounds either" if hopeless else "")


def half_width(rounds: int, error_probability: float) -> float:
    """Half the width of a confidence sequence for a normal mean, in sample standard deviations.

    With a probability of 1 - error_probability the intervals mean +- half width hold the true mean after
    every number of rounds, however often one looks. With n rounds, g = n c^2, c = EXPECTED_EFFECT and
    k = ((1 + g) / error_probability^2)^(1 / n) it is sqrt((n - 1) (k - 1) / (n (1 - k / (1 + g)))), and
    infinite where k >= 1 + g: the inverse of the scale-invariant t-test with a normal prior of mean 0 and
    standard deviation c on mean / standard deviation. Wang and Ramdas, "Anytime-valid t-tests and confidence
    sequences for Gaussian means with unknown variance" (2024).

    Logarithms of ratios are not quite normal. The tests show that the probability holds for heavy tails, for
    hiccups that may hit either size, and for the phases of CPU periods. It does not for rare outliers of only
    one of two sizes: their mean is not known before they are seen.
    """
    gain = 1 + rounds * EXPECTED_EFFECT**2
    threshold = (gain / error_probability**2) ** (1 / rounds)
    if threshold >= gain:
        return math.inf
    return math.sqrt((rounds - 1) * (threshold - 1) / (rounds * (1 - threshold / gain)))


@dataclass(frozen=True)
class _Rounds:
    """What the rounds say of pairs of sizes; the smaller score is the better.

    All arrays are of the sizes (MB) in `sizes`, also of those dropped before; elsewhere a size is meant by
    its place there. `candidates` are still measured. At [a, b], `log_ratios` is the mean of log(a's score /
    b's) over the rounds that measured both, `spreads` its standard deviation from round to round, at least
    that of rounding, `counts` the number of these rounds, and `preferred` whether b breaks a tie.
    """

    sizes: list[int]
    candidates: list[int]
    strategy: Strategy
    counts: np.ndarray
    log_ratios: np.ndarray
    spreads: np.ndarray
    preferred: np.ndarray

    @classmethod
    def of(
        cls, invocations: pd.DataFrame, candidates_mb: list[int], strategy: Strategy, balanced_weight: float
    ) -> "_Rounds":
        warm = invocations[invocations["init_duration_ms"].isna()]
        rows = invocations if warm.empty else warm
        sizes = sorted({*invocations["memory_mb"], *candidates_mb})
        cost, duration_ms, billed_ms = (
            rows.pivot(index="round", columns="memory_mb", values=column).reindex(columns=sizes)
            for column in ("cost_usd", "duration_ms", "billed_duration_ms")
        )
        weight = {"cost": 1.0, "speed": 0.0, "balanced": balanced_weight}[strategy]
        # The largest of the first rounds, which measure all sizes; what is compared must not change later.
        largest_usd, largest_ms = (each.head(SMALLEST_ROUNDS).median().max() for each in (cost, duration_ms))
        cost_part = weight * cost / largest_usd
        score = cost_part + (1 - weight) * duration_ms / largest_ms
        rounding = (ROUNDING_MS / billed_ms * cost_part / score).mean().to_numpy()
        counts, log_ratios, spreads = _compare(np.log(score.to_numpy()))
        second_score = duration_ms if strategy == "cost" else cost
        return cls(
            sizes,
            [sizes.index(size) for size in candidates_mb],
            strategy,
            counts,
            log_ratios,
            np.maximum(spreads, np.hypot(rounding[:, None], rounding)),
            _compare(np.log(second_score.to_numpy()))[1] > 0,
        )

    @property
    def count(self) -> int:
        """How many rounds all candidates have in common with each other."""
        return int(self.counts[np.ix_(self.candidates, self.candidates)].min())

    def margins(self, num: int | None = None) -> np.ndarray:
        """Half the widths of the intervals of the ratios' logarithms; infinite below six rounds.

        With `num` those after as many rounds, less what the middle may still move towards a decision.
        """
        # Twice, because each of the two mistakes is on one side of an interval.
        error_probability = 2 * ERROR_PROBABILITY / (len(self.sizes) - 1)
        margins = np.full(self.counts.shape, np.inf)
        for count in np.unique(self.counts[self.counts >= SMALLEST_ROUNDS]):
            these = self.counts == count
            margins[these] = half_width(int(count), error_probability) * self.spreads[these]
        if num is not None:
            going_on = np.ix_(self.candidates, self.candidates)
            drift = FARTHEST_DRIFT * np.sqrt(np.maximum(0.0, 1 / self.counts[going_on] - 1 / num))
            factors = np.maximum(0.0, half_width(num, error_probability) - drift)
            margins[going_on] = factors * self.spreads[going_on]
        return margins

    def best_mb(self, candidates: list[int], rivals: list[int], tolerance: float) -> int:
        """Of the candidates whose mean is within the tolerance of the best rival's, the preferred one."""
        worst = self.log_ratios[np.ix_(candidates, rivals)].max(axis=1)
        limit = max(math.log1p(tolerance), worst.min())
        equals = [size for size, ratio in zip(candidates, worst, strict=True) if ratio <= limit]
        return self.sizes[min(equals, key=lambda size: int(self.preferred[size, equals].sum()))]


def _compare(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts, means and standard deviations of the differences of all columns; a missing value is NaN."""
    differences = logs[:, :, None] - logs[:, None, :]
    there = ~np.isnan(differences)
    counts = there.sum(axis=0)
    means = np.where(there, differences, 0.0).sum(axis=0) / np.maximum(1, counts)
    squares = np.where(there, differences - means, 0.0) ** 2
    return counts, means, np.sqrt(squares.sum(axis=0) / np.maximum(1, counts - 1))


class _Judgement:
    """What intervals with these margins say; `left` are the candidates that may still win."""

    def __init__(self, rounds: _Rounds, margins: np.ndarray, tolerance: float) -> None:
        self._rounds = rounds
        self._tolerance = tolerance
        limit = math.log1p(tolerance)
        others = ~np.eye(len(rounds.sizes), dtype=bool)
        self._low = np.where(others, rounds.log_ratios - margins, 0.0)
        self._high = np.where(others, rounds.log_ratios + margins, 0.0)
        preferred = rounds.preferred
        self._worse: np.ndarray = (self._low > limit) | ((self._low > 0) & preferred)
        good: np.ndarray = np.all(~self._worse, axis=1)
        # At [a, b]: b is preferred to a, and within the tolerance of all good sizes to which it is preferred.
        within = (self._high.transpose() <= limit) | ~preferred | ~good[:, None]
        self._superseded: np.ndarray = preferred & within.all(axis=0) & good & good[:, None]
        superseded = self._superseded[:, rounds.candidates].any(axis=1)
        left = [size for size in rounds.candidates if good[size] and not superseded[size]]
        # Rounds that lack some sizes might make a circle of sizes that beat each other.
        self.left = left or rounds.candidates
        self._good = [int(size) for size in np.flatnonzero(good)] or rounds.candidates

    def decision(self, hopeless: str = "") -> Decision:
        rounds, sizes = self._rounds, self._rounds.sizes
        dropped = {sizes[size]: self._why(size) for size in rounds.candidates if size not in self.left}
        left_mb = [sizes[size] for size in self.left]
        best_mb = rounds.best_mb(self.left, self._good, self._tolerance)
        if len(left_mb) > 1:
            reason = f"{listed(left_mb)} {hopeless or 'may still win'}."
            return Decision(tuple(left_mb), bool(hopeless), reason, best_mb, dropped)
        equals = [sizes[size] for size in rounds.candidates if self._superseded[size, self.left[0]]]
        reason = f"only {listed(left_mb)} is left."
        if equals:
            verb, preferred = _VERBS[rounds.strategy], _PREFERRED[rounds.strategy]
            reason = (
                f"{listed(left_mb)} {verb} at most {self._tolerance:.0%} more than {listed(equals)}, "
                f"and is {preferred}."
            )
        return Decision(tuple(left_mb), True, reason, best_mb, dropped)

    def _why(self, size: int) -> str:
        """Which other size beats this one, and by how much."""
        rounds = self._rounds
        verb, preferred = _VERBS[rounds.strategy], _PREFERRED[rounds.strategy]
        if self._worse[size].any():
            other = int(np.where(self._worse[size], self._low[size], -np.inf).argmax())
            least = math.exp(self._low[size, other])
            text = f"it {verb} at least {least:.2f} times as much as {rounds.sizes[other]:,} MB"
            return text if least > 1 + self._tolerance else f"{text}, which is {preferred}"
        other = int(np.where(self._superseded[size], self._high[:, size], np.inf).argmin())
        most = math.exp(self._high[other, size])
        return f"{rounds.sizes[other]:,} MB {verb} at most {most:.2f} times as much and is {preferred}"
