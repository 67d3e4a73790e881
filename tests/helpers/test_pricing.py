"""Prices, costs and the file that they stand in."""

import json
from datetime import date

import pytest

from helpers import pricing
from helpers.pricing.price_file import rendered

MILLION = 1_000_000


def test_costs_add_up_and_show_their_lines() -> None:
    cost = pricing.lambda_cost(MILLION, 100, 128) + pricing.logs_cost(1)
    breakdown = cost.breakdown()
    assert breakdown.loc["total", "usd"] == pytest.approx(cost.usd)
    assert breakdown.drop("total")["usd"].sum() == pytest.approx(cost.usd)
    assert breakdown.loc["lambda.duration.x86_64", "quantity"] == pytest.approx(MILLION * 0.1 / 8)


def test_unknown_prices_say_what_there_is() -> None:
    with pytest.raises(pricing.PriceUnknown, match="has a price in us-east-1, not in eu-north-7"):
        pricing.price("lambda.requests", "eu-north-7")
    with pytest.raises(pricing.PriceUnknown, match=r"no price named lambda\.dreams.*lambda\.requests"):
        pricing.price("lambda.dreams")


def test_every_price_has_its_source() -> None:
    document = json.loads(pricing.PRICES_PATH.read_text())
    for entry in document["prices"] + document["free_tier"] + document["discounts"]:
        assert entry["source"].startswith("https://aws.amazon.com/"), entry
        assert date.fromisoformat(entry["date"]), entry
    for entry in document["prices"] + document["free_tier"]:
        assert entry["unit"], entry
    for entry in document["prices"]:
        assert entry["region"], entry
        limits = [tier["up_to"] for tier in entry.get("tiers", [])]
        assert limits[:-1] == sorted(limits[:-1]), entry
        assert not limits or limits[-1] is None, entry


def test_free_quantities_count_in_the_unit_of_their_price() -> None:
    document = json.loads(pricing.PRICES_PATH.read_text())
    units = {entry["name"]: entry["unit"] for entry in document["prices"]}
    # Free for several prices together, with one and the same unit.
    units |= {"lambda.duration": "GB-second", "sqs.requests": "64 KB request"}
    assert all(entry["unit"] == units[entry["name"]] for entry in document["free_tier"])


def test_the_file_is_written_as_it_stands() -> None:
    """Else a refresh of one price would change lines of others."""
    text = pricing.PRICES_PATH.read_text()
    assert rendered(json.loads(text)) == text


def test_a_price_is_entered_once() -> None:
    document = json.loads(pricing.PRICES_PATH.read_text())
    for section in ("prices", "free_tier", "discounts"):
        keys = [(entry["name"], entry.get("region")) for entry in document[section]]
        assert len(keys) == len(set(keys)), section


def test_volume_makes_no_unit_dearer() -> None:
    document = json.loads(pricing.PRICES_PATH.read_text())
    tiered = [entry["name"] for entry in document["prices"] if "tiers" in entry]
    assert "api_gateway.rest.requests" in tiered
    for name in tiered:
        usd = [tier.usd for tier in pricing.price(name).tiers]
        assert usd == sorted(usd, reverse=True), name
