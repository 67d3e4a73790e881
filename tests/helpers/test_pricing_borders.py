"""Tiers and free quantities at their borders: nothing, exactly the border, and one unit beyond it."""

from collections.abc import Callable

import pytest

from helpers import pricing

MILLION = 1_000_000
BILLION = 1_000_000_000

# A single unit is a small difference of large sums.
CLOSE = 1e-3


@pytest.mark.parametrize(
    ("name", "border", "usd_below", "usd_beyond"),
    [
        ("lambda.duration.x86_64", 6 * BILLION, 0.0000166667, 0.000015),
        ("lambda.duration.x86_64", 15 * BILLION, 0.000015, 0.0000133334),
        ("lambda.duration.arm64", 7.5 * BILLION, 0.0000133334, 0.0000120001),
        ("lambda.duration.arm64", 18.75 * BILLION, 0.0000120001, 0.0000106667),
        ("step_functions.express.duration", 1_000, 0.06, 0.03),
        ("step_functions.express.duration", 5_000, 0.03, 0.01642),
        ("api_gateway.http.requests", 300 * MILLION, 1.00 / MILLION, 0.90 / MILLION),
        ("api_gateway.rest.requests", 333 * MILLION, 3.50 / MILLION, 2.80 / MILLION),
        ("api_gateway.rest.requests", 1 * BILLION, 2.80 / MILLION, 2.38 / MILLION),
        ("api_gateway.rest.requests", 20 * BILLION, 2.38 / MILLION, 1.51 / MILLION),
        ("api_gateway.websocket.messages", 1 * BILLION, 1.00 / MILLION, 0.80 / MILLION),
        ("sqs.standard.requests", 100 * BILLION, 0.40 / MILLION, 0.30 / MILLION),
        ("sqs.standard.requests", 200 * BILLION, 0.30 / MILLION, 0.24 / MILLION),
        ("sqs.fifo.requests", 100 * BILLION, 0.50 / MILLION, 0.40 / MILLION),
        ("sqs.fifo.requests", 200 * BILLION, 0.40 / MILLION, 0.35 / MILLION),
        ("s3.storage.STANDARD", 50 * 1024, 0.023, 0.022),
        ("s3.storage.STANDARD", 500 * 1024, 0.022, 0.021),
        ("logs.vended_ingestion", 10 * 1024, 0.50, 0.25),
        ("logs.vended_ingestion", 30 * 1024, 0.25, 0.10),
        ("logs.vended_ingestion", 50 * 1024, 0.10, 0.05),
        ("logs.infrequent_access.vended_ingestion", 10 * 1024, 0.25, 0.15),
        ("logs.infrequent_access.vended_ingestion", 30 * 1024, 0.15, 0.075),
        ("logs.infrequent_access.vended_ingestion", 50 * 1024, 0.075, 0.05),
        ("cloudwatch.metrics", 10_000, 0.30, 0.10),
        ("cloudwatch.metrics", 250_000, 0.10, 0.05),
        ("cloudwatch.metrics", 1_000_000, 0.05, 0.02),
        ("data_transfer.internet", 10 * 1024, 0.09, 0.085),
        ("data_transfer.internet", 50 * 1024, 0.085, 0.07),
        ("data_transfer.internet", 150 * 1024, 0.07, 0.05),
    ],
)
def test_a_unit_beyond_the_border_has_the_price_of_the_next_tier(
    name: str, border: float, usd_below: float, usd_beyond: float
) -> None:
    """The tables of the pricing pages, with TB of 1,024 GB."""
    price = pricing.price(name)
    assert border in [tier.up_to for tier in price.tiers]
    assert price.of(border) - price.of(border - 1) == pytest.approx(usd_below, rel=CLOSE)
    assert price.of(border + 1) - price.of(border) == pytest.approx(usd_beyond, rel=CLOSE)


@pytest.mark.parametrize("name", ["lambda.requests", "lambda.duration.x86_64", "data_transfer.internet"])
def test_nothing_costs_nothing(name: str) -> None:
    assert pricing.price(name).of(0) == 0


def gb_seconds(quantity: float, architecture: pricing.Architecture) -> pricing.Cost:
    return pricing.lambda_cost(quantity, 1000, 1024, architecture, free_tier=True)


@pytest.mark.parametrize(
    ("cost_of", "item", "free", "usd"),
    [
        (lambda n: pricing.lambda_cost(n, 1, 128, free_tier=True), "lambda.requests", MILLION, 0.2 / MILLION),
        (lambda n: gb_seconds(n, "x86_64"), "lambda.duration.x86_64", 400_000, 0.0000166667),
        (lambda n: gb_seconds(n, "arm64"), "lambda.duration.arm64", 400_000, 0.0000133334),
        (
            lambda n: pricing.standard_workflow_cost(n, free_tier=True),
            "step_functions.standard.transitions",
            4_000,
            0.000025,
        ),
        (lambda n: pricing.logs_cost(n, free_tier=True), "logs.ingestion", 5, 0.50),
        (lambda n: pricing.logs_cost(n, free_tier=True, vended=True), "logs.vended_ingestion", 5, 0.50),
        (lambda n: pricing.logs_cost(0, n, free_tier=True), "logs.storage", 5, 0.03),
        (lambda n: pricing.metrics_cost(n, free_tier=True), "cloudwatch.metrics", 10, 0.30),
        (lambda n: pricing.metrics_cost(0, n, free_tier=True), "cloudwatch.alarms", 10, 0.10),
        (
            lambda n: pricing.scheduler_cost(n, free_tier=True),
            "eventbridge.scheduler",
            14 * MILLION,
            1 / MILLION,
        ),
        (lambda n: pricing.sqs_cost(n, free_tier=True), "sqs.standard.requests", MILLION, 0.4 / MILLION),
        (
            lambda n: pricing.sqs_cost(n, fifo=True, free_tier=True),
            "sqs.fifo.requests",
            MILLION,
            0.5 / MILLION,
        ),
        (lambda n: pricing.sns_cost(n, free_tier=True), "sns.requests", MILLION, 0.5 / MILLION),
        (
            lambda n: pricing.sns_cost(0, http_deliveries=n, free_tier=True),
            "sns.http_deliveries",
            100_000,
            0.6 / MILLION,
        ),
        (
            lambda n: pricing.dynamodb_cost(stored_gb_months=n, free_tier=True),
            "dynamodb.storage",
            25,
            0.25,
        ),
        (
            lambda n: pricing.dynamodb_cost(stream_reads=n, free_tier=True),
            "dynamodb.stream_reads",
            2_500_000,
            0.2 / MILLION,
        ),
        (lambda n: pricing.kms_cost(requests=n, free_tier=True), "kms.requests", 20_000, 0.03 / 10_000),
        (
            lambda n: pricing.data_transfer_cost(n, free_tier=True),
            "data_transfer.internet",
            100,
            0.09,
        ),
    ],
)
def test_a_unit_beyond_the_free_ones_is_charged(
    cost_of: Callable[[float], pricing.Cost], item: str, free: float, usd: float
) -> None:
    """The free tiers that the pricing pages call always free."""

    def charged(quantity: float) -> tuple[float, float]:
        (line,) = [line for line in cost_of(quantity).lines if line.item == item]
        return line.free, line.usd

    assert charged(0) == (0, 0)
    assert charged(free) == (free, 0)
    assert charged(free + 1) == (free, pytest.approx(usd, rel=CLOSE))
