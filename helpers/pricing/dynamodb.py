"""Amazon DynamoDB tables of the standard class in on-demand mode.

Source of the rules: the page "Pricing for On-Demand Capacity" of Amazon DynamoDB.
"""

from typing import Literal

from helpers.pricing.costs import Cost, chosen, chunks, line
from helpers.pricing.prices import REGION, free_quantity, not_negative

READ_CHUNK_KB = 4
WRITE_CHUNK_KB = 1

Consistency = Literal["eventual", "strong", "transactional"]
_UNITS_PER_READ: dict[Consistency, float] = {"eventual": 0.5, "strong": 1, "transactional": 2}


def read_request_units(reads: float, item_kb: float = 1, consistency: Consistency = "eventual") -> float:
    """What reads of items of that size consume.

    One unit for every begun 4 KB of a strongly consistent read, half of it for an eventually consistent
    one, twice for a transactional one. A query counts as one read of the size of all items that it went
    through. Raises ValueError for another consistency.
    """
    units = chosen(_UNITS_PER_READ, "Consistency", consistency)
    return not_negative("The number of reads", reads) * chunks(item_kb, READ_CHUNK_KB) * units


def write_request_units(writes: float, item_kb: float = 1, transactional: bool = False) -> float:
    """What writes of items of that size consume: one unit for every begun KB, two in a transaction."""
    units = 2 if transactional else 1
    return not_negative("The number of writes", writes) * chunks(item_kb, WRITE_CHUNK_KB) * units


def dynamodb_cost(
    read_units: float = 0,
    write_units: float = 0,
    stored_gb_months: float = 0,
    stream_reads: float = 0,
    free_tier: bool = False,
    region: str = REGION,
) -> Cost:
    """Request units, storage and GetRecords calls to DynamoDB Streams, of which Lambda's own are free."""
    storage, streams = "dynamodb.storage", "dynamodb.stream_reads"
    return Cost(
        (
            line("dynamodb.read_request_units", read_units, region),
            line("dynamodb.write_request_units", write_units, region),
            line(storage, stored_gb_months, region, free_quantity(storage, free_tier)),
            line(streams, stream_reads, region, free_quantity(streams, free_tier)),
        )
    )
