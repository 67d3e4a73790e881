"""Functions that event sources invoke, for tests: what they got is read from their logs."""

import base64
import contextlib
import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction

from helpers.waiting import wait_until

ACCOUNT_ID = "111122223333"
WAIT_S = 30.0
_MARK = "EVENT "

# Logs every event. Records whose data, body or item has a "fail" make it fail, as the tests ask.
HANDLER = """
import base64, json

def data(record):
    if "kinesis" in record:
        return base64.b64decode(record["kinesis"]["data"]).decode()
    return record["body"] if "body" in record else json.dumps(record["dynamodb"])

def handler(event, context):
    print("EVENT " + json.dumps(event))
    for record in event["Records"]:
        if "fail" in data(record):
            raise ValueError("this record cannot be processed")
"""
# Reports the records that fail instead.
REPORTING_HANDLER = (
    HANDLER.split("    for record")[0]
    + """
    failed = [
        record.get("messageId") or record.get("kinesis", record.get("dynamodb"))["sequenceNumber"]
        for record in event["Records"]
        if "fail" in data(record)
    ]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}
"""
)


@dataclass
class MappedFunction:
    """A function, and the mappings that invoke it."""

    function: DeployedFunction
    logs: Any
    uuids: list[str] = field(default_factory=list)

    @property
    def client(self) -> Any:
        return self.function.client

    def create_mapping(self, source_arn: str, **parameters: Any) -> dict[str, Any]:
        """CreateEventSourceMapping, not waited for."""
        parameters.setdefault("FunctionName", self.function.name)
        if ":sqs:" not in source_arn:
            parameters.setdefault("StartingPosition", "TRIM_HORIZON")
        answer = self.client.create_event_source_mapping(EventSourceArn=source_arn, **parameters)
        self.uuids.append(answer["UUID"])
        return dict(answer)

    def map(self, source_arn: str, **parameters: Any) -> str:
        """UUID of a mapping that is enabled."""
        uuid: str = self.create_mapping(source_arn, **parameters)["UUID"]
        return self.wait_for_state(uuid, "Enabled")

    def update(self, uuid: str, then: str = "Enabled", **parameters: Any) -> None:
        self.client.update_event_source_mapping(UUID=uuid, **parameters)
        self.wait_for_state(uuid, then)

    def wait_for_state(self, uuid: str, state: str) -> str:
        wait_until(
            lambda: self.client.get_event_source_mapping(UUID=uuid)["State"],
            f"the mapping to be {state}",
            lambda seen: seen == state,
            timeout_s=WAIT_S,
            interval_s=0.05,
        )
        return uuid

    def batches(self) -> list[list[dict[str, Any]]]:
        """The records of each invocation so far, in the order of the log."""
        group = f"/aws/lambda/{self.function.name}"
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=f'"{_MARK.strip()}"'
        )
        try:
            messages = [event["message"] for page in pages for event in page["events"]]
        except self.logs.exceptions.ResourceNotFoundException:
            return []
        return [json.loads(text.split(_MARK, 1)[1])["Records"] for text in messages if _MARK in text]

    def contents(self) -> list[str]:
        """What the records of all invocations so far carried."""
        return [content(record) for batch in self.batches() for record in batch]

    def wait_for_batches(self, count: int) -> list[list[dict[str, Any]]]:
        return wait_until(
            self.batches, f"{count} invocations", lambda seen: len(seen) >= count, timeout_s=WAIT_S
        )

    def wait_for_contents(self, expected: Iterable[str]) -> list[str]:
        """Wait until these were handed over, and return everything that was."""
        wanted = set(expected)
        return wait_until(
            self.contents, f"the records {wanted}", lambda seen: wanted <= set(seen), timeout_s=WAIT_S
        )

    def delete_mappings(self) -> None:
        for uuid in self.uuids:
            wait_until(lambda uuid=uuid: self._is_deleted(uuid), f"{uuid} to be deleted", timeout_s=WAIT_S)

    def _is_deleted(self, uuid: str) -> bool:
        already_gone = contextlib.suppress(self.client.exceptions.ResourceNotFoundException)
        try:
            with already_gone:
                self.client.delete_event_source_mapping(UUID=uuid)
        except self.client.exceptions.ResourceInUseException:
            return False
        return True


