"""PutMetricData takes what CloudWatch takes.

Restores: namespaces that begin with AWS/ belong to AWS; a value is a number, of a unit that exists and of a
time for which CloudWatch takes values. CloudWatch API reference, "PutMetricData" and "MetricDatum".
"""

import math
import time
from typing import Any

from ministack.services import cloudwatch

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.metric_units import UNITS
from helpers.local.services.alarms.handlers import handler_of

MAXIMUM_DATA = 1000
MAXIMUM_DIMENSIONS = 30
LARGEST_VALUE = 2.0**360
OLDEST_S = 14 * 24 * 3600
NEWEST_S = 2 * 3600

_parse_time = contract.expect(cloudwatch, "_parse_ts", ("value",))


def install() -> None:
    parameters = ("params", "cbor_data", "is_cbor", "is_json")
    put = contract.expect(cloudwatch, "_put_metric_data", parameters)

    def put_metric_data(request: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
        _check(request)
        return put(*arguments)

    contract.replace(cloudwatch, "_put_metric_data", parameters, handler_of(put_metric_data))


def _check(request: dict[str, Any]) -> None:
    """Raises Refused."""
    namespace, data = request.get("Namespace") or "", request.get("MetricData") or []
    if namespace.startswith("AWS/"):
        raise _invalid(namespace, "Namespace")
    if len(data) > MAXIMUM_DATA:
        raise Refused(
            "InvalidParameterValue",
            f"The collection MetricData must not have a size greater than {MAXIMUM_DATA}.",
            400,
        )
    for number, datum in enumerate(data, 1):
        _check_datum(datum, f"MetricData.member.{number}")


def _check_datum(datum: dict[str, Any], name: str) -> None:
    unit, time_s = datum.get("Unit"), _parse_time(datum.get("Timestamp"))
    if unit is not None and unit not in UNITS:
        raise _invalid(unit, f"{name}.Unit")
    if time_s is not None and not -OLDEST_S <= time_s - time.time() <= NEWEST_S:
        raise _invalid(
            datum["Timestamp"],
            f"{name}.Timestamp",
            " It must be at most two weeks in the past and two hours in the future.",
        )
    if len(datum.get("Dimensions") or []) > MAXIMUM_DIMENSIONS:
        raise Refused(
            "InvalidParameterValue",
            f"The collection {name}.Dimensions must not have a size greater than {MAXIMUM_DIMENSIONS}.",
            400,
        )
    given = [each for each in ("Value", "Values", "StatisticValues") if datum.get(each) is not None]
    if len(given) != 1:
        raise Refused(
            "InvalidParameterCombination",
            f"{name} must have exactly one of Value, Values and StatisticValues, and has "
            f"{' and '.join(given) or 'none'}.",
            400,
        )
    for value in datum["Values"] if given == ["Values"] else [datum.get("Value", 0)]:
        if not math.isfinite(float(value)) or abs(float(value)) > LARGEST_VALUE:
            raise _invalid(value, f"{name}.{given[0]}")


def _invalid(value: Any, name: str, why: str = "") -> Refused:
    return Refused("InvalidParameterValue", f"The value {value} for parameter {name} is invalid.{why}", 400)
