"""Alarms change their state with their metric, its dimensions and its missing data.

AWS: CloudWatch user guide, "Using Amazon CloudWatch alarms" and the pages under it; API reference,
"PutMetricAlarm" and "SetAlarmState".
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from alarmed_metrics import NAMESPACE, Alarms
from deployed import DeployedFunction


def test_a_new_alarm_has_insufficient_data_until_its_metric_has_some(alarms: Alarms) -> None:
    """User guide, "Metric alarm states"."""
    name = alarms.put()
    alarm = alarms.described(name)
    assert (alarm["StateValue"], alarm["StateReason"]) == (
        "INSUFFICIENT_DATA",
        "Unchecked: Initial alarm creation",
    )
    alarms.publish(5)
    alarm = alarms.wait_for(name, "OK")
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [5.0 (")
    assert alarm["StateReason"].endswith(
        "was not greater than the threshold (10.0) (minimum 1 datapoint for ALARM -> OK transition)."
    )


def test_the_state_says_when_and_why(alarms: Alarms) -> None:
    """API reference, "MetricAlarm"; user guide, "Alarm events and EventBridge", `reasonData`."""
    before = datetime.now(UTC)
    alarms.publish(20)
    alarms.publish(40)
    name = alarms.put(Unit="None")
    alarm = alarms.wait_for(name, "ALARM")
    assert before.replace(microsecond=0) <= alarm["StateUpdatedTimestamp"] <= datetime.now(UTC)
    assert alarm["StateTransitionedTimestamp"] == alarm["StateUpdatedTimestamp"]
    data = json.loads(alarm["StateReasonData"])
    assert data["recentDatapoints"] == [30.0]
    assert (data["statistic"], data["period"], data["threshold"], data["unit"]) == (
        "Average",
        60,
        10.0,
        "None",
    )
    [evaluated] = data["evaluatedDatapoints"]
    assert (evaluated["sampleCount"], evaluated["value"]) == (2.0, 30.0)
    assert data["startDate"] == evaluated["timestamp"]


def test_other_dimensions_are_another_metric(alarms: Alarms) -> None:
    """User guide, "Metrics concepts": a metric is its namespace, its name and its dimensions."""
    one = [{"Name": "Function", "Value": "one"}]
    two = [{"Name": "Function", "Value": "two"}]
    names = [alarms.put(Dimensions=dimensions) for dimensions in (one, two, [])]
    alarms.publish(20, Dimensions=one)
    alarms.wait_for(names[0], "ALARM")
    # Evaluated after the first one, and not only not yet.
    alarms.publish(5, Dimensions=two)
    alarms.wait_for(names[1], "OK")
    assert alarms.described(names[2])["StateValue"] == "INSUFFICIENT_DATA"


@pytest.mark.parametrize(
    ("statistic", "threshold"), [("Sum", 21), ("Maximum", 12), ("SampleCount", 2), ("p50", 6)]
)
def test_the_alarm_watches_its_own_statistic(alarms: Alarms, statistic: str, threshold: float) -> None:
    """User guide, "Statistics definitions". Of 1, 6 and 15 the average is 7.33."""
    for value in (1, 6, 15):
        alarms.publish(value)
    name = "ExtendedStatistic" if statistic.startswith("p") else "Statistic"
    chosen = {"Statistic": None, name: statistic, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    reached = alarms.put(**chosen, Threshold=threshold)
    missed = alarms.put(**chosen, Threshold=threshold + 10)
    assert alarms.wait_for(reached, "ALARM")[name] == statistic
    alarms.wait_for(missed, "OK")


def test_m_out_of_n_datapoints(alarms: Alarms) -> None:
    """User guide, "Evaluating an alarm": the breaching data points need not be consecutive."""
    for minutes_ago, value in ((5, 20), (4, 5), (3, 20), (2, 5), (1, 5)):
        alarms.publish(value, minutes_ago)
    two_of_five = alarms.put(EvaluationPeriods=5, DatapointsToAlarm=2)
    three_of_five = alarms.put(EvaluationPeriods=5, DatapointsToAlarm=3)
    reason = alarms.wait_for(two_of_five, "ALARM")["StateReason"]
    assert reason.startswith("Threshold Crossed: 2 out of the last 5 datapoints")
    assert "(minimum 2 datapoints for OK -> ALARM transition)" in reason
    reason = alarms.wait_for(three_of_five, "OK")["StateReason"]
    assert reason.startswith("Threshold Crossed: 3 out of the last 5 datapoints")


@pytest.mark.parametrize(
    ("treatment", "state", "reason"),
    [
        ("breaching", "ALARM", "and 1 missing datapoint was treated as [Breaching]."),
        ("notBreaching", "OK", "and 1 missing datapoint was treated as [NonBreaching]."),
    ],
)
def test_missing_data_is_treated_as_the_alarm_says(
    alarms: Alarms, treatment: str, state: str, reason: str
) -> None:
    """User guide, "Configuring how CloudWatch alarms treat missing data"."""
    name = alarms.put(TreatMissingData=treatment)
    assert alarms.wait_for(name, state)["StateReason"].endswith(reason)


def test_without_data_an_alarm_goes_back_to_insufficient_data_or_stays(alarms: Alarms) -> None:
    """The same page: `missing` and `ignore`, when all data points of the evaluation range are missing."""
    missing, ignoring = alarms.put(), alarms.put(TreatMissingData="ignore")
    for name in (missing, ignoring):
        alarms.client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="tested")
    # An alarm is evaluated when it was put: a state that was set lasts until then.
    alarms.put(AlarmName=ignoring, TreatMissingData="ignore")
    alarms.put(AlarmName=missing)
    reason = alarms.wait_for(missing, "INSUFFICIENT_DATA")["StateReason"]
    assert reason == "Insufficient Data: 1 datapoint was unknown."
    assert alarms.described(ignoring)["StateValue"] == "OK"


def test_alarms_of_less_than_a_minute_need_high_resolution(alarms: Alarms) -> None:
    """User guide, "High-resolution alarms"; API reference, "PutMetricData", StorageResolution."""
    name = alarms.put(Period=10, EvaluationPeriods=2)
    now_s = int(time.time())
    datum = {"MetricName": alarms.metric, "Value": 20, "StorageResolution": 1}
    # One in each of the last two periods of 10 seconds, also if one ends meanwhile.
    data = [{**datum, "Timestamp": now_s // 10 * 10 - 10 * ago + 5} for ago in (0, 1, 2)]
    alarms.client.put_metric_data(Namespace=NAMESPACE, MetricData=data)
    alarms.wait_for(name, "ALARM")


def test_an_alarm_changes_as_time_passes_without_new_metrics(alarms: Alarms) -> None:
    """User guide, "Evaluating an alarm": every 10 seconds with a period of 10 seconds."""
    name = alarms.put(Period=10)
    now_s = time.time()
    datum = {"MetricName": alarms.metric, "Value": 20, "StorageResolution": 1, "Timestamp": now_s}
    alarms.client.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])
    # The period of the value is not over yet; then it is, and 30 seconds later it is out of range.
    alarm = alarms.wait_for(name, "ALARM")
    assert alarm["StateUpdatedTimestamp"].timestamp() >= int(now_s) // 10 * 10 + 10


def test_an_overwritten_alarm_keeps_its_state(alarms: Alarms) -> None:
    """API reference, "PutMetricAlarm": its state is left unchanged when an alarm is updated."""
    alarms.publish(20)
    name = alarms.put()
    before = alarms.wait_for(name, "ALARM")
    alarms.put(AlarmName=name, AlarmDescription="the same, described")
    after = alarms.described(name)
    assert after["AlarmDescription"] == "the same, described"
    state = ("StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp")
    assert [after[key] for key in state] == [before[key] for key in state]


def test_a_set_state_is_announced_and_lasts_until_the_next_evaluation(
    alarms: Alarms, make_client: Any
) -> None:
    """API reference, "SetAlarmState": the alarm returns to its actual state, often within seconds."""
    name = alarms.put()
    alarms.publish(5)
    alarms.wait_for(name, "OK")
    data = json.dumps({"by": "hand"})
    alarms.client.set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason="a drill", StateReasonData=data
    )
    updates = alarms.history(name, "StateUpdate")
    drill = next(item for item in updates if item["HistorySummary"] == "Alarm updated from OK to ALARM")
    assert drill["HistoryData"]["newState"] == {
        "stateValue": "ALARM",
        "stateReason": "a drill",
        "stateReasonData": {"by": "hand"},
    }
    alarms.publish(5)
    alarms.wait_for(name, "OK")


def test_an_alarm_on_a_metric_of_a_service(alarms: Alarms, deploy: Callable[..., DeployedFunction]) -> None:
    """Lambda developer guide, "Types of metrics for Lambda functions": Errors by FunctionName."""
    function = deploy("def handler(event, context):\n    return 1 / 0")
    name = alarms.put(
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": function.name}],
        Statistic="Sum",
        Threshold=0,
        Period=10,
        EvaluationPeriods=6,
        DatapointsToAlarm=1,
    )
    function.invoke()
    alarms.wait_for(name, "ALARM")
