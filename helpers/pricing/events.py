"""Amazon EventBridge. Every begun 64 KB of a payload count as one event, request or invocation.

Events that AWS services publish are free, unless they go to another account. A transfer between Regions is
charged besides, see `data_transfer_cost`. Source of the rules: the Amazon EventBridge pricing page.
"""

from helpers.pricing.costs import KB_PER_GB, Cost, chunks, line
from helpers.pricing.prices import REGION, free_quantity

CHUNK_KB = 64


def event_bus_cost(
    custom_events: float,
    event_kb: float = 1,
    cross_account_events: float = 0,
    cross_account_aws_events: float = 0,
    region: str = REGION,
) -> Cost:
    """Events that applications and partners put on a bus, and deliveries to other accounts.

    `cross_account_events` are those of them that are delivered to another account, `cross_account_aws_events`
    the events of AWS services that are.
    """
    billed = chunks(event_kb, CHUNK_KB)
    return Cost(
        (
            line("eventbridge.custom_events", custom_events * billed, region),
            line("eventbridge.cross_account", cross_account_events * billed, region),
            line("eventbridge.cross_account_aws_events", cross_account_aws_events * billed, region),
        )
    )


def event_archive_cost(
    archived_events: float,
    event_kb: float,
    stored_months: float = 1,
    replayed_events: float = 0,
    region: str = REGION,
) -> Cost:
    """Events taken into an archive, kept there for `stored_months`, and replayed as custom events."""
    archived_gb = archived_events * event_kb / KB_PER_GB
    return Cost(
        (
            line("eventbridge.archive.processing", archived_gb, region),
            line("eventbridge.archive.storage", archived_gb * stored_months, region),
            line("eventbridge.custom_events", replayed_events * chunks(event_kb, CHUNK_KB), region),
        )
    )


def pipes_cost(requests: float, request_kb: float = 1, region: str = REGION) -> Cost:
    """Requests of a pipe after its filter; a batch of records is one request."""
    return Cost((line("eventbridge.pipes", requests * chunks(request_kb, CHUNK_KB), region),))


def scheduler_cost(invocations: float, free_tier: bool = False, region: str = REGION) -> Cost:
    """Invocations by EventBridge Scheduler."""
    free = free_quantity("eventbridge.scheduler", free_tier)
    return Cost((line("eventbridge.scheduler", invocations, region, free),))


def api_destination_cost(invocations: float, event_kb: float = 1, region: str = REGION) -> Cost:
    """Events that a bus sends to an HTTP endpoint."""
    return Cost((line("eventbridge.api_destinations", invocations * chunks(event_kb, CHUNK_KB), region),))
