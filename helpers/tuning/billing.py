"""How the duration of an invocation becomes money."""

import math
from dataclasses import dataclass

from helpers import pricing

MB_OF_PRICE = 128


@dataclass(frozen=True)
class Billing:
    """A billing rule of AWS Lambda: a duration is rounded up to steps of `step_ms`.

    `step_usd` is the price of one step at 128 MB; a larger size costs in proportion, as in AWS Lambda Power
    Tuning. Until December 2020 a step was 100 ms (AWS News Blog, "New for AWS Lambda – 1ms Billing
    Granularity Adds Cost Savings").
    """

    step_ms: int
    step_usd: float

    @classmethod
    def today(cls, architecture: pricing.Architecture = "x86_64", region: str = pricing.REGION) -> "Billing":
        """Steps of 1 ms at the public price of the first tier. Raises pricing.PriceUnknown."""
        return cls(1, pricing.invocation_usd(1, MB_OF_PRICE, architecture, region))

    def usd(self, billed_ms: float, memory_mb: int) -> float:
        """The duration price of one invocation, without the price of the request."""
        # Whole numbers first, so that sizes whose price is the same tie exactly.
        return math.ceil(billed_ms / self.step_ms) * memory_mb * self.step_usd / MB_OF_PRICE
