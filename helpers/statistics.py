"""Small pure functions for samples of durations and costs, each with the source of its formula."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 1


class TooFewSamples(ValueError):
    """The samples cannot answer the question that was asked of them."""


@dataclass(frozen=True)
class Estimate:
    """A value and the ends of its confidence interval, all in the unit of the samples."""

    value: float
    low: float
    high: float

    def contains(self, value: float) -> bool:
        return self.low <= value <= self.high


def percentile(samples: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the samples lie, interpolated linearly between neighbours.

    Definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996); NumPy's default.
    """
    _require(samples, 1)
    if not 0 <= percent <= 100:
        raise ValueError(f"A percentile lies between 0 and 100, not at {percent}.")
    return float(np.percentile(np.asarray(samples, dtype=float), percent))


def trimmed_mean(samples: Sequence[float], discard_top_bottom: float = 0.2) -> float:
    """The mean after dropping int(n * discard_top_bottom) samples at each end.

    The rule of AWS Lambda Power Tuning (input `discardTopBottom`), which keeps cold starts and hiccups out.
    """
    _require(samples, 1)
    _require_trimmable(discard_top_bottom)
    return float(stats.trim_mean(np.asarray(samples, dtype=float), discard_top_bottom))


def percentile_interval(
    samples: Sequence[float], percent: float, confidence: float = CONFIDENCE
) -> Estimate | None:
    """A percentile with the two order statistics that enclose it, or None when there are too few samples.

    Assumes nothing about the distribution: Hahn and Meeker, "Statistical Intervals" (1991), section 5.2;
    Conover, "Practical Nonparametric Statistics" (1999), section 3.2.
    """
    if len(samples) < samples_needed(percent, confidence):
        return None
    interval = stats.quantile_test(list(samples), p=percent / 100).confidence_interval(confidence)
    return Estimate(percentile(samples, percent), float(interval.low), float(interval.high))


def samples_needed(percent: float, confidence: float = CONFIDENCE) -> int:
    """How many samples it takes until the order statistics can enclose this percentile on both sides.

    The largest of n samples lies below the percentile with probability (percent / 100) ** n, the smallest
    above it with (1 - percent / 100) ** n; each may be at most half of 1 - confidence. p50 needs 6 samples,
    p90 36, p99 368.
    """
    if not 0 < percent < 100:
        raise ValueError(f"Only percentiles between 0 and 100 have an interval, not {percent}.")
    rarer_side = max(percent, 100 - percent) / 100
    return math.ceil(math.log((1 - confidence) / 2) / math.log(rarer_side))


