"""The CloudWatch metrics of namespace AWS/Lambda, from every invoking path.

Source: AWS Lambda developer guide, "Types of metrics for Lambda functions" (names, units and
dimensions).
"""

from dataclasses import dataclass

from ministack.services import cloudwatch

from helpers.local import contract
from helpers.local.functions.specification import FunctionVersion

NAMESPACE = "AWS/Lambda"
_record = contract.expect(
    cloudwatch, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")
)


@dataclass(frozen=True)
class Measured:
    """One invocation, or one attempt that was throttled."""

    function: FunctionVersion
    qualifier: str | None
    concurrent_executions: int
    account_concurrent_executions: int
    throttled: bool = False
    failed: bool = False
    duration_ms: float = 0.0
    post_runtime_extensions_ms: float | None = None
    provisioned: bool = False
    provisioned_utilization: float | None = None


def record(measured: Measured) -> None:
    """Publish the metrics of one invocation in all their dimensions."""
    for dimensions in _dimensions(measured):
        if measured.throttled:
            _publish("Throttles", 1, "Count", dimensions)
            continue
        _publish("Throttles", 0, "Count", dimensions)
        _publish("Invocations", 1, "Count", dimensions)
        _publish("Errors", int(measured.failed), "Count", dimensions)
        # As precise as in the REPORT line.
        _publish("Duration", round(measured.duration_ms, 2), "Milliseconds", dimensions)
        if measured.post_runtime_extensions_ms is not None:
            milliseconds = round(measured.post_runtime_extensions_ms, 2)
            _publish("PostRuntimeExtensionsDuration", milliseconds, "Milliseconds", dimensions)
        if dimensions:
            _publish("ConcurrentExecutions", measured.concurrent_executions, "Count", dimensions)
        else:
            _publish("ConcurrentExecutions", measured.account_concurrent_executions, "Count", dimensions)
    _record_provisioned(measured)


def _record_provisioned(measured: Measured) -> None:
    if measured.throttled or measured.provisioned_utilization is None:
        return
    for dimensions in _dimensions(measured):
        if "Resource" in dimensions:
            _publish(
                "ProvisionedConcurrencyUtilization", measured.provisioned_utilization, "None", dimensions
            )
            name = "Invocations" if measured.provisioned else "SpilloverInvocations"
            _publish(f"ProvisionedConcurrency{name}", 1, "Count", dimensions)


def _dimensions(measured: Measured) -> list[dict[str, str]]:
    """Across all functions, by function, and by the version or alias that was invoked."""
    name = measured.function.name
    dimensions: list[dict[str, str]] = [{}, {"FunctionName": name}]
    resource = f"{name}:{measured.qualifier}" if measured.qualifier else name
    dimensions.append({"FunctionName": name, "Resource": resource})
    if measured.qualifier and measured.qualifier != measured.function.version:
        dimensions.append(
            {"FunctionName": name, "Resource": resource, "ExecutedVersion": measured.function.version}
        )
    return dimensions


def _publish(name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    _record(NAMESPACE, name, value, unit, dimensions)
