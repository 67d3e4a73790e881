"""Evaluates alarms as time passes, in one thread that sleeps while there are none.

AWS: CloudWatch user guide, "Evaluating an alarm": an alarm is evaluated every minute, one with a period
of less than a minute every 10 seconds. Here an alarm is evaluated also when it was just put, and shortly
after PutMetricData, so that values for periods that are over need not be waited for.
"""

import logging
import threading
import time
from collections.abc import Iterable
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region, request_scope
from ministack.services import cloudwatch

from helpers.local import contract
from helpers.local.metric_minutes import MetricMinutes
from helpers.local.services.alarms.actions import announce
from helpers.local.services.alarms.datapoints import (
    HIGH_RESOLUTION_S,
    STANDARD_RESOLUTION_S,
    evaluation_range,
    range_start_s,
)
from helpers.local.services.alarms.definition import Definition
from helpers.local.services.alarms.evaluation import evaluate
from helpers.local.services.alarms.reasons import reason, reason_data
from helpers.local.services.alarms.states import record_history

# Account, Region and name of an alarm.
AlarmKey = tuple[str, str, str]

INTERVALS_S = (10, 60)
# However often metrics arrive, alarms are evaluated no more often than this.
SHORTEST_INTERVAL_S = 0.25

_alarms = contract.expect(cloudwatch, "_alarms")
_metrics = contract.expect(cloudwatch, "_metrics")
_evaluate_parents = contract.expect(cloudwatch, "_evaluate_parent_alarms", ("child", "seen"))
_dimensions_key = contract.expect(cloudwatch, "_dims_key", ("dims",))
_logger = logging.getLogger("cloudwatch.alarms")

# Held while an alarm changes: by requests, and by the thread that evaluates.
changing = threading.RLock()
# The metrics that were ever published with a StorageResolution of 1.
high_resolution_metrics = AccountRegionScopedDict()


def metric_key(given: dict[str, Any]) -> tuple[str, str, str]:
    """The emulator's key of the metric that an alarm, a datum or a request names."""
    dimensions = {each["Name"]: each["Value"] for each in given.get("Dimensions") or []}
    return given["Namespace"], given["MetricName"], _dimensions_key(dimensions)


class Evaluator:
    """Of all accounts and Regions."""

    def __init__(self) -> None:
        self._due: set[AlarmKey] = set()
        self._due_changing = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_turns = dict.fromkeys(INTERVALS_S, 0)

    def schedule(self, names: Iterable[str]) -> None:
        """Have these alarms of the account and Region of the current request evaluated soon."""
        with self._due_changing:
            self._due.update((get_account_id(), get_region(), name) for name in names)
            if not self._due:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="alarms", daemon=True)
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait(self._seconds_to_next_turn())
            self._wake.clear()
            for key in self._take_due():
                try:
                    evaluate_alarm(key)
                except Exception:
                    _logger.exception("the alarm %s could not be evaluated", key)
            time.sleep(SHORTEST_INTERVAL_S)

    def _seconds_to_next_turn(self) -> float | None:
        """None while there are no alarms."""
        if not _alarms.has_any():
            return None
        interval_s = min(_interval_s(alarm) for _, alarm in _alarms.all_items())
        return interval_s - time.time() % interval_s

    def _take_due(self) -> list[AlarmKey]:
        with self._due_changing:
            due, self._due = self._due, set()
        for interval_s in INTERVALS_S:
            turn = int(time.time() // interval_s)
            if turn != self._last_turns[interval_s]:
                self._last_turns[interval_s] = turn
                due |= {key for key, alarm in _alarms.all_items() if _interval_s(alarm) == interval_s}
        return sorted(due)


def evaluate_alarm(key: AlarmKey) -> None:
    """Evaluate one alarm now, and change its state if need be."""
    account_id, region, name = key
    with request_scope(account_id, region):
        with changing:
            alarm = _alarms.get(name)
            if alarm is None:
                return
            old_state = alarm["StateValue"]
            _change_state(alarm)
        if alarm["StateValue"] != old_state:
            announce(alarm, old_state, alarm["StateValue"], alarm["StateReason"])
            _evaluate_parents(alarm)


def _change_state(alarm: dict[str, Any]) -> None:
    """Put the alarm into the state that its metric demands."""
    now_s = time.time()
    definition, metric = Definition.of(alarm), metric_key(alarm)
    points = _points_since(metric, range_start_s(definition, now_s))
    resolution_s = HIGH_RESOLUTION_S if metric in high_resolution_metrics else STANDARD_RESOLUTION_S
    evaluation = evaluate(definition, evaluation_range(definition, points, now_s, resolution_s))
    old_state, new_state = alarm["StateValue"], evaluation.state
    if new_state is None or new_state == old_state:
        return
    alarm["StateValue"] = new_state
    alarm["StateReason"] = reason(definition, evaluation)
    alarm["StateReasonData"] = reason_data(definition, evaluation, now_s)
    record_history(alarm["AlarmName"], old_state, new_state, alarm["StateReason"])


def _points_since(metric: tuple[str, str, str], oldest_s: int) -> Iterable[dict[str, Any]]:
    """Those of services are sorted by the minute, those of PutMetricData are not sorted."""
    points = _metrics.get(metric) or []
    if isinstance(points, MetricMinutes):
        return points.since(oldest_s)
    return (point for point in points if point["Timestamp"] >= oldest_s)


def _interval_s(alarm: dict[str, Any]) -> int:
    return Definition.of(alarm).interval_s
