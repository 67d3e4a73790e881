"""Why an alarm is in its state, in CloudWatch's words.

AWS: CloudWatch user guide, "Alarm events and EventBridge" (`reason` and `reasonData` of its examples), and
API reference, "MetricAlarm" (`StateReason`, `StateReasonData`).
"""

import json
from datetime import UTC, datetime
from typing import Any

from helpers.local.services.alarms.datapoints import Datapoint
from helpers.local.services.alarms.definition import (
    ALARM,
    BREACHING,
    INSUFFICIENT_DATA,
    NOT_BREACHING,
    Definition,
)
from helpers.local.services.alarms.evaluation import Evaluation

_TREATED_AS = {BREACHING: "Breaching", NOT_BREACHING: "NonBreaching"}


def moment(time_s: float) -> str:
    """A time as CloudWatch writes it in messages, such as 2019-10-02T17:04:40.989+0000."""
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "+0000"


def reason(definition: Definition, evaluation: Evaluation) -> str:
    """Of an evaluation that decided for a state."""
    count = definition.evaluation_periods
    if evaluation.state == INSUFFICIENT_DATA:
        return f"Insufficient Data: {_counted(count, 'datapoint')} {_were(count)} unknown."
    treated_as = _TREATED_AS.get(definition.treat_missing)
    if evaluation.missing and treated_as:
        received, missing = len(evaluation.present), evaluation.missing
        return (
            f"Threshold Crossed: {_counted(received, 'datapoint')} {_were(received)} received for "
            f"{_counted(count, 'period')} and {_counted(missing, 'missing datapoint')} {_were(missing)} "
            f"treated as [{treated_as}]."
        )
    return _threshold_crossed(definition, evaluation)


def _threshold_crossed(definition: Definition, evaluation: Evaluation) -> str:
    count, needed = definition.evaluation_periods, definition.datapoints_to_alarm
    alarm = evaluation.state == ALARM
    deciding = [
        f"{each.value} ({datetime.fromtimestamp(each.start_s, UTC):%d/%m/%y %H:%M:%S})"
        for each in evaluation.present
        if each.value is not None and definition.breaches(each.value) == alarm
    ]
    minimum = _counted(needed if alarm else count - needed + 1, "datapoint")
    transition = "OK -> ALARM" if alarm else "ALARM -> OK"
    return (
        f"Threshold Crossed: {len(deciding)} out of the last {count} datapoints [{', '.join(deciding)}] "
        f"{_were(len(deciding))} {'' if alarm else 'not '}{definition.comparison.words} the threshold "
        f"({definition.threshold}) (minimum {minimum} for {transition} transition)."
    )


def reason_data(definition: Definition, evaluation: Evaluation, now_s: float) -> str:
    """JSON: what was asked of the metric at `now_s`, and what came back."""
    present = evaluation.present
    data: dict[str, Any] = {"version": "1.0", "queryDate": moment(now_s)}
    if present:
        data["startDate"] = moment(present[-1].start_s)
    if definition.unit:
        data["unit"] = definition.unit
    data |= {
        "statistic": definition.statistic,
        "period": definition.period_s,
        "recentDatapoints": [each.value for each in reversed(present)],
        "threshold": definition.threshold,
        "evaluatedDatapoints": [_evaluated(each) for each in evaluation.datapoints],
    }
    return json.dumps(data, separators=(",", ":"))


def _evaluated(datapoint: Datapoint) -> dict[str, Any]:
    found: dict[str, Any] = {"timestamp": moment(datapoint.start_s)}
    if datapoint.value is not None:
        found |= {"sampleCount": datapoint.sample_count, "value": datapoint.value}
    return found


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
