"""Compare the prices in data/prices.json with those of the AWS Price List, when somebody asks for it.

AWS Billing user guide, "Using the AWS Price List Query API". The API answers in us-east-1, eu-central-1 and
ap-south-1 for all Regions, and is free. The local AWS has no Price List and refuses the call.
"""

import json
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.pricing import prices
from helpers.pricing.price_file import put, rendered
from helpers.pricing.prices import PRICES_PATH, REGION, Price, PriceUnknown, Tier, read_price
from helpers.progress import progress

# What usage types begin with in each Region; in us-east-1 most begin with nothing. Amazon S3 user guide,
# "Understanding your AWS billing and usage reports for Amazon S3".
USAGE_TYPE_PREFIXES = {
    "us-east-1": ("USE1-", ""),
    "us-east-2": ("USE2-",),
    "us-west-1": ("USW1-",),
    "us-west-2": ("USW2-",),
    "ca-central-1": ("CAN1-",),
    "eu-west-1": ("EU-", "EUW1-"),
    "eu-west-2": ("EUW2-",),
    "eu-west-3": ("EUW3-",),
    "eu-central-1": ("EUC1-",),
    "eu-north-1": ("EUN1-",),
    "ap-south-1": ("APS3-",),
    "ap-southeast-1": ("APS1-",),
    "ap-southeast-2": ("APS2-",),
    "ap-northeast-1": ("APN1-",),
    "ap-northeast-2": ("APN2-",),
    "ap-northeast-3": ("APN3-",),
    "sa-east-1": ("SAE1-",),
}
# AWS KMS writes the Region out instead, as in us-east-1-KMS-Keys.
SERVICES_WITH_REGION_NAMES = ("awskms",)
# Products of data transfer name the Region that they leave.
REGION_ATTRIBUTES = {"AWSDataTransfer": "fromRegionCode"}


class NotInPriceList(LookupError):
    """The Price List has no answer, or more than one, to the question for a price."""


@dataclass(frozen=True)
class PriceChange:
    """A price as the Price List has it, and as data/prices.json has it: None when it has none there."""

    old: Price | None
    new: Price


@dataclass(frozen=True)
class Refresh:
    """What the Price List said: prices that differ, and why some could not be compared."""

    changes: tuple[PriceChange, ...]
    unanswered: dict[str, str]
    unchanged: int

    @property
    def table(self) -> pd.DataFrame:
        """One row a changed price, by name, with columns unit, old and new (USD, tiers in words)."""
        rows = [
            {
                "name": change.new.name,
                "unit": change.new.unit,
                "old": _in_words(change.old.tiers) if change.old else "",
                "new": _in_words(change.new.tiers),
            }
            for change in self.changes
        ]
        return pd.DataFrame(rows, columns=["name", "unit", "old", "new"]).set_index("name")

    def write(self, path: Path = PRICES_PATH) -> None:
        """Put the changes into the file, with today's date, and calculate with them from now on."""
        document = json.loads(path.read_text())
        for change in self.changes:
            put(document["prices"], change.new)
        path.write_text(rendered(document))
        prices.forget()


def refresh(pricing_client: Any, names: list[str] | None = None, region: str = REGION) -> Refresh:
    """Ask the Price List for these prices (all that it has) in that Region; nothing is written.

    `pricing_client` is `ws.client("pricing", region="us-east-1")` on target="aws". A Region without prices
    yet gets those of us-east-1 looked up for it. Look at `table` and `unanswered` before `write()`.

    Raises PriceUnknown for a name that the Price List cannot answer for, and ValueError for a Region whose
    usage types are not known here.
    """
    if region not in USAGE_TYPE_PREFIXES:
        known = ", ".join(USAGE_TYPE_PREFIXES)
        raise ValueError(f"How usage types begin in {region} is not known: add it, or take one of {known}.")
    entries = _entries(names)
    known_prices = {entry["name"]: read_price(entry) for entry in _prices_of(region)}
    today = date.today().isoformat()
    changes: list[PriceChange] = []
    unanswered: dict[str, str] = {}
    for entry in progress(entries, "Price List"):
        name = entry["name"]
        try:
            tiers = _listed_tiers(pricing_client, entry["price_list"], region)
        except NotInPriceList as reason:
            unanswered[name] = str(reason)
            continue
        old = known_prices.get(name)
        if old is None or old.tiers != tiers:
            new = Price(name, entry["unit"], region, tiers, entry["source"], today)
            changes.append(PriceChange(old, new))
    return Refresh(tuple(changes), unanswered, len(entries) - len(changes) - len(unanswered))


