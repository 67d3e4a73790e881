"""Amazon CloudWatch: logs, metrics, alarms. Source of the rules: the Amazon CloudWatch pricing page."""

from typing import Literal

from helpers.pricing.costs import Cost, chosen, line
from helpers.pricing.prices import REGION, free_quantity

LogClass = Literal["STANDARD", "INFREQUENT_ACCESS"]
_PREFIX: dict[LogClass, str] = {"STANDARD": "logs", "INFREQUENT_ACCESS": "logs.infrequent_access"}


def logs_cost(
    ingested_gb: float,
    stored_gb_months: float = 0.0,
    scanned_gb: float = 0.0,
    free_tier: bool = False,
    region: str = REGION,
    log_class: LogClass = "STANDARD",
    vended: bool = False,
) -> Cost:
    """CloudWatch Logs; storage counts compressed bytes. `log_class` goes by its name in the API.

    `vended` logs, those of Lambda functions among them since 1 May 2025, get cheaper from 10 TB a month on
    (AWS Compute Blog, "AWS Lambda introduces tiered pricing for Amazon CloudWatch logs and additional
    logging destinations"); logs that applications put themselves do not. An export to Amazon S3 is free
    apart from the requests and the storage there. The free tier is the 5 GB as the page's example takes
    them off: ingested and stored. Raises ValueError for another log class.
    """
    prefix = chosen(_PREFIX, "A log class", log_class)
    ingestion = f"{prefix}.vended_ingestion" if vended else f"{prefix}.ingestion"
    return Cost(
        (
            line(ingestion, ingested_gb, region, free_quantity("logs.ingestion", free_tier)),
            line(f"{prefix}.storage", stored_gb_months, region, free_quantity("logs.storage", free_tier)),
            line("logs.insights", scanned_gb, region),
        )
    )


def metrics_cost(
    metrics: float = 0, alarm_metrics: float = 0, free_tier: bool = False, region: str = REGION
) -> Cost:
    """Custom metrics, one for each combination of dimensions, and metrics of standard-resolution alarms."""
    custom, alarms = "cloudwatch.metrics", "cloudwatch.alarms"
    return Cost(
        (
            line(custom, metrics, region, free_quantity(custom, free_tier)),
            line(alarms, alarm_metrics, region, free_quantity(alarms, free_tier)),
        )
    )