def median(samples: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """The median with the interval of `percentile_interval`. Raises TooFewSamples below six samples."""
    estimate = percentile_interval(samples, 50, confidence)
    if estimate is None:
        raise TooFewSamples(
            f"A median needs {samples_needed(50, confidence)} samples for its interval, has {len(samples)}."
        )
    return estimate


def percentile_table(
    samples: Sequence[float],
    percents: Sequence[float] = (0, 25, 50, 75, 90, 95, 99, 100),
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """One row a percentile, with columns value, low, high and note.

    The smallest and the largest sample (p0, p100) are what was seen: no number of samples gives them an
    interval, and their note says so. A percentile that has too few samples is left empty, and its note says
    how many it takes.
    """
    _require(samples, 1)
    rows = []
    for percent in percents:
        note = ""
        if percent in (0, 100):
            estimate = Estimate(percentile(samples, percent), math.nan, math.nan)
            note = "the smallest seen" if percent == 0 else "the largest seen"
        else:
            enclosed = percentile_interval(samples, percent, confidence)
            estimate = enclosed or Estimate(math.nan, math.nan, math.nan)
            if enclosed is None:
                note = f"needs {samples_needed(percent, confidence)} samples, has {len(samples)}"
        rows.append({"percentile": f"p{percent:g}", **asdict(estimate), "note": note})
    return pd.DataFrame(rows).set_index("percentile")


def trimmed_mean_interval(
    samples: Sequence[float], discard_top_bottom: float = 0.2, confidence: float = CONFIDENCE
) -> Estimate:
    """A trimmed mean with its bootstrap percentile interval.

    Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. The resampling is seeded,
    so the same samples give the same interval. Raises TooFewSamples below five.
    """
    _require(samples, 5)
    _require_trimmable(discard_top_bottom)

    def mean(resample: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray(stats.trim_mean(resample, discard_top_bottom, axis=axis))

    return _bootstrap(trimmed_mean(samples, discard_top_bottom), mean, confidence, samples)


def trimmed_mean_difference(
    first: Sequence[float],
    second: Sequence[float],
    discard_top_bottom: float = 0.2,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """The trimmed mean of `second` minus that of `first`, with its bootstrap percentile interval.

    Both are resampled independently of each other: Efron and Tibshirani, "An Introduction to the Bootstrap"
    (1993), section 8.3, the two-sample problem. An interval without zero says that the two differ. The
    resampling is seeded. Raises TooFewSamples when either has fewer than five.
    """
    return _of_two_means(lambda one, two: two - one, first, second, discard_top_bottom, confidence)


def trimmed_mean_change(
    first: Sequence[float],
    second: Sequence[float],
    discard_top_bottom: float = 0.2,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """By which share the trimmed mean of `second` lies above that of `first`: -0.2 is a fifth less.

    For positive samples. The interval is made as that of `trimmed_mean_difference`: it never goes below -1,
    and holds zero when that one does. Raises TooFewSamples when either has fewer than five.
    """
    return _of_two_means(lambda one, two: two / one - 1, first, second, discard_top_bottom, confidence)


def median_ratio(
    numerators: Sequence[float], denominators: Sequence[float], confidence: float = CONFIDENCE
) -> Estimate:
    """The median of numerator / denominator over rounds in which both were measured, with its interval.

    Pairing by round removes what changes from round to round, such as the speed of a shared machine. The
    interval is the one of `percentile_interval`. Raises TooFewSamples below six rounds.
    """
    if len(numerators) != len(denominators):
        raise ValueError(
            f"Ratios need pairs of one round: {len(numerators)} numerators, {len(denominators)} denominators."
        )
    ratios = [
        numerator / denominator for numerator, denominator in zip(numerators, denominators, strict=True)
    ]
    return median(ratios, confidence)


def relative_spread(samples: Sequence[float]) -> float:
    """The distance from p10 to p90 as a share of the median: 0.1 says that 80 % lie within a tenth."""
    _require(samples, 1)
    return (percentile(samples, 90) - percentile(samples, 10)) / percentile(samples, 50)


def distribution_band(number_of_samples: int, confidence: float = CONFIDENCE) -> float:
    """Half the height of the band around an empirical distribution that holds the true one everywhere.

    The inequality of Dvoretzky, Kiefer and Wolfowitz with the constant of Massart (1990):
    sqrt(ln(2 / (1 - confidence)) / (2 n)).
    """
    if number_of_samples < 1:
        raise TooFewSamples("A distribution needs at least one sample.")
    return math.sqrt(math.log(2 / (1 - confidence)) / (2 * number_of_samples))


def _of_two_means(
    combine: Callable[[Any, Any], Any],
    first: Sequence[float],
    second: Sequence[float],
    discard_top_bottom: float,
    confidence: float,
) -> Estimate:
    """A function of two trimmed means with its interval from the bootstrap of both samples."""
    _require(first, 5)
    _require(second, 5)
    _require_trimmable(discard_top_bottom)

    def combined(first_resample: np.ndarray, second_resample: np.ndarray, axis: int) -> np.ndarray:
        means = [
            stats.trim_mean(resample, discard_top_bottom, axis=axis)
            for resample in (first_resample, second_resample)
        ]
        return np.asarray(combine(*means))

    value = combine(trimmed_mean(first, discard_top_bottom), trimmed_mean(second, discard_top_bottom))
    return _bootstrap(float(value), combined, confidence, first, second)


def _bootstrap(
    value: float, statistic: Callable[..., np.ndarray], confidence: float, *samples: Sequence[float]
) -> Estimate:
    """`value` with the percentile interval of `statistic` over seeded resamples of each sample."""
    resampled = stats.bootstrap(
        [np.asarray(sample, dtype=float) for sample in samples],
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=confidence,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(SEED),
    )
    interval = resampled.confidence_interval
    return Estimate(value, float(interval.low), float(interval.high))


def _require(samples: Sequence[float], count: int) -> None:
    if len(samples) < count:
        raise TooFewSamples(f"This needs at least {count} samples, has {len(samples)}.")


def _require_trimmable(discard_top_bottom: float) -> None:
    if not 0 <= discard_top_bottom < 0.5:
        raise ValueError(
            f"discard_top_bottom is a share, at least 0 and less than 0.5, not {discard_top_bottom}."
        )
