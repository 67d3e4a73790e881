"""One invocation: environments, concurrency, billing, time limits, as the Invoke API shows them."""

import json
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction, zipped

from helpers import local_aws

COUNTING = """
import os, time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    time.sleep(event.get("sleep_s", 0))
    return {"calls": calls, "stream": context.log_stream_name, "process": os.getpid()}
"""


def test_an_environment_is_reused_and_keeps_its_state(deploy: Any) -> None:
    """Lambda developer guide, "Understanding the Lambda execution environment lifecycle"."""
    function = deploy(COUNTING)
    first, second = function.invoke(), function.invoke()
    assert (first.payload["calls"], second.payload["calls"]) == (1, 2)
    assert first.payload["stream"] == second.payload["stream"]
    assert "Init Duration" in first.report
    assert "Init Duration" not in second.report


def test_concurrent_invocations_have_an_environment_each(deploy: Any) -> None:
    """Lambda developer guide, "Understanding Lambda function scaling"."""
    function = deploy(COUNTING)
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda _: function.invoke({"sleep_s": 1}), range(3)))
    assert len({answer.payload["stream"] for answer in answers}) == 3


def test_a_change_of_configuration_replaces_the_environment(deploy: Any) -> None:
    """Lambda developer guide, "Understanding the Lambda execution environment lifecycle"."""
    function = deploy(COUNTING)
    before = function.invoke()
    function.update(Description="changed")
    after = function.invoke()
    assert after.payload["calls"] == 1
    assert after.payload["stream"] != before.payload["stream"]


def test_an_invocation_that_runs_during_a_change_ends_undisturbed(deploy: Any) -> None:
    function = deploy(COUNTING)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(function.invoke, {"sleep_s": 1.5})
        time.sleep(0.5)
        function.update(MemorySize=512)
        assert running.result().payload["calls"] == 1
    assert function.invoke().payload["calls"] == 1


def test_the_report_line_has_awss_format_and_bills_init(deploy: Any) -> None:
    """AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase": ceil(Duration + Init Duration)."""
    function = deploy(COUNTING, MemorySize=256)
    cold, warm = function.invoke(), function.invoke()
    number = r"\d+\.\d\d"
    assert re.fullmatch(
        rf"REPORT RequestId: {cold.request_id}\tDuration: {number} ms\tBilled Duration: \d+ ms\t"
        rf"Memory Size: 256 MB\tMax Memory Used: \d+ MB\tInit Duration: {number} ms\t",
        cold.report,
    )
    total_ms = cold.figure("Duration") + cold.figure("Init Duration")
    assert cold.figure("Billed Duration") == math.ceil(round(total_ms, 2))
    assert warm.figure("Billed Duration") == math.ceil(warm.figure("Duration"))
    assert 5 < cold.figure("Max Memory Used") < 256


def test_the_log_tail_holds_start_to_report_and_at_most_4_kb(deploy: Any) -> None:
    """Lambda API reference, "Invoke": LogResult is the last 4 KB of the execution log."""
    source = "def handler(event, context):\n    for i in range(event['lines']):\n        print('line', i)"
    function = deploy(source)
    short = function.invoke({"lines": 1}).log.splitlines()
    assert [line.split()[0] for line in short] == ["START", "line", "END", "REPORT"]
    long = function.invoke({"lines": 2000}).log
    assert len(long.encode()) == 4096
    assert "line 1999" in long


def test_the_log_group_has_one_stream_for_each_environment(deploy: Any, make_client: Any) -> None:
    """Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs"."""
    function = deploy(COUNTING)
    answers = [function.invoke(), function.invoke()]
    logs = make_client("logs")
    group = f"/aws/lambda/{function.name}"
    streams = [
        stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]
    ]
    assert streams == [answers[0].payload["stream"]]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", streams[0])
    events = logs.get_log_events(logGroupName=group, logStreamName=streams[0], startFromHead=True)["events"]
    kinds = [event["message"].split()[0] for event in events]
    assert kinds == ["INIT_START", "START", "END", "REPORT", "START", "END", "REPORT"]
    assert "Runtime Version: python:3." in events[0]["message"]