def content(record: dict[str, Any]) -> str:
    """Data of a Kinesis record as text, body of a message, sorted key of a changed item."""
    if "kinesis" in record:
        return base64.b64decode(record["kinesis"]["data"]).decode()
    if "body" in record:
        return str(record["body"])
    return str(record["dynamodb"]["Keys"]["id"]["S"])


def contents_of(batches: list[list[dict[str, Any]]]) -> list[list[str]]:
    return [[content(record) for record in batch] for batch in batches]


class Stream:
    """A Kinesis data stream of one test."""

    def __init__(self, make_client: Callable[..., Any], shards: int = 1) -> None:
        self.client = make_client("kinesis")
        self.name = f"stream-{secrets.token_hex(4)}"
        self.client.create_stream(StreamName=self.name, ShardCount=shards)
        self.client.get_waiter("stream_exists").wait(
            StreamName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        self.arn = f"arn:aws:kinesis:us-east-1:{ACCOUNT_ID}:stream/{self.name}"

    def put(self, *contents: Any, key: str = "one") -> None:
        """In one request; what is not text is written as JSON."""
        records = [
            {"Data": each if isinstance(each, str) else json.dumps(each), "PartitionKey": key}
            for each in contents
        ]
        self.client.put_records(StreamName=self.name, Records=records)


class Queue:
    """An SQS queue of one test."""

    def __init__(self, make_client: Callable[..., Any], suffix: str = "", **attributes: str) -> None:
        self.client = make_client("sqs")
        self.name = f"queue-{secrets.token_hex(4)}{suffix}"
        self.url = self.client.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:{ACCOUNT_ID}:{self.name}"

    def send(self, *contents: Any, **parameters: Any) -> None:
        for each in contents:
            text = each if isinstance(each, str) else json.dumps(each)
            self.client.send_message(QueueUrl=self.url, MessageBody=text, **parameters)

    def messages(self) -> tuple[int, int]:
        """How many are visible, and how many are in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(attributes[names[0]]), int(attributes[names[1]])

    def wait_until_empty(self) -> None:
        wait_until(self.messages, "an empty queue", lambda seen: seen == (0, 0), timeout_s=WAIT_S)

    def receive(self) -> dict[str, Any]:
        """The next message, deleted."""
        answer = self.client.receive_message(
            QueueUrl=self.url, WaitTimeSeconds=20, MessageAttributeNames=["All"]
        )
        assert "Messages" in answer, "no message within 20 s"
        message: dict[str, Any] = answer["Messages"][0]
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return message

    def receive_record(self) -> dict[str, Any]:
        """The body of the next message, parsed; it is deleted."""
        record: dict[str, Any] = json.loads(self.receive()["Body"])
        return record

    def let_send(self, service: str) -> None:
        """Let a service such as sns.amazonaws.com send messages."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sqs:SendMessage",
            "Resource": self.arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})


class Table:
    """A DynamoDB table of one test, with a stream."""

    def __init__(self, make_client: Callable[..., Any]) -> None:
        self.client = make_client("dynamodb")
        self.name = f"table-{secrets.token_hex(4)}"
        description = self.client.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]
        self.client.get_waiter("table_exists").wait(
            TableName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        self.arn = description["LatestStreamArn"]

    def put(self, id: str, **attributes: dict[str, Any]) -> None:
        """`attributes` as DynamoDB types them: pressure={"N": "31"}."""
        self.client.put_item(TableName=self.name, Item={"id": {"S": id}, **attributes})

    def delete(self, id: str) -> None:
        self.client.delete_item(TableName=self.name, Key={"id": {"S": id}})


def metric_sum(make_client: Callable[..., Any], metric: str, **dimensions: str) -> float | None:
    """The sum of a metric of AWS/Lambda, None where there is no data point."""
    answer = make_client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=time.time() - 3600,
        EndTime=time.time() + 3600,
        Period=7200,
        Statistics=["Sum"],
    )
    points = [point["Sum"] for point in answer["Datapoints"]]
    return sum(points) if points else None


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    """Code and message of the error that `call` is answered with."""
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]
