"""Costs against the worked examples of AWS's pricing pages and against arithmetic written out by hand."""

import json
import math
from datetime import date

import pandas as pd
import pytest

from helpers import pricing

MILLION = 1_000_000
BILLION = 1_000_000_000
HOUR_S = 3600


def test_lambda_mobile_backend_example() -> None:
    """AWS Lambda pricing page, "Mobile application backend": 3 million x 120 ms at 1,536 MB, 2.73 USD."""
    cost = pricing.lambda_cost(3 * MILLION, 120, 1536, free_tier=True)
    compute, requests = 140_000 * 0.0000166667, 2 * MILLION * 0.0000002
    assert cost.usd == pytest.approx(compute + requests)
    assert round(cost.usd, 2) == 2.73


def test_provisioned_concurrency_example() -> None:
    """AWS Lambda pricing page, provisioned concurrency: 1,000 x 1,024 MB for 2 hours, 1.2 million x 1 s."""
    cost = pricing.provisioned_concurrency_cost(1000, 2 * HOUR_S, 1.2 * MILLION, 1000, 1024)
    by_item = {line.item: line.usd for line in cost.lines}
    assert by_item["lambda.provisioned.capacity.x86_64"] == pytest.approx(7_200_000 * 0.0000041667)
    assert by_item["lambda.provisioned.duration.x86_64"] == pytest.approx(1_200_000 * 0.0000097222)
    assert by_item["lambda.requests"] == pytest.approx(0.24)
    assert round(cost.usd, 2) == 41.91


def test_provisioned_time_is_rounded_up_to_five_minutes() -> None:
    six_minutes = pricing.provisioned_concurrency_cost(1, 360, 0, 0, 1024)
    ten_minutes = pricing.provisioned_concurrency_cost(1, 600, 0, 0, 1024)
    assert six_minutes == ten_minutes
    assert six_minutes.usd == pytest.approx(600 * 0.0000041667)


@pytest.mark.parametrize(
    ("architecture", "first_tier", "second_tier", "usd"),
    [
        ("x86_64", 6, 9, 6e9 * 0.0000166667 + 9e9 * 0.000015 + 1e9 * 0.0000133334),
        ("arm64", 7.5, 11.25, 7.5e9 * 0.0000133334 + 11.25e9 * 0.0000120001 + 1e9 * 0.0000106667),
    ],
)
def test_duration_tiers(
    architecture: pricing.Architecture, first_tier: float, second_tier: float, usd: float
) -> None:
    """AWS Compute Blog, "Introducing tiered pricing for AWS Lambda": 10 % off, then 20 %."""
    price = pricing.price(f"lambda.duration.{architecture}")
    gb_seconds = (first_tier + second_tier + 1) * BILLION
    assert price.of(gb_seconds) == pytest.approx(usd)
    # The published prices are rounded to ten decimals.
    assert [round(tier.usd / price.usd, 4) for tier in price.tiers] == [1, 0.9, 0.8]


def test_billed_milliseconds_are_whole() -> None:
    """Lambda developer guide, "Understanding Lambda billing": duration is rounded up to the nearest 1 ms."""
    assert pricing.invocation_usd(1.01, 1024) == pricing.invocation_usd(2, 1024)
    assert pricing.invocation_usd(1, 1024) == pytest.approx(0.0000166667 / 1000)


def test_published_power_tuning_costs() -> None:
    """aws-lambda-power-tuning's README under the old billing in steps of 100 ms, to the last digit."""
    published = pd.read_csv(pricing.PRICES_PATH.parent / "power_tuning_published.csv")
    for row in published.itertuples():
        steps = math.ceil(row.duration_ms / 100)
        assert steps * 2.08e-7 * row.memory_mb / 128 == pytest.approx(row.cost_usd, rel=1e-12)


def test_provisioned_concurrency_breaks_even_at_60_percent_and_saves_16() -> None:
    """The post: cheaper above 60 % of the available time, up to 16 % saved when fully used."""
    for architecture in ("x86_64", "arm64"):
        assert pricing.provisioned_break_even(architecture) == pytest.approx(0.60, abs=0.005)
        assert math.floor(pricing.provisioned_saving(1, architecture) * 100) == 16
        break_even = pricing.provisioned_break_even(architecture)
        assert pricing.provisioned_saving(break_even, architecture) == pytest.approx(0, abs=1e-9)
        assert pricing.provisioned_saving(break_even - 0.05, architecture) < 0


def test_saving_agrees_with_the_two_bills() -> None:
    # One environment of 1 GB, one hour, busy 90 % of the time with invocations of 100 ms.
    requests = 0.9 * HOUR_S * 10
    on_demand = pricing.lambda_cost(requests, 100, 1024)
    provisioned = pricing.provisioned_concurrency_cost(1, HOUR_S, requests, 100, 1024)
    request_usd = requests * 0.0000002
    saving = 1 - (provisioned.usd - request_usd) / (on_demand.usd - request_usd)
    assert saving == pytest.approx(pricing.provisioned_saving(0.9))


@pytest.mark.parametrize("utilization", [0, -0.1, 1.01])
def test_utilization_is_a_share(utilization: float) -> None:
    with pytest.raises(ValueError, match="Utilization is a share"):
        pricing.provisioned_saving(utilization)


def test_graviton_costs_a_fifth_less_for_the_same_duration() -> None:
    x86, arm = (pricing.invocation_usd(100, 1769, name) for name in ("x86_64", "arm64"))
    assert arm / x86 == pytest.approx(0.8, abs=1e-4)


def test_logs_example() -> None:
    """CloudWatch pricing page, "Monitoring with Logs": 30 GB ingested, 6 GB after compression, 12.53 USD."""
    cost = pricing.logs_cost(ingested_gb=30, stored_gb_months=6, free_tier=True)
    assert cost.usd == pytest.approx(25 * 0.50 + 1 * 0.03)
    assert pricing.logs_cost(0, scanned_gb=200).usd == pytest.approx(1.0)


def test_express_workflow_example() -> None:
    """Step Functions pricing page: 100 million executions of 10 s at 64 MB, 482.97 USD."""
    cost = pricing.express_workflow_cost(100 * MILLION, 10_000, 64)
    assert cost.usd == pytest.approx(100 + 60 + 120 + 12_361.11 * 0.01642, abs=0.01)
    assert pricing.express_workflow_cost(1, 101, 65) == pricing.express_workflow_cost(1, 200, 128)


def test_standard_workflow_transitions_after_the_free_ones() -> None:
    assert pricing.standard_workflow_cost(5000, free_tier=True).usd == pytest.approx(1000 * 0.000025)
    assert pricing.standard_workflow_cost(5000).usd == pytest.approx(0.125)


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


def test_negative_quantities_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more, not -1"):
        pricing.lambda_cost(-1, 100, 128)


def test_every_price_has_its_source() -> None:
    document = json.loads(pricing.PRICES_PATH.read_text())
    for entry in document["prices"] + document["free_tier"] + document["discounts"]:
        assert entry["source"].startswith("https://aws.amazon.com/"), entry
        assert date.fromisoformat(entry["date"]), entry
    for entry in document["prices"]:
        assert entry["unit"] and entry["region"], entry
        limits = [tier["up_to"] for tier in entry.get("tiers", [])]
        assert limits[:-1] == sorted(limits[:-1]), entry
        assert not limits or limits[-1] is None, entry


def test_savings_plan_discount() -> None:
    """The post: Lambda duration and provisioned concurrency at up to 17 % less."""
    assert pricing.savings_plan_discount() == 0.17
