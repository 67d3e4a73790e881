"""Public prices with their sources, free quantities and discounts, as data/prices.json holds them."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PRICES_PATH = Path(__file__).parents[2] / "data" / "prices.json"
REGION = "us-east-1"


class PriceUnknown(LookupError):
    """data/prices.json has no such price."""


@dataclass(frozen=True)
class Tier:
    """The price of one unit up to a monthly quantity; `up_to` is infinite in the last tier."""

    up_to: float
    usd: float


@dataclass(frozen=True)
class Price:
    """A public price with its source."""

    name: str
    unit: str
    region: str
    tiers: tuple[Tier, ...]
    source: str
    date: str

    @property
    def usd(self) -> float:
        """The price of one unit in the first tier."""
        return self.tiers[0].usd

    def of(self, quantity: float) -> float:
        """What a monthly quantity costs, tier by tier, in USD. Raises ValueError as `not_negative` does."""
        not_negative(f"A quantity of {self.name}", quantity)
        return sum(part * tier.usd for part, tier in self._split(quantity))

    def _split(self, quantity: float) -> Iterator[tuple[float, Tier]]:
        start = 0.0
        for tier in self.tiers:
            yield max(0.0, min(quantity, tier.up_to) - start), tier
            start = tier.up_to


def not_negative(what: str, number: float) -> float:
    """The number itself. Raises ValueError when it is below 0, infinite or not a number."""
    if not 0 <= number < math.inf:
        raise ValueError(f"{what} is finite and 0 or more, not {number}.")
    return number


def price(name: str, region: str = REGION) -> Price:
    """The price of that name in that Region. Raises PriceUnknown and says which similar ones there are."""
    prices = _prices()
    if (name, region) in prices:
        return prices[name, region]
    regions = sorted(known_region for known_name, known_region in prices if known_name == name)
    if regions:
        raise PriceUnknown(
            f"{name} has a price in {', '.join(regions)}, not in {region}: add it to {PRICES_PATH.name}, by "
            "hand or with `refresh` (data/README.md)."
        )
    similar = _similar(name, sorted({known_name for known_name, _ in prices}))
    raise PriceUnknown(f"There is no price named {name}. There are: {', '.join(similar)}.")


def free_quantity(name: str, free_tier: bool) -> float:
    """The monthly quantity of one account that is always free; 0 when the free tier is used up already."""
    return float(_entry("free_tier", name)["monthly"]) if free_tier else 0.0


def largest_discount(name: str) -> float:
    """The largest share that a discount takes off."""
    return float(_entry("discounts", name)["largest"])


def document() -> dict[str, Any]:
    """All of data/prices.json, read once until `forget`. Do not change it."""
    return _document()


def forget() -> None:
    """Read data/prices.json anew the next time that a price is asked for."""
    _document.cache_clear()
    _prices.cache_clear()


def read_price(entry: dict[str, Any]) -> Price:
    """The price that an entry under `prices` stands for."""
    tiers = entry.get("tiers") or [{"up_to": None, "usd": entry["usd"]}]
    return Price(
        entry["name"],
        entry["unit"],
        entry["region"],
        tuple(Tier(math.inf if tier["up_to"] is None else tier["up_to"], tier["usd"]) for tier in tiers),
        entry["source"],
        entry["date"],
    )


def _similar(name: str, names: list[str]) -> list[str]:
    """Those of the names that begin with as many parts of this one as any does: all, when none does."""
    while name:
        name = name.rpartition(".")[0]
        if found := [known for known in names if known.startswith(f"{name}.")]:
            return found
    return names


def _entry(section: str, name: str) -> dict[str, Any]:
    entries: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in _document()[section]}
    if name not in entries:
        raise PriceUnknown(f"{PRICES_PATH.name} has no {name} under {section}.")
    return entries[name]


@cache
def _document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(PRICES_PATH.read_text())
    return loaded


@cache
def _prices() -> dict[tuple[str, str], Price]:
    return {(entry["name"], entry["region"]): read_price(entry) for entry in _document()["prices"]}
