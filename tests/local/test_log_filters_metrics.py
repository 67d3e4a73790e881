"""Metric filters publish metrics, and subscription filters deliver, by their patterns.

AWS: CloudWatch Logs user guide, "Filter pattern syntax for metric filters"; API reference,
"PutMetricFilter", "MetricTransformation" and "PutSubscriptionFilter".
"""

import base64
import contextlib
import datetime
import gzip
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction
from log_filter_logs import FilterLogs

from helpers.waiting import wait_until

FUNCTION = """
import json

def handler(event, context):
    print(json.dumps({"level": event["level"], "took": event["took"]}))
"""
SUBSCRIBER = """
def handler(event, context):
    print("RECEIVED " + event["awslogs"]["data"])
"""


@dataclass
class Metrics:
    """The metrics of a namespace of its own. `client` is a boto3 client of CloudWatch."""

    client: Any
    namespace: str

    def transformation(self, **parameters: Any) -> list[dict[str, Any]]:
        return [{"metricName": "m", "metricNamespace": self.namespace, "metricValue": "1", **parameters}]

    def statistics(self, **dimensions: str) -> dict[str, Any]:
        """SampleCount, Sum, Maximum and Unit over the last day: {} when nothing was published."""
        now = datetime.datetime.now(datetime.UTC)
        answer = self.client.get_metric_statistics(
            Namespace=self.namespace,
            MetricName="m",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - datetime.timedelta(days=1),
            EndTime=now + datetime.timedelta(minutes=2),
            Period=86_400,
            Statistics=["SampleCount", "Sum", "Maximum"],
        )
        points = answer["Datapoints"]
        if not points:
            return {}
        return {
            "SampleCount": sum(point["SampleCount"] for point in points),
            "Sum": sum(point["Sum"] for point in points),
            "Maximum": max(point["Maximum"] for point in points),
            "Unit": points[0]["Unit"],
        }


@pytest.fixture
def logs(make_client: Callable[..., Any]) -> FilterLogs:
    return FilterLogs.create(make_client("logs"))


@pytest.fixture
def metrics(make_client: Callable[..., Any]) -> Metrics:
    return Metrics(make_client("cloudwatch"), f"Test/{secrets.token_hex(4)}")


def put_filter(
    logs: FilterLogs, pattern: str, transformations: list[dict[str, Any]], name: str = "filter"
) -> None:
    logs.client.put_metric_filter(
        logGroupName=logs.group,
        filterName=name,
        filterPattern=pattern,
        metricTransformations=transformations,
    )


def test_a_metric_filter_counts_what_matches(logs: FilterLogs, metrics: Metrics) -> None:
    """User guide, "Configuring metric values for a metric filter": events that arrive from then on."""
    logs.put("one", ["ERROR before there was a filter"])
    put_filter(logs, "ERROR", metrics.transformation(unit="Count"))
    logs.put("one", ["ERROR 1", "INFO", "ERROR 2"])
    logs.put("two", ["ERROR 3"])
    assert metrics.statistics() == {"SampleCount": 3, "Sum": 3, "Maximum": 1, "Unit": "Count"}
    logs.client.delete_metric_filter(logGroupName=logs.group, filterName="filter")
    logs.put("one", ["ERROR 4"])
    assert metrics.statistics()["Sum"] == 3


def test_the_default_value_stands_for_what_does_not_match(logs: FilterLogs, metrics: Metrics) -> None:
    """API reference, "MetricTransformation", `defaultValue`."""
    put_filter(logs, "ERROR", metrics.transformation(defaultValue=0.0))
    logs.put("one", ["fine", "ERROR", "fine", "fine"])
    assert metrics.statistics() == {"SampleCount": 4, "Sum": 1, "Maximum": 1, "Unit": "None"}


@pytest.mark.parametrize(
    ("pattern", "value", "messages"),
    [
        ("{ $.took = * }", "$.took", ['{"took": 12.5}', '{"took": 30}', '{"took": "long"}', "{}"]),
        ("[type=GET, path, took]", "$took", ["GET /a 12.5", "GET /b 30", "GET /c long", "PUT /d 99"]),
        ("[..., path, took]", "$2", ["x 12.5 /a 1", "x 30 /b 2"]),
    ],
)
def test_a_metric_value_is_taken_from_a_field(
    logs: FilterLogs, metrics: Metrics, pattern: str, value: str, messages: list[str]
) -> None:
    """User guide, "Filter pattern syntax for metric filters": numerical values found in log events."""
    put_filter(logs, pattern, metrics.transformation(metricValue=value, unit="Milliseconds"))
    logs.put("one", messages)
    assert metrics.statistics() == {"SampleCount": 2, "Sum": 42.5, "Maximum": 30, "Unit": "Milliseconds"}


