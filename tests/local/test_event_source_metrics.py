"""Metrics of functions that event sources invoke, and of the mappings themselves.

AWS Lambda developer guide, "Types of metrics for Lambda functions".
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from event_source_fixtures import READ_SOURCES, WRITE_DESTINATIONS
from function_roles import allow_only, create_role
from mapped_functions import REPORTING_HANDLER, MappedFunction, Queue, Stream, Table, metric_sum

from helpers.waiting import wait_until

Mapped = Callable[..., MappedFunction]
EVENT_COUNT = {"Metrics": ["EventCount"]}
NAMES = (
    *("PolledEventCount", "FilteredOutEventCount", "InvokedEventCount", "FailedInvokeEventCount"),
    *("DroppedEventCount", "OnFailureDestinationDeliveredEventCount", "DeletedEventCount"),
)
EVEN = {"Filters": [{"Pattern": json.dumps({"body": {"even": [True]}})}]}


@pytest.fixture
def counts(make_client: Callable[..., Any]) -> Callable[[str], dict[str, float]]:
    """The sums of a mapping's metrics that have data points and are not zero."""

    def read(uuid: str) -> dict[str, float]:
        sums = {name: metric_sum(make_client, name, EventSourceMappingUUID=uuid) for name in NAMES}
        return {name: value for name, value in sums.items() if value}

    return read


def wait_for_counts(counts: Callable[[str], dict[str, float]], uuid: str, expected: dict[str, float]) -> None:
    wait_until(lambda: counts(uuid), f"counts of {expected}", lambda seen: seen == expected, timeout_s=30)


def test_invocations_by_event_sources_have_the_metrics_of_invocations(
    mapped: Mapped, stream: Stream, make_client: Callable[..., Any]
) -> None:
    """Invocation, performance and concurrency metrics come from every invocation."""
    function = mapped()
    function.map(stream.arn, MaximumRetryAttempts=1)
    stream.put("fail")
    function.wait_for_batches(2)
    stream.put("good")
    function.wait_for_batches(3)

    def metric(name: str) -> float | None:
        return metric_sum(make_client, name, FunctionName=function.function.name)

    wait_until(lambda: metric("Invocations"), "3 invocations", lambda seen: seen == 3)
    assert (metric("Errors"), metric("Throttles")) == (2, 0)
    assert metric("Duration")
    assert metric("ConcurrentExecutions") == 3


def test_throttles_of_event_sources_are_counted(
    mapped: Mapped, stream: Stream, make_client: Callable[..., Any]
) -> None:
    function = mapped()
    name = function.function.name
    function.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    function.map(stream.arn)
    stream.put("one")
    wait_until(lambda: metric_sum(make_client, "Throttles", FunctionName=name), "a throttle", timeout_s=30)
    assert not metric_sum(make_client, "Invocations", FunctionName=name)
    function.client.delete_function_concurrency(FunctionName=name)
    assert function.wait_for_contents(["one"]) == ["one"]


@pytest.mark.parametrize("source", ["stream", "table"])
def test_the_iterator_age_is_that_of_the_last_record(
    mapped: Mapped, make_client: Callable[..., Any], source: str, request: pytest.FixtureRequest
) -> None:
    """Performance metrics: IteratorAge, for event source mappings that read from streams."""
    read: Stream | Table = request.getfixturevalue(source)
    read.put("one")
    function = mapped()
    function.map(read.arn)
    function.wait_for_contents(["one"])
    name = function.function.name
    age_ms = wait_until(lambda: metric_sum(make_client, "IteratorAge", FunctionName=name), "an age")
    # The record was there before the mapping, which needs half a second.
    assert age_ms is not None
    assert 500 <= age_ms < 60_000


def test_queues_have_no_iterator_age(mapped: Mapped, queue: Queue, make_client: Callable[..., Any]) -> None:
    function = mapped()
    function.map(queue.arn)
    queue.send("one")
    function.wait_for_contents(["one"])
    queue.wait_until_empty()
    assert metric_sum(make_client, "IteratorAge", FunctionName=function.function.name) is None


def test_events_of_a_queue_are_counted_on_their_way(
    mapped: Mapped, queue: Queue, counts: Callable[[str], dict[str, float]]
) -> None:
    """Event source mapping metrics: polled, filtered out, invoked, deleted."""
    function = mapped()
    uuid = function.map(queue.arn, MetricsConfig=EVENT_COUNT, FilterCriteria=EVEN)
    queue.send(*[{"number": number, "even": number % 2 == 0} for number in range(10)])
    queue.wait_until_empty()
    expected = {
        "PolledEventCount": 10,
        "FilteredOutEventCount": 5,
        "InvokedEventCount": 5,
        "DeletedEventCount": 5,
    }
    wait_for_counts(counts, uuid, expected)


