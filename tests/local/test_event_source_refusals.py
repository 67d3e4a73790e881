"""What is refused when event source mappings are created or updated."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from event_source_fixtures import READ_SOURCES
from function_roles import allow_only, create_role
from mapped_functions import ACCOUNT_ID, MappedFunction, Queue, Stream, Table, refusal

from helpers.waiting import wait_until

Mapped = Callable[..., MappedFunction]


def test_the_same_source_and_function_are_mapped_once(mapped: Mapped, queue: Queue, stream: Stream) -> None:
    """API reference, "CreateEventSourceMapping", ResourceConflictException."""
    function = mapped()
    name = function.function.name
    for source, message in (
        (queue, 'An event source mapping with SQS arn (" {} ") and function (" {} ") already exists. {}'),
        (stream, 'The event source arn (" {} ") and function (" {} ") provided mapping already exists. {}'),
    ):
        uuid = function.create_mapping(source.arn)["UUID"]
        advice = f"Please update or delete the existing mapping with UUID {uuid}"
        assert refusal(lambda source=source: function.create_mapping(source.arn)) == (
            "ResourceConflictException",
            message.format(source.arn, name, advice),
        )


def test_sources_and_functions_that_do_not_exist_are_refused(
    mapped: Mapped, queue: Queue, stream: Stream, table: Table
) -> None:
    """API reference, "CreateEventSourceMapping", InvalidParameterValueException."""
    function = mapped()
    missing = f"missing-{secrets.token_hex(4)}"
    for arn, message in (
        (stream.arn.replace(stream.name, missing), "Stream not found: {}"),
        (table.arn.replace(table.name, missing), "Stream not found: {}"),
        (
            queue.arn.replace(queue.name, missing),
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist.",
        ),
        (table.arn.partition("/stream/")[0], "Unrecognized event source."),
    ):
        code, answer = refusal(lambda arn=arn: function.create_mapping(arn))
        assert (code, answer) == ("InvalidParameterValueException", message.format(arn))
    for name in (missing, f"{function.function.name}:7"):
        code, answer = refusal(lambda name=name: function.create_mapping(queue.arn, FunctionName=name))
        assert (code, answer) == ("InvalidParameterValueException", "Function does not exist")


@pytest.mark.parametrize(
    ("parameters", "code", "words"),
    [
        ({"BatchSize": 10_001}, "ValidationException", "less than or equal to 10000"),
        ({"MaximumBatchingWindowInSeconds": 301}, "ValidationException", "less than or equal to 300"),
        ({"ParallelizationFactor": 11}, "ValidationException", "less than or equal to 10"),
        ({"MaximumRetryAttempts": 10_001}, "ValidationException", "less than or equal to 10000"),
        ({"MaximumRecordAgeInSeconds": 604_801}, "ValidationException", "less than or equal to 604800"),
        ({"MaximumRecordAgeInSeconds": 59}, "InvalidParameterValueException", "at least 60"),
        ({"StartingPosition": "FIRST"}, "ValidationException", "'startingPosition' failed"),
        ({"FunctionResponseTypes": ["All"]}, "ValidationException", "ReportBatchItemFailures"),
        ({"MetricsConfig": {"Metrics": ["All"]}}, "ValidationException", "metrics"),
        (
            {"StartingPosition": "AT_TIMESTAMP"},
            "InvalidParameterValueException",
            "needs a StartingPositionTimestamp",
        ),
        (
            {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 4_000_000_000},
            "InvalidParameterValueException",
            "cannot be greater than the currentTimestampInMillis",
        ),
        (
            {"StartingPosition": "LATEST", "StartingPositionTimestamp": 1},
            "InvalidParameterValueException",
            "Timestamp only valid with StartingPosition AT_TIMESTAMP",
        ),
        ({"ScalingConfig": {"MaximumConcurrency": 2}}, "InvalidParameterValueException", "ScalingConfig"),
        (
            {"DestinationConfig": {"OnSuccess": {"Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT_ID}:q"}}},
            "InvalidParameterValueException",
            "Unsupported DestinationConfig parameter for given event source mapping type.",
        ),
        (
            {"DestinationConfig": {"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT_ID}:q"}}},
            "InvalidParameterValueException",
            "destination ARN",
        ),
        ({"TumblingWindowInSeconds": 30}, "NotImplementedException", "TumblingWindowInSeconds"),
        ({"KMSKeyArn": "arn:aws:kms:us-east-1:1:key/k"}, "NotImplementedException", "KMSKeyArn"),
        ({"LoggingConfig": {"SystemLogLevel": "INFO"}}, "NotImplementedException", "LoggingConfig"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_of_a_stream_are_checked(
    mapped_once: MappedFunction, stream: Stream, parameters: dict[str, Any], code: str, words: str
) -> None:
    """API reference, "CreateEventSourceMapping"; what cannot be done here is said."""
    answer = refusal(lambda: mapped_once.create_mapping(stream.arn, **parameters))
    assert answer[0] == code
    assert words in answer[1]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (
            {"BatchSize": 11},
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        ({"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
        ({"MaximumRetryAttempts": 1}, "Unsupported MaximumRetryAttempts parameter"),
        ({"MaximumRecordAgeInSeconds": 60}, "Unsupported MaximumRecordAgeInSeconds parameter"),
        ({"ParallelizationFactor": 2}, "Unsupported ParallelizationFactor parameter"),
        ({"BisectBatchOnFunctionError": True}, "Unsupported BisectBatchOnFunctionError parameter"),
        (
            {"DestinationConfig": {"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT_ID}:q"}}},
            "Unsupported DestinationConfig parameter",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_of_a_queue_are_checked(
    mapped_once: MappedFunction, queue: Queue, parameters: dict[str, Any], words: str
) -> None:
    """Developer guide, "Lambda parameters for Amazon SQS event source mappings"."""
    code, message = refusal(lambda: mapped_once.create_mapping(queue.arn, **parameters))
    assert code == "InvalidParameterValueException"
    assert words in message


def test_settings_of_a_fifo_queue_are_checked(
    mapped_once: MappedFunction, make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Creating and configuring an Amazon SQS event source mapping": at most 10 messages
    of a FIFO queue, and no batch window."""
    queue = Queue(make_client, ".fifo", FifoQueue="true")
    for parameters in ({"BatchSize": 11}, {"MaximumBatchingWindowInSeconds": 1}):
        code, message = refusal(lambda given=parameters: mapped_once.create_mapping(queue.arn, **given))
        assert (code, "FIFO queues" in message) == ("InvalidParameterValueException", True)


