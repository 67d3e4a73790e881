"""How an alarm judges its metric: its configuration, as far as it decides about its state.

AWS: CloudWatch API reference, "PutMetricAlarm"; user guide, "Using Amazon CloudWatch alarms".
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
STATES = (OK, ALARM, INSUFFICIENT_DATA)

MISSING, IGNORE, BREACHING, NOT_BREACHING = "missing", "ignore", "breaching", "notBreaching"
TREATMENTS = (MISSING, IGNORE, BREACHING, NOT_BREACHING)
# The user guide: alarms on this namespace always ignore missing data, whatever they are told.
ALWAYS_IGNORING = "AWS/DynamoDB"


@dataclass(frozen=True)
class Comparison:
    """How a value is compared with the threshold, and how a state's reason says so."""

    breaches: Callable[[float, float], bool]
    words: str


COMPARISONS = {
    "GreaterThanOrEqualToThreshold": Comparison(operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": Comparison(operator.gt, "greater than"),
    "LessThanThreshold": Comparison(operator.lt, "less than"),
    "LessThanOrEqualToThreshold": Comparison(operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Definition:
    """`unit` is None when values of every unit count. `datapoints_to_alarm` is the M of "M out of N"."""

    statistic: str
    unit: str | None
    period_s: int
    evaluation_periods: int
    datapoints_to_alarm: int
    threshold: float
    comparison: Comparison
    treat_missing: str

    @staticmethod
    def of(alarm: dict[str, Any]) -> "Definition":
        """`alarm` is the emulator's record, which has passed the checks of requests.py."""
        return Definition(
            alarm.get("ExtendedStatistic") or alarm["Statistic"],
            alarm.get("Unit"),
            alarm["Period"],
            alarm["EvaluationPeriods"],
            alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"],
            alarm["Threshold"],
            COMPARISONS[alarm["ComparisonOperator"]],
            IGNORE if alarm["Namespace"] == ALWAYS_IGNORING else alarm["TreatMissingData"],
        )

    @property
    def interval_s(self) -> int:
        """How often the alarm is evaluated: every minute, and with a shorter period every 10 seconds."""
        return 60 if self.period_s >= 60 else 10

    def breaches(self, value: float) -> bool:
        return self.comparison.breaches(value, self.threshold)
