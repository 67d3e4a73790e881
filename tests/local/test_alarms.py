"""Alarms change their state with their metric, and tell topics, functions and event buses.

AWS: CloudWatch user guide, "Using Amazon CloudWatch alarms" and the pages under it; API reference,
"PutMetricAlarm".
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from deployed import DeployedFunction

from helpers.waiting import wait_for_log_events, wait_for_message, wait_until

NAMESPACE = "Test/Alarms"
ACCOUNT_ID = "111122223333"
RECEIVER = """
import json

def handler(event, context):
    print("RECEIVED " + json.dumps(event))
"""


@dataclass
class Alarms:
    """Alarms on a metric of its own. `client` is a boto3 client of CloudWatch."""

    client: Any
    metric: str = field(default_factory=lambda: f"m-{secrets.token_hex(4)}")
    names: list[str] = field(default_factory=list)

    def put(self, **parameters: Any) -> str:
        """An alarm on one period of a minute in which the average is above 10; returns its name."""
        name = parameters.setdefault("AlarmName", f"test-{secrets.token_hex(4)}")
        defaults = {
            "Namespace": NAMESPACE,
            "MetricName": self.metric,
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 10.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "Statistic": "Average",
        }
        self.client.put_metric_alarm(
            **{key: value for key, value in {**defaults, **parameters}.items() if value is not None}
        )
        self.names.append(name)
        return str(name)

    def publish(self, value: float, minutes_ago: int = 1, **parameters: Any) -> None:
        """A value in the middle of a minute that is over."""
        time_s = int(time.time()) // 60 * 60 - 60 * minutes_ago + 30
        datum = {"MetricName": self.metric, "Value": value, "Timestamp": time_s, **parameters}
        self.client.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])

    def described(self, name: str) -> dict[str, Any]:
        [alarm] = self.client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return dict(alarm)

    def wait_for(self, name: str, state: str) -> dict[str, Any]:
        return wait_until(
            lambda: self.described(name), f"{state} of {name}", lambda alarm: alarm["StateValue"] == state
        )

    def history(self, name: str, item_type: str) -> list[dict[str, Any]]:
        """Newest first, with HistoryData read."""
        answer = self.client.describe_alarm_history(AlarmName=name, HistoryItemType=item_type)
        items = answer["AlarmHistoryItems"]
        return [{**item, "HistoryData": json.loads(item["HistoryData"])} for item in items]


@pytest.fixture
def alarms(make_client: Callable[..., Any]) -> Iterator[Alarms]:
    made = Alarms(make_client("cloudwatch"))
    yield made
    made.client.delete_alarms(AlarmNames=made.names)


@pytest.fixture
def queue(make_client: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    """URL and ARN of a queue to which topics and rules may send."""
    sqs = make_client("sqs")
    url = sqs.create_queue(QueueName=f"alarms-{secrets.token_hex(4)}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    services = {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}
    statement = {"Effect": "Allow", "Principal": services, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    yield url, arn
    sqs.delete_queue(QueueUrl=url)


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


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


def test_alarms_of_a_metric_are_those_with_its_dimensions(alarms: Alarms) -> None:
    """API reference, "DescribeAlarmsForMetric"."""
    dimensions = [{"Name": "Function", "Value": "one"}]
    name = alarms.put(Dimensions=dimensions)
    alarms.put()
    metric = {"Namespace": NAMESPACE, "MetricName": alarms.metric, "Dimensions": dimensions}
    found = alarms.client.describe_alarms_for_metric(**metric)["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in found] == [name]
    assert not alarms.client.describe_alarms_for_metric(**metric, Period=300)["MetricAlarms"]


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


def test_the_history_has_each_change_and_each_action(alarms: Alarms, make_client: Any) -> None:
    """API reference, "DescribeAlarmHistory"."""
    sns = make_client("sns")
    topic = sns.create_topic(Name=f"alarms-{secrets.token_hex(4)}")["TopicArn"]
    gone = f"{topic}-gone"
    name = alarms.put(AlarmActions=[topic, gone])
    alarms.publish(20)
    alarms.wait_for(name, "ALARM")
    [update] = alarms.history(name, "StateUpdate")
    assert update["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"
    assert update["HistoryData"]["oldState"] == {
        "stateValue": "INSUFFICIENT_DATA",
        "stateReason": "Unchecked: Initial alarm creation",
    }
    assert update["HistoryData"]["newState"]["stateReasonData"]["recentDatapoints"] == [20.0]
    failed, succeeded = wait_until(
        lambda: alarms.history(name, "Action"), "both actions", lambda items: len(items) == 2
    )
    assert succeeded["HistorySummary"] == f"Successfully executed action {topic}"
    assert failed["HistorySummary"].startswith(f"Failed to execute action {gone}. Received error: ")
    [created] = alarms.history(name, "ConfigurationUpdate")
    assert created["HistorySummary"] == f'Alarm "{name}" created'
    sns.delete_topic(TopicArn=topic)


def test_a_topic_is_told(alarms: Alarms, make_client: Any, queue: tuple[str, str]) -> None:
    """User guide, "Notifying users on alarm changes"."""
    url, queue_arn = queue
    sns = make_client("sns")
    topic = sns.create_topic(Name=f"alarms-{secrets.token_hex(4)}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    dimensions = [{"Name": "Function", "Value": "one"}]
    name = alarms.put(AlarmActions=[topic], Dimensions=dimensions, AlarmDescription="Too many")
    alarms.publish(20, Dimensions=dimensions)
    envelope = wait_for_message(make_client("sqs"), url)
    assert envelope["Subject"] == f'ALARM: "{name}" in US East (N. Virginia)'
    message = json.loads(envelope["Message"])
    assert (message["NewStateValue"], message["OldStateValue"]) == ("ALARM", "INSUFFICIENT_DATA")
    assert message["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [20.0 (")
    assert message["AlarmDescription"] == "Too many"
    trigger = message["Trigger"]
    assert (trigger["MetricName"], trigger["Statistic"], trigger["Threshold"]) == (
        alarms.metric,
        "AVERAGE",
        10.0,
    )
    assert trigger["Dimensions"] == [{"name": "Function", "value": "one"}]
    sns.delete_topic(TopicArn=topic)


def test_a_topic_that_does_not_let_cloudwatch_publish_is_not_told(alarms: Alarms, make_client: Any) -> None:
    """User guide, "Notifying users on alarm changes": the topic's policy must allow it."""
    sns = make_client("sns")
    topic = sns.create_topic(Name=f"alarms-{secrets.token_hex(4)}")["TopicArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    name = alarms.put(AlarmActions=[topic])
    alarms.publish(20)
    [item] = wait_until(lambda: alarms.history(name, "Action"), "the action")
    assert "is not authorized to perform: SNS:Publish" in item["HistorySummary"]
    sns.delete_topic(TopicArn=topic)


def test_a_function_is_invoked_when_it_lets_the_alarm(
    alarms: Alarms, make_client: Any, deploy: Callable[..., DeployedFunction]
) -> None:
    """User guide, "Invoke a Lambda function from an alarm"."""
    allowing, other = deploy(RECEIVER), deploy(RECEIVER)
    arns = [
        each.client.get_function(FunctionName=each.name)["Configuration"]["FunctionArn"]
        for each in (allowing, other)
    ]
    name = alarms.put(AlarmActions=arns)
    allowing.client.add_permission(
        FunctionName=allowing.name,
        StatementId="alarm",
        Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
        SourceArn=alarms.described(name)["AlarmArn"],
    )
    alarms.publish(20)
    actions = wait_until(lambda: alarms.history(name, "Action"), "actions", lambda items: len(items) == 2)
    summaries = sorted(item["HistorySummary"] for item in actions)
    assert summaries[0].startswith(f"Failed to execute action {arns[1]}")
    assert summaries[1] == f"Successfully executed action {arns[0]}"
    (line,) = wait_for_log_events(make_client("logs"), f"/aws/lambda/{allowing.name}", "RECEIVED")
    event = json.loads(line.removeprefix("RECEIVED "))
    assert event["source"] == "aws.cloudwatch"
    assert event["alarmData"]["alarmName"] == name
    assert event["alarmData"]["state"]["value"] == "ALARM"
    assert event["alarmData"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    metric = event["alarmData"]["configuration"]["metrics"][0]["metricStat"]
    assert (metric["metric"]["name"], metric["period"], metric["stat"]) == (alarms.metric, 60, "Average")


def test_an_event_bus_gets_the_change(alarms: Alarms, make_client: Any, queue: tuple[str, str]) -> None:
    """User guide, "Alarm events and EventBridge": CloudWatch Alarm State Change, also without actions."""
    url, queue_arn = queue
    events = make_client("events")
    name = alarms.put(ActionsEnabled=False, AlarmDescription="Too many")
    rule = f"alarms-{secrets.token_hex(4)}"
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [name], "state": {"value": ["ALARM"]}},
    }
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": queue_arn}])
    alarms.publish(5, minutes_ago=2)
    alarms.wait_for(name, "OK")
    alarms.publish(20)
    event = wait_for_message(make_client("sqs"), url)
    assert event["resources"] == [alarms.described(name)["AlarmArn"]]
    detail = event["detail"]
    assert detail["configuration"]["description"] == "Too many"
    metric = detail["configuration"]["metrics"][0]
    assert metric["returnData"] is True
    assert metric["metricStat"]["metric"] == {
        "namespace": NAMESPACE,
        "name": alarms.metric,
        "dimensions": {},
    }
    assert detail["previousState"]["value"] == "OK"
    assert "was not greater than the threshold" in detail["previousState"]["reason"]
    assert json.loads(detail["previousState"]["reasonData"])["recentDatapoints"] == [5.0]
    assert json.loads(detail["state"]["reasonData"])["recentDatapoints"] == [20.0]
    events.remove_targets(Rule=rule, Ids=["queue"])
    events.delete_rule(Name=rule)


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


