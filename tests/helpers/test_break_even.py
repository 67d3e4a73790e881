"""The loads at which another variant becomes the cheapest."""

import numpy as np
import pytest

from helpers.break_even import BreakEven, Cost, break_evens

LOADS = list(np.geomspace(1, 1e9, 200))


def flat(usd: float) -> Cost:
    return lambda load: usd


def per_unit(usd: float, free: float = 0) -> Cost:
    return lambda load: usd * max(0.0, load - free)


def test_a_line_and_a_constant_cross_where_algebra_says() -> None:
    (found,) = break_evens({"on demand": per_unit(2e-6), "reserved": flat(36)}, LOADS)
    assert found == BreakEven(pytest.approx(18_000_000), pytest.approx(36), "on demand", "reserved")


def test_each_change_of_the_cheapest_is_found_in_ascending_order() -> None:
    costs = {"large": flat(1000), "middle": flat(10), "small": per_unit(1), "huge": flat(5000)}
    steep = {name: lambda load, cost=cost: cost(load) for name, cost in costs.items()}
    steep["middle"] = lambda load: 10 + 0.01 * load
    found = break_evens(steep, LOADS)
    assert [(change.before, change.cheapest) for change in found] == [
        ("small", "middle"),
        ("middle", "large"),
    ]
    assert [change.load for change in found] == pytest.approx([10 / 0.99, 99_000])


def test_a_crossing_of_two_that_are_not_the_cheapest_is_none() -> None:
    assert break_evens({"best": flat(1), "other": flat(50), "rising": per_unit(2)}, LOADS[20:]) == []


def test_costs_that_are_equal_over_a_range_change_where_one_becomes_dearer() -> None:
    """Two free tiers: both cost nothing at first."""
    costs = {"small free tier": per_unit(1e-6, free=1e6), "large free tier": per_unit(1e-6, free=2e6)}
    (found,) = break_evens(costs, LOADS)
    assert (found.load, found.cheapest) == (pytest.approx(1e6), "large free tier")


def test_a_step_is_found_where_it_is() -> None:
    costs = {"by the block": lambda load: 10.0 if load < 5_000 else 500.0, "flat": flat(100)}
    (found,) = break_evens(costs, LOADS)
    assert (found.load, found.cheapest) == (pytest.approx(5_000), "flat")


def test_rounding_is_no_break_even() -> None:
    costs = {"one way": lambda load: 0.1 * load + 0.2 * load, "another way": lambda load: 0.3 * load}
    assert break_evens(costs, LOADS) == []


def test_one_variant_alone_has_no_break_even() -> None:
    assert break_evens({"only": per_unit(1)}, LOADS) == []


@pytest.mark.parametrize("loads", [[0, 1], [-1, 1], [1, 1], [2, 1], [1, float("nan")]])
def test_loads_are_positive_and_ascending(loads: list[float]) -> None:
    with pytest.raises(ValueError, match="positive and ascending"):
        break_evens({"one": flat(1), "other": per_unit(1)}, loads)


def test_there_is_something_to_compare() -> None:
    with pytest.raises(ValueError, match="at least one variant"):
        break_evens({}, LOADS)
    with pytest.raises(ValueError, match="loads to compare them at"):
        break_evens({"one": flat(1)}, [])
