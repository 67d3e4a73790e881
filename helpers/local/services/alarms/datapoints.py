"""The data points that an alarm evaluates: a value of its statistic for each of the last periods.

AWS: CloudWatch user guide, "Using Amazon CloudWatch alarms", "Evaluating an alarm": with a period of 5
minutes the alarm is evaluated at the end of minute 5 on the minutes 1 to 5, and at the end of minute 6 on
the minutes 2 to 6.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ministack.services import cloudwatch

from helpers.local import contract
from helpers.local.metric_minutes import MINUTE_S
from helpers.local.services.alarms.definition import Definition

# How many periods more than it needs an alarm looks back, to find data for those where it is missing. The
# user guide says that the number depends; its examples have an evaluation range of 5 for 3 periods.
EXTRA_PERIODS = 2
# CloudWatch stores values by the minute, those of PutMetricData with a StorageResolution of 1 by the second.
STANDARD_RESOLUTION_S = MINUTE_S
HIGH_RESOLUTION_S = 1

_statistics = contract.expect(cloudwatch, "_calc_stats", ("points",))
_statistic = contract.expect(cloudwatch, "_stat_value", ("stats", "stat_name", "points"))


@dataclass(frozen=True)
class Datapoint:
    """A period that begins at `start_s`, in seconds since 1970. `value` is None when data is missing."""

    start_s: int
    value: float | None = None
    sample_count: float = 0.0


def range_start_s(definition: Definition, now_s: float) -> int:
    """The beginning of the evaluation range, in seconds since 1970."""
    periods = definition.evaluation_periods + EXTRA_PERIODS
    return _range_end_s(definition, now_s) - periods * definition.period_s


def evaluation_range(
    definition: Definition, points: Iterable[dict[str, Any]], now_s: float, resolution_s: int
) -> list[Datapoint]:
    """The periods of the evaluation range, newest first.

    `points` are those of the metric as MiniStack keeps them; `resolution_s` is to what their times count.
    """
    end_s, period_s = _range_end_s(definition, now_s), definition.period_s
    count = definition.evaluation_periods + EXTRA_PERIODS
    found: list[list[dict[str, Any]]] = [[] for _ in range(count)]
    for point in points:
        time_s = point["Timestamp"] // resolution_s * resolution_s
        age = -int((time_s - end_s) // period_s) - 1
        if 0 <= age < count and definition.unit in (None, point["Unit"]):
            found[age].append(point)
    return [
        _datapoint(definition, end_s - (age + 1) * period_s, in_period) for age, in_period in enumerate(found)
    ]


def _range_end_s(definition: Definition, now_s: float) -> int:
    """The end of the last minute that is over, or of the last 10 seconds."""
    return int(now_s // definition.interval_s) * definition.interval_s


def _datapoint(definition: Definition, start_s: int, points: list[dict[str, Any]]) -> Datapoint:
    statistics = _statistics(points)
    if not statistics:
        return Datapoint(start_s)
    value = _statistic(statistics, definition.statistic, points)
    return Datapoint(start_s, value, statistics["SampleCount"])