def test_dimensions_are_taken_from_fields(logs: FilterLogs, metrics: Metrics) -> None:
    """User guide, "Publishing dimensions with metrics from values in JSON or space-delimited log events"."""
    dimensions = {"Service": "$.service", "Status": "$.answer.status"}
    put_filter(logs, "{ $.service = * }", metrics.transformation(dimensions=dimensions))
    events = [("a", 200), ("a", 200), ("a", 500), ("b", 200)]
    logs.put("one", [json.dumps({"service": name, "answer": {"status": code}}) for name, code in events])
    logs.put("one", ['{"service": "a"}'])
    assert metrics.statistics(Service="a", Status="200")["Sum"] == 2
    assert metrics.statistics(Service="a", Status="500")["Sum"] == 1
    assert metrics.statistics(Service="b", Status="200")["Sum"] == 1
    assert metrics.statistics(Service="a") == metrics.statistics() == {}


def test_a_metric_may_have_values_of_a_filter_and_of_put_metric_data(
    logs: FilterLogs, metrics: Metrics
) -> None:
    """Amazon CloudWatch user guide, "Metrics concepts": a metric is a namespace, a name, its dimensions."""
    data = {"Namespace": metrics.namespace, "MetricData": [{"MetricName": "m", "Value": 1}]}
    put_filter(logs, "ERROR", metrics.transformation())
    metrics.client.put_metric_data(**data)
    logs.put("one", ["ERROR", "ERROR"])
    metrics.client.put_metric_data(**data)
    assert metrics.statistics()["SampleCount"] == metrics.statistics()["Sum"] == 4


def test_a_template_may_hold_a_metric_filter(
    logs: FilterLogs, metrics: Metrics, make_client: Callable[..., Any]
) -> None:
    """AWS CloudFormation template reference, "AWS::Logs::MetricFilter"."""
    properties = {
        "LogGroupName": logs.group,
        "FilterPattern": "{ $.level = ERROR }",
        "MetricTransformations": [
            {"MetricName": "m", "MetricNamespace": metrics.namespace, "MetricValue": 2, "DefaultValue": 0}
        ],
    }
    template = {"Resources": {"Errors": {"Type": "AWS::Logs::MetricFilter", "Properties": properties}}}
    cloudformation, name = make_client("cloudformation"), f"filters-{secrets.token_hex(4)}"
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    logs.put("one", ['{"level": "ERROR"}', '{"level": "INFO"}'])
    assert metrics.statistics() == {"SampleCount": 2, "Sum": 2, "Maximum": 2, "Unit": "None"}


def test_what_a_function_logs_is_filtered(
    deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any], metrics: Metrics
) -> None:
    """User guide, "Filter pattern syntax for metric filters": applied to all log streams of the group."""
    function = deploy(FUNCTION)
    logs = FilterLogs(make_client("logs"), f"/aws/lambda/{function.name}")
    logs.client.create_log_group(logGroupName=logs.group)
    put_filter(logs, "{ $.level = ERROR && $.took > 10 }", metrics.transformation(metricValue="$.took"))
    pattern = '[type="REPORT", label, id, label_2="Duration:", duration, ...]'
    reports = metrics.transformation(metricName="m2", metricValue="$duration", unit="Milliseconds")
    put_filter(logs, pattern, reports, "reports")
    for level, took in (("ERROR", 20), ("INFO", 30), ("ERROR", 5), ("ERROR", 40)):
        function.client.invoke(FunctionName=function.name, Payload=json.dumps({"level": level, "took": took}))
    assert wait_until(
        metrics.statistics, "two values", lambda found: found.get("SampleCount") == 2, timeout_s=10
    ) == {"SampleCount": 2, "Sum": 60, "Maximum": 40, "Unit": "None"}
    listed = metrics.client.list_metrics(Namespace=metrics.namespace)["Metrics"]
    assert sorted(metric["MetricName"] for metric in listed) == ["m", "m2"]
    assert len(logs.messages(filterPattern="REPORT")) == 4


def test_a_subscription_filter_delivers_what_matches(
    deploy: Callable[..., DeployedFunction], logs: FilterLogs
) -> None:
    """User guide, "Log group-level subscription filters"."""
    subscriber = deploy(SUBSCRIBER)
    arn = subscriber.client.get_function(FunctionName=subscriber.name)["Configuration"]["FunctionArn"]
    subscriber.client.add_permission(
        FunctionName=subscriber.name,
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal="logs.amazonaws.com",
    )
    logs.client.put_subscription_filter(
        logGroupName=logs.group,
        filterName="errors",
        filterPattern="{ $.level = ERROR && $.code >= 500 }",
        destinationArn=arn,
    )
    events = [("ERROR", 500), ("ERROR", 404), ("INFO", 500), ("ERROR", 503)]
    logs.put("one", [json.dumps({"level": level, "code": code}) for level, code in events])
    own = FilterLogs(logs.client, f"/aws/lambda/{subscriber.name}")

    def received() -> list[str]:
        try:
            return own.messages(filterPattern="RECEIVED")
        except logs.client.exceptions.ResourceNotFoundException:
            return []

    [line] = wait_until(received, "a delivery", bool, timeout_s=10)
    delivered = json.loads(gzip.decompress(base64.b64decode(line.split()[1])))
    assert [json.loads(event["message"])["code"] for event in delivered["logEvents"]] == [500, 503]


