"""What filters hand to a function, from queues, data streams and tables."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mapped_functions import MappedFunction, Queue, Stream, Table

LOW_PRESSURE = [{"numeric": ["<", 32]}]
# Passes every filter below that is about tire_pressure.
LAST = {"tire_pressure": 1, "id": "last"}

Mapped = Callable[..., MappedFunction]


def criteria(*patterns: Any) -> dict[str, Any]:
    """FilterCriteria; patterns as objects, or as the text that they are."""
    texts = [each if isinstance(each, str) else json.dumps(each) for each in patterns]
    return {"Filters": [{"Pattern": text} for text in texts]}


def texts(*contents: Any) -> list[str]:
    return [each if isinstance(each, str) else json.dumps(each) for each in contents]


def test_data_of_a_stream_are_filtered_under_the_data_key(mapped: Mapped, stream: Stream) -> None:
    """Developer guide, "Using event filtering with a Kinesis event source"; numbers are not text."""
    function = mapped()
    function.map(stream.arn, FilterCriteria=criteria({"data": {"tire_pressure": LOW_PRESSURE}}))
    low = {"tire_pressure": 31, "id": "low"}
    left_out = [{"tire_pressure": 32}, {"tire_pressure": "31"}, {"other": 31}, "tire_pressure: 31", "31", ""]
    stream.put(low, *[each for each in left_out if each], {"tire_pressure": 31.9}, LAST)
    assert function.wait_for_contents(texts(LAST)) == texts(low, {"tire_pressure": 31.9}, LAST)


def test_a_pattern_without_the_data_key_does_not_see_the_data(mapped: Mapped, stream: Stream) -> None:
    """Developer guide, "Control which events Lambda sends to your function": to filter on data
    properties, use the correct key. Other keys are those of the metadata."""
    without_key, by_partition_key = mapped(), mapped()
    without_key.map(stream.arn, FilterCriteria=criteria({"tire_pressure": LOW_PRESSURE}))
    by_partition_key.map(stream.arn, FilterCriteria=criteria({"partitionKey": ["fleet-1"]}))
    stream.put(LAST, key="fleet-2")
    stream.put("plain", LAST, key="fleet-1")
    assert by_partition_key.wait_for_contents(texts(LAST)) == texts("plain", LAST)
    assert without_key.batches() == []


def test_metadata_and_data_are_filtered_together(mapped: Mapped, stream: Stream) -> None:
    """Developer guide, Kinesis filtering: "metadata properties, data properties, or both"."""
    function = mapped()
    function.map(
        stream.arn,
        FilterCriteria=criteria({"partitionKey": ["fleet-1"], "data": {"tire_pressure": LOW_PRESSURE}}),
    )
    stream.put(LAST, key="fleet-2")
    stream.put("plain", {"tire_pressure": 40}, LAST, key="fleet-1")
    assert function.wait_for_contents(texts(LAST)) == texts(LAST)


def test_one_of_several_filters_is_enough(mapped: Mapped, stream: Stream) -> None:
    """Developer guide, "Control which events ...": filters are ORed."""
    function = mapped()
    patterns = [
        {"data": {"tire_pressure": LOW_PRESSURE}},
        {"data": {"alarm": [True]}},
        {"partitionKey": ["p"]},
    ]
    function.map(stream.arn, FilterCriteria=criteria(*patterns))
    stream.put({"alarm": True}, {"alarm": False}, {"alarm": 1})
    stream.put("plain", key="p")
    stream.put(LAST)
    assert function.wait_for_contents(texts(LAST)) == texts({"alarm": True}, "plain", LAST)


@pytest.mark.parametrize("nothing", [{"Filters": []}, {}])
def test_empty_criteria_remove_the_filters(mapped: Mapped, stream: Stream, nothing: dict[str, Any]) -> None:
    """Developer guide, "Control which events ...", AWS CLI: with an empty FilterCriteria object."""
    function = mapped()
    uuid = function.map(stream.arn, FilterCriteria=criteria({"data": {"tire_pressure": LOW_PRESSURE}}))
    stream.put({"tire_pressure": 40}, LAST)
    function.wait_for_contents(texts(LAST))
    function.update(uuid, FilterCriteria=nothing)
    assert "FilterCriteria" not in function.client.get_event_source_mapping(UUID=uuid)
    stream.put("anything")
    assert function.wait_for_contents(["anything"]) == [*texts(LAST), "anything"]


def test_an_update_changes_the_filters(mapped: Mapped, stream: Stream) -> None:
    function = mapped()
    uuid = function.map(stream.arn, FilterCriteria=criteria({"data": {"v": [1]}}))
    stream.put({"v": 1}, {"v": 2})
    function.wait_for_contents(texts({"v": 1}))
    function.update(uuid, FilterCriteria=criteria({"data": {"v": [2]}}))
    stream.put({"v": 1, "late": True}, {"v": 2, "late": True})
    assert function.wait_for_contents(texts({"v": 2, "late": True})) == texts(
        {"v": 1}, {"v": 2, "late": True}
    )


BODY_CASES = [
    # Body filter, what passes, what does not.
    (
        {"body": {"tire_pressure": LOW_PRESSURE}},
        [{"tire_pressure": 31}],
        [{"tire_pressure": "31"}, "31", "text"],
    ),
    ({"body": [{"prefix": "Result: "}]}, ["Result: 7"], ["result: 7", {"Result: ": 7}, "[1]"]),
    ({"body": ["{}x"]}, ["{}x"], ["{}", "x"]),
]


@pytest.mark.parametrize(("pattern", "passing", "left_out"), BODY_CASES, ids=["json", "prefix", "plain"])
def test_bodies_are_filtered_in_the_format_of_the_pattern(
    mapped: Mapped, queue: Queue, pattern: Any, passing: list[Any], left_out: list[Any]
) -> None:
    """Developer guide, "Using event filtering with an Amazon SQS event source", table of formats: a
    mismatch of body and pattern drops the message. Messages that do not pass are removed."""
    function = mapped()
    function.map(queue.arn, FilterCriteria=criteria(pattern))
    queue.send(*left_out, *passing)
    function.wait_for_contents(texts(*passing))
    queue.wait_until_empty()
    assert function.contents() == texts(*passing)


def test_patterns_without_the_body_key_see_metadata_whatever_the_body(mapped: Mapped, queue: Queue) -> None:
    """Developer guide, ... Amazon SQS event source, table: no filter pattern for data properties."""
    function = mapped()
    pattern = {"messageAttributes": {"kind": {"stringValue": ["alarm"]}}}
    function.map(queue.arn, FilterCriteria=criteria(pattern))
    alarm = {"kind": {"DataType": "String", "StringValue": "alarm"}}
    queue.send("no attribute", {"json": True})
    queue.send("plain", {"json": 1}, MessageAttributes=alarm)
    function.wait_for_contents(texts("plain", {"json": 1}))
    queue.wait_until_empty()
    assert sorted(function.contents()) == sorted(texts("plain", {"json": 1}))


def test_a_batch_of_which_nothing_passes_invokes_nothing(mapped: Mapped, queue: Queue) -> None:
    """Developer guide, "Control which events ...": Lambda automatically removes the messages."""
    function = mapped()
    function.map(queue.arn, FilterCriteria=criteria({"body": {"tire_pressure": LOW_PRESSURE}}))
    queue.send(*[{"tire_pressure": 40 + number} for number in range(12)])
    queue.wait_until_empty()
    assert function.batches() == []


def test_changes_of_a_table_are_filtered_by_event_name_and_image(mapped: Mapped, table: Table) -> None:
    """DynamoDB developer guide, "Using filters to process some events with DynamoDB and Lambda"."""
    function = mapped()
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"status": {"S": [{"prefix": "LOW"}]}}}}
    function.map(table.arn, FilterCriteria=criteria(pattern))
    table.put("a", status={"S": "LOW"})
    table.put("b", status={"S": "OK"})
    table.put("a", status={"S": "LOW again"})
    table.delete("a")
    table.put("last", status={"S": "LOW"})
    assert function.wait_for_contents(["last"]) == ["a", "last"]


def test_numbers_of_a_table_are_text_for_filters(mapped: Mapped, table: Table) -> None:
    """Developer guide, "Using event filtering with a DynamoDB event source", note: DynamoDB event
    filtering doesn't support the use of numeric operators; numbers are strings in the record."""
    by_value, as_text = mapped(), mapped()
    by_value.map(
        table.arn, FilterCriteria=criteria({"dynamodb": {"NewImage": {"pressure": {"N": LOW_PRESSURE}}}})
    )
    as_text.map(table.arn, FilterCriteria=criteria({"dynamodb": {"NewImage": {"pressure": {"N": ["31"]}}}}))
    table.put("number", pressure={"N": "31"})
    table.put("text", pressure={"S": "31"})
    table.put("last", pressure={"N": "31"})
    assert as_text.wait_for_contents(["last"]) == ["number", "last"]
    assert by_value.batches() == []


