"""The metrics of event source mappings.

AWS Lambda developer guide, "Types of metrics for Lambda functions", event source mapping metrics
(only with EventCount in the mapping's MetricsConfig, by EventSourceMappingUUID) and IteratorAge.
Invocations, Errors, Duration and Throttles come from the executor, as for every invocation.
"""

from ministack.services import cloudwatch

from helpers.local import contract
from helpers.local.functions.metrics import NAMESPACE
from helpers.local.services.event_sources.settings import Settings

_record = contract.expect(
    cloudwatch, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")
)


def count(settings: Settings, name: str, events: int) -> None:
    """Publish a metric such as PolledEventCount, in the account and Region of the current scope."""
    if settings.counts_events:
        _record(NAMESPACE, name, events, "Count", {"EventSourceMappingUUID": settings.uuid})


def of_function(settings: Settings, name: str, value: float, unit: str = "Count") -> None:
    """Publish a metric across all functions, by function, and by the version or alias that is named."""
    _, _, _, _, _, _, function_name, *qualifier = settings.function_arn.split(":")
    dimensions: list[dict[str, str]] = [{}, {"FunctionName": function_name}]
    if qualifier:
        dimensions.append({"FunctionName": function_name, "Resource": f"{function_name}:{qualifier[0]}"})
    for each in dimensions:
        _record(NAMESPACE, name, value, unit, each)
