"""Where a mapping begins to read a stream, and where it goes on."""

import json
import time
from collections.abc import Callable

import pytest
from mapped_functions import MappedFunction, Stream, Table

from helpers.waiting import wait_until

Mapped = Callable[..., MappedFunction]


def test_latest_means_since_the_mapping_was_created(mapped: Mapped, stream: Stream) -> None:
    """API reference, "CreateEventSourceMapping", StartingPosition. Nothing is lost between the creation
    and the first time that the stream is read."""
    function = mapped()
    stream.put("before")
    created = function.create_mapping(stream.arn, StartingPosition="LATEST")
    assert created["State"] == "Creating"
    stream.put("while it is being created")
    function.wait_for_state(created["UUID"], "Enabled")
    stream.put("after")
    assert function.wait_for_contents(["after"]) == ["while it is being created", "after"]


def test_latest_holds_for_each_shard(mapped: Mapped, make_client: Callable[..., object]) -> None:
    """Developer guide, "How Lambda processes records from Amazon Kinesis Data Streams": each batch has
    records of a single shard."""
    stream = Stream(make_client, shards=4)
    function = mapped()
    keys = [f"key-{number}" for number in range(20)]
    for key in keys:
        stream.put("before", key=key)
    function.map(stream.arn, StartingPosition="LATEST")
    for key in keys:
        stream.put(key, key=key)
    assert sorted(function.wait_for_contents(keys)) == sorted(keys)
    shards_of_batches = [
        {record["eventID"].split(":")[0] for record in batch} for batch in function.batches()
    ]
    assert all(len(shards) == 1 for shards in shards_of_batches)
    assert len(set.union(*shards_of_batches)) == 4


def test_trim_horizon_means_all_that_the_stream_holds(mapped: Mapped, stream: Stream) -> None:
    function = mapped()
    contents = [str(number) for number in range(250)]
    stream.put(*contents)
    function.map(stream.arn, StartingPosition="TRIM_HORIZON")
    assert function.wait_for_contents(["249"]) == contents
    assert [len(batch) for batch in function.batches()] == [100, 100, 50]


def test_at_timestamp_means_what_arrived_since_then(mapped: Mapped, stream: Stream) -> None:
    """API reference, "CreateEventSourceMapping", StartingPositionTimestamp: Unix time in seconds."""
    function = mapped()
    stream.put("before")
    moment_s = _moment_between_arrivals()
    stream.put("after")
    function.map(stream.arn, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=moment_s)
    assert function.wait_for_contents(["after"]) == ["after"]


def _moment_between_arrivals() -> float:
    """Arrivals are noted to the millisecond."""
    time.sleep(0.01)
    moment_s = time.time()
    time.sleep(0.01)
    return moment_s


@pytest.mark.parametrize("position", ["LATEST", "TRIM_HORIZON"])
def test_a_mapping_that_is_enabled_again_goes_on_where_it_was(
    mapped: Mapped, stream: Stream, position: str
) -> None:
    """Developer guide, "How Lambda processes records from stream and queue-based event sources":
    disabling pauses processing."""
    function = mapped()
    uuid = function.map(stream.arn, StartingPosition=position)
    stream.put("first")
    function.wait_for_contents(["first"])
    function.update(uuid, then="Disabled", Enabled=False)
    stream.put("meanwhile")
    function.update(uuid, Enabled=True)
    stream.put("last")
    assert function.wait_for_contents(["last"]) == ["first", "meanwhile", "last"]


def test_a_disabled_mapping_invokes_nothing(mapped: Mapped, stream: Stream) -> None:
    disabled, enabled = mapped(), mapped()
    created = disabled.create_mapping(stream.arn, Enabled=False)
    disabled.wait_for_state(created["UUID"], "Disabled")
    enabled.map(stream.arn)
    stream.put("one")
    enabled.wait_for_contents(["one"])
    assert disabled.batches() == []


def test_latest_of_a_table_means_since_the_mapping_was_created(mapped: Mapped, table: Table) -> None:
    """API reference, "CreateEventSourceMapping", StartingPosition."""
    function = mapped()
    table.put("before")
    created = function.create_mapping(table.arn, StartingPosition="LATEST")
    table.put("while it is being created")
    function.wait_for_state(created["UUID"], "Enabled")
    table.put("after")
    assert function.wait_for_contents(["after"]) == ["while it is being created", "after"]


def test_trim_horizon_of_a_table_means_all_changes(mapped: Mapped, table: Table) -> None:
    function = mapped()
    for number in range(5):
        table.put("item", number={"N": str(number)})
    function.map(table.arn, StartingPosition="TRIM_HORIZON")
    table.put("last")
    function.wait_for_contents(["last"])
    records = [record for batch in function.batches() for record in batch]
    assert [record["eventName"] for record in records] == ["INSERT", *["MODIFY"] * 4, "INSERT"]
    assert [record["dynamodb"]["NewImage"].get("number", {}).get("N") for record in records] == [
        *[str(number) for number in range(5)],
        None,
    ]


def test_two_mappings_of_a_stream_each_have_a_position_of_their_own(mapped: Mapped, stream: Stream) -> None:
    early, late = mapped(), mapped()
    early.map(stream.arn)
    stream.put("one")
    early.wait_for_contents(["one"])
    late.map(stream.arn, StartingPosition="LATEST")
    stream.put("two")
    assert late.wait_for_contents(["two"]) == ["two"]
    assert early.wait_for_contents(["two"]) == ["one", "two"]


def test_a_shard_that_is_younger_than_the_mapping_is_read_from_its_beginning(
    mapped: Mapped, stream: Stream
) -> None:
    """Developer guide, Kinesis event sources: all shards are read; none of a new one's records is older
    than the mapping."""
    function = mapped()
    function.map(stream.arn, StartingPosition="LATEST")
    stream.put("parent")
    function.wait_for_contents(["parent"])
    (shard,) = stream.client.list_shards(StreamName=stream.name)["Shards"]
    stream.client.split_shard(
        StreamName=stream.name, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(2**127)
    )
    stream.put("child", key="a")
    function.wait_for_contents(["child"])
    wait_until(lambda: function.contents(), "nothing twice", lambda seen: sorted(seen) == ["child", "parent"])


def test_what_the_function_sees_of_a_record(mapped: Mapped, stream: Stream, reader_role: str) -> None:
    """Developer guide, "Using Lambda to process records from Amazon Kinesis Data Streams", example event."""
    function = mapped()
    function.map(stream.arn)
    sent = stream.client.put_record(StreamName=stream.name, Data=b"Hello", PartitionKey="1")
    ((record,),) = function.wait_for_batches(1)
    arrival_s = record["kinesis"].pop("approximateArrivalTimestamp")
    assert abs(arrival_s - time.time()) < 60
    assert record == {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "1",
            "sequenceNumber": sent["SequenceNumber"],
            "data": "SGVsbG8=",
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{sent['ShardId']}:{sent['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": reader_role,
        "awsRegion": "us-east-1",
        "eventSourceARN": stream.arn,
    }
    assert json.dumps(record)
