"""At which load another variant becomes the cheapest one."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Cost = Callable[[float], float]

HALVINGS = 60
EQUAL = 1e-9


@dataclass(frozen=True)
class BreakEven:
    """From this load on `cheapest` costs less than `before`, which was the cheapest up to here."""

    load: float
    usd: float
    before: str
    cheapest: str


def break_evens(costs: Mapping[str, Cost], loads: Sequence[float]) -> list[BreakEven]:
    """Where the cheapest variant changes between the first and the last of `loads`, in ascending order.

    Each cost is a function of the load in USD; it may have steps, such as tiers and free quantities. Variants
    are compared at each of `loads` (positive, ascending), and a change between two neighbours is found by
    bisection; a variant that is the cheapest only between two neighbours is missed. Costs that differ by less
    than a billionth count as equal, and of equals the one that was the cheapest before stays so. Raises
    ValueError for loads that are not positive and ascending, and when there are none, or no costs.
    """
    if not costs or not len(loads):
        raise ValueError("Break-evens need the cost of at least one variant, and loads to compare them at.")
    if not all(low < high for low, high in pairwise([0, *loads])):
        raise ValueError(f"The loads of break-evens are positive and ascending, not {list(loads)}.")
    found = []
    current = min(costs, key=lambda name: costs[name](loads[0]))
    for low, high in pairwise(loads):
        winner = min(costs, key=lambda name: costs[name](high))
        if _is_cheaper(costs[winner], costs[current], high):
            load = _first_load(costs[winner], costs[current], low, high)
            found.append(BreakEven(load, costs[winner](load), current, winner))
            current = winner
    return found


def _first_load(cost: Cost, other: Cost, low: float, high: float) -> float:
    """The load at which `cost` becomes cheaper than the other, by bisection of the logarithm."""
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        if _is_cheaper(cost, other, middle):
            high = middle
        else:
            low = middle
    return high


def _is_cheaper(cost: Cost, other: Cost, load: float) -> bool:
    return cost(load) < other(load) * (1 - EQUAL)
