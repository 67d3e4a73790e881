"""How records become batches, and in which order and how many at once they are processed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mapped_functions import HANDLER, MappedFunction, Queue, Stream, contents_of, metric_sum

Mapped = Callable[..., MappedFunction]
SLOW_HANDLER = HANDLER.replace(
    "def handler(event, context):",
    "import time\n\ndef handler(event, context):\n    time.sleep(0.3)",
)


def test_a_batch_has_no_more_messages_than_the_batch_size(mapped: Mapped, queue: Queue) -> None:
    """Developer guide, "Creating and configuring an Amazon SQS event source mapping", batch size."""
    function = mapped()
    queue.send(*[str(number) for number in range(7)])
    function.map(queue.arn, BatchSize=3)
    function.wait_for_contents([str(number) for number in range(7)])
    assert sorted(len(batch) for batch in function.batches()) == [1, 3, 3]
    queue.wait_until_empty()


def test_a_window_gathers_more_messages_than_one_request_returns(mapped: Mapped, queue: Queue) -> None:
    """Developer guide, ... SQS event source mapping, batch size and batch window."""
    function = mapped()
    function.map(queue.arn, BatchSize=25, MaximumBatchingWindowInSeconds=300)
    queue.send(*[str(number) for number in range(25)])
    (batch,) = function.wait_for_batches(1)
    assert len(batch) == 25
    queue.wait_until_empty()


def test_a_batch_that_is_not_full_is_sent_when_its_window_is_over(mapped: Mapped, queue: Queue) -> None:
    function = mapped()
    queue.send("one", "two")
    function.map(queue.arn, BatchSize=25, MaximumBatchingWindowInSeconds=1)
    assert contents_of(function.wait_for_batches(1)) == [["one", "two"]]


def test_filtered_records_take_no_place_in_a_batch(mapped: Mapped, stream: Stream) -> None:
    """Developer guide, "Control which events Lambda sends to your function"; DynamoDB developer guide,
    "Using filters to process some events": with batching windows, each new event is filtered before
    it is included in the current batch."""
    function = mapped()
    pattern = json.dumps({"data": {"even": [True]}})
    function.map(
        stream.arn,
        BatchSize=5,
        MaximumBatchingWindowInSeconds=300,
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
    )
    stream.put(*[{"number": number, "even": number % 2 == 0} for number in range(10)])
    (batch,) = contents_of(function.wait_for_batches(1))
    assert [json.loads(text)["number"] for text in batch] == [0, 2, 4, 6, 8]


def test_a_payload_has_six_megabytes_at_most(mapped: Mapped, stream: Stream) -> None:
    """Developer guide, "How Lambda processes records from stream and queue-based event sources",
    batching behavior; "Lambda quotas": 6 MB for synchronous invocations."""
    function = mapped(
        "import json\ndef handler(event, context):\n"
        "    print('EVENT ' + json.dumps({'Records': [{'body': str(len(json.dumps(event))),"
        " 'messageId': ''} for _ in event['Records']]}))\n"
    )
    stream.put("x" * 900_000, "x" * 900_000, "x" * 900_000, "x" * 900_000)
    stream.put("x" * 900_000, "x" * 900_000, "x" * 900_000, "x" * 900_000)
    function.map(stream.arn)
    batches = function.wait_for_batches(2)
    assert [len(batch) for batch in batches] == [5, 3]
    assert all(int(record["body"]) < 6 * 1024 * 1024 for batch in batches for record in batch)


def test_messages_of_a_group_keep_their_order(mapped: Mapped, make_client: Callable[..., Any]) -> None:
    """Developer guide, "Using Lambda with Amazon SQS": FIFO queues, in order within a message group."""
    queue = Queue(make_client, ".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    function = mapped(SLOW_HANDLER)
    function.map(queue.arn, BatchSize=2)
    for number in range(6):
        for group in ("a", "b"):
            queue.send(f"{group}{number}", MessageGroupId=group)
    everything = [f"{group}{number}" for group in ("a", "b") for number in range(6)]
    function.wait_for_contents(everything)
    queue.wait_until_empty()
    for group in ("a", "b"):
        assert [each for each in function.contents() if each.startswith(group)] == sorted(
            each for each in everything if each.startswith(group)
        )


def test_the_maximum_concurrency_limits_what_a_queue_invokes_at_once(
    mapped: Mapped, make_client: Callable[..., Any], queue: Queue
) -> None:
    """Developer guide, "Configuring maximum concurrency for Amazon SQS event sources"."""
    function = mapped(SLOW_HANDLER)
    queue.send(*[str(number) for number in range(6)])
    function.map(queue.arn, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    function.wait_for_contents([str(number) for number in range(6)])
    answer = make_client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="ConcurrentExecutions",
        Dimensions=[{"Name": "FunctionName", "Value": function.function.name}],
        StartTime=0,
        EndTime=4_000_000_000,
        Period=4_000_000_020,
        Statistics=["Maximum"],
    )
    assert [point["Maximum"] for point in answer["Datapoints"]] == [2]


def test_a_throttled_batch_is_tried_again_while_its_messages_are_invisible(
    mapped: Mapped, make_client: Callable[..., Any], queue: Queue
) -> None:
    """Developer guide, "Creating and configuring an Amazon SQS event source mapping": the visibility
    timeout allows Lambda to retry if the function is throttled. Nothing is received twice."""
    function = mapped(SLOW_HANDLER)
    function.client.put_function_concurrency(
        FunctionName=function.function.name, ReservedConcurrentExecutions=1
    )
    queue.send(*[str(number) for number in range(4)])
    function.map(queue.arn, BatchSize=1)
    function.wait_for_contents([str(number) for number in range(4)])
    queue.wait_until_empty()
    records = [record for batch in function.batches() for record in batch]
    assert [record["attributes"]["ApproximateReceiveCount"] for record in records] == ["1"] * 4
    throttles = metric_sum(make_client, "Throttles", FunctionName=function.function.name)
    assert throttles is not None and throttles > 0


def test_records_of_a_key_stay_in_order_when_a_shard_is_processed_in_parallel(
    mapped: Mapped, make_client: Callable[..., Any], stream: Stream
) -> None:
    """Developer guide, "How Lambda processes records from Amazon Kinesis Data Streams": with a
    ParallelizationFactor Lambda still ensures in-order processing at the partition-key level."""
    function = mapped()
    function.map(stream.arn, ParallelizationFactor=4, BatchSize=2)
    keys = [f"key{number}" for number in range(8)]
    for key in keys:
        stream.put(*[f"{key}-{number}" for number in range(5)], key=key)
    everything = [f"{key}-{number}" for key in keys for number in range(5)]
    seen = function.wait_for_contents(everything)
    assert sorted(seen) == sorted(everything)
    for key in keys:
        assert [each for each in seen if each.startswith(f"{key}-")] == [f"{key}-{n}" for n in range(5)]


def test_a_factor_cannot_be_changed_here(mapped: Mapped, stream: Stream) -> None:
    function = mapped()
    uuid = function.map(stream.arn, ParallelizationFactor=2)
    function.update(uuid, ParallelizationFactor=2)
    with pytest.raises(ClientError, match="ParallelizationFactor") as refused:
        function.update(uuid, ParallelizationFactor=3)
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"


def test_what_the_function_sees_of_a_message(mapped: Mapped, make_client: Callable[..., Any]) -> None:
    """Developer guide, "Using Lambda with Amazon SQS", example FIFO queue message event."""
    queue = Queue(make_client, ".fifo", FifoQueue="true")
    function = mapped()
    function.map(queue.arn)
    sent = queue.client.send_message(
        QueueUrl=queue.url,
        MessageBody="Test message.",
        MessageGroupId="group",
        MessageDeduplicationId="once",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "alarm"}},
    )
    ((record,),) = function.wait_for_batches(1)
    attributes = record["attributes"]
    for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp", "SenderId"):
        assert attributes.pop(name).isdigit()
    assert record.pop("receiptHandle")
    assert record == {
        "messageId": sent["MessageId"],
        "body": "Test message.",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SequenceNumber": sent["SequenceNumber"],
            "MessageGroupId": "group",
            "MessageDeduplicationId": "once",
        },
        "messageAttributes": {
            "kind": {
                "stringValue": "alarm",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            }
        },
        "md5OfBody": sent["MD5OfMessageBody"],
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": "us-east-1",
    }