def test_a_composite_alarm_follows_its_alarms(
    alarms: Alarms, make_client: Any, queue: tuple[str, str]
) -> None:
    """User guide, "Combining alarms"; "Alarm events and EventBridge", composite alarms."""
    url, queue_arn = queue
    sns = make_client("sns")
    topic = sns.create_topic(Name=f"alarms-{secrets.token_hex(4)}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    child = alarms.put()
    name = f"composite-{secrets.token_hex(4)}"
    alarms.client.put_composite_alarm(
        AlarmName=name, AlarmRule=f'ALARM("{child}")', AlarmActions=[topic], OKActions=[]
    )
    try:
        alarms.publish(20)
        message = json.loads(wait_for_message(make_client("sqs"), url)["Message"])
        assert (message["AlarmName"], message["NewStateValue"], message["OldStateValue"]) == (
            name,
            "ALARM",
            "OK",
        )
        assert message["AlarmRule"] == f'ALARM("{child}")'
        assert "transitioned to ALARM" in message["NewStateReason"]
    finally:
        alarms.client.delete_alarms(AlarmNames=[name])
        sns.delete_topic(TopicArn=topic)


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
    """API reference, "SetAlarmState", StateValue."""
    name = alarms.put()
    code, _ = refusal(
        alarms.client.set_alarm_state, AlarmName=name, StateValue="BROKEN", StateReason="tested"
    )
    assert code == "ValidationError"
