"""Who may invoke a function with events: services with a permission, or schedules with a role."""

import base64
import gzip
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction
from probed_functions import ACCOUNT, WAIT_S, Probe


def dead_letter_queue(make_client: Callable[..., Any], service: str) -> tuple[Any, str, str]:
    sqs = make_client("sqs")
    name = f"dead-{secrets.token_hex(4)}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return sqs, url, arn


def sum_of(make_client: Callable[..., Any], namespace: str, metric: str, **dimensions: str) -> float:
    answer = make_client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=time.time() - 3600,
        EndTime=time.time() + 3600,
        Period=7200,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


def test_eventbridge_needs_a_permission_for_the_rule(probe: Probe, make_client: Callable[..., Any]) -> None:
    """EventBridge user guide, "Using resource-based policies for Amazon EventBridge", Lambda
    permissions; "Using dead-letter queues ..."; "Monitoring Amazon EventBridge": FailedInvocations."""
    events, source = make_client("events"), f"test.{secrets.token_hex(4)}"
    sqs, dead_letters_url, dead_letters = dead_letter_queue(make_client, "events.amazonaws.com")
    rule = events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    target = {"Id": "probe", "Arn": probe.arn, "DeadLetterConfig": {"Arn": dead_letters}}
    events.put_targets(Rule=source, Targets=[target])
    entry = {"Source": source, "DetailType": "order", "Detail": json.dumps({"number": 1})}

    probe.permit("events.amazonaws.com", f"{rule}-of-another-name")
    events.put_events(Entries=[entry])
    assert probe.was_not_invoked()
    assert sum_of(make_client, "AWS/Events", "FailedInvocations", RuleName=source) == 1
    message = sqs.receive_message(
        QueueUrl=dead_letters_url, WaitTimeSeconds=WAIT_S, MessageAttributeNames=["All"]
    )["Messages"][0]
    assert json.loads(message["Body"])["detail"] == {"number": 1}
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert (attributes["ERROR_CODE"], attributes["RULE_ARN"]) == ("NO_PERMISSIONS", rule)
    assert attributes["TARGET_ARN"] == probe.arn

    probe.permit("events.amazonaws.com", rule)
    events.put_events(Entries=[entry])
    assert probe.event()["detail"] == {"number": 1}

    transformer = {"InputPathsMap": {"number": "$.detail.number"}, "InputTemplate": "Order <number> is here"}
    events.put_targets(Rule=source, Targets=[{**target, "InputTransformer": transformer}])
    events.put_events(Entries=[entry])
    assert probe.event() == "Order 1 is here"


def test_a_permission_counts_for_what_it_was_given_for(probe: Probe, make_client: Callable[..., Any]) -> None:
    """Developer guide, "Viewing resource-based IAM policies", versions and aliases: a policy each."""
    events, source = make_client("events"), f"test.{secrets.token_hex(4)}"
    client, name = probe.function.client, probe.function.name
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    rule = events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    events.put_targets(Rule=source, Targets=[{"Id": "probe", "Arn": f"{probe.arn}:live"}])
    entry = {"Source": source, "DetailType": "order", "Detail": "{}"}
    probe.permit("events.amazonaws.com", rule)
    events.put_events(Entries=[entry])
    assert probe.was_not_invoked()
    probe.permit("events.amazonaws.com", rule, Qualifier="live")
    events.put_events(Entries=[entry])
    assert probe.event()["source"] == source


@pytest.mark.slow
def test_a_schedule_invokes_with_a_role(probe: Probe, make_client: Callable[..., Any]) -> None:
    """EventBridge Scheduler user guide, "Setting up the execution role"."""
    scheduler, iam = make_client("scheduler"), make_client("iam")
    service = {"Service": "scheduler.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": probe.arn}
    suffix = secrets.token_hex(4)
    probe.permit("scheduler.amazonaws.com")
    for name, statements in ((f"without-{suffix}", []), (f"with-{suffix}", [allow])):
        role_arn = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        for statement in statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_role_policy(RoleName=name, PolicyName="invoke", PolicyDocument=policy)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression=f"at({moment})",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": probe.arn, "RoleArn": role_arn, "Input": json.dumps({"role": name})},
        )
    assert probe.event() == {"role": f"with-{suffix}"}
    assert probe.was_not_invoked()
    assert sum_of(make_client, "AWS/Scheduler", "TargetErrorCount", ScheduleGroup="default") == 1


