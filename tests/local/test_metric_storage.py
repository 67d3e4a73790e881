"""CloudWatch answers exactly from metrics that are kept by the minute."""

import random
from array import array
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction

from helpers.local.metric_minutes import MetricMinutes

SOURCE = """
import time

def handler(event, context):
    time.sleep(event["s"])
    return event["fail"] and 1 / 0
"""
INVOCATIONS = 12
FAILURES = 3
# A period that no test run outlasts, so that there is one data point.
WEEK_S = 7 * 24 * 3600
NOW = datetime.now(UTC)
AROUND_NOW = {"StartTime": NOW - timedelta(hours=1), "EndTime": NOW + timedelta(hours=1)}


@pytest.fixture
def cloudwatch(make_client: Callable[..., Any]) -> Any:
    return make_client("cloudwatch")


@pytest.fixture
def invoked(deploy: Callable[..., DeployedFunction]) -> tuple[str, list[float]]:
    """Name of a function and the durations in ms of its invocations, some of which failed."""
    function = deploy(SOURCE)
    waits_s = [number / 500 for number in range(INVOCATIONS)]
    answers = [
        function.invoke({"s": wait_s, "fail": number < FAILURES}) for number, wait_s in enumerate(waits_s)
    ]
    return function.name, [answer.figure("Duration") for answer in answers]


def of_function(name: str) -> list[dict[str, str]]:
    return [{"Name": "FunctionName", "Value": name}]


def statistics(cloudwatch: Any, metric: str, **parameters: Any) -> dict[str, Any]:
    if "ExtendedStatistics" not in parameters:
        parameters["Statistics"] = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"]
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda", MetricName=metric, Period=WEEK_S, **AROUND_NOW, **parameters
    )
    (point,) = answer["Datapoints"]
    return dict(point)


def test_statistics_of_durations_are_those_of_the_report_lines(
    cloudwatch: Any, invoked: tuple[str, list[float]]
) -> None:
    """CloudWatch API reference, "GetMetricStatistics"; Lambda developer guide, "Types of metrics"."""
    name, durations_ms = invoked
    point = statistics(cloudwatch, "Duration", Dimensions=of_function(name))
    assert point["Unit"] == "Milliseconds"
    assert point["SampleCount"] == INVOCATIONS
    assert point["Sum"] == pytest.approx(sum(durations_ms))
    assert point["Average"] == pytest.approx(np.mean(durations_ms))
    assert (point["Minimum"], point["Maximum"]) == (min(durations_ms), max(durations_ms))


def test_percentiles_come_from_the_values_themselves(
    cloudwatch: Any, invoked: tuple[str, list[float]]
) -> None:
    """CloudWatch user guide, "Statistics definitions": pNN is a percentile of the raw values."""
    name, durations_ms = invoked
    point = statistics(
        cloudwatch, "Duration", Dimensions=of_function(name), ExtendedStatistics=["p50", "p90"]
    )
    assert point["ExtendedStatistics"] == pytest.approx(
        {"p50": np.percentile(durations_ms, 50), "p90": np.percentile(durations_ms, 90)}
    )
    metric = {"Namespace": "AWS/Lambda", "MetricName": "Duration", "Dimensions": of_function(name)}
    queries = [
        {"Id": stat.lower(), "MetricStat": {"Metric": metric, "Period": WEEK_S, "Stat": stat}}
        for stat in ("p99", "Maximum")
    ]
    results = cloudwatch.get_metric_data(MetricDataQueries=queries, **AROUND_NOW)["MetricDataResults"]
    assert {result["Id"]: result["Values"] for result in results} == {
        "p99": [pytest.approx(np.percentile(durations_ms, 99))],
        "maximum": [max(durations_ms)],
    }


def test_counts_of_invocations_and_errors(cloudwatch: Any, invoked: tuple[str, list[float]]) -> None:
    """Lambda developer guide, "Types of metrics": use Sum; Errors has a 0 for each success."""
    name, _ = invoked
    invocations = statistics(cloudwatch, "Invocations", Dimensions=of_function(name))
    errors = statistics(cloudwatch, "Errors", Dimensions=of_function(name))
    assert invocations["Sum"] == invocations["SampleCount"] == INVOCATIONS
    assert (errors["Sum"], errors["SampleCount"]) == (FAILURES, INVOCATIONS)


