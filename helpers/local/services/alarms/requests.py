"""What alarms are put with: refused when AWS refuses it, and when the local AWS cannot do it.

AWS: CloudWatch API reference, "PutMetricAlarm", "PutCompositeAlarm" and "SetAlarmState".
"""

import json
import re
from collections.abc import Container
from typing import Any

from helpers.local.functions.refusal import Refused, not_implemented
from helpers.local.metric_units import UNITS
from helpers.local.services.alarms.actions import ACTIONS_OF_STATE
from helpers.local.services.alarms.definition import COMPARISONS, STATES, TREATMENTS

MAXIMUM_ACTIONS = 5
LONGEST_NAME = 255
DAY_S = 24 * 3600
WEEK_S = 7 * DAY_S
STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
HIGH_RESOLUTION_PERIODS_S = (10, 20, 30)
_REQUIRED = (
    "AlarmName",
    "MetricName",
    "Namespace",
    "Period",
    "EvaluationPeriods",
    "Threshold",
    "ComparisonOperator",
)
_UNSUPPORTED = (
    "Metrics",
    "ThresholdMetricId",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
)
_UNSUPPORTED_COMPOSITE = (
    "ActionsSuppressor",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
)
_BAND_COMPARISONS = (
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)
PERCENTILE = re.compile(r"p(\d{1,2}(\.\d{0,10})?|100)")


def request_of(parameters: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The members of a request: `body` is that of CBOR or JSON, empty for the Query protocol.

    The Query protocol spells a list as `Name.member.1` and so on, and all values as text.
    """
    if body:
        return body
    tree: dict[str, Any] = {}
    for name, values in parameters.items():
        *parents, last = name.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = values[0] if isinstance(values, list) else values
    return {name: _with_lists(value) for name, value in tree.items()}


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if set(node) == {"member"}:
        return [_with_lists(node["member"][number]) for number in sorted(node["member"], key=int)]
    return {name: _with_lists(value) for name, value in node.items()}


def check_metric_alarm(request: dict[str, Any]) -> None:
    """Raises Refused."""
    for name in _UNSUPPORTED:
        if request.get(name):
            raise not_implemented(f"PutMetricAlarm with {name}. An alarm watches one metric.")
    for name in _REQUIRED:
        if request.get(name) in (None, ""):
            raise _invalid(f"The parameter {name} is required.")
    if bool(request.get("Statistic")) == bool(request.get("ExtendedStatistic")):
        raise _invalid("Exactly one of Statistic and ExtendedStatistic is required.")
    check_configuration(request)


def check_composite_alarm(request: dict[str, Any]) -> None:
    """Raises Refused."""
    for name in _UNSUPPORTED_COMPOSITE:
        if request.get(name):
            raise not_implemented(f"PutCompositeAlarm with {name}")
    _check_actions(request)


def check_name(name: str, others: Container[str]) -> None:
    """`others` are the names of alarms of the other kind, metric or composite. Raises Refused."""
    if len(name) > LONGEST_NAME:
        raise _invalid(f"AlarmName must have at most {LONGEST_NAME} characters.")
    if name in others:
        raise _invalid(
            f"The name {name} belongs to an alarm of another type: it must be unique in the Region."
        )


def check_state(request: dict[str, Any]) -> None:
    """Raises Refused."""
    _check_one_of(request, "StateValue", STATES)
    try:
        json.loads(request.get("StateReasonData") or "{}")
    except ValueError as error:
        raise Refused("InvalidFormat", f"StateReasonData is not JSON: {error}", 400) from error


def check_configuration(alarm: dict[str, Any]) -> None:
    """What also an alarm of a CloudFormation template must be like. Raises Refused."""
    comparison = alarm["ComparisonOperator"]
    if comparison in _BAND_COMPARISONS:
        raise not_implemented(f"ComparisonOperator {comparison}, which is for anomaly detection")
    _check_one_of(alarm, "ComparisonOperator", tuple(COMPARISONS))
    _check_one_of(alarm, "Statistic", STATISTICS)
    _check_one_of(alarm, "Unit", UNITS)
    extended = alarm.get("ExtendedStatistic")
    if extended and not PERCENTILE.fullmatch(extended):
        raise not_implemented(f"ExtendedStatistic {extended}: only percentiles from p0.0 to p100")
    _check_one_of(alarm, "EvaluateLowSampleCountPercentile", ("evaluate", "ignore"))
    if alarm.get("EvaluateLowSampleCountPercentile") == "ignore":
        raise not_implemented("EvaluateLowSampleCountPercentile ignore: only evaluate")
    _check_one_of(alarm, "TreatMissingData", TREATMENTS)
    evaluation_periods = int(alarm["EvaluationPeriods"])
    datapoints_to_alarm = int(alarm.get("DatapointsToAlarm") or evaluation_periods)
    _check_periods(int(alarm["Period"]), evaluation_periods, datapoints_to_alarm)
    _check_actions(alarm)


def _check_periods(period_s: int, evaluation_periods: int, datapoints_to_alarm: int) -> None:
    if period_s not in HIGH_RESOLUTION_PERIODS_S and (period_s < 60 or period_s % 60):
        raise _invalid(f"Period must be 10, 20, 30 or a multiple of 60 seconds, not {period_s}.")
    if evaluation_periods < 1:
        raise _invalid(f"EvaluationPeriods must be at least 1, not {evaluation_periods}.")
    if not 1 <= datapoints_to_alarm <= evaluation_periods:
        raise _invalid(
            f"DatapointsToAlarm must be between 1 and EvaluationPeriods, which is {evaluation_periods}, "
            f"not {datapoints_to_alarm}."
        )
    longest_s = WEEK_S if period_s >= 3600 else DAY_S
    if period_s * evaluation_periods > longest_s:
        raise _invalid(
            f"Metrics cannot be checked across more than {longest_s // DAY_S} day(s) with this Period: "
            f"EvaluationPeriods * Period must be at most {longest_s} seconds."
        )


def _check_actions(request: dict[str, Any]) -> None:
    for name in ACTIONS_OF_STATE.values():
        arns = request.get(name) or []
        if len(arns) > MAXIMUM_ACTIONS:
            raise _invalid(f"{name} can have up to {MAXIMUM_ACTIONS} actions, not {len(arns)}.")
        for arn in arns:
            if not arn.startswith("arn:"):
                raise _invalid(f"Invalid arn syntax: {arn}")
            if arn.split(":")[2] not in ("sns", "lambda"):
                raise not_implemented(f"The alarm action {arn}: only topics and Lambda functions")


def _check_one_of(request: dict[str, Any], name: str, values: tuple[str, ...]) -> None:
    if request.get(name) not in (None, *values):
        raise _invalid(f"{name} must be one of {', '.join(values)}, not {request[name]}.")


def _invalid(message: str) -> Refused:
    return Refused("ValidationError", message, 400)