def test_a_failing_function_is_retried_whoever_invokes_it(
    deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any], probe_role: str
) -> None:
    """Developer guide, "Invoking a Lambda function asynchronously": EventBridge, SNS, S3 and others."""
    function = deploy("def handler(event, context):\n    raise ValueError('always')\n", Role=probe_role)
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
    sqs, url, queue = dead_letter_queue(make_client, "sns.amazonaws.com")
    function.client.put_function_event_invoke_config(
        FunctionName=function.name, DestinationConfig={"OnFailure": {"Destination": queue}}
    )
    sns = make_client("sns")
    topic = sns.create_topic(Name=function.name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    sns.publish(TopicArn=topic, Message="hello")
    message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=WAIT_S)["Messages"][0]
    record = json.loads(message["Body"])
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestPayload"]["Records"][0]["Sns"]["Message"] == "hello"


def test_sns_needs_a_permission_for_the_topic(probe: Probe, make_client: Callable[..., Any]) -> None:
    """SNS developer guide, "Dead-letter queues": client-side errors are not retried."""
    sns = make_client("sns")
    name = f"topic-{secrets.token_hex(4)}"
    topic = sns.create_topic(Name=name)["TopicArn"]
    sqs, url, dead_letters = dead_letter_queue(make_client, "sns.amazonaws.com")
    redrive = json.dumps({"deadLetterTargetArn": dead_letters})
    sns.subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint=probe.arn, Attributes={"RedrivePolicy": redrive}
    )
    sns.publish(TopicArn=topic, Message="first")
    assert probe.was_not_invoked()
    message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=WAIT_S)["Messages"][0]
    assert json.loads(message["Body"])["Message"] == "first"
    assert sum_of(make_client, "AWS/SNS", "NumberOfNotificationsFailed", TopicName=name) == 1
    probe.permit("sns.amazonaws.com", topic)
    sns.publish(TopicArn=topic, Message="second")
    record = probe.event()["Records"][0]
    assert (record["EventSource"], record["Sns"]["Message"]) == ("aws:sns", "second")


def test_s3_refuses_notifications_without_permission(probe: Probe, make_client: Callable[..., Any]) -> None:
    """S3 user guide, "Granting permissions to invoke an AWS Lambda function"."""
    s3 = make_client("s3", s3={"addressing_style": "path"})
    bucket = f"notifying-{secrets.token_hex(4)}"
    s3.create_bucket(Bucket=bucket)
    configuration = {
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": probe.arn, "Events": ["s3:ObjectCreated:*"]}]
    }
    probe.permit("s3.amazonaws.com", "arn:aws:s3:::another-bucket")
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    probe.permit("s3.amazonaws.com", f"arn:aws:s3:::{bucket}", SourceAccount=ACCOUNT)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    s3.put_object(Bucket=bucket, Key="report.csv", Body=b"1,2\n")
    assert probe.event()["Records"][0]["s3"]["object"]["key"] == "report.csv"


def test_a_subscription_filter_needs_a_permission_for_the_log_group(
    probe: Probe, make_client: Callable[..., Any]
) -> None:
    """CloudWatch Logs user guide, "Log group-level subscription filters", example with Lambda."""
    logs, group = make_client("logs"), f"/test/{secrets.token_hex(4)}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    request = {
        "logGroupName": group,
        "filterName": "errors",
        "filterPattern": "ERROR",
        "destinationArn": probe.arn,
    }
    with pytest.raises(ClientError) as refused:
        logs.put_subscription_filter(**request)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
    probe.permit("logs.amazonaws.com", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}:*")
    logs.put_subscription_filter(**request)
    now_ms = int(time.time() * 1000)
    messages = [{"timestamp": now_ms, "message": text} for text in ("INFO fine", "ERROR broken")]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=messages)
    data = json.loads(gzip.decompress(base64.b64decode(probe.event()["awslogs"]["data"])))
    assert [event["message"] for event in data["logEvents"]] == ["ERROR broken"]
    assert (data["logGroup"], data["subscriptionFilters"]) == (group, ["errors"])
