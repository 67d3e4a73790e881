"""Sequential elimination, on rounds whose truth is known."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from helpers import pricing
from helpers.prediction import burst_durations_ms
from helpers.tuning.best import Strategy
from helpers.tuning.elimination import (
    ERROR_PROBABILITY,
    EXPECTED_EFFECT,
    SMALLEST_ROUNDS,
    Decision,
    decide,
    half_width,
)

Noise = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def invocations_of(
    durations_ms: Mapping[int, Sequence[float]], init_ms: Mapping[int, float] | None = None
) -> pd.DataFrame:
    """One invocation a round and size; `init_ms` are the Init Durations of rounds that start cold."""
    rows = []
    for memory_mb, durations in durations_ms.items():
        for number, duration_ms in enumerate(durations, start=1):
            init_duration_ms = (init_ms or {}).get(number, math.nan)
            total_ms = duration_ms + np.nan_to_num(init_duration_ms)
            rows.append(
                {
                    "round": number,
                    "memory_mb": memory_mb,
                    "duration_ms": total_ms,
                    "init_duration_ms": init_duration_ms,
                    "billed_duration_ms": math.ceil(total_ms),
                    "max_memory_used_mb": 30,
                    "cost_usd": pricing.invocation_usd(total_ms, memory_mb),
                    "cpu_ms": math.nan,
                }
            )
    return pd.DataFrame(rows)


def noisy(mean_ms: float, rounds: int, spread: float, seed: int) -> list[float]:
    return list(mean_ms * np.exp(np.random.default_rng(seed).normal(0, spread, rounds)))


def rounds_of(
    means_ms: Mapping[int, float], rounds: int, spread: float = 0.02, seed: int = 1
) -> pd.DataFrame:
    durations = {size: noisy(mean, rounds, spread, seed + size) for size, mean in means_ms.items()}
    return invocations_of(durations)


def run(
    invocations: pd.DataFrame, sizes: Sequence[int], **inputs: Any
) -> tuple[int, Decision, dict[int, str]]:
    """Judge round by round until it stops: the number of rounds, the last decision, all that was dropped."""
    dropped: dict[int, str] = {}
    last = int(invocations["round"].max())
    for number in range(1, last + 1):
        decision = decide(invocations[invocations["round"] <= number], sizes, **inputs)
        assert set(decision.remaining) == set(sizes) - set(decision.dropped)
        sizes = decision.remaining
        dropped |= decision.dropped
        if decision.stop:
            break
    return number, decision, dropped


# Intervals


@pytest.mark.parametrize("rounds", [6, 12, 50])
@pytest.mark.parametrize("error_probability", [0.05, 0.01])
def test_the_intervals_end_where_the_bayes_factor_reaches_one_over_the_error_probability(
    rounds: int, error_probability: float
) -> None:
    """Ville's inequality; the Bayes factor of Wang and Ramdas (2024), here by numerical integration."""
    t = half_width(rounds, error_probability) * math.sqrt(rounds)

    def likelihood(effect: float) -> float:
        prior = stats.norm.pdf(effect, scale=EXPECTED_EFFECT)
        return float(prior * stats.nct.pdf(t, rounds - 1, effect * math.sqrt(rounds)))

    mixture, _ = integrate.quad(likelihood, -20, 20, points=[0, t / math.sqrt(rounds)], limit=500)
    assert mixture / stats.t.pdf(t, rounds - 1) == pytest.approx(1 / error_probability, rel=0.01)


