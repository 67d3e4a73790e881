"""The analysis of a tuning run, on invocations whose answer is known."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_visualization import EXAMPLE, decoded

from helpers import pricing, published
from helpers.calibration import Calibration
from helpers.tuning.billing import Billing
from helpers.tuning.failure import Elimination
from helpers.tuning_result import INVOCATION_COLUMNS, Failure, Optimization, TuningResult

ROUNDS = 12


def result(
    durations_ms: dict[int, list[float]], failures: tuple[Failure, ...] = (), **more: Any
) -> TuningResult:
    """A run with one warm invocation a round and size."""
    rows = [
        (
            *(number, size, duration, math.nan, math.ceil(duration), 30),
            *(pricing.invocation_usd(duration, size), math.nan),
        )
        for size, durations in durations_ms.items()
        for number, duration in enumerate(durations, start=1)
    ]
    invocations = pd.DataFrame(rows, columns=list(INVOCATION_COLUMNS))
    calibration = Calibration((10.0, 11.0, 12.0))
    return TuningResult("resize", "x86_64", 0.2, invocations, failures, calibration, **more)


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
    assert str(cheapest).startswith("Best by cost: 512 MB. 128 MB costs 1.0")
    assert cheapest.undecided_mb == ()
    assert {fastest.memory_mb, fastest.runner_up_mb} == {1769, 3008}


def test_noise_that_hides_the_answer_leaves_no_winner() -> None:
    tuning = result(CPU_BOUND)
    fastest = tuning.best("speed")
    assert not fastest.decided
    assert fastest.undecided_mb == (fastest.runner_up_mb,)
    assert str(fastest).startswith("No winner by speed: 1,769 and 3,008 MB cannot be told apart at 95 %.")
    assert "Best by speed" not in tuning.describe()


def test_every_size_that_may_be_the_best_is_named_and_not_only_the_second() -> None:
    """The second best is clearly worse, and a third that varies much may still be the best."""
    steady, close = [100.0] * ROUNDS, [101.0] * ROUNDS
    varying = [90.0, 140.0] * (ROUNDS // 2)
    fastest = result({512: steady, 1024: close, 2048: varying}).best("speed")
    assert (fastest.memory_mb, fastest.runner_up_mb, fastest.undecided_mb) == (512, 1024, (2048,))
    assert fastest.ratio is not None and fastest.ratio.low > 1
    assert str(fastest).startswith("No winner by speed: 512 and 2,048 MB cannot be told apart at 95 %.")


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
    best = tuning.best("balanced")
    # 0.5 * cost / max cost + 0.5 * duration / max duration
    scores = {
        128: 0.5 * 800 * 128 / (140 * 3008) + 0.5,
        1024: 0.5 * 150 * 1024 / (140 * 3008) + 0.5 * 150 / 800,
    }
    assert best.runner_up_mb == 3008 and best.decided
    assert scores[1024] < scores[128]
    other = result({128: [800.0] * ROUNDS, 1024: [150.0] * ROUNDS}).best("balanced")
    assert other.runner_up_mb == 128 and other.ratio is not None
    expected = (0.5 * 800 * 128 / (150 * 1024) + 0.5) / (0.5 + 0.5 * 150 / 800)
    assert other.ratio.value == pytest.approx(expected)
    assert "128 MB scores 1." in str(other)


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
    cheapest = tuning.best("cost")
    assert (cheapest.memory_mb, cheapest.ratio, cheapest.decided) == (128, None, False)
    assert tuning.answer is None
    assert tuning.describe().startswith(
        "No winner by cost: 128 and 256 MB cannot be told apart at 95 %.\nNo winner by speed: "
    )


def test_run_cost_adds_up_all_invocations() -> None:
    tuning = result({128: [100.0] * ROUNDS, 1024: [10.0] * ROUNDS})
    gb_seconds = ROUNDS * (0.1 * 128 + 0.01 * 1024) / 1024
    expected = 2 * ROUNDS * 0.0000002 + gb_seconds * 0.0000166667
    assert tuning.run_cost.usd == pytest.approx(expected)


def test_the_invocations_of_failed_sizes_cost_money_too() -> None:
    measured = result({128: [100.0] * ROUNDS})
    with_failed = result({128: [100.0] * ROUNDS}, left_out=result({512: [50.0, 50.0]}).invocations)
    assert with_failed.run_cost.usd == pytest.approx(
        measured.run_cost.usd + pricing.lambda_cost(2, 50, 512).usd
    )


def test_published_costs_are_reproduced_to_the_last_digit_under_the_old_billing() -> None:
    """data/README.md: each cost is ceil(ms / 100) * 2.08e-7 * MB / 128, billed in steps of 100 ms."""
    table = published.power_tuning()
    durations = {int(size): [row.duration_ms] * 5 for size, row in table.iterrows()}
    tuning = result(durations, billing=Billing(step_ms=100, step_usd=2.08e-7))
    assert list(tuning.table.index) == [128, 256, 512, 1024, 1536, 3008]
    for size in durations:
        # Six digits are all that the README has.
        assert f"{tuning.table.loc[size, 'cost_usd']:.6g}" == f"{table.loc[size, 'cost_usd']:.6g}"
        assert tuning.table.loc[size, "mean_ms"] == pytest.approx(table.loc[size, "duration_ms"])
    # Two sizes cost the same there, and the faster one is named.
    assert tuning.best("cost").memory_mb == 1536
    assert tuning.best("speed").memory_mb == 3008


def test_the_published_durations_give_the_published_address_to_the_last_bit() -> None:
    """The example of the reference holds the same table in single precision, costs included."""
    sizes, durations, _ = decoded(EXAMPLE)
    measured = {int(size): [duration] * 5 for size, duration in zip(sizes, durations, strict=True)}
    assert result(measured, billing=Billing(step_ms=100, step_usd=2.08e-7)).visualization_url == EXAMPLE


def test_billing_of_today_is_the_price_list() -> None:
    for architecture in ("x86_64", "arm64"):
        billing = Billing.today(architecture)
        for billed_ms, size in ((1, 128), (120.2, 1536), (3000, 10_240)):
            expected = pricing.invocation_usd(billed_ms, size, architecture)
            assert billing.usd(billed_ms, size) == pytest.approx(expected, rel=1e-12)


def test_sizes_with_fewer_rounds_are_compared_over_those_that_both_have() -> None:
    drift = np.linspace(1, 5, ROUNDS)
    tuning = result({128: list(100 * drift[:7]), 256: list(50 * drift), 512: list(40 * drift[:3])})
    assert tuning.table["n"].to_dict() == {128: 7, 256: ROUNDS, 512: 3}
    assert math.isnan(tuning.table.loc[512, "mean_low_ms"])
    assert math.isnan(tuning.table.loc[512, "cost_high_usd"])
    assert tuning.table.loc[512, "mean_ms"] == pytest.approx(np.mean(40 * drift[:3]))
    assert tuning.ratio("duration_ms", 128, 256).value == pytest.approx(2.0)


def test_an_eliminated_size_cannot_win_whatever_its_few_rounds_look_like() -> None:
    """128 MB was invoked while the machine was quick."""
    eliminated = (Elimination(128, 3, "it costs too much"), Elimination(512, 9, "it costs even more"))
    durations = {128: [70.0] * 3, 256: [100.0] * ROUNDS, 512: [95.0] * 9}
    stopped = "Stopped after round 12: only 256 MB is left."
    tuning = result(durations, adaptive=True, eliminated=eliminated, stop_reason=stopped)
    cheapest = tuning.best("cost")
    assert (cheapest.memory_mb, cheapest.runner_up_mb, cheapest.decided) == (256, 128, True)
    assert tuning.answer == cheapest
    # Nobody has eliminated it by speed.
    assert tuning.best("speed").memory_mb == 128
    assert not tuning.best("speed").decided
    text = tuning.describe()
    assert "128 MB eliminated after round 3: it costs too much." in text
    assert stopped in text


def test_sizes_that_adaptive_tuning_has_left_together_are_without_a_winner() -> None:
    """Its intervals allow for a look after every round, and so are wider than those of one look."""
    close = {128: [100.0] * ROUNDS, 256: [51.0] * ROUNDS, 512: [40.0] * ROUNDS}
    assert result(close).best("cost").decided
    tuning = result(close, adaptive=True, eliminated=(Elimination(512, 9, "it costs more"),))
    assert str(tuning.best("cost")) == "No winner by cost: 128 and 256 MB cannot be told apart at 95 %."
    assert tuning.best("cost").undecided_mb == (256,)
    assert tuning.answer is None


def test_errors_are_counted_by_size_and_kind() -> None:
    failures = (Failure(128, 1, "Refused", "no", count=3), Failure(128, 2, "Sandbox.Timedout", "late"))
    tuning = result({512: [100.0] * ROUNDS}, failures, allowed=(Failure(512, 4, "Empty", "", count=2),))
    assert tuning.errors().to_dict("records") == [
        {"memory_mb": 128, "kind": "Refused", "count": 3, "allowed": False},
        {"memory_mb": 128, "kind": "Sandbox.Timedout", "count": 1, "allowed": False},
        {"memory_mb": 512, "kind": "Empty", "count": 2, "allowed": True},
    ]
    assert tuning.table.loc[128, "failure"] == "Refused, Sandbox.Timedout"
    assert len(tuning.table) == 2


def test_a_long_payload_is_shown_in_part() -> None:
    text = str(Failure(128, 1, "Refused", "no", payload="x" * 500))
    assert text == f"128 MB left out in round 1: Refused: no with payload {'x' * 200}..."


def test_what_auto_optimize_has_set_is_told() -> None:
    told = result(CPU_BOUND, optimization=Optimization(512, "prod", "7")).describe()
    assert "The function now has 512 MB, and alias prod names its version 7." in told


def test_the_visualization_holds_the_measured_sizes() -> None:
    tuning = result({512: [100.0] * 5, 128: [400.0] * 5}, (Failure(256, 1, "Refused", "no"),))
    sizes, durations, costs = decoded(tuning.visualization_url)
    assert (sizes, durations) == ((128, 512), (400.0, 100.0))
    assert costs == pytest.approx(tuning.table["cost_usd"].dropna().tolist(), rel=1e-6)


def test_the_output_lists_every_size_only_when_asked() -> None:
    assert "stats" not in result(CPU_BOUND).output()
    stats = result(CPU_BOUND, include_output_results=True).output()["stats"]
    assert [entry["value"] for entry in stats] == list(CPU_BOUND)