def test_lists_of_a_table_are_looked_into(mapped: Mapped, table: Table) -> None:
    """Developer guide, ... DynamoDB event source, "Using the Exists operator", and its example."""
    function = mapped()
    pattern = {"dynamodb": {"NewImage": {"Organizations": {"L": {"S": [{"exists": True}]}}}}}
    function.map(table.arn, FilterCriteria=criteria(pattern))
    table.put("none")
    table.put("empty", Organizations={"L": []})
    table.put("last", Organizations={"L": [{"S": "Sales"}, {"S": "Marketing"}]})
    assert function.wait_for_contents(["last"]) == ["last"]


INVALID = [
    *(
        "",
        "{not json",
        "null",
        '["a"]',
        '"text"',
        '{"data": {"a": 1}}',
        '{"data": {"a": "x"}}',
        '{"data": {}}',
    ),
    *('{"data": {"a": [{"like": "x"}]}}', '{"data": {"a": [{"numeric": ["<", "32"]}]}}'),
]


def test_invalid_patterns_are_refused_at_creation_and_at_updates(mapped: Mapped, stream: Stream) -> None:
    """Developer guide, "Control which events ...": the pattern is the string representation of a JSON
    filter rule."""
    function = mapped()
    uuid = function.map(stream.arn, Enabled=True)
    function.function.client.publish_version(FunctionName=function.function.name)
    for pattern in INVALID:
        for refuse in (
            lambda filters: function.create_mapping(
                stream.arn, FunctionName=f"{function.function.name}:1", FilterCriteria=filters
            ),
            lambda filters: function.update(uuid, FilterCriteria=filters),
        ):
            with pytest.raises(ClientError, match="Invalid filter pattern definition") as refused:
                refuse(criteria({"data": {"a": [1]}}, pattern))
            assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException", pattern