@pytest.mark.parametrize(
    ("pattern", "changes", "reason"),
    [
        ("{ $.a ! 1 }", {}, "Expected a comparison"),
        ("ERROR", {"metricValue": "$.took"}, "Invalid metric transformation: $.took"),
        ("{ $.took = * }", {"metricValue": "$took"}, "Invalid metric transformation: $took"),
        ("{ $.took = * }", {"metricValue": "$.tooks[*]"}, "Invalid metric transformation: $.tooks[*]"),
        ("[ip, took]", {"metricValue": "$bytes"}, "Invalid metric transformation: $bytes"),
        ("ERROR", {"metricValue": "one"}, "must be a number or a field"),
        ("ERROR", {"metricNamespace": "AWS/Lambda"}, "must not begin with AWS/"),
        ("ERROR", {"metricName": "a:b"}, "metricName must have 1 to 255 characters"),
        ("ERROR", {"unit": "Parsecs"}, "none of CloudWatch's units"),
        ("ERROR", {"dimensions": {"Ip": "$ip"}}, "The value of dimension Ip must be a field"),
        ("[ip]", {"dimensions": {"Ip": "$ip"}, "defaultValue": 0.0}, "exclude each other"),
        ("[a, b, c, d]", {"dimensions": {name: f"${name}" for name in "abcd"}}, "up to 3 dimensions"),
    ],
)
def test_an_invalid_metric_filter_is_refused(
    logs: FilterLogs, metrics: Metrics, pattern: str, changes: dict[str, Any], reason: str
) -> None:
    """API reference, "PutMetricFilter" and "MetricTransformation"; nothing is stored."""
    with pytest.raises(logs.client.exceptions.InvalidParameterException) as refused:
        put_filter(logs, pattern, metrics.transformation(**changes))
    assert reason in refused.value.response["Error"]["Message"]
    assert logs.client.describe_metric_filters(logGroupName=logs.group)["metricFilters"] == []


def put_subscription(logs: FilterLogs, **parameters: Any) -> str:
    """The code of the error with which PutSubscriptionFilter answers."""
    request = {"logGroupName": logs.group, "filterName": "filter", "filterPattern": "ERROR", **parameters}
    with pytest.raises(ClientError) as refused:
        logs.client.put_subscription_filter(**request)
    return str(refused.value.response["Error"]["Code"])


def test_an_invalid_or_unsupported_subscription_filter_is_refused(logs: FilterLogs) -> None:
    """API reference, "PutSubscriptionFilter"; what is not implemented is named."""
    function = "arn:aws:lambda:us-east-1:111122223333:function:none"
    stream = "arn:aws:kinesis:us-east-1:111122223333:stream/none"
    assert put_subscription(logs, filterPattern="{", destinationArn=function) == "InvalidParameterException"
    assert put_subscription(logs, destinationArn=stream) == "NotImplementedException"
    listed = logs.client.describe_subscription_filters(logGroupName=logs.group)
    assert listed["subscriptionFilters"] == []


def test_five_filters_of_a_log_group_may_have_regular_expressions(logs: FilterLogs, metrics: Metrics) -> None:
    """User guide, "Supported regular expressions (regex) syntax", quotas."""
    for number in range(5):
        put_filter(logs, f"%ERROR {number}%", metrics.transformation(), f"filter-{number}")
    with pytest.raises(logs.client.exceptions.LimitExceededException):
        put_filter(logs, "%ERROR 5%", metrics.transformation(), "filter-5")
    put_filter(logs, "%ERROR 6%", metrics.transformation(), "filter-4")
    put_filter(logs, "ERROR", metrics.transformation(), "filter-5")


def test_live_tail_shows_what_matches(logs: FilterLogs) -> None:
    """API reference, "StartLiveTail", `logEventFilterPattern`."""
    arn = f"arn:aws:logs:us-east-1:111122223333:log-group:{logs.group}"
    with pytest.raises(logs.client.exceptions.InvalidParameterException):
        logs.client.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="{ $.level }")
    answer = logs.client.start_live_tail(
        logGroupIdentifiers=[arn], logEventFilterPattern="{ $.level = ERROR }"
    )
    # An update comes every second, with or without log events.
    deadline = time.monotonic() + 10
    with contextlib.closing(answer["responseStream"]) as stream:
        for update in stream:
            if "sessionStart" in update:
                logs.put("one", ['{"level": "INFO"}', '{"level": "ERROR"}', "ERROR"])
            elif update["sessionUpdate"]["sessionResults"]:
                results = update["sessionUpdate"]["sessionResults"]
                assert [result["message"] for result in results] == ['{"level": "ERROR"}']
                break
            assert time.monotonic() < deadline
