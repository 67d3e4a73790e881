"""What alarms may be put with, by the API, by a template and in the protocol of older SDKs.

AWS: CloudWatch API reference, "PutMetricAlarm", "SetAlarmState" and "DescribeAlarmsForMetric".
"""

import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from alarmed_metrics import NAMESPACE, Alarms, refusal
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from helpers.waiting import wait_until

ACCOUNT_ID = "111122223333"


def test_alarms_of_a_metric_are_those_with_its_dimensions(alarms: Alarms) -> None:
    """API reference, "DescribeAlarmsForMetric"."""
    dimensions = [{"Name": "Function", "Value": "one"}]
    name = alarms.put(Dimensions=dimensions)
    alarms.put()
    metric = {"Namespace": NAMESPACE, "MetricName": alarms.metric, "Dimensions": dimensions}
    found = alarms.client.describe_alarms_for_metric(**metric)["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in found] == [name]
    assert not alarms.client.describe_alarms_for_metric(**metric, Period=300)["MetricAlarms"]


def test_an_alarm_of_a_template(alarms: Alarms, make_client: Callable[..., Any]) -> None:
    """CloudFormation user guide, "AWS::CloudWatch::Alarm"."""
    cloudformation = make_client("cloudformation")
    properties = {
        "AlarmName": f"test-{secrets.token_hex(4)}",
        "Namespace": NAMESPACE,
        "MetricName": alarms.metric,
        "ExtendedStatistic": "p90",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 10,
        "ComparisonOperator": "LessThanThreshold",
    }
    stack = f"alarms-{secrets.token_hex(4)}"

    def create(**changed: Any) -> str:
        template = {
            "Resources": {"A": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties | changed}}
        }
        cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
        ended = wait_until(
            lambda: cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"],
            "the end of the creation",
            lambda status: not status.endswith("_IN_PROGRESS"),
        )
        return str(ended)

    alarms.publish(5)
    assert create() == "CREATE_COMPLETE"
    alarms.wait_for(properties["AlarmName"], "ALARM")
    cloudformation.delete_stack(StackName=stack)
    stack += "-bad"
    assert create(AlarmActions=["arn:aws:automate:us-east-1:ec2:stop"]) == "ROLLBACK_COMPLETE"
    cloudformation.delete_stack(StackName=stack)


def test_the_query_protocol_is_understood(alarms: Alarms) -> None:
    """API reference, "Making API requests": what older SDKs speak."""
    endpoint_url = alarms.client.meta.endpoint_url
    name = f"test-{secrets.token_hex(4)}"
    parameters = {
        "Action": "PutMetricAlarm",
        "Version": "2010-08-01",
        "AlarmName": name,
        "Namespace": NAMESPACE,
        "MetricName": alarms.metric,
        "Dimensions.member.1.Name": "Function",
        "Dimensions.member.1.Value": "one",
        "Statistic": "Average",
        "Period": "60",
        "EvaluationPeriods": "1",
        "Threshold": "10",
        "ComparisonOperator": "GreaterThanThreshold",
        "InsufficientDataActions.member.1": f"arn:aws:sns:us-east-1:{ACCOUNT_ID}:nowhere",
    }

    def ask(**changed: str) -> tuple[int, str]:
        request = AWSRequest("POST", endpoint_url, data=urlencode(parameters | changed))
        request.headers["Content-Type"] = "application/x-www-form-urlencoded"
        SigV4Auth(Credentials(ACCOUNT_ID, "test"), "monitoring", "us-east-1").add_auth(request)
        answer = URLLib3Session().send(request.prepare())
        return answer.status_code, answer.text

    assert ask()[0] == 200
    alarms.names.append(name)
    alarm = alarms.described(name)
    assert alarm["InsufficientDataActions"] == [f"arn:aws:sns:us-east-1:{ACCOUNT_ID}:nowhere"]
    assert alarm["Dimensions"] == [{"Name": "Function", "Value": "one"}]
    status, text = ask(Period="15")
    assert status == 400
    assert "<Code>ValidationError</Code>" in text
    status, text = ask(Action="DescribeAlarmsForMetric")
    assert f"<AlarmName>{name}</AlarmName>" in text


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Period": 15}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must be between 1 and EvaluationPeriods"),
        ({"EvaluationPeriods": 1441}, "EvaluationPeriods * Period must be at most 86400 seconds"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "must be at most 604800 seconds"),
        ({"ExtendedStatistic": "p90"}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"Statistic": None}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"TreatMissingData": "sometimes"}, "TreatMissingData must be one of"),
        ({"Unit": "ms"}, "Unit must be one of"),
        ({"AlarmName": "n" * 256}, "AlarmName must have at most 255 characters"),
        ({"ComparisonOperator": "Equals"}, "ComparisonOperator must be one of"),
        ({"AlarmActions": ["arn:aws:sns:us-east-1:1:x"] * 6}, "AlarmActions can have up to 5 actions"),
        ({"MetricName": None}, "The parameter MetricName is required"),
    ],
)
def test_what_aws_refuses_is_refused(alarms: Alarms, parameters: dict[str, Any], message: str) -> None:
    """API reference, "PutMetricAlarm"."""
    code, found = refusal(alarms.put, **parameters)
    assert code == "ValidationError"
    assert message in found


@pytest.mark.parametrize(
    "parameters",
    [
        {"Metrics": [{"Id": "e1", "Expression": "SUM(METRICS())", "Period": 60}]},
        {"ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "ad1"},
        {"Statistic": None, "ExtendedStatistic": "tm90"},
        {"Statistic": None, "ExtendedStatistic": "p90", "EvaluateLowSampleCountPercentile": "ignore"},
        {"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]},
    ],
)
def test_what_the_local_aws_cannot_do_is_refused(alarms: Alarms, parameters: dict[str, Any]) -> None:
    assert refusal(alarms.put, **parameters)[0] == "NotImplementedException"


def test_a_state_that_does_not_exist_cannot_be_set(alarms: Alarms) -> None:
    """API reference, "SetAlarmState", StateValue and StateReasonData."""
    state = {"AlarmName": alarms.put(), "StateReason": "tested"}
    set_state = alarms.client.set_alarm_state
    assert refusal(set_state, **state, StateValue="BROKEN")[0] == "ValidationError"
    assert refusal(set_state, **state, StateValue="OK", StateReasonData="no JSON")[0] == "InvalidFormat"


def test_metric_and_composite_alarms_share_their_names(alarms: Alarms) -> None:
    """API reference, "PutMetricAlarm", AlarmName: unique within the Region."""
    metric, composite = alarms.put(), f"composite-{secrets.token_hex(4)}"
    put_composite = alarms.client.put_composite_alarm
    put_composite(AlarmName=composite, AlarmRule="TRUE")
    try:
        for put, name in ((put_composite, metric), (alarms.put, composite)):
            parameters = {"AlarmRule": "TRUE"} if put is put_composite else {}
            code, message = refusal(put, AlarmName=name, **parameters)
            assert (code, "belongs to an alarm of another type" in message) == ("ValidationError", True)
    finally:
        alarms.client.delete_alarms(AlarmNames=[composite])
