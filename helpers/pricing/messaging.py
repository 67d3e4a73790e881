"""Amazon SQS and Amazon SNS. Every begun 64 KB of a payload count as one request.

Source of the rules: the Amazon SQS and Amazon SNS pricing pages.
"""

from helpers.pricing.costs import Cost, chunks, line
from helpers.pricing.prices import REGION, free_quantity

CHUNK_KB = 64


def sqs_cost(
    requests: float,
    payload_kb: float = 1,
    fifo: bool = False,
    free_tier: bool = False,
    region: str = REGION,
) -> Cost:
    """API calls to queues: sending, receiving (also when nothing came), deleting, changing visibility.

    A batch of up to ten messages is one call, `payload_kb` is the size of all that it carries.
    """
    name = "sqs.fifo.requests" if fifo else "sqs.standard.requests"
    free = free_quantity("sqs.requests", free_tier)
    return Cost((line(name, requests * chunks(payload_kb, CHUNK_KB), region, free),))


def sns_cost(
    publishes: float,
    payload_kb: float = 1,
    http_deliveries: float = 0,
    free_tier: bool = False,
    region: str = REGION,
) -> Cost:
    """Messages published to standard topics, and their deliveries over HTTP.

    Deliveries to Amazon SQS and AWS Lambda are free.
    """
    billed = chunks(payload_kb, CHUNK_KB)
    requests, deliveries = "sns.requests", "sns.http_deliveries"
    return Cost(
        (
            line(requests, publishes * billed, region, free_quantity(requests, free_tier)),
            line(deliveries, http_deliveries * billed, region, free_quantity(deliveries, free_tier)),
        )
    )
