"""The analysis of a tuning run, on invocations whose answer is known."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers import pricing
from helpers.calibration import Calibration
from helpers.tuning_result import INVOCATION_COLUMNS, Failure, TuningResult

ROUNDS = 12


def result(durations_ms: dict[int, list[float]], failures: tuple[Failure, ...] = ()) -> TuningResult:
    """A run with one warm invocation a round and size."""
    rows = [
        (number, size, duration, math.nan, math.ceil(duration), 30, pricing.invocation_usd(duration, size))
        for size, durations in durations_ms.items()
        for number, duration in enumerate(durations, start=1)
    ]
    invocations = pd.DataFrame(rows, columns=list(INVOCATION_COLUMNS))
    return TuningResult("resize", "x86_64", 0.2, invocations, failures, Calibration((10.0, 11.0, 12.0)))


def around(mean_ms: float, seed: int) -> list[float]:
    return list(np.random.default_rng(seed).normal(mean_ms, mean_ms * 0.01, ROUNDS))


CPU_BOUND = {128: around(1000, 1), 512: around(240, 2), 1769: around(72, 3), 3008: around(72, 4)}


def test_table_has_means_percentiles_and_costs_with_intervals() -> None:
    table = result(CPU_BOUND).table
    assert list(table.index) == [128, 512, 1769, 3008]
    assert (table["n"] == ROUNDS).all()
    assert (table["mean_low_ms"] <= table["mean_ms"]).all()
    assert (table["mean_ms"] <= table["mean_high_ms"]).all()
    assert (table["p50_low_ms"] < table["p50_high_ms"]).all()
    assert table["p99_ms"].isna().all()
    assert table.loc[128, "cost_usd"] == pricing.invocation_usd(float(table.loc[128, "billed_ms"]), 128)


def test_summary_is_the_table_for_reading() -> None:
    tuning = result(CPU_BOUND)
    summary = tuning.summary()
    assert list(summary.index) == list(CPU_BOUND)
    assert summary.loc[128, "mean_ms"] == round(float(tuning.table.loc[128, "mean_ms"]), 2)
    assert summary.loc[128, "usd_per_million"] == round(float(tuning.table.loc[128, "cost_usd"]) * 1e6, 2)


def test_cheapest_and_fastest() -> None:
    tuning = result(CPU_BOUND)
    cheapest, fastest = tuning.best("cost"), tuning.best("speed")
    assert (cheapest.memory_mb, cheapest.runner_up_mb, cheapest.decided) == (512, 128, True)
    assert {fastest.memory_mb, fastest.runner_up_mb} == {1769, 3008}
    assert not fastest.decided
    assert "cannot be told apart" in str(fastest)
    assert str(cheapest).startswith("Best by cost: 512 MB. 128 MB costs 1.0")


def test_ties_go_to_the_faster_and_to_the_cheaper() -> None:
    """aws-lambda-power-tuning: of equal costs the faster wins, of equal durations the cheaper."""
    flat_cost = result({256: [400.0] * ROUNDS, 512: [200.0] * ROUNDS, 1024: [100.0] * ROUNDS})
    assert flat_cost.best("cost").memory_mb == 1024
    flat_duration = result({256: [100.0] * ROUNDS, 512: [100.0] * ROUNDS})
    assert flat_duration.best("speed").memory_mb == 256


def test_balanced_weighs_cost_against_duration() -> None:
    tuning = result({128: [800.0] * ROUNDS, 1024: [150.0] * ROUNDS, 3008: [140.0] * ROUNDS})
    assert tuning.best("balanced", balanced_weight=0.5).memory_mb == 1024
    assert tuning.best("balanced", balanced_weight=1.0).memory_mb == tuning.best("cost").memory_mb
    assert tuning.best("balanced", balanced_weight=0.0).memory_mb == tuning.best("speed").memory_mb


def test_failed_sizes_are_shown_and_left_out_of_the_comparison() -> None:
    failure = Failure(128, 1, "Runtime.ExitError", "signal: killed")
    tuning = result({size: CPU_BOUND[size] for size in (512, 1769)}, (failure,))
    assert tuning.table.loc[128, "failure"] == "Runtime.ExitError"
    assert tuning.table.loc[128, "n"] == 0
    assert tuning.best("cost").memory_mb == 512
    assert "128 MB left out in round 1: Runtime.ExitError: signal: killed" in tuning.describe()


def test_a_run_in_which_every_size_failed_says_why() -> None:
    tuning = result({}, (Failure(128, 0, "AccessDeniedException", "not authorized"),))
    with pytest.raises(ValueError, match=r"resize could be measured \(128 MB: AccessDeniedException\)"):
        tuning.best("cost")
    assert "AccessDeniedException: not authorized" in tuning.describe()


def test_description_names_noise_and_missing_percentiles() -> None:
    text = result(CPU_BOUND).describe()
    assert "Calibration loop: median 11.0 ms, p10 to p90 spread 15% (n=3)." in text
    assert "Not shown with 12 invocations a size: p90 needs 36, p95 needs 72, p99 needs 368." in text


def test_ratio_pairs_rounds() -> None:
    drift = np.linspace(1, 5, ROUNDS)
    ratio = result({128: list(100 * drift), 256: list(50 * drift)}).ratio("duration_ms", 128, 256)
    assert ratio.value == ratio.low == ratio.high == pytest.approx(2.0)


def test_least_is_the_least_disturbed_invocation() -> None:
    disturbed = [100.0, 900.0, 90.0, *[400.0] * (ROUNDS - 3)]
    least = result({128: disturbed, 256: [50.0] * ROUNDS}).least("duration_ms")
    assert least.to_dict() == {128: 90.0, 256: 50.0}


def test_five_rounds_name_a_best_size_without_comparing_it() -> None:
    tuning = result({128: [100.0] * 5, 256: [70.0] * 5})
    assert tuning.best("cost").ratio is None and not tuning.best("cost").decided
    assert tuning.describe().startswith("Best by cost: 128 MB.\nBest by speed: 256 MB.\n")


def test_run_cost_adds_up_all_invocations() -> None:
    tuning = result({128: [100.0] * ROUNDS, 1024: [10.0] * ROUNDS})
    gb_seconds = ROUNDS * (0.1 * 128 + 0.01 * 1024) / 1024
    expected = 2 * ROUNDS * 0.0000002 + gb_seconds * 0.0000166667
    assert tuning.run_cost.usd == pytest.approx(expected)
