"""What a load costs on AWS: costs with their breakdown, from the public prices in data/prices.json.

Every function prices one Region, us-east-1 unless told otherwise; data/prices.json names the page and the
date of each price. Monthly quantities are quantities of one account in one Region, as tiers and the free
tier are counted per account.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd

PRICES_PATH = Path(__file__).parent.parent / "data" / "prices.json"
REGION = "us-east-1"
MB_PER_GB = 1024
PROVISIONED_STEP_S = 300

Architecture = Literal["x86_64", "arm64"]


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
        """What a monthly quantity costs, tier by tier, in USD."""
        return sum(part * tier.usd for part, tier in self._split(quantity))

    def _split(self, quantity: float) -> Iterator[tuple[float, Tier]]:
        start = 0.0
        for tier in self.tiers:
            yield max(0.0, min(quantity, tier.up_to) - start), tier
            start = tier.up_to


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


def price(name: str, region: str = REGION) -> Price:
    """The price of that name in that Region. Raises PriceUnknown and says which ones there are."""
    prices = _prices()
    if (name, region) in prices:
        return prices[name, region]
    regions = sorted(known_region for known_name, known_region in prices if known_name == name)
    if regions:
        raise PriceUnknown(
            f"{name} has a price in {', '.join(regions)}, not in {region}: add it to {PRICES_PATH.name}."
        )
    names = sorted({known_name for known_name, _ in prices})
    raise PriceUnknown(f"There is no price named {name}. There are: {', '.join(names)}.")


def lambda_cost(
    requests: float,
    billed_ms: float,
    memory_mb: int,
    architecture: Architecture = "x86_64",
    free_tier: bool = False,
    region: str = REGION,
) -> Cost:
    """A month of on-demand invocations, `billed_ms` being the mean Billed Duration of one.

    Since 1 August 2025 Billed Duration includes INIT for every function (AWS Compute Blog, "AWS Lambda
    standardizes billing for INIT Phase").
    """
    gb_seconds = requests * _gb_seconds(billed_ms, memory_mb)
    return Cost(
        (
            _line("lambda.requests", requests, region, _free("lambda.requests", free_tier)),
            _line(f"lambda.duration.{architecture}", gb_seconds, region, _free("lambda.duration", free_tier)),
        )
    )


def invocation_usd(
    billed_ms: float, memory_mb: int, architecture: Architecture = "x86_64", region: str = REGION
) -> float:
    """The duration price of one invocation in the first tier, without the price of the request.

    The figure that AWS Lambda Power Tuning compares memory sizes by; Billed Duration is in whole ms.
    """
    return _gb_seconds(math.ceil(billed_ms), memory_mb) * price(f"lambda.duration.{architecture}", region).usd


def provisioned_concurrency_cost(
    concurrency: int,
    enabled_s: float,
    requests: float,
    billed_ms: float,
    memory_mb: int,
    architecture: Architecture = "x86_64",
    region: str = REGION,
) -> Cost:
    """Provisioned concurrency for `enabled_s` seconds and the requests it serves.

    The time enabled is rounded up to five minutes; the free tier does not apply; requests beyond the
    configured concurrency are on-demand and belong into `lambda_cost` (AWS Lambda pricing page).
    """
    enabled_steps = math.ceil(enabled_s / PROVISIONED_STEP_S)
    capacity_gb_seconds = concurrency * enabled_steps * PROVISIONED_STEP_S * memory_mb / MB_PER_GB
    duration_gb_seconds = requests * _gb_seconds(billed_ms, memory_mb)
    return Cost(
        (
            _line("lambda.requests", requests, region),
            _line(f"lambda.provisioned.capacity.{architecture}", capacity_gb_seconds, region),
            _line(f"lambda.provisioned.duration.{architecture}", duration_gb_seconds, region),
        )
    )


def provisioned_saving(
    utilization: float, architecture: Architecture = "x86_64", region: str = REGION
) -> float:
    """The share of the on-demand duration cost that provisioned concurrency saves; negative: it costs more.

    `utilization` is the share of the provisioned time that environments are busy, over 0 to 1.
    """
    if not 0 < utilization <= 1:
        raise ValueError(f"Utilization is a share over 0 and up to 1, not {utilization}.")
    on_demand = utilization * price(f"lambda.duration.{architecture}", region).usd
    capacity = price(f"lambda.provisioned.capacity.{architecture}", region).usd
    duration = utilization * price(f"lambda.provisioned.duration.{architecture}", region).usd
    return 1 - (capacity + duration) / on_demand


def provisioned_break_even(architecture: Architecture = "x86_64", region: str = REGION) -> float:
    """The utilization from which on provisioned concurrency is cheaper than on demand.

    On demand costs u * d, provisioned c + u * p; they meet at u = c / (d - p).
    """
    on_demand = price(f"lambda.duration.{architecture}", region).usd
    capacity = price(f"lambda.provisioned.capacity.{architecture}", region).usd
    duration = price(f"lambda.provisioned.duration.{architecture}", region).usd
    return capacity / (on_demand - duration)


def savings_plan_discount() -> float:
    """The largest share that a Compute Savings Plan takes off Lambda duration and provisioned concurrency."""
    return float(_entry("discounts", "compute_savings_plan.lambda.duration")["largest"])


def logs_cost(
    ingested_gb: float,
    stored_gb_months: float = 0.0,
    scanned_gb: float = 0.0,
    free_tier: bool = False,
    region: str = REGION,
) -> Cost:
    """CloudWatch Logs of the standard class; storage counts compressed bytes (CloudWatch pricing page).

    The price of ingestion is that of the first 10 TB of a month.
    """
    return Cost(
        (
            _line("logs.ingestion", ingested_gb, region, _free("logs.ingestion", free_tier)),
            _line("logs.storage", stored_gb_months, region, _free("logs.storage", free_tier)),
            _line("logs.insights", scanned_gb, region),
        )
    )


def standard_workflow_cost(transitions: float, free_tier: bool = False, region: str = REGION) -> Cost:
    """State transitions of Step Functions standard workflows, retries included."""
    name = "step_functions.standard.transitions"
    return Cost((_line(name, transitions, region, _free(name, free_tier)),))


def express_workflow_cost(
    executions: float, duration_ms: float, memory_mb: float = 64, region: str = REGION
) -> Cost:
    """Step Functions express workflows: duration in steps of 100 ms, memory in steps of 64 MB."""
    billed_s = math.ceil(duration_ms / 100) / 10
    billed_gb = math.ceil(memory_mb / 64) * 64 / MB_PER_GB
    gb_hours = executions * billed_s * billed_gb / 3600
    return Cost(
        (
            _line("step_functions.express.requests", executions, region),
            _line("step_functions.express.duration", gb_hours, region),
        )
    )


def _gb_seconds(duration_ms: float, memory_mb: float) -> float:
    return duration_ms / 1000 * memory_mb / MB_PER_GB


def _line(name: str, quantity: float, region: str, free: float = 0.0) -> CostLine:
    if quantity < 0:
        raise ValueError(f"A quantity of {name} is 0 or more, not {quantity}.")
    found = price(name, region)
    not_charged = min(quantity, free)
    return CostLine(name, quantity, not_charged, found.unit, found.of(quantity - not_charged))


def _free(name: str, free_tier: bool) -> float:
    return float(_entry("free_tier", name)["monthly"]) if free_tier else 0.0


def _entry(section: str, name: str) -> dict[str, Any]:
    entries: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in _document()[section]}
    if name not in entries:
        raise PriceUnknown(f"{PRICES_PATH.name} has no {name} under {section}.")
    return entries[name]


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(PRICES_PATH.read_text())
    return document


@cache
def _prices() -> dict[tuple[str, str], Price]:
    return {(entry["name"], entry["region"]): _read_price(entry) for entry in _document()["prices"]}


def _read_price(entry: dict[str, Any]) -> Price:
    tiers = entry.get("tiers") or [{"up_to": None, "usd": entry["usd"]}]
    return Price(
        entry["name"],
        entry["unit"],
        entry["region"],
        tuple(Tier(math.inf if tier["up_to"] is None else tier["up_to"], tier["usd"]) for tier in tiers),
        entry["source"],
        entry["date"],
    )