def test_streams_of_a_custom_log_group_name_the_function(deploy: Any, make_client: Any) -> None:
    """Lambda developer guide, "Configuring CloudWatch log groups": the format of log stream names."""
    logs = make_client("logs")
    group = "/workshop/shared"
    logs.create_log_group(logGroupName=group)
    functions = [deploy(COUNTING, LoggingConfig={"LogGroup": group}) for _ in range(2)]
    for function in functions:
        function.invoke()
    streams = [
        stream["logStreamName"] for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]
    ]
    logs.delete_log_group(logGroupName=group)
    owners = {stream.split("/", 3)[3].rpartition("]")[0] for stream in streams}
    assert owners == {f"{function.name}[$LATEST" for function in functions}


def test_a_role_that_may_not_write_logs_leaves_none(deploy: Any, make_client: Any) -> None:
    """Lambda developer guide, "Defining Lambda function permissions with an execution role"."""
    iam = make_client("iam")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName="test-no-logs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    function = deploy(COUNTING, Role=role)
    assert function.invoke().payload["calls"] == 1
    groups = make_client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function.name}")
    assert groups["logGroups"] == []


def test_json_log_format(deploy: Any, make_client: Any) -> None:
    """Lambda developer guide, "Configuring JSON and plain text log formats"."""
    source = "import logging\ndef handler(event, context):\n    logging.warning('careful')"
    function = deploy(source, LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"})
    answer = function.invoke()
    events = [json.loads(line) for line in answer.log.splitlines()]
    assert [event.get("type") or event.get("level") for event in events] == [
        "platform.start",
        "WARNING",
        "platform.report",
    ]
    metrics = events[-1]["record"]["metrics"]
    assert metrics["billedDurationMs"] == math.ceil(
        round(metrics["durationMs"], 2) + round(metrics["initDurationMs"], 2)
    )
    assert events[1]["requestId"] == events[-1]["record"]["requestId"]


def test_a_timeout_ends_the_environment_on_time(deploy: Any) -> None:
    """Lambda developer guide, "Configure Lambda function timeout"."""
    function = deploy(COUNTING, Timeout=1)
    function.invoke()
    answer = function.invoke({"sleep_s": 30})
    assert answer.function_error == "Unhandled"
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert answer.payload["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert f"{answer.request_id} Task timed out after 1.00 seconds" in answer.log
    assert answer.report.endswith("Status: timeout\t")
    assert 1000 <= answer.figure("Duration") < 1050
    assert function.invoke().payload["calls"] == 1


def test_reserved_concurrency_throttles(deploy: Any) -> None:
    """Lambda API reference, "Invoke": TooManyRequestsException and its Reason."""
    function = deploy(COUNTING)
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(function.invoke, {"sleep_s": 1.5})
        time.sleep(0.7)
        with pytest.raises(function.client.exceptions.TooManyRequestsException) as caught:
            function.invoke()
        assert running.result().payload["calls"] == 1
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_every_path_and_outcome_counts_in_the_metrics(deploy: Any, make_client: Any) -> None:
    """Lambda developer guide, "Types of metrics for Lambda functions"."""
    function = deploy("def handler(event, context):\n    return 1 / event['divisor']")
    for divisor in (1, 2, 0):
        function.invoke({"divisor": divisor})
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError):
        function.invoke()

    def total(name: str, statistic: str = "Sum") -> float:
        now = time.time()
        points = make_client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": function.name}],
            StartTime=now - 600,
            EndTime=now + 60,
            Period=3600,
            Statistics=[statistic],
        )["Datapoints"]
        return sum(point[statistic] for point in points)

    counts = {name: total(name) for name in ("Invocations", "Errors", "Throttles")}
    assert counts == {"Invocations": 3, "Errors": 1, "Throttles": 1}
    assert total("ConcurrentExecutions", "Maximum") == 1
    assert total("Duration", "Average") > 0


def test_the_event_reaches_the_function_unchanged(deploy: Any) -> None:
    """Numbers keep their digits and keys their order: the payload is passed on, not parsed."""
    function = deploy("def handler(event, context):\n    return repr(event)")
    event = '{"b": 1.0, "a": 12345678901234567890, "ü": [null]}'
    response = function.client.invoke(FunctionName=function.name, Payload=event)
    assert json.loads(response["Payload"].read()) == "{'b': 1.0, 'a': 12345678901234567890, 'ü': [None]}"