def test_streams_need_a_starting_position(mapped_once: MappedFunction, stream: Stream, table: Table) -> None:
    """API reference, "CreateEventSourceMapping": required for Kinesis and DynamoDB; AT_TIMESTAMP only for
    Kinesis."""
    name = mapped_once.function.name
    for source in (stream, table):
        code, message = refusal(
            lambda arn=source.arn: mapped_once.client.create_event_source_mapping(
                FunctionName=name, EventSourceArn=arn
            )
        )
        assert code == "InvalidParameterValueException"
        assert "Value null at 'startingPosition'" in message
    assert refusal(
        lambda: mapped_once.create_mapping(
            table.arn, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1
        )
    ) == ("InvalidParameterValueException", f"Unsupported starting position for arn type: {table.arn}")


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:kafka:us-east-1:{ACCOUNT_ID}:cluster/c/1",
        f"arn:aws:mq:us-east-1:{ACCOUNT_ID}:broker:b:1",
        "arn:aws:sqs:us-east-1:444455556666:queue",
        f"arn:aws:kinesis:us-east-1:{ACCOUNT_ID}:stream/s/consumer/c:1",
    ],
)
def test_sources_that_cannot_be_read_here_are_refused(mapped_once: MappedFunction, arn: str) -> None:
    code, message = refusal(lambda: mapped_once.create_mapping(arn))
    assert (code, message.startswith("The local AWS cannot")) == ("NotImplementedException", True)


def test_the_queue_must_hide_messages_as_long_as_the_function_may_run(
    mapped: Mapped, make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Creating and configuring an Amazon SQS event source mapping": Lambda validates
    this when you create or update an event source mapping."""
    queue = Queue(make_client, VisibilityTimeout="2")
    short, long = mapped(Timeout=2), mapped(Timeout=3)
    expected = (
        "InvalidParameterValueException",
        "Queue visibility timeout: 2 seconds is less than Function timeout: 3 seconds",
    )
    assert refusal(lambda: long.create_mapping(queue.arn)) == expected
    uuid = short.map(queue.arn)
    assert refusal(lambda: short.update(uuid, FunctionName=long.function.name)) == expected


def test_the_role_must_be_allowed_to_read_the_source(
    mapped: Mapped, queue: Queue, stream: Stream, table: Table, make_client: Callable[..., Any]
) -> None:
    """Developer guide, the pages of SQS, Kinesis and DynamoDB: execution role permissions."""
    role = create_role(make_client, [])
    function = mapped(Role=role)
    stream_message = (
        "Cannot access stream {}. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, {} Actions on your stream in IAM."
    )
    queue_message = "The provided execution role does not have permissions to call {} on SQS"
    for source, missing, message in (
        (queue, "sqs:ReceiveMessage", queue_message.format("ReceiveMessage")),
        (queue, "sqs:DeleteMessage", queue_message.format("DeleteMessage")),
        (queue, "sqs:GetQueueAttributes", queue_message.format("GetQueueAttributes")),
        (stream, "kinesis:GetRecords", stream_message.format(stream.arn, "ListShards, and ListStreams")),
        (stream, "kinesis:ListShards", stream_message.format(stream.arn, "ListShards, and ListStreams")),
        (table, "dynamodb:DescribeStream", stream_message.format(table.arn, "and ListStreams")),
    ):
        allow_only(make_client, role, [action for action in READ_SOURCES if action != missing])
        answer = refusal(lambda arn=source.arn: function.create_mapping(arn))
        assert answer == ("InvalidParameterValueException", message), missing


def test_a_source_is_not_read_while_the_role_is_not_allowed_to(
    mapped: Mapped, queue: Queue, stream: Stream, make_client: Callable[..., Any]
) -> None:
    """The execution role is what reads, not only what is checked at the creation."""
    role = create_role(make_client, READ_SOURCES)
    function = mapped(Role=role)
    function.map(queue.arn)
    uuid = function.map(stream.arn)
    allow_only(make_client, role, [])
    other = Queue(make_client)

    def result() -> str:
        # Sources are looked at when something arrives somewhere.
        other.send("anything")
        return str(function.client.get_event_source_mapping(UUID=uuid)["LastProcessingResult"])

    wait_until(result, "the problem", lambda seen: seen.startswith("PROBLEM: Cannot access stream"))
    queue.send("message")
    stream.put("record")
    allow_only(make_client, role, READ_SOURCES)
    function.wait_for_contents(["message", "record"])
    records = [record for batch in function.batches() for record in batch if "body" in record]
    assert [record["attributes"]["ApproximateReceiveCount"] for record in records] == ["1"]
