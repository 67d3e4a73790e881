"""What becomes of records that a function cannot process."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from mapped_functions import (
    HANDLER,
    REPORTING_HANDLER,
    MappedFunction,
    Queue,
    Stream,
    Table,
    content,
    contents_of,
)

from helpers.waiting import wait_until

Mapped = Callable[..., MappedFunction]


def test_failed_messages_come_back_and_end_in_the_dead_letter_queue(
    mapped: Mapped, make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Handling errors for an SQS event source in Lambda": after the visibility timeout
    Lambda receives the messages again; the queue's redrive policy ends that."""
    dead_letters = Queue(make_client)
    redrive = {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": 2}
    queue = Queue(make_client, VisibilityTimeout="1", RedrivePolicy=json.dumps(redrive))
    function = mapped(Timeout=1)
    function.map(queue.arn)
    queue.send({"fail": True})
    assert dead_letters.receive_record() == {"fail": True}
    counts = [
        record["attributes"]["ApproximateReceiveCount"] for batch in function.batches() for record in batch
    ]
    assert counts == ["1", "2"]


def test_only_the_messages_that_are_reported_as_failed_stay(
    mapped: Mapped, make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Handling errors for an SQS event source ...", partial batch responses."""
    queue = Queue(make_client, VisibilityTimeout="30")
    function = mapped(REPORTING_HANDLER)
    queue.send("good", "fail", "fine")
    function.map(queue.arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    function.wait_for_batches(1)
    wait_until(queue.messages, "one message in flight", lambda seen: seen == (0, 1))
    assert len(function.batches()) == 1


# What a function answers, and whether the batch has succeeded by that.
REPORTS = {
    "None": True,
    "{}": True,
    "{'batchItemFailures': []}": True,
    "{'batchItemFailures': None}": True,
    "{'batchItemFailures': [{'itemIdentifier': ''}]}": False,
    "{'batchItemFailures': [{'itemIdentifier': None}]}": False,
    "{'batchItemFailures': [{'wrong': event['Records'][0]['messageId']}]}": False,
    "{'batchItemFailures': [{'itemIdentifier': 'unknown'}]}": False,
    "{'batchItemFailures': 'all'}": False,
    "'not a report'": False,
}


def test_a_report_that_is_malformed_fails_the_whole_batch(
    mapped: Mapped, make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Handling errors for an SQS event source ...", success and failure conditions."""
    function = mapped(HANDLER.split("    for record")[0] + "    return eval(event['Records'][0]['body'])\n")
    queues = {answer: Queue(make_client) for answer in REPORTS}
    for answer, queue in queues.items():
        queue.send(answer, answer)
        function.create_mapping(queue.arn, FunctionResponseTypes=["ReportBatchItemFailures"])
    wait_until(
        lambda: {answer: queue.messages() for answer, queue in queues.items()},
        "the messages to be deleted or left",
        lambda seen: seen == {answer: (0, 0) if succeeds else (0, 2) for answer, succeeds in REPORTS.items()},
    )


def test_a_failing_batch_holds_back_its_shard_until_its_retries_are_exhausted(
    mapped: Mapped, stream: Stream, queue: Queue
) -> None:
    """Developer guide, "Retain discarded batch records for a Kinesis Data Streams event source in
    Lambda", example invocation record."""
    function = mapped()
    uuid = function.map(
        stream.arn, MaximumRetryAttempts=2, DestinationConfig={"OnFailure": {"Destination": queue.arn}}
    )
    stream.put("good", "fail")
    record = queue.receive_record()
    stream.put("next")
    function.wait_for_contents(["next"])
    assert contents_of(function.batches()) == [*[["good", "fail"]] * 3, ["next"]]
    first, last = (each["kinesis"] for each in function.batches()[0])
    assert record.pop("timestamp").endswith("Z")
    context, info = record.pop("requestContext"), record["KinesisBatchInfo"]
    assert len(context.pop("requestId")) == 36
    assert context == {
        "functionArn": function.client.get_event_source_mapping(UUID=uuid)["FunctionArn"],
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 3,
    }
    for name in ("approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord"):
        assert info.pop(name).endswith("Z")
    assert record == {
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000000",
            "startSequenceNumber": first["sequenceNumber"],
            "endSequenceNumber": last["sequenceNumber"],
            "batchSize": 2,
            "streamArn": stream.arn,
        },
    }


def test_another_shard_goes_on_beside_a_failing_one(mapped: Mapped, make_client: Callable[..., Any]) -> None:
    """Developer guide, Kinesis error handling: a bad record blocks the affected shard."""
    stream = Stream(make_client, shards=2)
    function = mapped()
    function.map(stream.arn)
    stream.put("fail", key="a")
    function.wait_for_contents(["fail"])
    keys = [str(number) for number in range(8)]
    for key in keys:
        stream.put(key, key=key)
    shards = {
        stream.client.put_record(StreamName=stream.name, Data=b"x", PartitionKey=key)["ShardId"]: key
        for key in ["a", *keys]
    }
    assert len(shards) == 2
    seen = wait_until(
        lambda: set(function.contents()) - {"fail", "x"}, "records of the other shard", timeout_s=30
    )
    assert seen < set(keys)


def test_halving_a_batch_isolates_the_record_that_fails(mapped: Mapped, stream: Stream, queue: Queue) -> None:
    """API reference, "CreateEventSourceMapping", BisectBatchOnFunctionError: the batch is split in two;
    splitting does not count towards the retries."""
    function = mapped()
    function.map(
        stream.arn,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": queue.arn}},
    )
    stream.put("a", "b", "fail", "d")
    record = queue.receive_record()
    assert record["KinesisBatchInfo"]["batchSize"] == 1
    function.wait_for_contents(["d"])
    whole, left, right = ["a", "b", "fail", "d"], ["a", "b"], ["fail", "d"]
    wait_until(
        lambda: contents_of(function.batches()),
        "all halves",
        lambda seen: seen == [whole, left, right, ["fail"], ["fail"], ["d"]],
    )


def test_a_stream_goes_on_from_the_first_record_that_is_reported(
    mapped: Mapped, stream: Stream, queue: Queue
) -> None:
    """Developer guide, "Configuring partial batch response with Kinesis Data Streams and Lambda": the
    lowest sequence number is the checkpoint."""
    function = mapped(REPORTING_HANDLER)
    function.map(
        stream.arn,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": queue.arn}},
    )
    stream.put("a", "fail", "c")
    record = queue.receive_record()
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["KinesisBatchInfo"]["batchSize"] == 2
    assert contents_of(function.batches()) == [["a", "fail", "c"], ["fail", "c"]]


def test_records_that_are_too_old_are_discarded(mapped: Mapped, stream: Stream, queue: Queue) -> None:
    """API reference, "CreateEventSourceMapping", MaximumRecordAgeInSeconds. The waits between the
    attempts, which are longer on AWS, count towards the age."""
    function = mapped()
    function.map(
        stream.arn,
        MaximumRecordAgeInSeconds=60,
        DestinationConfig={"OnFailure": {"Destination": queue.arn}},
    )
    stream.put("fail")
    record = queue.receive_record()
    assert record["requestContext"]["condition"] == "RecordAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] > 1
    assert "responseContext" not in record
    stream.put("next")
    function.wait_for_contents(["next"])


def test_discarded_changes_of_a_table_are_reported(mapped: Mapped, table: Table, queue: Queue) -> None:
    """Developer guide, "Retain discarded records for a DynamoDB event source in Lambda"."""
    function = mapped()
    function.map(
        table.arn, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": queue.arn}}
    )
    table.put("a", fail={"BOOL": True})
    record = queue.receive_record()
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["DDBStreamBatchInfo"]["streamArn"] == table.arn
    ((change,),) = function.batches()
    sequence_number = change["dynamodb"]["SequenceNumber"]
    assert record["DDBStreamBatchInfo"]["startSequenceNumber"] == sequence_number


def test_topics_and_buckets_are_told_too(
    mapped: Mapped, stream: Stream, queue: Queue, make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Retain discarded batch records ...": S3 objects hold the payload, under a key of
    mapping, shard and time."""
    sns, s3 = make_client("sns"), make_client("s3", s3={"addressing_style": "path"})
    topic = sns.create_topic(Name=f"topic-{secrets.token_hex(4)}")["TopicArn"]
    allowed = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue.arn,
            }
        ],
    }
    queue.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": json.dumps(allowed)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    bucket = f"bucket-{secrets.token_hex(4)}"
    s3.create_bucket(Bucket=bucket)
    to_topic, to_bucket = mapped(), mapped()
    settings = {"MaximumRetryAttempts": 0}
    to_topic.map(stream.arn, DestinationConfig={"OnFailure": {"Destination": topic}}, **settings)
    uuid = to_bucket.map(
        stream.arn, DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{bucket}"}}, **settings
    )
    stream.put("fail")
    assert json.loads(queue.receive_record()["Message"])["KinesisBatchInfo"]["batchSize"] == 1
    (item,) = wait_until(
        lambda: s3.list_objects_v2(Bucket=bucket).get("Contents", []), "an object", timeout_s=30
    )
    assert item["Key"].startswith(f"aws/lambda/{uuid}/shardId-000000000000/")
    document = json.load(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"])
    (record,) = json.loads(document["payload"])["Records"]
    assert content(record) == "fail"


def test_a_key_that_fails_holds_back_only_its_share_of_the_shard(mapped: Mapped, stream: Stream) -> None:
    function = mapped()
    function.map(stream.arn, ParallelizationFactor=10)
    keys = [f"key{number}" for number in range(40)]
    stream.put("fail", key=keys[0])
    function.wait_for_contents(["fail"])
    for key in keys[1:]:
        stream.put(key, key=key)
    wait_until(lambda: set(function.contents()) - {"fail"}, "records of other keys", timeout_s=30)
