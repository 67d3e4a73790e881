"""Costs with the lines they consist of, and how quantities are rounded before they are priced."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pandas as pd

from helpers.pricing.prices import REGION, not_negative, price

KB_PER_GB = 1024**2

Value = TypeVar("Value")


@dataclass(frozen=True)
class CostLine:
    """One line of a bill: `quantity` units of which `free` are not charged."""

    item: str
    quantity: float
    free: float
    unit: str
    usd: float

    def __add__(self, other: "CostLine") -> "CostLine":
        return replace(
            self,
            quantity=self.quantity + other.quantity,
            free=self.free + other.free,
            usd=self.usd + other.usd,
        )


@dataclass(frozen=True)
class Cost:
    """A cost in USD and the lines it consists of. Costs add up, item by item."""

    lines: tuple[CostLine, ...]

    @property
    def usd(self) -> float:
        return sum(line.usd for line in self.lines)

    def __add__(self, other: "Cost") -> "Cost":
        lines = {line.item: line for line in self.lines}
        for line in other.lines:
            lines[line.item] = lines[line.item] + line if line.item in lines else line
        return Cost(tuple(lines.values()))

    def breakdown(self) -> pd.DataFrame:
        """One row a line, with columns item, quantity, free, unit and usd; the last row is the total."""
        total = CostLine("total", math.nan, math.nan, "", self.usd)
        return pd.DataFrame([*self.lines, total]).set_index("item")


def line(name: str, quantity: float, region: str = REGION, free: float = 0.0) -> CostLine:
    """A line of `quantity` units of that price, of which the first `free` are not charged.

    Tiers count from the first unit, free ones included (Amazon S3 FAQ, example of data transfer out).
    Raises ValueError for a quantity that is not finite and 0 or more, PriceUnknown without such a price.
    """
    found = price(name, region)
    not_charged = min(quantity, free)
    usd = found.of(quantity) - found.of(not_charged)
    return CostLine(name, quantity, not_charged, found.unit, usd)


def chunks(size: float, chunk: float) -> int:
    """How many chunks a payload is billed as: begun ones count, and an empty payload is one."""
    return max(1, math.ceil(not_negative("A size", size) / chunk))


def chosen(values: Mapping[Any, Value], what: str, choice: str) -> Value:
    """What stands for that choice. Raises ValueError, with the choices that there are, for any other."""
    if choice not in values:
        raise ValueError(f"{what} is one of {', '.join(values)}, not {choice!r}.")
    return values[choice]
