"""REST APIs publish their metrics to CloudWatch.

API Gateway developer guide, "Amazon API Gateway dimensions and metrics".
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_apis import STAGE, Answer, RestApi

from helpers.local_aws import LocalAws

WEEK_S = 7 * 24 * 3600


@pytest.fixture
def api(make_client: Callable[..., Any], local_aws: LocalAws) -> Iterator[RestApi]:
    """GET / answers 200, GET /busy 503, and GET /http asks an address where nobody listens."""
    created = RestApi(make_client("apigateway"), local_aws.endpoint_url)
    created.mock("/", '{"statusCode": 200}', Answer())
    created.mock("/busy", '{"statusCode": 503}', Answer(503))
    yield created
    created.delete()


@pytest.fixture
def statistics(make_client: Callable[..., Any]) -> Callable[..., dict[str, float]]:
    cloudwatch = make_client("cloudwatch")

    def ask(metric: str, **dimensions: str) -> dict[str, float]:
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=time.time() - 3600,
            EndTime=time.time() + 3600,
            Period=WEEK_S,
            Statistics=["Sum", "SampleCount", "Average", "Maximum"],
        )["Datapoints"]
        return points[0] if points else {"SampleCount": 0}

    return ask


def test_requests_errors_and_latencies_are_counted(
    api: RestApi, statistics: Callable[..., dict[str, float]]
) -> None:
    """Two requests succeed, one is refused for its path, one fails."""
    for path in ("/", "/", "/nowhere", "/busy"):
        api.call("GET", path)
    for dimensions in ({"ApiName": api.name}, {"ApiName": api.name, "Stage": STAGE}):
        assert statistics("Count", **dimensions)["SampleCount"] == 4
        assert statistics("4XXError", **dimensions)["Average"] == 0.25
        assert statistics("5XXError", **dimensions)["Sum"] == 1
        latency = statistics("Latency", **dimensions)
        assert latency["SampleCount"] == 4
        assert latency["Unit"] == "Milliseconds"
        # Nothing behind these methods was asked.
        assert statistics("IntegrationLatency", **dimensions)["SampleCount"] == 0


def test_integration_latency_is_part_of_the_latency(
    api: RestApi,
    statistics: Callable[..., dict[str, float]],
    make_client: Callable[..., Any],
    local_aws: LocalAws,
) -> None:
    api.integrate(
        api.method("/http", "GET"),
        Answer(),
        type="HTTP_PROXY",
        integrationHttpMethod="GET",
        uri=f"{local_aws.endpoint_url}/_ministack/health",
    )
    assert api.call("GET", "/http").status == 200
    of_stage = {"ApiName": api.name, "Stage": STAGE}
    integration, whole = statistics("IntegrationLatency", **of_stage), statistics("Latency", **of_stage)
    assert integration["SampleCount"] == whole["SampleCount"] == 1
    assert 0 < integration["Maximum"] <= whole["Maximum"]


def test_detailed_metrics_tell_methods_apart(
    api: RestApi, statistics: Callable[..., dict[str, float]]
) -> None:
    """ "Metric dimensions": by method only where the stage has detailed metrics enabled."""
    by_method = {"ApiName": api.name, "Method": "GET", "Resource": "/busy", "Stage": STAGE}
    api.call("GET", "/busy")
    assert statistics("Count", **by_method)["SampleCount"] == 0
    api.client.update_stage(
        restApiId=api.id,
        stageName=STAGE,
        patchOperations=[{"op": "replace", "path": "/*/*/metrics/enabled", "value": "true"}],
    )
    api.call("GET", "/busy")
    assert statistics("5XXError", **by_method)["Sum"] == 1
