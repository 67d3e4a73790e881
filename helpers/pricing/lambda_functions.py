"""AWS Lambda: requests, duration, ephemeral storage, provisioned concurrency.

Source of the rules: the AWS Lambda pricing page.
"""

import math
from typing import Literal

from helpers.pricing.costs import Cost, line
from helpers.pricing.prices import REGION, free_quantity, largest_discount, not_negative, price

MB_PER_GB = 1024
PROVISIONED_STEP_S = 300
INCLUDED_STORAGE_MB = 512

Architecture = Literal["x86_64", "arm64"]


def lambda_cost(
    requests: float,
    billed_ms: float,
    memory_mb: int,
    architecture: Architecture = "x86_64",
    free_tier: bool = False,
    region: str = REGION,
    ephemeral_storage_mb: int = INCLUDED_STORAGE_MB,
) -> Cost:
    """A month of on-demand invocations, `billed_ms` being the mean Billed Duration of one.

    Since 1 August 2025 Billed Duration includes INIT for every function (AWS Compute Blog, "AWS Lambda
    standardizes billing for INIT Phase"). Storage in /tmp is charged beyond 512 MB.
    """
    gb_seconds = requests * _gb_seconds(billed_ms, memory_mb)
    cost = Cost(
        (
            line("lambda.requests", requests, region, free_quantity("lambda.requests", free_tier)),
            line(
                f"lambda.duration.{architecture}",
                gb_seconds,
                region,
                free_quantity("lambda.duration", free_tier),
            ),
        )
    )
    if not_negative("Ephemeral storage in MB", ephemeral_storage_mb) <= INCLUDED_STORAGE_MB:
        return cost
    storage_gb_seconds = requests * _gb_seconds(billed_ms, ephemeral_storage_mb - INCLUDED_STORAGE_MB)
    return cost + Cost((line("lambda.ephemeral_storage", storage_gb_seconds, region),))


def invocation_usd(
    billed_ms: float, memory_mb: int, architecture: Architecture = "x86_64", region: str = REGION
) -> float:
    """The duration price of one invocation in the first tier, without the price of the request.

    The figure that AWS Lambda Power Tuning compares memory sizes by; Billed Duration is in whole ms.
    """
    whole_ms = math.ceil(not_negative("A duration in ms", billed_ms))
    return _gb_seconds(whole_ms, memory_mb) * price(f"lambda.duration.{architecture}", region).usd


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
    configured concurrency are on-demand and belong into `lambda_cost`.
    """
    enabled_steps = math.ceil(not_negative("The time enabled in s", enabled_s) / PROVISIONED_STEP_S)
    capacity_gb_seconds = concurrency * _gb_seconds(enabled_steps * PROVISIONED_STEP_S * 1000, memory_mb)
    duration_gb_seconds = requests * _gb_seconds(billed_ms, memory_mb)
    return Cost(
        (
            line("lambda.requests", requests, region),
            line(f"lambda.provisioned.capacity.{architecture}", capacity_gb_seconds, region),
            line(f"lambda.provisioned.duration.{architecture}", duration_gb_seconds, region),
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
    return largest_discount("compute_savings_plan.lambda.duration")


def _gb_seconds(duration_ms: float, size_mb: float) -> float:
    not_negative("A duration in ms", duration_ms)
    return duration_ms / 1000 * not_negative("A size in MB", size_mb) / MB_PER_GB
