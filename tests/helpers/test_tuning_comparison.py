"""Two runs against each other, on invocations whose answer is known."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers import pricing
from helpers.pricing import Architecture
from helpers.tuning_comparison import compare
from helpers.tuning_result import INVOCATION_COLUMNS, TuningResult

LABELS = ("x86_64", "arm64")


def tuning(
    means_ms: dict[int, float],
    seed: int,
    architecture: Architecture = "x86_64",
    rounds: int = 30,
    discard_top_bottom: float = 0.2,
) -> TuningResult:
    noise = np.random.default_rng(seed)
    rows = [
        (
            *(number, size, duration, math.nan, math.ceil(duration), 30),
            *(pricing.invocation_usd(duration, size, architecture), math.nan),
        )
        for size, mean in means_ms.items()
        for number, duration in enumerate(noise.normal(mean, mean * 0.05, rounds), start=1)
    ]
    invocations = pd.DataFrame(rows, columns=list(INVOCATION_COLUMNS))
    return TuningResult("resize", architecture, discard_top_bottom, invocations, (), None)


def test_differences_are_second_minus_first_with_their_intervals() -> None:
    first = tuning({128: 800, 512: 200, 1024: 100}, seed=1)
    second = tuning({512: 150, 1024: 100, 2048: 50}, seed=2, architecture="arm64")
    comparison = compare(first, second, LABELS)
    table = comparison.table
    assert list(table.index) == [512, 1024]
    assert table.index.name == "memory_mb"
    assert (comparison.first, comparison.second, comparison.labels) == (first, second, LABELS)
    for unit in ("ms", "usd"):
        difference = table[f"second_{unit}"] - table[f"first_{unit}"]
        assert table[f"difference_{unit}"].tolist() == pytest.approx(difference.tolist())
        assert (table[f"difference_low_{unit}"] <= difference).all()
        assert (table[f"difference_high_{unit}"] >= difference).all()
    for measure, unit in (("duration", "ms"), ("cost", "usd")):
        change = table[f"difference_{unit}"] / table[f"first_{unit}"]
        assert table[f"{measure}_change"].tolist() == pytest.approx(change.tolist())
        assert (table[f"{measure}_change_low"] <= change).all()
        assert (table[f"{measure}_change_high"] >= change).all()
    assert table["first_ms"].tolist() == first.table.loc[[512, 1024], "mean_ms"].tolist()
    # A quarter faster, and arm64 takes a fifth less for the same time.
    assert table.loc[512, "difference_high_ms"] < -40
    assert table.loc[1024, "difference_low_ms"] < 0 < table.loc[1024, "difference_high_ms"]
    assert table.loc[1024, "difference_high_usd"] < 0


def test_the_verdict_is_told_in_words() -> None:
    comparison = compare(tuning({512: 200, 1024: 100}, seed=1), tuning({512: 150, 1024: 100}, seed=2), LABELS)
    first, second = comparison.describe().splitlines()
    assert first.startswith("512 MB: arm64 is 2") and first.endswith("% cheaper.")
    assert second == "1,024 MB: neither is faster at 95 %; neither is cheaper at 95 %."
    turned = compare(comparison.second, comparison.first, ("old", "new"))
    assert turned.describe().startswith("512 MB: old is 2")


def test_the_same_runs_give_the_same_intervals() -> None:
    first, second = tuning({512: 200}, seed=1), tuning({512: 190}, seed=2)
    assert compare(first, second, LABELS).table.equals(compare(first, second, LABELS).table)


def test_costs_are_not_rounded_up_twice() -> None:
    """A mean of 2.4 billed ms costs less than 3 ms, although Lambda has rounded up each invocation."""
    first, second = tuning({128: 1.9}, seed=1), tuning({128: 2.4}, seed=2)
    row = compare(first, second, LABELS).table.loc[128]
    assert row["first_usd"] < row["second_usd"]
    assert row["first_usd"] == pytest.approx(first.invocations["cost_usd"].mean(), rel=0.2)


def test_too_few_invocations_have_a_difference_without_an_interval() -> None:
    table = compare(tuning({512: 200}, seed=1, rounds=3), tuning({512: 190}, seed=2), LABELS).table
    assert not math.isnan(table.loc[512, "difference_ms"])
    assert math.isnan(table.loc[512, "difference_low_ms"])


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="x86_64 and arm64 have no memory size in common"):
        compare(tuning({128: 100}, seed=1), tuning({256: 100}, seed=2), LABELS)
    with pytest.raises(ValueError, match=r"discard_top_bottom=0.2, arm64 with 0.0"):
        compare(tuning({128: 100}, seed=1), tuning({128: 100}, seed=2, discard_top_bottom=0.0), LABELS)