def test_messages_that_are_reported_as_failed_are_counted(
    mapped: Mapped, queue: Queue, counts: Callable[[str], dict[str, float]]
) -> None:
    """FailedInvokeEventCount "includes any event with a non-empty BatchItemFailures in the response"."""
    function = mapped(REPORTING_HANDLER)
    queue.send("good", "fail", "fine")
    uuid = function.map(
        queue.arn, MetricsConfig=EVENT_COUNT, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    expected = {
        "PolledEventCount": 3,
        "InvokedEventCount": 3,
        "FailedInvokeEventCount": 1,
        "DeletedEventCount": 2,
    }
    wait_for_counts(counts, uuid, expected)


def test_events_of_a_stream_are_counted_with_their_retries_and_drops(
    mapped: Mapped, stream: Stream, counts: Callable[[str], dict[str, float]]
) -> None:
    """InvokedEventCount "may count multiple times for the same polled event due to automatic retries";
    DroppedEventCount: expiry or retry exhaustion."""
    function = mapped()
    uuid = function.map(stream.arn, MetricsConfig=EVENT_COUNT, MaximumRetryAttempts=1)
    stream.put("fail", "beside it")
    function.wait_for_batches(2)
    expected = {
        "PolledEventCount": 2,
        "InvokedEventCount": 4,
        "FailedInvokeEventCount": 4,
        "DroppedEventCount": 2,
    }
    wait_for_counts(counts, uuid, expected)


def test_a_delivery_to_the_destination_is_counted_instead_of_a_drop(
    mapped: Mapped,
    stream: Stream,
    queue: Queue,
    counts: Callable[[str], dict[str, float]],
    make_client: Callable[..., Any],
) -> None:
    """OnFailureDestinationDeliveredEventCount; if delivery fails: DestinationDeliveryFailures of 1 and
    DroppedEventCount of the events."""
    role = create_role(make_client, READ_SOURCES + WRITE_DESTINATIONS)
    function = mapped(Role=role)
    uuid = function.map(
        stream.arn,
        MetricsConfig=EVENT_COUNT,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": queue.arn}},
    )
    stream.put("fail", "beside it")
    queue.receive_record()
    invoked = {"PolledEventCount": 2, "InvokedEventCount": 2, "FailedInvokeEventCount": 2}
    wait_for_counts(counts, uuid, invoked | {"OnFailureDestinationDeliveredEventCount": 2})
    allow_only(make_client, role, READ_SOURCES)
    stream.put("fail again")
    invoked = {"PolledEventCount": 3, "InvokedEventCount": 3, "FailedInvokeEventCount": 3}
    wait_for_counts(
        counts, uuid, invoked | {"OnFailureDestinationDeliveredEventCount": 2, "DroppedEventCount": 1}
    )
    failures = metric_sum(make_client, "DestinationDeliveryFailures", FunctionName=function.function.name)
    assert failures == 1


def test_zero_is_counted_too(mapped: Mapped, queue: Queue, make_client: Callable[..., Any]) -> None:
    """PolledEventCount: an empty poll emits 0; FilteredOutEventCount: 0 for events that match."""
    function = mapped()
    uuid = function.map(queue.arn, MetricsConfig=EVENT_COUNT, FilterCriteria=EVEN)

    def metric(name: str) -> float | None:
        return metric_sum(make_client, name, EventSourceMappingUUID=uuid)

    wait_until(lambda: metric("PolledEventCount"), "an empty poll", lambda seen: seen == 0)
    assert metric("FilteredOutEventCount") is None
    queue.send({"even": True})
    queue.wait_until_empty()
    assert metric("FilteredOutEventCount") == 0


def test_mappings_have_metrics_only_when_asked(
    mapped: Mapped, queue: Queue, counts: Callable[[str], dict[str, float]]
) -> None:
    """You must opt in, at creation or by an update."""
    function = mapped()
    uuid = function.map(queue.arn)
    queue.send("one")
    function.wait_for_contents(["one"])
    queue.wait_until_empty()
    assert counts(uuid) == {}
    function.update(uuid, MetricsConfig=EVENT_COUNT)
    assert function.client.get_event_source_mapping(UUID=uuid)["MetricsConfig"] == EVENT_COUNT
    queue.send("two")
    expected = {"PolledEventCount": 1, "InvokedEventCount": 1, "DeletedEventCount": 1}
    wait_for_counts(counts, uuid, expected)


def test_metrics_of_apache_kafka_are_refused_for_other_sources(mapped: Mapped, queue: Queue) -> None:
    """Event source mapping metrics, table: the groups ErrorCount and KafkaMetrics are for Kafka."""
    function = mapped()
    with pytest.raises(ClientError, match="Unsupported MetricsConfig") as refused:
        function.create_mapping(queue.arn, MetricsConfig={"Metrics": ["EventCount", "KafkaMetrics"]})
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
