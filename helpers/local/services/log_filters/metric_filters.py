"""Metric filters: numbers that log events publish as metrics when they arrive.

AWS: CloudWatch Logs user guide, "Filter pattern syntax for metric filters" ("Configuring metric values
for a metric filter", "Publishing dimensions with metrics from values in JSON or space-delimited log
events"), and API reference, "MetricTransformation".
"""

import logging
import re
import threading
import time
from collections.abc import Sequence
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.metric_minutes import MINUTE_S
from helpers.local.metric_units import UNITS
from helpers.local.services.log_filters.conditions import number_of
from helpers.local.services.log_filters.parser import parse
from helpers.local.services.log_filters.patterns import Match, Pattern

MAXIMUM_DIMENSIONS = 3
# How far back an equal value is looked for, to count it there instead of adding a data point.
_RECENT = 8

_metric_filters = contract.expect(cloudwatch_logs, "_metric_filters")
_data_points = contract.expect(cloudwatch, "_metric_bucket", ("key",))
_dimensions_key = contract.expect(cloudwatch, "_dims_key", ("dims",))
_NAME = re.compile(r"[^:*$]{1,255}")
_publishing = threading.Lock()
_logger = logging.getLogger("logs.metric_filters")


def check_transformations(transformations: Any, pattern: Pattern) -> None:
    """Raises Refused with InvalidParameterException."""
    if not isinstance(transformations, list) or len(transformations) != 1:
        raise _invalid("metricTransformations must have exactly one element")
    [given] = transformations
    for name in ("metricName", "metricNamespace"):
        if not _NAME.fullmatch(given.get(name) or ""):
            raise _invalid(f"{name} must have 1 to 255 characters, none of them :, * or $")
    if given["metricNamespace"].startswith("AWS/"):
        raise _invalid("metricNamespace must not begin with AWS/: those belong to AWS's services")
    # A template of CloudFormation may have a number here.
    value = str(given.get("metricValue", ""))
    if number_of(value) is None:
        _check_reference(value, pattern, "metricValue must be a number or a field")
    if given.get("unit", "None") not in UNITS:
        raise _invalid(f"unit {given['unit']} is none of CloudWatch's units, such as Count or Milliseconds")
    dimensions = given.get("dimensions") or {}
    if len(dimensions) > MAXIMUM_DIMENSIONS:
        raise _invalid(f"A metric filter can have up to {MAXIMUM_DIMENSIONS} dimensions")
    if dimensions and given.get("defaultValue") is not None:
        raise _invalid("defaultValue and dimensions exclude each other: give one of them")
    for name, reference in dimensions.items():
        _check_reference(reference, pattern, f"The value of dimension {name} must be a field")


def _check_reference(reference: str, pattern: Pattern, rule: str) -> None:
    if not pattern.can_extract(reference):
        raise _invalid(
            f"Invalid metric transformation: {reference}. {rule}: $.name where the filter pattern is JSON, "
            "$name where it is space-delimited and has a field of that name"
        )


def _invalid(message: str) -> Refused:
    return Refused("InvalidParameterException", message, 400)


def publish(group_name: str, events: Sequence[dict[str, Any]]) -> None:
    """What the group's filters make of new events, in the account and Region of the current request."""
    for (group, _), stored in list(_metric_filters.items()):
        if group == group_name:
            pattern = parse(stored["filterPattern"])
            [transformation] = stored["metricTransformations"]
            for event in events:
                _publish_event(transformation, pattern.match(event["message"]))


def _publish_event(transformation: dict[str, Any], match: Match | None) -> None:
    if match is None:
        default = transformation.get("defaultValue")
        if default is not None:
            _add(transformation, float(default), {})
        return
    written = str(transformation["metricValue"])
    text = match.value(written) if written.startswith("$") else written
    value = None if text is None else number_of(text)
    dimensions = {
        name: match.value(reference) for name, reference in (transformation.get("dimensions") or {}).items()
    }
    found = {name: text for name, text in dimensions.items() if text}
    if value is None or len(found) < len(dimensions):
        _logger.info("no data point for %s: value %s, dimensions %s", written, text, dimensions)
        return
    _add(transformation, value, found)


def _add(transformation: dict[str, Any], value: float, dimensions: dict[str, str]) -> None:
    """Equal values of a minute share a data point, lest memory grows with every event.

    In a list as PutMetricData's values are, which may be of the same metric.
    """
    now_s = time.time()
    unit = transformation.get("unit", "None")
    key = (transformation["metricNamespace"], transformation["metricName"], _dimensions_key(dimensions))
    with _publishing:
        points = _data_points(key)
        for point in points[-_RECENT:]:
            same_minute = point["Timestamp"] // MINUTE_S == now_s // MINUTE_S
            if same_minute and (point["Value"], point["Unit"]) == (value, unit) and "_stat" not in point:
                point["Count"] = point.get("Count", 1.0) + 1
                return
        points.append(
            {"Timestamp": now_s, "Value": value, "Count": 1.0, "Unit": unit, "Dimensions": dimensions}
        )
