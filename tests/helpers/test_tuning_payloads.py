"""The event of every round."""

import random
from collections import Counter
from typing import Any

import pytest

from helpers.tuning.payloads import of_rounds


def events(payload: Any, num: int = 5, seed: int = 1) -> list[Any]:
    return of_rounds(payload, num, random.Random(seed))


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (None, None),
        ({"id": 1}, {"id": 1}),
        ('{"id": 1}', {"id": 1}),
        ("just a text", "just a text"),
        ('"quoted"', "quoted"),
        # Python would read it as a number that JSON does not have.
        ("NaN", "NaN"),
        ([1, 2], [1, 2]),
        ([], []),
        ([{"payload": 1}], [{"payload": 1}]),
        ([{"payload": 1, "weight": 1}, {"id": 1}], [{"payload": 1, "weight": 1}, {"id": 1}]),
    ],
)
def test_one_payload_is_the_event_of_every_round(payload: Any, event: Any) -> None:
    """aws-lambda-power-tuning: what is JSON is sent as it is, other texts and arrays as one event."""
    assert events(payload) == [event] * 5


@pytest.mark.parametrize(
    ("weights", "num", "counts"),
    [
        ([5, 15, 30], 50, [5, 15, 30]),
        ([5, 15, 30], 100, [10, 30, 60]),
        # Whole parts of 3.3, and the last one fills the gap.
        ([1, 1, 1], 10, [3, 3, 4]),
        ([0.5, 0.5], 5, [2, 3]),
        ([1] * 26, 30, [1] * 25 + [5]),
    ],
)
def test_weights_share_out_the_rounds_as_the_reference_does(
    weights: list[float], num: int, counts: list[int]
) -> None:
    """aws-lambda-power-tuning, "Weighted payloads": relative weights, rounded down, the last fills up."""
    payload = [{"payload": str(number), "weight": weight} for number, weight in enumerate(weights)]
    found = Counter(events(payload, num))
    assert [found[number] for number in range(len(weights))] == counts


def test_weighted_payloads_are_mixed_in_an_order_that_the_seed_draws() -> None:
    payload = [{"payload": {"kind": kind}, "weight": 1} for kind in "ab"]
    blocks = [{"kind": kind} for kind in "a" * 20 + "b" * 20]
    mixed = events(payload, 40)
    assert mixed != blocks
    assert mixed == events(payload, 40) != events(payload, 40, seed=2)
