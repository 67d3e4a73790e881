"""How data/prices.json is written, so that a changed price is a changed line."""

import json
import math
from decimal import Decimal
from typing import Any

from helpers.pricing.prices import Price, Tier

INDENT = "  "


def rendered(document: dict[str, Any]) -> str:
    """The text of data/prices.json: entries on several lines, what is inside an entry on one."""
    sections = (f"{INDENT}{_text(name)}: {_section(value)}" for name, value in document.items())
    return "{\n" + ",\n".join(sections) + "\n}\n"


def put(entries: list[dict[str, Any]], price: Price) -> None:
    """Change the entry of that price and Region, or add one behind the last of that name."""
    places = [index for index, entry in enumerate(entries) if entry["name"] == price.name]
    here = [index for index in places if entries[index]["region"] == price.region]
    if here:
        entry = entries[here[0]]
    else:
        model = {key: value for key, value in entries[places[-1]].items() if key != "price_list"}
        entry = {**model, "region": price.region}
        entries.insert(places[-1] + 1, entry)
    _set_tiers(entry, price.tiers)
    entry["date"] = price.date


def _set_tiers(entry: dict[str, Any], tiers: tuple[Tier, ...]) -> None:
    """`usd` of a flat price or `tiers`, in the place where the entry had its price."""
    fields = dict(entry)
    entry.clear()
    for key, value in fields.items():
        if key not in ("usd", "tiers"):
            entry[key] = value
        elif len(tiers) == 1:
            entry["usd"] = tiers[0].usd
        else:
            entry["tiers"] = [{"up_to": _whole(tier.up_to), "usd": tier.usd} for tier in tiers]


def _whole(limit: float) -> float | int | None:
    if math.isinf(limit):
        return None
    return int(limit) if limit.is_integer() else limit


def _section(value: Any) -> str:
    if not isinstance(value, list):
        return _text(value)
    return "[\n" + ",\n".join(_entry(entry) for entry in value) + f"\n{INDENT}]"


def _entry(entry: dict[str, Any]) -> str:
    fields = (f"{INDENT * 3}{_text(name)}: {_field(value)}" for name, value in entry.items())
    return f"{INDENT * 2}{{\n" + ",\n".join(fields) + f"\n{INDENT * 2}}}"


def _field(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        lines = (f"{INDENT * 4}{_text(element)}" for element in value)
        return "[\n" + ",\n".join(lines) + f"\n{INDENT * 3}]"
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        members = (f"{_text(name)}: {_text(member)}" for name, member in value.items())
        return f"{{ {', '.join(members)} }}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_text(element) for element in value)}]"
    if isinstance(value, float):
        # JSON's own 2e-07 is hard to compare with the 0.0000002 of a pricing page.
        return format(Decimal(repr(value)), "f")
    return json.dumps(value, ensure_ascii=False)
