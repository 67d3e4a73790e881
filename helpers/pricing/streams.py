"""Amazon Kinesis Data Streams. Source of the rules: the Amazon Kinesis Data Streams pricing page."""

from helpers.pricing.costs import KB_PER_GB, Cost, chunks, line
from helpers.pricing.prices import REGION, not_negative

PAYLOAD_UNIT_KB = 25
ON_DEMAND_STEP_KB = 1


def kinesis_provisioned_cost(
    shards: float, hours: float, records: float, record_kb: float = 1, region: str = REGION
) -> Cost:
    """Shards for some hours, and the records put: one payload unit for every begun 25 KB of a record."""
    return Cost(
        (
            line("kinesis.shard_hours", shards * not_negative("The number of hours", hours), region),
            line("kinesis.put_payload_units", records * chunks(record_kb, PAYLOAD_UNIT_KB), region),
        )
    )


def kinesis_on_demand_cost(
    streams: float,
    hours: float,
    records: float,
    record_kb: float = 1,
    retrieved_gb: float = 0,
    region: str = REGION,
) -> Cost:
    """On-demand streams for some hours; what is put counts in whole KB a record, what is read in GB."""
    ingested_gb = records * chunks(record_kb, ON_DEMAND_STEP_KB) * ON_DEMAND_STEP_KB / KB_PER_GB
    return Cost(
        (
            line(
                "kinesis.on_demand.stream_hours", streams * not_negative("The number of hours", hours), region
            ),
            line("kinesis.on_demand.ingestion", ingested_gb, region),
            line("kinesis.on_demand.retrieval", retrieved_gb, region),
        )
    )
