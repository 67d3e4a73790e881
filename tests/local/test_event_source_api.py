"""The requests about event source mappings: answers and states."""

from collections.abc import Callable
from typing import Any

import pytest
from mapped_functions import ACCOUNT_ID, MappedFunction, Queue, Stream, refusal

from helpers.waiting import wait_until

Mapped = Callable[..., MappedFunction]
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT_ID}"


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer.pop("LastModified").year >= 2026
    answer.pop("ResponseMetadata", None)
    return answer


def test_a_mapping_of_a_queue_reads_as_on_aws(mapped: Mapped, queue: Queue) -> None:
    """API reference, "EventSourceMappingConfiguration"; a queue has no position and no result."""
    function = mapped()
    answer = function.create_mapping(queue.arn, Tags={"team": "tyres"})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    uuid = answer["UUID"]
    expected = {
        "UUID": uuid,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "EventSourceArn": queue.arn,
        "FunctionArn": f"{ARN}:function:{function.function.name}",
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
        "FunctionResponseTypes": [],
        "EventSourceMappingArn": f"{ARN}:event-source-mapping:{uuid}",
    }
    assert without_metadata(answer) == expected
    function.wait_for_state(uuid, "Enabled")
    assert without_metadata(function.client.get_event_source_mapping(UUID=uuid)) == expected | {
        "State": "Enabled"
    }
    assert function.client.list_tags(Resource=expected["EventSourceMappingArn"])["Tags"] == {"team": "tyres"}


def test_a_mapping_of_a_stream_reads_as_on_aws(mapped: Mapped, stream: Stream) -> None:
    """API reference, "EventSourceMappingConfiguration"; developer guide, "Lambda parameters for Amazon
    Kinesis Data Streams event source mappings": defaults."""
    function = mapped()
    answer = function.create_mapping(stream.arn, StartingPosition="LATEST")
    uuid = answer["UUID"]
    assert without_metadata(answer) == {
        "UUID": uuid,
        "StartingPosition": "LATEST",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "EventSourceArn": stream.arn,
        "FunctionArn": f"{ARN}:function:{function.function.name}",
        "LastProcessingResult": "No records processed",
        "State": "Creating",
        "StateTransitionReason": "User action",
        "DestinationConfig": {"OnFailure": {}},
        "MaximumRecordAgeInSeconds": -1,
        "BisectBatchOnFunctionError": False,
        "MaximumRetryAttempts": -1,
        "TumblingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "EventSourceMappingArn": f"{ARN}:event-source-mapping:{uuid}",
    }

    def result() -> str:
        return str(function.client.get_event_source_mapping(UUID=uuid)["LastProcessingResult"])

    stream.put("good")
    wait_until(result, "a result", lambda seen: seen == "OK")
    stream.put("fail")
    wait_until(result, "a result", lambda seen: seen == "PROBLEM: Function call failed")


@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_mapping_is_in_use_while_it_changes(
    mapped: Mapped, make_client: Callable[..., Any], change: str
) -> None:
    """API reference, "UpdateEventSourceMapping", "DeleteEventSourceMapping", ResourceInUseException."""
    function = mapped()

    def refused() -> str:
        uuid = function.create_mapping(Queue(make_client).arn)["UUID"]
        try:
            getattr(function.client, f"{change}_event_source_mapping")(UUID=uuid)
        except function.client.exceptions.ResourceInUseException as error:
            return str(error.response["Error"]["Message"])
        return "too late: the mapping was ready"

    expected = f"Cannot {change} the event source mapping because it is in use."
    wait_until(refused, "the refusal", lambda seen: seen == expected)


