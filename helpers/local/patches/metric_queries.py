"""GetMetricStatistics and GetMetricData return what was asked for, or say why not.

Restores: a request without dimensions means the metric without dimensions, not the sum over all of that
name; only values of the unit that is asked for; GetMetricData's newest values first, unless ScanBy says
otherwise; what AWS refuses. MiniStack ignores units and order, and returns the average for a statistic that
it does not know. What is valid on AWS and not done here, such as metric math, is refused.

AWS: CloudWatch API reference, "GetMetricStatistics", "GetMetricData" and "MetricStat"; user guide, "Metrics
concepts": a metric is a namespace, a name and its dimensions, across which CloudWatch does not aggregate.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import cloudwatch

from helpers.local import contract
from helpers.local.functions.refusal import Refused, not_implemented
from helpers.local.services.alarms.evaluator import metric_key
from helpers.local.services.alarms.handlers import handler_of
from helpers.local.services.alarms.requests import PERCENTILE, STATISTICS

MAXIMUM_DATAPOINTS = 1440
SHORT_PERIODS_S = (1, 5, 10, 20, 30)
NEWEST_FIRST, OLDEST_FIRST = "TimestampDescending", "TimestampAscending"
_QUERY_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")

Point = dict[str, Any]

_metrics = contract.expect(cloudwatch, "_metrics")
_parse_time = contract.expect(cloudwatch, "_parse_ts", ("value",))
_iso = contract.expect(cloudwatch, "_ts_iso", ("epoch",))
_statistics = contract.expect(cloudwatch, "_calc_stats", ("points",))
_statistic = contract.expect(cloudwatch, "_stat_value", ("stats", "stat_name", "points"))
_cbor_ok = contract.expect(cloudwatch, "_cbor_ok", ("data",))
_cbor_datapoint = contract.expect(cloudwatch, "_cbor_datapoint", ("dp",))
_cbor_result = contract.expect(cloudwatch, "_cbor_metric_data_result", ("result",))
_json_ok = contract.expect(cloudwatch, "_json_ok", ("data",))
_xml = contract.expect(cloudwatch, "_xml", ("status", "root_tag", "inner"))


def install() -> None:
    parameters = ("params", "cbor_data", "is_cbor", "is_json")
    for name, operation in (
        ("_get_metric_statistics", get_metric_statistics),
        ("_get_metric_data", get_metric_data),
    ):
        contract.replace(cloudwatch, name, parameters, handler_of(operation))


@dataclass(frozen=True)
class _Range:
    """From `start_s` up to and without `end_s`, in seconds since 1970."""

    start_s: float
    end_s: float

    @staticmethod
    def of(request: dict[str, Any], code: str) -> "_Range":
        """Raises Refused, with `code` when the range is none."""
        times = {name: _parse_time(request.get(name)) for name in ("StartTime", "EndTime")}
        for name, time_s in times.items():
            if time_s is None:
                raise Refused("MissingParameter", f"The request must contain the parameter {name}.", 400)
        found = _Range(times["StartTime"], times["EndTime"])
        if found.start_s >= found.end_s:
            raise Refused(code, "The parameter StartTime must be less than the parameter EndTime.", 400)
        return found


def get_metric_statistics(request: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
    """A datapoint for each period and unit, the oldest first: AWS promises no order."""
    time_range, period_s = _Range.of(request, "InvalidParameterCombination"), _period(request)
    statistics = request.get("Statistics") or []
    extended = request.get("ExtendedStatistics") or []
    if bool(statistics) == bool(extended):
        raise Refused(
            "InvalidParameterCombination",
            "Exactly one of Statistics and ExtendedStatistics is required.",
            400,
        )
    for statistic in (*statistics, *extended):
        _check_statistic(statistic)
    count = int((time_range.end_s - time_range.start_s) / period_s)
    if count > MAXIMUM_DATAPOINTS:
        raise Refused(
            "InvalidParameterCombination",
            f"You have requested up to {count} datapoints, which exceeds the limit of {MAXIMUM_DATAPOINTS}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
            400,
        )
    points: dict[tuple[int, str], list[Point]] = defaultdict(list)
    for start_s, in_period in _periods(request, request.get("Unit"), period_s, time_range).items():
        for point in in_period:
            points[start_s, point["Unit"]].append(point)
    datapoints = []
    for (start_s, unit), of_unit in sorted(points.items()):
        found = _statistics(of_unit)
        datapoint: dict[str, Any] = {"Timestamp": _iso(start_s), "Unit": unit}
        datapoint |= {name: found[name] for name in statistics if name in found}
        percentiles = {name: _statistic(found, name, of_unit) for name in extended}
        percentiles = {name: value for name, value in percentiles.items() if value is not None}
        datapoints.append(datapoint | ({"ExtendedStatistics": percentiles} if percentiles else {}))
    answer = {"Datapoints": datapoints, "Label": request["MetricName"]}
    return _answer("GetMetricStatistics", answer, "Datapoints", _cbor_datapoint, arguments)


def get_metric_data(request: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
    time_range = _Range.of(request, "ValidationError")
    order = request.get("ScanBy") or NEWEST_FIRST
    if order not in (NEWEST_FIRST, OLDEST_FIRST):
        raise _invalid(f"ScanBy must be {NEWEST_FIRST} or {OLDEST_FIRST}, not {order}.")
    for name in ("MaxDatapoints", "NextToken", "LabelOptions"):
        if request.get(name):
            raise not_implemented(f"GetMetricData with {name}: it returns all values at once.")
    queries = request.get("MetricDataQueries") or []
    identifiers = [query.get("Id") or "" for query in queries]
    if len(set(identifiers)) < len(queries) or not all(map(_QUERY_ID.fullmatch, identifiers)):
        raise _invalid(
            "Each Id of MetricDataQueries must be unique, begin with a lower-case letter, and consist of "
            f"letters, digits and underscores: {', '.join(identifiers)}."
        )
    results = [
        _result(query, time_range, order)
        for query in queries
        if str(query.get("ReturnData", True)).lower() != "false"
    ]
    return _answer(
        "GetMetricData", {"MetricDataResults": results}, "MetricDataResults", _cbor_result, arguments
    )


def _result(query: dict[str, Any], time_range: _Range, order: str) -> dict[str, Any]:
    if query.get("Expression"):
        raise not_implemented(f"GetMetricData with metric math: {query['Expression']}")
    asked = query.get("MetricStat")
    if not asked:
        raise _invalid(f"The query {query['Id']} has neither MetricStat nor Expression.")
    metric, statistic = asked["Metric"], asked.get("Stat") or ""
    _check_statistic(statistic)
    values = {
        start_s: _statistic(_statistics(points), statistic, points)
        for start_s, points in _periods(metric, asked.get("Unit"), _period(asked), time_range).items()
    }
    chosen = sorted(
        ((start_s, value) for start_s, value in values.items() if value is not None),
        reverse=order == NEWEST_FIRST,
    )
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or metric["MetricName"],
        "Timestamps": [_iso(start_s) for start_s, _ in chosen],
        "Values": [value for _, value in chosen],
        "StatusCode": "Complete",
    }


def _periods(
    metric: dict[str, Any], unit: str | None, period_s: int, time_range: _Range
) -> dict[int, list[Point]]:
    """The metric's points by the beginning of their period, in seconds since 1970."""
    found: dict[int, list[Point]] = defaultdict(list)
    for point in _metrics.get(metric_key(metric)) or []:
        time_s = point["Timestamp"]
        if time_range.start_s <= time_s < time_range.end_s and unit in (None, point["Unit"]):
            found[int(time_s // period_s) * period_s].append(point)
    return found


def _period(asked: dict[str, Any]) -> int:
    period_s = int(asked.get("Period") or 0)
    if period_s not in SHORT_PERIODS_S and (period_s < 60 or period_s % 60):
        raise Refused(
            "InvalidParameterValue",
            f"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60 seconds, not {period_s}.",
            400,
        )
    return period_s


def _check_statistic(name: str) -> None:
    if name not in STATISTICS and not PERCENTILE.fullmatch(name):
        raise not_implemented(f"the statistic {name!r}: only {', '.join(STATISTICS)} and p0 to p100")


def _invalid(message: str) -> Refused:
    return Refused("ValidationError", message, 400)


def _answer(
    operation: str,
    data: dict[str, Any],
    timed: str,
    in_cbor: Callable[[dict[str, Any]], dict[str, Any]],
    arguments: tuple[Any, ...],
) -> Any:
    """`data` in the protocol of the request. CBOR has a form of its own for times, which are in `timed`."""
    _, _, is_cbor, is_json = arguments
    if is_cbor:
        return _cbor_ok(data | {timed: [in_cbor(each) for each in data[timed]]})
    if is_json:
        return _json_ok(data)
    return _xml(200, f"{operation}Response", f"<{operation}Result>{_as_xml(data)}</{operation}Result>")


def _as_xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{name}>{_as_xml(member)}</{name}>" for name, member in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_as_xml(each)}</member>" for each in value)
    return escape(str(value))
