"""Data that leaves a Region or an Availability Zone.

Source of the rules: section "Data Transfer" of the Amazon EC2 on-demand pricing page. Data that comes in
from the internet is free.
"""

from helpers.pricing.costs import Cost, line
from helpers.pricing.prices import REGION, free_quantity


def data_transfer_cost(
    internet_gb: float = 0,
    other_region_gb: float = 0,
    other_zone_gb: float = 0,
    free_tier: bool = False,
    region: str = REGION,
) -> Cost:
    """What all services of a Region send in a month: to the internet, to other Regions, to other zones.

    Between zones both sides pay: count what is sent and what is received. From us-east-1 to us-east-2 half
    the price of `other_region_gb` holds.
    """
    internet = "data_transfer.internet"
    return Cost(
        (
            line(internet, internet_gb, region, free_quantity(internet, free_tier)),
            line("data_transfer.other_region", other_region_gb, region),
            line("data_transfer.other_zone", other_zone_gb, region),
        )
    )
