"""The formulas against values worked out by hand, NumPy, and their own promise of coverage."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from helpers import statistics


def test_percentile_is_numpys_default() -> None:
    samples = [12.0, 3.5, 8.25, 40.0, 7.0]
    for percent in (0, 25, 50, 90, 99, 100):
        assert statistics.percentile(samples, percent) == np.percentile(samples, percent)


def test_percentile_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 100, not at 101"):
        statistics.percentile([1.0], 101)


def test_trimmed_mean_drops_whole_samples_at_each_end() -> None:
    # int(7 * 0.2) is 1: the smallest and the largest of seven go.
    assert statistics.trimmed_mean([1000.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0], 0.2) == pytest.approx(4.0)
    assert statistics.trimmed_mean([1000.0, 2.0, 3.0], 0.2) == pytest.approx(335.0)
    assert statistics.trimmed_mean([1.0, 2.0, 6.0], 0.0) == pytest.approx(3.0)


def test_trimming_half_or_more_is_refused() -> None:
    with pytest.raises(ValueError, match=r"less than 0\.5, not 0\.5"):
        statistics.trimmed_mean([1.0, 2.0], 0.5)


@pytest.mark.parametrize(("percent", "needed"), [(50, 6), (90, 36), (95, 72), (99, 368), (10, 36)])
def test_samples_needed_for_a_percentile(percent: float, needed: int) -> None:
    assert statistics.samples_needed(percent) == needed
    assert statistics.percentile_interval(list(range(needed - 1)), percent) is None
    estimate = statistics.percentile_interval(list(range(needed)), percent)
    assert estimate is not None and estimate.low < estimate.value < estimate.high


def test_percentile_interval_takes_the_order_statistics_of_the_binomial() -> None:
    # Twenty samples: the 6th and the 15th enclose the median with 95.9 % (Conover, table A3).
    estimate = statistics.percentile_interval([float(rank) for rank in range(1, 21)], 50)
    assert estimate == statistics.Estimate(10.5, 6.0, 15.0)


def test_percentile_interval_covers_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    true_median = math.log(2)
    covered = 0
    for _ in range(400):
        estimate = statistics.percentile_interval(list(generator.exponential(size=30)), 50)
        assert estimate is not None
        covered += estimate.contains(true_median)
    assert covered / 400 >= 0.93


def test_percentile_table_says_what_it_cannot_show() -> None:
    table = statistics.percentile_table([float(value) for value in range(10)], (0, 50, 99, 100))
    assert list(table.index) == ["p0", "p50", "p99", "p100"]
    assert table.loc["p99", "note"] == "needs 368 samples, has 10"
    assert math.isnan(table.loc["p99", "value"])
    assert table.loc["p50", "value"] == 4.5
    assert table.loc["p50", "low"] < 4.5 < table.loc["p50", "high"]
    assert (table.loc["p0", "value"], table.loc["p100", "value"]) == (0.0, 9.0)
    assert math.isnan(table.loc["p100", "high"])
    assert (table.loc["p0", "note"], table.loc["p100", "note"]) == ("the smallest seen", "the largest seen")
    assert table.loc["p50", "note"] == ""


def test_trimmed_mean_interval_is_reproducible_and_covers() -> None:
    generator = np.random.default_rng(3)
    covered = 0
    for _ in range(100):
        samples = list(generator.normal(100, 10, size=40))
        estimate = statistics.trimmed_mean_interval(samples)
        assert estimate == statistics.trimmed_mean_interval(samples)
        assert estimate.low <= estimate.value <= estimate.high
        covered += estimate.contains(100)
    assert covered >= 85


def test_trimmed_mean_interval_of_equal_samples_is_a_point() -> None:
    assert statistics.trimmed_mean_interval([7.0] * 8) == statistics.Estimate(7.0, 7.0, 7.0)


def test_trimmed_mean_difference_is_second_minus_first_and_reproducible() -> None:
    first = [1.0, 10.0, 11.0, 12.0, 900.0]
    second = [0.0, 20.0, 21.0, 22.0, 50.0]
    estimate = statistics.trimmed_mean_difference(first, second, 0.2)
    assert estimate.value == pytest.approx(10.0)
    assert estimate.low <= estimate.value <= estimate.high
    assert estimate == statistics.trimmed_mean_difference(first, second, 0.2)
    turned = statistics.trimmed_mean_difference(second, first, 0.2)
    assert turned.value == pytest.approx(-10.0)


def test_trimmed_mean_difference_of_constants_is_a_point() -> None:
    assert statistics.trimmed_mean_difference([3.0] * 5, [5.0] * 9) == statistics.Estimate(2.0, 2.0, 2.0)


def test_trimmed_mean_difference_covers_as_often_as_it_says_also_for_unequal_sizes() -> None:
    generator = np.random.default_rng(5)
    covered = 0
    for _ in range(100):
        first = list(generator.normal(100, 10, size=30))
        second = list(generator.normal(103, 20, size=60))
        covered += statistics.trimmed_mean_difference(first, second).contains(3)
    assert covered >= 85


def test_trimmed_mean_change_is_a_share_of_the_first() -> None:
    estimate = statistics.trimmed_mean_change([1.0, 10.0, 11.0, 12.0, 900.0], [0.0, 20.0, 21.0, 22.0, 50.0])
    assert estimate.value == pytest.approx(10 / 11)
    assert statistics.trimmed_mean_change([4.0] * 5, [3.0] * 9) == statistics.Estimate(-0.25, -0.25, -0.25)


def test_trimmed_mean_change_is_never_below_minus_one_however_uncertain_the_first_is() -> None:
    wild, small = [10.0, 12.0, 90.0, 200.0, 900.0], [1.0, 2.0, 2.0, 3.0, 4.0]
    difference = statistics.trimmed_mean_difference(wild, small)
    change = statistics.trimmed_mean_change(wild, small)
    assert difference.low < -statistics.trimmed_mean(wild)
    assert -1 < change.low < change.value < change.high < 0


@pytest.mark.parametrize("function", [statistics.trimmed_mean_difference, statistics.trimmed_mean_change])
def test_comparing_two_means_needs_samples_of_both(function: Callable[..., Any]) -> None:
    enough, too_few = [1.0] * 5, [1.0] * 4
    for first, second in ((enough, too_few), (too_few, enough)):
        with pytest.raises(statistics.TooFewSamples, match="at least 5 samples, has 4"):
            function(first, second)


def test_median_ratio_pairs_rounds_and_so_removes_drift() -> None:
    # The machine slows down tenfold during the run; the ratio of the two variants stays 2.
    drift = np.linspace(1, 10, 12)
    estimate = statistics.median_ratio(list(2 * drift), list(drift))
    assert estimate == statistics.Estimate(2.0, 2.0, 2.0)


def test_median_ratio_refuses_unpaired_and_too_few_rounds() -> None:
    with pytest.raises(ValueError, match="3 numerators, 2 denominators"):
        statistics.median_ratio([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(statistics.TooFewSamples, match="needs 6 samples for its interval, has 2"):
        statistics.median_ratio([1.0, 2.0], [1.0, 2.0])


def test_relative_spread_is_the_p10_to_p90_range_over_the_median() -> None:
    assert statistics.relative_spread([float(value) for value in range(90, 111)]) == pytest.approx(0.16)


def test_distribution_band_follows_massarts_inequality() -> None:
    assert statistics.distribution_band(100) == pytest.approx(0.1358, abs=1e-4)


@pytest.mark.parametrize("function", [statistics.trimmed_mean, statistics.relative_spread])
def test_no_samples_are_refused(function) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(statistics.TooFewSamples, match="at least 1 samples, has 0"):
        function([])