@pytest.mark.parametrize(
    ("payload", "code", "status"),
    [
        (b"{not json", "InvalidRequestContentException", 400),
        (b'"' + b"x" * 6_291_456 + b'"', "RequestTooLargeException", 413),
    ],
)
def test_a_payload_that_lambda_refuses(deploy: Any, payload: bytes, code: str, status: int) -> None:
    """Lambda API reference, "Invoke": errors; Lambda quotas: 6 MB for a synchronous invocation."""
    function = deploy(COUNTING)
    with pytest.raises(ClientError) as caught:
        function.client.invoke(FunctionName=function.name, Payload=payload)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_an_unknown_function_and_an_unknown_qualifier(deploy: Any) -> None:
    """Lambda API reference, "Invoke": ResourceNotFoundException."""
    function = deploy(COUNTING)
    for parameters in ({"FunctionName": "absent"}, {"FunctionName": function.name, "Qualifier": "7"}):
        with pytest.raises(function.client.exceptions.ResourceNotFoundException):
            function.client.invoke(**parameters)


def test_a_version_keeps_the_code_and_memory_it_was_published_with(deploy: Any) -> None:
    """Lambda developer guide, "Manage Lambda function versions"."""
    source = "def handler(event, context):\n    return [context.function_version, context.memory_limit_in_mb]"
    function = deploy(source, MemorySize=256)
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    function.update(MemorySize=512)
    published, latest = function.invoke(Qualifier=version), function.invoke()
    assert published.payload == [version, "256"]
    assert published.executed_version == version
    assert latest.payload == ["$LATEST", "512"]


def test_an_alias_with_weights_spreads_over_two_versions(deploy: Any) -> None:
    """Lambda developer guide, "Implement Lambda canary deployments using a weighted alias"."""
    function = deploy("def handler(event, context):\n    return context.invoked_function_arn")
    versions = []
    for description in ("one", "two"):
        function.update(Description=description)
        versions.append(function.client.publish_version(FunctionName=function.name)["Version"])
    function.client.create_alias(
        FunctionName=function.name,
        Name="live",
        FunctionVersion=versions[0],
        RoutingConfig={"AdditionalVersionWeights": {versions[1]: 0.5}},
    )
    answers = [function.invoke(Qualifier="live") for _ in range(30)]
    assert {answer.executed_version for answer in answers} == set(versions)
    assert all(answer.payload.endswith(f"{function.name}:live") for answer in answers)


def test_a_function_that_invokes_itself_forever_is_stopped(deploy: Any, make_client: Any) -> None:
    """Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops"."""
    source = """
import boto3, json
client = boto3.client("lambda")
def handler(event, context):
    depth = event.get("depth", 1)
    try:
        answer = client.invoke(FunctionName=context.function_name, Payload=json.dumps({"depth": depth + 1}))
    except client.exceptions.RecursiveInvocationException:
        return depth
    return json.load(answer["Payload"])
"""
    iam = make_client("iam")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName="test-invokes-itself", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    iam.put_role_policy(
        RoleName="test-invokes-itself",
        PolicyName="invoke",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    function = deploy(source, Role=role, Timeout=60)
    assert function.invoke().payload == 16


def test_an_idle_environment_is_ended(monkeypatch: pytest.MonkeyPatch, private_cache: None) -> None:
    """Its process goes; the next invocation is a cold start."""
    monkeypatch.setenv("WORKSHOP_IDLE_LIFETIME_S", "1")
    running = local_aws.start(enforce_iam=False)
    try:
        client = boto3.client(
            "lambda", region_name="us-east-1", endpoint_url=running.endpoint_url, **running.credentials
        )
        client.create_function(
            FunctionName="idle",
            Runtime="python3.12",
            Handler="index.handler",
            Role="arn:aws:iam::111122223333:role/any",
            Code={"ZipFile": zipped({"index.py": COUNTING})},
        )
        client.get_waiter("function_active_v2").wait(FunctionName="idle", WaiterConfig={"Delay": 1})
        function = DeployedFunction(client, "idle")
        process = function.invoke().payload["process"]
        assert psutil.pid_exists(process)
        deadline = time.monotonic() + 10
        while psutil.pid_exists(process) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not psutil.pid_exists(process)
        assert "Init Duration" in function.invoke().report
    finally:
        running.stop()