def hiccups(generator: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """One invocation in ten takes longer, twice as long on average."""
    return np.log1p((generator.random(shape) < 0.1) * generator.exponential(1, shape))


def phases(generator: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A burst of 7.5 ms at 256 MB takes as long as the phase of the period makes it."""
    return np.log(generator.choice(burst_durations_ms(7.5, 256), shape))


NOISES: dict[str, Noise] = {
    "normal": lambda generator, shape: generator.normal(0, 0.1, shape),
    "heavy tails": lambda generator, shape: 0.1 * generator.standard_t(3, shape),
    "hiccups": hiccups,
    "phases": phases,
}


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES.keys())
def test_the_true_ratio_is_hardly_ever_missed_however_often_one_looks(noise: Noise) -> None:
    generator = np.random.default_rng(5)
    runs = (2000, 50)
    log_ratios = noise(generator, runs) - noise(generator, runs)
    missed = np.zeros(len(log_ratios), dtype=bool)
    for rounds in range(SMALLEST_ROUNDS, 51):
        seen = log_ratios[:, :rounds]
        margin = half_width(rounds, ERROR_PROBABILITY) * seen.std(axis=1, ddof=1)
        missed |= np.abs(seen.mean(axis=1)) > margin
    assert missed.mean() <= ERROR_PROBABILITY


# Dropping


def test_the_best_size_is_dropped_in_less_than_5_percent_of_runs() -> None:
    """By cost 256 MB is the best by 3 %, too little to be sure of with this noise."""
    means_ms = {128: 2.06 * 400, 256: 400.0, 512: 206.0}
    runs = 40
    dropped = sum(
        256 in run(rounds_of(means_ms, 12, spread=0.1, seed=1000 * seed), tuple(means_ms), tolerance=0.001)[2]
        for seed in range(runs)
    )
    assert dropped <= ERROR_PROBABILITY * runs


def test_a_preferred_size_is_called_equal_to_a_better_one_in_less_than_5_percent_of_runs() -> None:
    """512 MB costs 7 % more than 256 MB, which is 2 % more than the tolerance."""
    means_ms = {256: 400.0, 512: 214.0, 1024: 160.0}
    runs = 40
    wrong = 0
    for seed in range(runs):
        _, decision, dropped = run(rounds_of(means_ms, 14, spread=0.03, seed=1000 * seed), tuple(means_ms))
        wrong += 256 in dropped and decision.remaining == (512,)
    assert wrong <= ERROR_PROBABILITY * runs


def test_large_differences_are_seen_in_six_rounds_and_nothing_is_dropped_before() -> None:
    number, decision, dropped = run(rounds_of({128: 41.0, 256: 41.0, 1024: 41.0}, 10), (128, 256, 1024))
    assert number == SMALLEST_ROUNDS
    assert decision.stop and decision.remaining == (128,) and decision.best_mb == 128
    assert decision.reason == "only 128 MB is left."
    assert set(dropped) == {256, 1024}
    assert dropped[256].startswith("it costs at least 1.9")
    assert dropped[256].endswith("times as much as 128 MB")


def test_before_that_all_go_on_and_the_best_so_far_is_named() -> None:
    decision = decide(rounds_of({128: 41.0, 256: 41.0}, 3), (128, 256))
    assert decision.remaining == (128, 256) and not decision.stop and not decision.dropped
    assert decision.best_mb == 128
    assert decision.reason == "3 of the 6 rounds that it takes before a size is dropped."


def test_drift_of_the_machine_drops_out() -> None:
    drift = np.linspace(1, 4, 8)
    durations = {
        size: list(np.asarray(noisy(mean, 8, 0.02, size)) * drift)
        for size, mean in ((256, 400.0), (512, 150.0))
    }
    number, decision, _ = run(invocations_of(durations), (256, 512))
    assert (number, decision.best_mb, decision.stop) == (SMALLEST_ROUNDS, 512, True)


def test_a_size_that_is_dearer_and_slower_goes_although_within_the_tolerance() -> None:
    """It can never be named: the other one is within the tolerance of whatever is the best, and preferred."""
    means_ms = {256: 412.0, 512: 200.0, 768: 130.0}
    _, _, dropped = run(rounds_of(means_ms, 40, spread=0.01), tuple(means_ms))
    assert "it costs at least 1.0" in dropped[256] and dropped[256].endswith("which is faster")


def test_a_faster_size_within_the_tolerance_of_the_cheapest_stays_and_wins() -> None:
    """AWS Lambda Power Tuning: of equal costs the faster."""
    means_ms = {256: 400.0, 512: 204.0, 1024: 120.0}
    number, decision, dropped = run(rounds_of(means_ms, 40, spread=0.01), tuple(means_ms), strategy="cost")
    assert number < 40
    assert decision.stop and decision.best_mb == 512 and decision.remaining == (512,)
    assert decision.reason == "512 MB costs at most 5% more than 256 MB, and is faster."
    assert dropped[1024].startswith("it costs at least 1.")
    assert dropped[256].startswith("512 MB costs at most 1.0") and dropped[256].endswith("and is faster")


def test_equality_is_not_passed_on() -> None:
    """1,024 MB is within the tolerance of 512 MB, 512 MB of 256 MB, but 1,024 MB not of 256 MB."""
    means_ms = {256: 400.0, 512: 206.0, 1024: 107.5}
    invocations = rounds_of(means_ms, 60, spread=0.01)
    _, decision, dropped = run(invocations, tuple(means_ms))
    assert "512 MB costs at most" in dropped[256]
    assert decision.best_mb == 512


@pytest.mark.parametrize(
    ("strategy", "means_ms"),
    [("speed", {1769: 100.0, 2048: 99.0, 3008: 99.5}), ("balanced", {512: 200.0, 600: 188.0})],
)
def test_of_equal_durations_and_scores_the_cheaper_wins(
    strategy: Strategy, means_ms: dict[int, float]
) -> None:
    """AWS Lambda Power Tuning: of equal durations the cheaper."""
    invocations = rounds_of(means_ms, 30, spread=0.01)
    _, decision, _ = run(invocations, tuple(means_ms), strategy=strategy, balanced_weight=0.3)
    assert decision.stop and decision.best_mb == min(means_ms)
    assert decision.reason.endswith("and is cheaper.")


def test_balanced_weighs_cost_against_duration() -> None:
    means_ms = {128: 800.0, 1024: 150.0, 3008: 140.0}
    invocations = rounds_of(means_ms, 10)
    for weight, best_mb in ((1.0, 128), (0.5, 1024), (0.0, 3008)):
        decision = decide(invocations, tuple(means_ms), "balanced", balanced_weight=weight)
        assert decision.best_mb == best_mb


# Stopping


def test_two_that_cannot_be_told_apart_are_not_called_equal() -> None:
    invocations = rounds_of({256: 400.0, 512: 200.0}, 20, spread=0.2)
    decision = decide(invocations, (256, 512))
    assert not decision.stop and decision.remaining == (256, 512)
    assert decision.reason == "256 and 512 MB may still win."


def test_a_run_that_all_its_rounds_would_not_decide_stops_without_a_winner() -> None:
    means_ms = {256: 400.0, 512: 200.0, 1024: 200.0}
    number, decision, dropped = run(rounds_of(means_ms, 40, spread=0.2), tuple(means_ms), num=50)
    assert SMALLEST_ROUNDS < number < 40
    assert decision.remaining == (256, 512) and decision.best_mb in decision.remaining
    assert set(dropped) == {1024}
    assert decision.reason == "256 and 512 MB would probably not be told apart by 50 rounds either."


def test_a_run_that_its_rounds_may_still_decide_goes_on() -> None:
    invocations = rounds_of({256: 400.0, 512: 194.0}, 8, spread=0.1)
    assert not decide(invocations, (256, 512), num=50).stop


@pytest.mark.parametrize("rounds", [0, 3])
def test_the_only_size_left_is_the_winner(rounds: int) -> None:
    decision = decide(rounds_of({256: 400.0, 512: 200.0}, rounds or 1).head(rounds), [512])
    assert (decision.stop, decision.best_mb, decision.reason) == (True, 512, "only 512 MB is left.")


# What is measured


def test_cold_starts_do_not_count_beside_warm_invocations() -> None:
    invocations = invocations_of({128: noisy(41, 6, 0.02, 1), 256: noisy(41, 6, 0.02, 2)}, init_ms={1: 900.0})
    assert decide(invocations, (128, 256)).reason.startswith("5 of the 6 rounds")


def test_a_run_of_cold_starts_is_judged_by_them() -> None:
    init_ms = {number: 900.0 + number for number in range(1, 8)}
    invocations = invocations_of({128: noisy(41, 7, 0.02, 1), 256: noisy(41, 7, 0.02, 2)}, init_ms)
    assert decide(invocations, (128, 256)).remaining == (128,)


def test_equal_billed_milliseconds_are_no_certainty() -> None:
    """Six times 2 ms may be 1.1 or 2.0: by cost, 128 MB is not yet known to beat 160 MB."""
    invocations = invocations_of({128: [1.9] * 6, 160: [1.2] * 6})
    assert decide(invocations, (128, 160), "cost").remaining == (128, 160)
    longer = invocations_of({128: [41.9] * 6, 160: [41.2] * 6})
    assert decide(longer, (128, 160), "cost").remaining == (128,)


def test_a_size_that_no_round_has_measured_with_the_others_is_waited_for() -> None:
    decision = decide(rounds_of({128: 41.0}, 8), (128, 256))
    assert decision.remaining == (128, 256) and not decision.stop and decision.best_mb is None


@pytest.mark.parametrize(
    ("sizes", "tolerance", "message"),
    [
        ((), 0.05, "There are no sizes to judge"),
        ((128, 256), 0.0, "The tolerance is a share between 0 and 1, not 0.0"),
        ((128, 256), 5, "The tolerance is a share between 0 and 1, not 5"),
    ],
)
def test_inputs_out_of_range_are_refused(sizes: Sequence[int], tolerance: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decide(rounds_of({128: 41.0, 256: 41.0}, 6), sizes, tolerance=tolerance)
