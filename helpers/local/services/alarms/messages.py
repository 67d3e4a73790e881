"""What CloudWatch tells topics, functions and EventBridge when an alarm changes its state.

AWS: CloudWatch user guide, "Alarm events and EventBridge", "Invoke a Lambda function from an alarm" and
"Notifying users on alarm changes".
"""

import json
import uuid
from functools import cache
from typing import Any

import botocore.session
from ministack.core.responses import get_account_id, get_region

from helpers.local.services.alarms.reasons import moment
from helpers.local.services.alarms.states import Transition

LONGEST_SUBJECT = 100


def event(alarm: dict[str, Any], transition: Transition) -> dict[str, Any]:
    """The entry for PutEvents."""
    detail = {"alarmName": alarm["AlarmName"], **_states(alarm, transition)}
    return {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Resources": [alarm["AlarmArn"]],
        "Detail": json.dumps(detail),
    }


def function_event(alarm: dict[str, Any], transition: Transition) -> bytes:
    """The payload for a Lambda function that is an alarm action."""
    payload = {
        "source": "aws.cloudwatch",
        "alarmArn": alarm["AlarmArn"],
        "accountId": get_account_id(),
        "time": moment(transition.current.since_s),
        "region": get_region(),
        "alarmData": {"alarmName": alarm["AlarmName"], **_states(alarm, transition)},
    }
    return json.dumps(payload).encode()


def notification(alarm: dict[str, Any], transition: Transition) -> tuple[str, str]:
    """Subject and message for a topic."""
    current = transition.current
    region = _region_name(get_region())
    message = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": get_account_id(),
        "AlarmConfigurationUpdatedTimestamp": moment(alarm["AlarmConfigurationUpdatedTimestamp"]),
        "NewStateValue": current.value,
        "NewStateReason": current.reason,
        "StateChangeTime": moment(current.since_s),
        "Region": region,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": transition.previous.value,
        "OKActions": alarm.get("OKActions") or [],
        "AlarmActions": alarm.get("AlarmActions") or [],
        "InsufficientDataActions": alarm.get("InsufficientDataActions") or [],
    }
    if "AlarmRule" in alarm:
        message["AlarmRule"] = alarm["AlarmRule"]
    else:
        message["Trigger"] = _trigger(alarm)
    subject = f'{current.value}: "{alarm["AlarmName"]}" in {region}'
    return subject[:LONGEST_SUBJECT], json.dumps(message)


def _states(alarm: dict[str, Any], transition: Transition) -> dict[str, Any]:
    configuration: dict[str, Any] = {}
    if alarm.get("AlarmDescription"):
        configuration["description"] = alarm["AlarmDescription"]
    if "AlarmRule" in alarm:
        configuration["alarmRule"] = alarm["AlarmRule"]
    else:
        configuration["metrics"] = [_metric(alarm)]
    return {
        "state": transition.current.described(),
        "previousState": transition.previous.described(),
        "configuration": configuration,
    }


def _metric(alarm: dict[str, Any]) -> dict[str, Any]:
    statistic: dict[str, Any] = {
        "metric": {
            "namespace": alarm["Namespace"],
            "name": alarm["MetricName"],
            "dimensions": {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or []},
        },
        "period": alarm["Period"],
        "stat": alarm.get("ExtendedStatistic") or alarm["Statistic"],
    }
    if alarm.get("Unit"):
        statistic["unit"] = alarm["Unit"]
    metric_id = str(uuid.uuid5(uuid.NAMESPACE_URL, alarm["AlarmArn"]))
    return {"id": metric_id, "metricStat": statistic, "returnData": True}


def _trigger(alarm: dict[str, Any]) -> dict[str, Any]:
    if alarm.get("ExtendedStatistic"):
        statistic = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": alarm["ExtendedStatistic"]}
    else:
        statistic = {"StatisticType": "Statistic", "Statistic": _upper_snake(alarm["Statistic"])}
    trigger = {"MetricName": alarm["MetricName"], "Namespace": alarm["Namespace"], **statistic}
    trigger |= {
        "Unit": alarm.get("Unit"),
        "Dimensions": [
            {"value": each["Value"], "name": each["Name"]} for each in alarm.get("Dimensions") or []
        ],
        "Period": alarm["Period"],
        "EvaluationPeriods": alarm["EvaluationPeriods"],
    }
    if alarm.get("DatapointsToAlarm"):
        trigger["DatapointsToAlarm"] = alarm["DatapointsToAlarm"]
    return trigger | {
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm["TreatMissingData"],
        "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile") or "",
    }


def _upper_snake(name: str) -> str:
    """AVERAGE for Average, SAMPLE_COUNT for SampleCount."""
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in name).lstrip("_").upper()


@cache
def _region_name(region: str) -> str:
    """As in messages for people: US East (N. Virginia)."""
    for partition in botocore.session.get_session().get_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"])
    return region
