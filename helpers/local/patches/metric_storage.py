"""Metrics of AWS services are aggregated by the minute instead of kept value by value.

Restores: one data point a minute with SampleCount, Sum, Minimum and Maximum, and memory that does
not grow with every invocation. AWS Lambda developer guide, "Types of metrics for Lambda
functions": Lambda sends metric data to CloudWatch in 1-minute intervals. Amazon CloudWatch user
guide, "Metrics retention".
"""

import threading
import time

from ministack.services import cloudwatch

from helpers.local import contract
from helpers.local.metric_minutes import MetricMinutes

_metrics = contract.expect(cloudwatch, "_metrics")
_dimensions_key = contract.expect(cloudwatch, "_dims_key", ("dims",))
_retention_s = contract.expect(cloudwatch, "TWO_WEEKS_SECONDS")
_creating = threading.Lock()


def install() -> None:
    parameters = ("namespace", "metric_name", "value", "unit", "dimensions")
    contract.replace(cloudwatch, "record_metric", parameters, _record_metric)
    contract.replace(cloudwatch, "_evict_old_metrics", (), _forget_old_metrics)


def _record_metric(
    namespace: str,
    metric_name: str,
    value: float,
    unit: str = "None",
    dimensions: dict[str, str] | None = None,
) -> None:
    """What the emulator's services publish, in the account and Region of the current request."""
    dimensions = dimensions or {}
    key = (namespace, metric_name, _dimensions_key(dimensions))
    minutes = _metrics.get(key)
    if minutes is None:
        with _creating:
            minutes = _metrics.get(key)
            if minutes is None:
                minutes = _metrics[key] = MetricMinutes(unit, dict(dimensions))
    minutes.add(float(value), time.time())


def _forget_old_metrics() -> None:
    """Called by the emulator before each request to CloudWatch."""
    oldest_s = time.time() - _retention_s
    for key, points in list(_metrics.items()):
        if isinstance(points, MetricMinutes):
            points.forget_before(oldest_s)
        else:
            _metrics[key] = [point for point in points if point["Timestamp"] >= oldest_s]
        if not _metrics[key]:
            del _metrics[key]
