"""The states that alarms go through, and their history.

AWS: CloudWatch API reference, "DescribeAlarmHistory" and "AlarmHistoryItem".
"""

import json
import time
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudwatch

from helpers.local import contract
from helpers.local.services.alarms.definition import INSUFFICIENT_DATA
from helpers.local.services.alarms.reasons import moment

INITIAL_REASON = "Unchecked: Initial alarm creation"

_metric_alarms = contract.expect(cloudwatch, "_alarms")
_composite_alarms = contract.expect(cloudwatch, "_composite_alarms")
_history = contract.expect(cloudwatch, "_history_entries", ())
# Whole seconds: AppConfig's monitors in the emulator read the history, and read only those.
_iso = contract.expect(cloudwatch, "_ts_iso", ("epoch",))
# By the name of the alarm: the last transition, of which its present state is the end.
_transitions = AccountRegionScopedDict()


@dataclass(frozen=True)
class State:
    """`reason_data` is JSON; `since_s` in seconds since 1970."""

    value: str
    reason: str
    since_s: float
    reason_data: str | None = None

    def described(self) -> dict[str, str]:
        """As events and Lambda functions get it."""
        described = {"value": self.value, "reason": self.reason, "timestamp": moment(self.since_s)}
        return described | ({"reasonData": self.reason_data} if self.reason_data else {})

    def recorded(self) -> dict[str, Any]:
        """As the history keeps it."""
        recorded: dict[str, Any] = {"stateValue": self.value, "stateReason": self.reason}
        if self.reason_data:
            recorded["stateReasonData"] = json.loads(self.reason_data)
        return recorded


@dataclass(frozen=True)
class Transition:
    previous: State
    current: State


def last_transition(alarm_name: str) -> Transition:
    """Of an alarm of the current account and Region that has changed its state."""
    transition: Transition = _transitions[alarm_name]
    return transition


def record_history(
    alarm_name: str,
    old_state: str,
    new_state: str,
    reason: str,
    alarm_type: str = "MetricAlarm",
    reason_data: dict[str, Any] | None = None,
) -> None:
    """Called by the emulator for each new metric alarm and each change of a state, after the change."""
    now_s = time.time()
    if old_state == new_state:
        initial = State(INSUFFICIENT_DATA, INITIAL_REASON, now_s)
        _transitions[alarm_name] = Transition(initial, initial)
        _append(alarm_name, alarm_type, "ConfigurationUpdate", f'Alarm "{alarm_name}" created', {})
        return
    alarm = (_metric_alarms if alarm_type == "MetricAlarm" else _composite_alarms)[alarm_name]
    alarm["StateUpdatedTimestamp"] = alarm["StateTransitionedTimestamp"] = round(now_s, 3)
    last: Transition | None = _transitions.get(alarm_name)
    if last is not None and last.current.value == old_state:
        previous = last.current
    else:
        previous = State(old_state, INITIAL_REASON, now_s)
    current = State(new_state, reason, now_s, alarm.get("StateReasonData"))
    _transitions[alarm_name] = Transition(previous, current)
    states = {"oldState": previous.recorded(), "newState": current.recorded()}
    summary = f"Alarm updated from {old_state} to {new_state}"
    _append(alarm_name, alarm_type, "StateUpdate", summary, states)


def record_action(alarm: dict[str, Any], action_arn: str, error: str | None) -> None:
    """`error` is None when the action was executed."""
    data = {
        "actionState": "Succeeded" if error is None else "Failed",
        "notificationResource": action_arn,
    }
    if error is None:
        summary = f"Successfully executed action {action_arn}"
    else:
        summary = f'Failed to execute action {action_arn}. Received error: "{error}"'
        data["error"] = error
    alarm_type = "CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm"
    _append(alarm["AlarmName"], alarm_type, "Action", summary, data)


def _append(alarm_name: str, alarm_type: str, item_type: str, summary: str, data: dict[str, Any]) -> None:
    _history().append(
        {
            "AlarmName": alarm_name,
            "AlarmType": alarm_type,
            "Timestamp": _iso(time.time()),
            "HistoryItemType": item_type,
            "HistorySummary": summary,
            "HistoryData": json.dumps({"version": "1.0"} | data),
        }
    )