def _prices_of(region: str) -> list[dict[str, Any]]:
    return [entry for entry in prices.document()["prices"] if entry["region"] == region]


def _entries(names: list[str] | None) -> list[dict[str, Any]]:
    """The entries that say how to find their price in the Price List: those of us-east-1."""
    entries = {entry["name"]: entry for entry in _prices_of(REGION) if "price_list" in entry}
    if names is None:
        return list(entries.values())
    missing = [name for name in names if name not in entries]
    if missing:
        raise PriceUnknown(
            f"The Price List cannot be asked for {', '.join(missing)}. It can for: {', '.join(entries)}."
        )
    return [entries[name] for name in names]


def _listed_tiers(pricing_client: Any, query: dict[str, Any], region: str) -> tuple[Tier, ...]:
    """The tiers of the product that the query means. Raises NotInPriceList."""
    usage_types = _usage_types(query, region)
    for usage_type in usage_types:
        products = _products(pricing_client, query, usage_type, region)
        found = {tiers for product in products if (tiers := _tiers(product))}
        if len(found) > 1:
            raise NotInPriceList(
                f"{query['service']} has {len(products)} products of usage type {usage_type} with different "
                "prices: add an attribute that tells them apart."
            )
        if found:
            return found.pop()
    raise NotInPriceList(
        f"{query['service']} has no product of usage type {' or '.join(usage_types)} in {region} "
        f"with {query['attributes']}."
    )


def _usage_types(query: dict[str, Any], region: str) -> list[str]:
    """What to look for in that Region, in that order."""
    prefixes = USAGE_TYPE_PREFIXES[region]
    if query["service"] in SERVICES_WITH_REGION_NAMES:
        prefixes = (f"{region}-",)
    return [prefix + usage_type for usage_type in query["usage_types"] for prefix in prefixes]


def _products(
    pricing_client: Any, query: dict[str, Any], usage_type: str, region: str
) -> list[dict[str, Any]]:
    region_attribute = REGION_ATTRIBUTES.get(query["service"], "regionCode")
    attributes = {region_attribute: region, "usagetype": usage_type, **query["attributes"]}
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in attributes.items()]
    pages = pricing_client.get_paginator("get_products").paginate(
        ServiceCode=query["service"], Filters=filters, FormatVersion="aws_v1"
    )
    # Each product is a JSON document in a string.
    return [json.loads(product) for page in pages for product in page["PriceList"]]


def _tiers(product: dict[str, Any]) -> tuple[Tier, ...]:
    """The on-demand price, without the free units that some products begin with: we keep those apart.

    Empty when the product is not sold on demand. Raises NotInPriceList when its ranges are no tiers.
    """
    dimensions = [
        dimension
        for term in product["terms"].get("OnDemand", {}).values()
        for dimension in term["priceDimensions"].values()
    ]
    ranges = sorted(
        (float(dimension["beginRange"]), _end(dimension["endRange"]), float(dimension["pricePerUnit"]["USD"]))
        for dimension in dimensions
    )
    begins, ends = [begin for begin, _, _ in ranges], [end for _, end, _ in ranges]
    if ranges and [*begins, math.inf] != [0, *ends]:
        raise NotInPriceList(f"The ranges of product {product['product']['sku']} do not join up: {ranges}.")
    if len(ranges) > 1 and ranges[0][2] == 0:
        ranges.pop(0)
    return tuple(Tier(end, usd) for _, end, usd in ranges)


def _end(text: str) -> float:
    return math.inf if text == "Inf" else float(text)


def _in_words(tiers: tuple[Tier, ...]) -> str:
    parts = [
        _decimal(tier.usd) + ("" if math.isinf(tier.up_to) else f" up to {tier.up_to:,.0f}") for tier in tiers
    ]
    return ", then ".join(parts)


def _decimal(usd: float) -> str:
    return f"{usd:.12f}".rstrip("0").rstrip(".")
