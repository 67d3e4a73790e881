"""How a mapping processes its source, read from its configuration as the API shows it."""

from dataclasses import dataclass
from typing import Any

from helpers.local.services.event_sources.filters import Filters

# Developer guide, "Configuring scaling behavior for SQS event source mappings": Lambda starts with
# five batches at a time. It would go on to 1,250, which this machine would not survive.
DEFAULT_CONCURRENCY = 5
MOST_CONCURRENCY = 32


@dataclass(frozen=True)
class Settings:
    """`retry_attempts` and `record_age_s` are None where AWS has -1, for no limit."""

    uuid: str
    source_arn: str
    function_arn: str
    batch_size: int
    window_s: float
    filters: Filters
    reports_item_failures: bool = False
    counts_events: bool = False
    concurrency: int = DEFAULT_CONCURRENCY
    parallelization: int = 1
    retry_attempts: int | None = None
    record_age_s: int | None = None
    bisects: bool = False
    on_failure: str | None = None

    @classmethod
    def of(cls, configuration: dict[str, Any]) -> "Settings":
        scaling = configuration.get("ScalingConfig") or {}
        destination = (configuration.get("DestinationConfig") or {}).get("OnFailure") or {}
        source_arn = configuration["EventSourceArn"]
        return cls(
            uuid=configuration["UUID"],
            source_arn=source_arn,
            function_arn=configuration["FunctionArn"],
            batch_size=configuration["BatchSize"],
            window_s=configuration["MaximumBatchingWindowInSeconds"],
            filters=Filters.parse(source_arn.split(":")[2], configuration.get("FilterCriteria")),
            reports_item_failures=bool(configuration.get("FunctionResponseTypes")),
            counts_events="EventCount" in ((configuration.get("MetricsConfig") or {}).get("Metrics") or []),
            concurrency=min(scaling.get("MaximumConcurrency", DEFAULT_CONCURRENCY), MOST_CONCURRENCY),
            parallelization=configuration.get("ParallelizationFactor", 1),
            retry_attempts=_limit(configuration.get("MaximumRetryAttempts", -1)),
            record_age_s=_limit(configuration.get("MaximumRecordAgeInSeconds", -1)),
            bisects=configuration.get("BisectBatchOnFunctionError", False),
            on_failure=destination.get("Destination") or None,
        )


def _limit(value: int) -> int | None:
    return None if value < 0 else value
