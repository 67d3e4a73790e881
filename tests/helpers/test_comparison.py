"""Variants are compared in every round, in changing order."""

import time

import pytest

from helpers import comparison
from helpers.calibration import Calibration
from helpers.statistics import Estimate


def test_every_round_calls_every_variant_in_changing_order() -> None:
    calls: list[str] = []

    def variant(name: str, value: float) -> float:
        calls.append(name)
        return value * len(calls)

    compared = comparison.run(
        {"slow": lambda: variant("slow", 4.0), "fast": lambda: variant("fast", 1.0)}, rounds=10
    )

    rounds = [tuple(calls[start : start + 2]) for start in range(0, 20, 2)]
    assert {tuple(sorted(names)) for names in rounds} == {("fast", "slow")}
    assert len(set(rounds)) == 2
    assert list(compared.samples.columns) == ["slow", "fast"]
    assert compared.calibration is not None and len(compared.calibration.loop_ms) == 10
    # The values drift upwards all the time; the ratio within a round hardly does.
    assert 3 < compared.ratio("slow", "fast").value < 8


def test_table_has_medians_with_intervals() -> None:
    compared = comparison.run({"steady": lambda: 5.0}, rounds=6, calibrate=False)
    row = compared.table().loc["steady"]
    assert (row["n"], row["p50"], row["low"], row["high"]) == (6, 5.0, 5.0, 5.0)
    assert compared.ratio("steady", "steady") == Estimate(1.0, 1.0, 1.0)
    assert compared.calibration is None


def test_the_same_seed_gives_the_same_order() -> None:
    def order(seed: int) -> list[str]:
        calls: list[str] = []
        names = ("a", "b", "c")
        variants = {name: (lambda name=name: float(bool(calls.append(name)))) for name in names}  # type: ignore[misc]
        comparison.run(variants, rounds=3, calibrate=False, seed=seed)
        return calls

    assert order(3) == order(3)
    assert order(3) != order(4)


def test_the_calibration_loop_describes_itself() -> None:
    calibration = Calibration((10.0, 11.0, 12.0))
    assert calibration.spread == pytest.approx(1.6 / 11)
    assert str(calibration) == "Calibration loop: median 11.0 ms, p10 to p90 spread 15% (n=3)."


def test_a_timed_call_returns_the_milliseconds_that_its_caller_waits() -> None:
    began = time.perf_counter()
    elapsed_ms = comparison.timed(lambda: time.sleep(0.05))()
    assert 50 <= elapsed_ms <= (time.perf_counter() - began) * 1000