def test_without_dimensions_is_a_metric_of_its_own(cloudwatch: Any, invoked: tuple[str, list[float]]) -> None:
    """CloudWatch user guide, "Metrics concepts": statistics are not aggregated across dimensions.

    Lambda publishes the sum over all functions as a metric without dimensions.
    """
    name, _ = invoked
    before = statistics(cloudwatch, "Invocations")["Sum"]
    listed = cloudwatch.list_metrics(Namespace="AWS/Lambda", MetricName="Invocations")["Metrics"]
    by_function = [
        statistics(cloudwatch, "Invocations", Dimensions=metric["Dimensions"])["Sum"]
        for metric in listed
        if [dimension["Name"] for dimension in metric["Dimensions"]] == ["FunctionName"]
    ]
    assert of_function(name) in [metric["Dimensions"] for metric in listed]
    # Functions of other tests may still be retried meanwhile.
    assert before <= sum(by_function) <= statistics(cloudwatch, "Invocations")["Sum"]


def test_a_minute_is_one_data_point(cloudwatch: Any, invoked: tuple[str, list[float]]) -> None:
    """Lambda developer guide, "Types of metrics": Lambda sends data in 1-minute intervals."""
    name, durations_ms = invoked
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Dimensions=of_function(name),
        Period=60,
        Statistics=["Sum"],
        **AROUND_NOW,
    )
    assert len(answer["Datapoints"]) <= 2, "the invocations take less than a minute"
    assert all(point["Timestamp"].second == 0 for point in answer["Datapoints"])
    assert sum(point["Sum"] for point in answer["Datapoints"]) == pytest.approx(sum(durations_ms))


def test_metrics_of_the_reader_are_kept_as_they_were_published(cloudwatch: Any) -> None:
    """CloudWatch API reference, "PutMetricData"."""
    metric = {"MetricName": "Orders", "Unit": "Count"}
    data = [{**metric, "Value": 3.5}, {**metric, "Values": [1.0, 8.0], "Counts": [2.0, 1.0]}]
    cloudwatch.put_metric_data(Namespace="Test/MetricStorage", MetricData=data)
    asked = {"Namespace": "Test/MetricStorage", "MetricName": "Orders", "Period": WEEK_S, **AROUND_NOW}
    statistics = ["SampleCount", "Sum", "Maximum"]
    (point,) = cloudwatch.get_metric_statistics(**asked, Statistics=statistics)["Datapoints"]
    assert (point["SampleCount"], point["Sum"], point["Maximum"]) == (4, 13.5, 8)
    (point,) = cloudwatch.get_metric_statistics(**asked, ExtendedStatistics=["p50"])["Datapoints"]
    assert point["ExtendedStatistics"] == {"p50": np.percentile([1, 1, 3.5, 8], 50)}


def test_namespaces_of_aws_are_refused(cloudwatch: Any) -> None:
    """CloudWatch API reference, "PutMetricData": a namespace must not begin with AWS/."""
    with pytest.raises(ClientError) as refused:
        cloudwatch.put_metric_data(
            Namespace="AWS/Lambda", MetricData=[{"MetricName": "Invocations", "Value": 1}]
        )
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert "Namespace is invalid" in str(refused.value)


def test_minutes_that_are_over_hold_the_same_values_in_less_memory() -> None:
    choose = random.Random(7)
    minutes = MetricMinutes("Milliseconds", {"FunctionName": "f"})
    values = [round(choose.expovariate(0.2), 2) for _ in range(5000)]
    for number, value in enumerate(values):
        minutes.add(value, now_s=number / 10)
    assert sorted(np.repeat([p["Value"] for p in minutes], [int(p["Count"]) for p in minutes])) == sorted(
        values
    )
    assert len(minutes) == len(list(minutes)) < len(values)
    assert {int(point["Timestamp"] // 60) for point in minutes} == set(range(9))
    assert minutes[0]["Dimensions"] == {"FunctionName": "f"}
    assert all(isinstance(minute.values, array) for minute in minutes._past)


def test_old_minutes_are_forgotten() -> None:
    minutes = MetricMinutes("Count", {})
    for now_s in (10.0, 70.0, 130.0):
        minutes.add(1, now_s)
    minutes.forget_before(75.0)
    assert [point["Timestamp"] for point in minutes] == [130.0]
    minutes.forget_before(200.0)
    assert not minutes


def test_the_minutes_since_a_time() -> None:
    minutes = MetricMinutes("Count", {})
    for now_s in (10.0, 70.0, 130.0):
        minutes.add(1, now_s)
    assert [point["Timestamp"] for point in minutes.since(70.0)] == [70.0, 130.0]
    assert [point["Timestamp"] for point in minutes.since(71.0)] == [130.0]
    assert not list(minutes.since(131.0))
