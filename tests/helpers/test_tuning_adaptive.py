"""Adaptive tuning: the rounds that are made, and what the result keeps of the sizes that left early."""

from typing import Any

import pandas as pd
import pytest
import tuned_functions
from tuned_functions import assert_as_before

from helpers import power_tuning
from helpers.tuning import elimination
from helpers.tuning.failure import Elimination
from helpers.tuning_result import INVOCATION_COLUMNS

lambda_client = tuned_functions.lambda_client
function_name = tuned_functions.function_name


def test_a_size_that_was_eliminated_is_not_invoked_any_more(
    lambda_client: Any, function_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule is that of elimination.py; here it is one that says the same in every run."""
    asked: list[tuple[Any, ...]] = []

    def decide(invocations: pd.DataFrame, sizes: tuple[int, ...], *inputs: Any) -> elimination.Decision:
        assert list(invocations.columns) == list(INVOCATION_COLUMNS)
        asked.append((len(invocations), sizes, *inputs))
        looks = len(asked)
        out = {128: "too slow"} if looks == 2 else {}
        remaining = tuple(size for size in sizes if size not in out)
        return elimination.Decision(remaining, looks == 4, f"after {looks} looks.", None, out)

    monkeypatch.setattr(elimination, "decide", decide)
    tuning = power_tuning.run(
        lambda_client,
        function_name,
        (128, 512, 1024),
        num=12,
        strategy="balanced",
        balanced_weight=0.3,
        adaptive=True,
        tolerance=0.1,
        calibrate=False,
    )
    inputs = ("balanced", 0.3, 0.1, 12)
    assert asked == [
        # Nobody is asked before the fifth round.
        (15, (128, 512, 1024), *inputs),
        (18, (128, 512, 1024), *inputs),
        (20, (512, 1024), *inputs),
        (22, (512, 1024), *inputs),
    ]
    assert tuning.table["n"].to_dict() == {128: 6, 512: 8, 1024: 8}
    assert tuning.eliminated == (Elimination(128, 6, "too slow"),)
    assert tuning.stop_reason == "Stopped after round 8: after 4 looks."
    assert tuning.failures == ()
    assert_as_before(lambda_client, function_name)


def test_a_clear_loser_leaves_and_the_run_ends_early(lambda_client: Any, function_name: str) -> None:
    """Waiting costs 23 times as much with 3,008 MB as with 128 MB."""
    tuning = power_tuning.run(
        lambda_client,
        function_name,
        (128, 512, 3008),
        num=50,
        payload={"wait_s": 0.03},
        adaptive=True,
        calibrate=False,
    )
    assert {elimination.memory_mb for elimination in tuning.eliminated} == {512, 3008}
    assert tuning.best("cost").memory_mb == 128
    assert tuning.best("cost").decided
    assert tuning.stop_reason is not None
    assert len(tuning.invocations) < 3 * 50 / 2
    assert_as_before(lambda_client, function_name)