def test_a_mapping_passes_through_its_states(mapped: Mapped, queue: Queue) -> None:
    """API reference, "CreateEventSourceMapping", State."""
    function = mapped()
    client = function.client
    created = function.create_mapping(queue.arn, Enabled=False)
    uuid = created["UUID"]
    assert created["State"] == "Creating"
    function.wait_for_state(uuid, "Disabled")
    for changes, state, then in (
        ({"BatchSize": 5}, "Updating", "Disabled"),
        ({"Enabled": True}, "Enabling", "Enabled"),
        ({"BatchSize": 6}, "Updating", "Enabled"),
        ({"Enabled": False}, "Disabling", "Disabled"),
    ):
        answer = client.update_event_source_mapping(UUID=uuid, **changes)
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["State"]) == (202, state)
        function.wait_for_state(uuid, then)
    assert client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    gone = ("ResourceNotFoundException", "The resource you requested does not exist.")

    def get() -> Any:
        return client.get_event_source_mapping(UUID=uuid)

    def is_gone() -> bool:
        try:
            get()
        except client.exceptions.ResourceNotFoundException:
            return True
        return False

    wait_until(is_gone, "the mapping to be gone")
    assert refusal(get) == gone
    assert refusal(lambda: client.update_event_source_mapping(UUID=uuid, BatchSize=1)) == gone
    assert refusal(lambda: client.delete_event_source_mapping(UUID=uuid)) == gone


def test_after_its_deletion_a_mapping_invokes_nothing(mapped: Mapped, queue: Queue, stream: Stream) -> None:
    function = mapped()
    function.map(stream.arn)
    function.client.delete_event_source_mapping(UUID=function.map(queue.arn))
    queue.send("one")
    stream.put("two")
    assert function.wait_for_contents(["two"]) == ["two"]
    assert queue.messages() == (1, 0)


def test_mappings_are_listed_by_function_and_source(mapped: Mapped, queue: Queue, stream: Stream) -> None:
    """API reference, "ListEventSourceMappings"."""
    function, other = mapped(), mapped()
    function.client.publish_version(FunctionName=function.function.name)
    name = function.function.name
    made = [
        function.map(queue.arn),
        function.map(stream.arn),
        function.map(stream.arn, FunctionName=f"{name}:1"),
        other.map(stream.arn),
    ]

    def listed(**parameters: Any) -> list[str]:
        pages = function.client.get_paginator("list_event_source_mappings").paginate(**parameters)
        return [each["UUID"] for page in pages for each in page["EventSourceMappings"]]

    assert listed(FunctionName=name) == made[:2]
    assert listed(FunctionName=f"{name}:1") == made[2:3]
    assert listed(EventSourceArn=stream.arn) == made[1:]
    assert listed(EventSourceArn=stream.arn, FunctionName=name) == made[1:2]
    assert listed(EventSourceArn=stream.arn, PaginationConfig={"PageSize": 1}) == made[1:]


def test_a_mapping_invokes_the_version_or_alias_that_it_names(
    mapped: Mapped, queue: Queue, make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Manage Lambda function versions": event sources may name a version or an alias."""
    function = mapped()
    client, name = function.client, function.function.name
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    uuid = function.map(queue.arn, FunctionName=f"{name}:live")
    answer = client.get_event_source_mapping(UUID=uuid)
    assert answer["FunctionArn"] == f"{ARN}:function:{name}:live"
    queue.send("one")
    function.wait_for_contents(["one"])
    streams = make_client("logs").describe_log_streams(logGroupName=f"/aws/lambda/{name}")["logStreams"]
    assert all("[1]" in each["logStreamName"] for each in streams)


def test_an_update_may_name_another_function(mapped: Mapped, queue: Queue) -> None:
    """API reference, "UpdateEventSourceMapping": change the function that Lambda invokes."""
    first, second = mapped(), mapped()
    uuid = first.map(queue.arn)
    first.update(uuid, FunctionName=second.function.name)
    queue.send("one")
    second.wait_for_contents(["one"])
    assert first.batches() == []


def test_what_was_not_updated_stays(mapped: Mapped, stream: Stream, queue: Queue) -> None:
    """API reference, "UpdateEventSourceMapping"."""
    function = mapped()
    destination = {"OnFailure": {"Destination": queue.arn}}
    uuid = function.map(stream.arn, MaximumRetryAttempts=7, BatchSize=50, DestinationConfig=destination)
    function.update(uuid, BatchSize=60)
    answer = function.client.get_event_source_mapping(UUID=uuid)
    assert (answer["BatchSize"], answer["MaximumRetryAttempts"]) == (60, 7)
    assert answer["DestinationConfig"] == destination
    function.update(uuid, DestinationConfig={"OnFailure": {}})
    answer = function.client.get_event_source_mapping(UUID=uuid)
    assert answer["DestinationConfig"] == {"OnFailure": {}}
