"""Lambda's costs against the examples of its pricing page and against arithmetic written out by hand."""

import math

import pandas as pd
import pytest

from helpers import pricing, report_line

MILLION = 1_000_000
BILLION = 1_000_000_000
HOUR_S = 3600


def test_lambda_mobile_backend_example() -> None:
    """AWS Lambda pricing page, "Mobile application backend": 3 million x 120 ms at 1,536 MB, 2.73 USD."""
    cost = pricing.lambda_cost(3 * MILLION, 120, 1536, free_tier=True)
    compute, requests = 140_000 * 0.0000166667, 2 * MILLION * 0.0000002
    assert cost.usd == pytest.approx(compute + requests)
    assert round(cost.usd, 2) == 2.73


def test_lambda_telemetry_example() -> None:
    """AWS Lambda pricing page, "Enriching streaming telemetry": 7.44 million x 2 s at 1 GB, 249.49 USD."""
    cost = pricing.lambda_cost(10_000 * 24 * 31, 2000, 1024)
    assert round(cost.usd, 2) == 249.49


def test_lambda_ephemeral_storage_example() -> None:
    """AWS Lambda pricing page, "Performing ML on customer support tickets": 106.41 USD with 2 GB of /tmp."""
    cost = pricing.lambda_cost(6 * MILLION, 280, 4096, free_tier=True, ephemeral_storage_mb=2048)
    by_item = {line.item: line for line in cost.lines}
    assert by_item["lambda.ephemeral_storage"].quantity == pytest.approx(2_520_000)
    assert round(by_item["lambda.ephemeral_storage"].usd, 2) == 0.08
    assert round(cost.usd, 2) == 106.41


def test_the_first_512_mb_of_ephemeral_storage_are_included() -> None:
    cost = pricing.lambda_cost(MILLION, 100, 1024, ephemeral_storage_mb=512)
    assert cost == pricing.lambda_cost(MILLION, 100, 1024)


def test_provisioned_concurrency_launch_example() -> None:
    """AWS Lambda pricing page, "Mobile application launch": 19.96 USD.

    The page takes the free million of requests off all three million; our provisioned requests have no free
    tier, so the on-demand part takes it: the sum is the same.
    """
    provisioned = pricing.provisioned_concurrency_cost(100, 8 * HOUR_S, 0.5 * MILLION, 100, 1536)
    on_demand = pricing.lambda_cost(2.5 * MILLION, 120, 1536, free_tier=True)
    assert round((provisioned + on_demand).usd, 2) == 19.96


def test_provisioned_concurrency_cyber_monday_example() -> None:
    """AWS Lambda pricing page, "Routing customers ... during Cyber Monday": 32.26 USD."""
    cost = pricing.provisioned_concurrency_cost(7, 24 * HOUR_S, 2 * MILLION, 280, 4096)
    assert round(cost.usd, 2) == 32.26


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


def test_init_is_billed_as_duration() -> None:
    """AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase": its REPORT line since August 2025.

    The same line of before had a Billed Duration of 251 ms, that of the handler alone.
    """
    report = report_line.parse(
        "REPORT RequestId: xxxxx\tDuration: 250.06 ms\tBilled Duration: 351 ms\tMemory Size: 1024 MB\t"
        "Max Memory Used: 350 MB\tInit Duration: 100.77 ms\t"
    )
    assert report.billed_duration_ms == math.ceil(report.total_duration_ms) == 351
    cold = pricing.lambda_cost(MILLION, report.billed_duration_ms, report.memory_size_mb)
    warm = pricing.lambda_cost(MILLION, math.ceil(report.duration_ms), report.memory_size_mb)
    assert cold.usd - warm.usd == pytest.approx(100_000 * 0.0000166667)


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


def test_savings_plan_discount() -> None:
    """The post: Lambda duration and provisioned concurrency at up to 17 % less."""
    assert pricing.savings_plan_discount() == 0.17
