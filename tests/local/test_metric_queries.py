"""Metrics are published and read as CloudWatch takes and returns them.

AWS: CloudWatch API reference, "PutMetricData", "MetricDatum", "GetMetricStatistics", "GetMetricData" and
"MetricStat".
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

NAMESPACE = "Test/MetricQueries"
COMBINATION, VALUE = "InvalidParameterCombination", "InvalidParameterValue"
NOT_IMPLEMENTED, VALIDATION = "NotImplementedException", "ValidationError"


@dataclass
class Metric:
    """A metric of one test. `minute_s` is the beginning of the minute in which the test began."""

    client: Any
    name: str = field(default_factory=lambda: f"m-{secrets.token_hex(4)}")
    minute_s: int = field(default_factory=lambda: int(time.time()) // 60 * 60)

    def publish(self, value: float, minutes_ago: int = 1, **parameters: Any) -> None:
        datum = {"MetricName": self.name, "Value": value, "Timestamp": self.minute_s - 60 * minutes_ago}
        self.put({**datum, **parameters})

    def put(self, *data: dict[str, Any]) -> None:
        named = [{"MetricName": self.name, **datum} for datum in data]
        self.client.put_metric_data(Namespace=NAMESPACE, MetricData=named)

    @property
    def range(self) -> dict[str, int]:
        return {"StartTime": self.minute_s - 3600, "EndTime": self.minute_s + 60}

    def statistics(self, **parameters: Any) -> list[dict[str, Any]]:
        asked = {"Period": 60, "Statistics": ["Sum"], **self.range, **parameters}
        answer = self.client.get_metric_statistics(Namespace=NAMESPACE, MetricName=self.name, **asked)
        return list(answer["Datapoints"])

    def query(self, **parameters: Any) -> dict[str, Any]:
        metric = {"Namespace": NAMESPACE, "MetricName": self.name}
        return {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum", **parameters}}

    def data(self, *queries: dict[str, Any], **parameters: Any) -> list[list[float]]:
        """The values of each query."""
        asked = {"MetricDataQueries": list(queries), **self.range, **parameters}
        return [result["Values"] for result in self.client.get_metric_data(**asked)["MetricDataResults"]]


@pytest.fixture
def metric(make_client: Callable[..., Any]) -> Metric:
    return Metric(make_client("cloudwatch"))


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_only_values_of_the_unit_are_returned_when_one_is_asked_for(metric: Metric) -> None:
    metric.publish(3, Unit="Seconds")
    metric.publish(4, Unit="Seconds")
    metric.publish(100, Unit="Bytes")
    found = {(point["Unit"], point["Sum"]) for point in metric.statistics()}
    assert found == {("Seconds", 7.0), ("Bytes", 100.0)}
    assert [point["Sum"] for point in metric.statistics(Unit="Bytes")] == [100.0]
    assert metric.statistics(Unit="Count") == []
    queries = [metric.query(Unit="Seconds") | {"Id": "a"}, metric.query(Unit="Count") | {"Id": "b"}]
    assert metric.data(*queries) == [[7.0], []]


def test_the_newest_data_come_first_unless_asked_otherwise(metric: Metric) -> None:
    for minutes_ago in (1, 2, 3):
        metric.publish(minutes_ago, minutes_ago)
    assert metric.data(metric.query()) == [[1.0, 2.0, 3.0]]
    assert metric.data(metric.query(), ScanBy="TimestampAscending") == [[3.0, 2.0, 1.0]]
    hidden = metric.query() | {"Id": "hidden", "ReturnData": False}
    assert metric.data(metric.query(Stat="p50"), hidden, EndTime=metric.minute_s - 60) == [[2.0, 3.0]]


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ({"Period": 45}, VALUE, "Period must be 1, 5, 10, 20, 30 or a multiple of 60"),
        ({"StartTime": 7200, "EndTime": 3600}, COMBINATION, "StartTime must be less than"),
        ({"Period": 1}, COMBINATION, "You have requested up to 3660 datapoints, which exceeds the limit of"),
        ({"ExtendedStatistics": ["p50"]}, COMBINATION, "Exactly one of Statistics and ExtendedStatistics"),
        ({"Statistics": ["Median"]}, NOT_IMPLEMENTED, "the statistic 'Median'"),
    ],
)
def test_statistics_that_are_refused(metric: Metric, asked: dict[str, Any], code: str, message: str) -> None:
    found = refusal(lambda: metric.statistics(**asked))
    assert (found[0], message in found[1]) == (code, True)


def test_data_that_are_refused(metric: Metric) -> None:
    query = metric.query()
    cases: list[tuple[list[dict[str, Any]], dict[str, Any], str, str]] = [
        ([query, query], {}, VALIDATION, "must be unique"),
        ([query | {"Id": "Q"}], {}, VALIDATION, "begin with a lower-case letter"),
        ([{"Id": "q"}], {}, VALIDATION, "neither MetricStat nor Expression"),
        ([query], {"StartTime": 7200, "EndTime": 7200}, VALIDATION, "StartTime must be less than"),
        ([query], {"ScanBy": "Value"}, VALIDATION, "ScanBy must be"),
        ([query, {"Id": "e", "Expression": "q * 2"}], {}, NOT_IMPLEMENTED, "metric math: q * 2"),
        ([metric.query(Stat="tm90")], {}, NOT_IMPLEMENTED, "the statistic 'tm90'"),
        ([query], {"MaxDatapoints": 10}, NOT_IMPLEMENTED, "MaxDatapoints"),
    ]
    for queries, asked, code, message in cases:
        found = refusal(lambda queries=queries, asked=asked: metric.data(*queries, **asked))
        assert (found[0], message in found[1]) == (code, True), found


@pytest.mark.parametrize(
    ("datum", "code", "message"),
    [
        ({"Value": 1, "Unit": "ms"}, VALUE, "The value ms for parameter MetricData.member.1.Unit"),
        ({"Value": float("nan")}, VALUE, "MetricData.member.1.Value is invalid"),
        ({"Values": [1.0, 2.0**361]}, VALUE, "MetricData.member.1.Values is invalid"),
        ({"Value": 1, "Timestamp": 1_600_000_000}, VALUE, "at most two weeks in the past"),
        ({"Value": 1, "Values": [1.0]}, COMBINATION, "has Value and Values"),
        ({}, COMBINATION, "has none"),
        ({"Value": 1, "Dimensions": [{"Name": str(i), "Value": "v"} for i in range(31)]}, VALUE, "size"),
    ],
)
def test_values_that_are_refused(metric: Metric, datum: dict[str, Any], code: str, message: str) -> None:
    found = refusal(lambda: metric.put(datum))
    assert (found[0], message in found[1]) == (code, True), found
    assert metric.statistics() == []


def test_a_request_has_a_thousand_values_at_most(metric: Metric) -> None:
    assert refusal(lambda: metric.put(*[{"Value": 1}] * 1001))[0] == VALUE
    metric.put(*[{"Value": 1}] * 1000)
    assert [point["Sum"] for point in metric.statistics()] == [1000.0]


def test_the_query_protocol_is_understood(metric: Metric) -> None:
    """API reference, "Making API requests": what older SDKs speak."""
    metric.publish(3, Unit="Seconds")
    parameters = {
        "Action": "GetMetricStatistics",
        "Version": "2010-08-01",
        "Namespace": NAMESPACE,
        "MetricName": metric.name,
        "Period": "60",
        "Statistics.member.1": "Sum",
        "Unit": "Seconds",
        **{name: str(value) for name, value in metric.range.items()},
    }
    request = AWSRequest("POST", metric.client.meta.endpoint_url, data=urlencode(parameters))
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    SigV4Auth(Credentials("111122223333", "test"), "monitoring", "us-east-1").add_auth(request)
    document = ElementTree.fromstring(URLLib3Session().send(request.prepare()).content)
    assert [each.text for each in document.iter() if each.tag.endswith("}Sum")] == ["3.0"]
