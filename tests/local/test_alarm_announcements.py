"""An alarm that changes its state tells its history, topics, functions, event buses and other alarms.

AWS: CloudWatch user guide, "Alarm actions", "Alarm events and EventBridge" and "Combining alarms".
"""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alarmed_metrics import NAMESPACE, Alarms
from deployed import DeployedFunction

from helpers.waiting import wait_for_log_events, wait_for_message, wait_until

RECEIVER = """
import json

def handler(event, context):
    print("RECEIVED " + json.dumps(event))
"""


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