def test_only_queues_have_patterns_for_plain_text(
    mapped: Mapped, stream: Stream, table: Table, queue: Queue
) -> None:
    """Developer guide, Kinesis and DynamoDB filtering, tables of formats: Lambda throws an exception
    when the filter pattern for data properties is not JSON."""
    function = mapped()
    for source, key in ((stream, "data"), (table, "dynamodb")):
        with pytest.raises(ClientError, match="Invalid filter pattern definition"):
            function.create_mapping(source.arn, FilterCriteria=criteria({key: ["text"]}))
    function.map(queue.arn, FilterCriteria=criteria({"body": ["text"]}))


def test_the_number_of_filters_and_their_length_are_limited(mapped: Mapped, queue: Queue) -> None:
    """Developer guide, "Control which events ...": up to five filters; API reference, "Filter": Pattern
    has at most 4,096 characters."""
    function = mapped()
    five = [{"body": {"id": [number]}} for number in range(5)]
    with pytest.raises(ClientError, match="at most 5 filters") as too_many:
        function.create_mapping(queue.arn, FilterCriteria=criteria(*five, {"body": {"id": [5]}}))
    assert too_many.value.response["Error"]["Code"] == "InvalidParameterValueException"
    longest = json.dumps({"body": ["x" * 4082]})
    assert len(longest) == 4096
    with pytest.raises(ClientError, match="length less than or equal to 4096") as too_long:
        function.create_mapping(queue.arn, FilterCriteria=criteria(longest + " "))
    assert too_long.value.response["Error"]["Code"] == "ValidationException"
    answer = function.create_mapping(queue.arn, FilterCriteria=criteria(*five[:4], longest))
    assert answer["FilterCriteria"] == criteria(*five[:4], longest)
