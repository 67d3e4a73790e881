"""Deliver invocation records and dead letters as the function's execution role.

Everything goes through the API of the local AWS with the role's credentials, so that IAM, queue
policies, size limits and encryption have their say as on AWS. AWS Lambda developer guide,
"Capturing records of Lambda asynchronous invocations", required permissions for destinations.
"""

import os
import threading
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from ministack.core import lambda_runtime

from helpers.local import contract
from helpers.local.functions.invocation_records import FinishedInvocation

# SNS carries 256 KB; Lambda then leaves the payloads out of the record.
LARGEST_NOTIFICATION_BYTES = 256 * 1024

_role_credentials = contract.expect(lambda_runtime, "execution_credentials", ("config",))
_lock = threading.Lock()


class UnsupportedDestination(RuntimeError):
    """Lambda sends records to queues, topics, functions, event buses and buckets only."""


def send_record(destination_arn: str, config: dict[str, Any], finished: FinishedInvocation) -> None:
    """Send the invocation record. `config` is the function's, and names its role.

    Raises botocore's ClientError when the destination or the role's permissions do not allow it.
    """
    kind = destination_arn.split(":")[2]
    sender = _SENDERS.get(kind)
    if sender is None:
        raise UnsupportedDestination(f"{destination_arn} is no destination of asynchronous invocations")
    sender(_client(kind, destination_arn, config), destination_arn, finished)


def send_dead_letter(target_arn: str, config: dict[str, Any], finished: FinishedInvocation) -> None:
    """Send the event itself, with the error in the message's attributes."""
    kind = target_arn.split(":")[2]
    client = _client(kind, target_arn, config)
    body, attributes = finished.payload.decode(), finished.dead_letter_attributes()
    if kind == "sqs":
        client.send_message(QueueUrl=_queue_url(target_arn), MessageBody=body, MessageAttributes=attributes)
    else:
        client.publish(TopicArn=target_arn, Message=body, MessageAttributes=attributes)


def _to_queue(client: Any, arn: str, finished: FinishedInvocation) -> None:
    client.send_message(QueueUrl=_queue_url(arn), MessageBody=finished.record())


def _to_topic(client: Any, arn: str, finished: FinishedInvocation) -> None:
    record = finished.record()
    if len(record.encode()) > LARGEST_NOTIFICATION_BYTES and not finished.succeeded:
        record = finished.record(with_payloads=False)
    client.publish(TopicArn=arn, Message=record)


def _to_function(client: Any, arn: str, finished: FinishedInvocation) -> None:
    client.invoke(FunctionName=arn, InvocationType="Event", Payload=finished.record())


def _to_event_bus(client: Any, arn: str, finished: FinishedInvocation) -> None:
    outcome = "Success" if finished.succeeded else "Failure"
    answer = client.put_events(
        Entries=[
            {
                "EventBusName": arn,
                "Source": "lambda",
                "DetailType": f"Lambda Function Invocation Result - {outcome}",
                "Detail": finished.record(),
                "Resources": [finished.function_arn, arn],
            }
        ]
    )
    if answer["FailedEntryCount"]:
        raise UnsupportedDestination(f"{arn} did not take the event: {answer['Entries'][0]}")


def _to_bucket(client: Any, arn: str, finished: FinishedInvocation) -> None:
    name = finished.function_arn.split(":")[6]
    moment = finished.finished_at
    key = f"aws/lambda/async/{name}/{moment:%Y/%m/%d}/{moment:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
    client.put_object(Bucket=arn.rpartition(":")[2], Key=key, Body=finished.record().encode())


_SENDERS: dict[str, Callable[[Any, str, FinishedInvocation], None]] = {
    "sqs": _to_queue,
    "sns": _to_topic,
    "lambda": _to_function,
    "events": _to_event_bus,
    "s3": _to_bucket,
}


@cache
def _session() -> boto3.Session:
    return boto3.Session()


def _client(service: str, arn: str, config: dict[str, Any]) -> Any:
    """A client with the credentials of the function's role, in the Region of `arn`."""
    credentials = _role_credentials(config)
    # A session may not be shared between threads while it makes a client.
    with _lock:
        return _session().client(
            service,
            region_name=arn.split(":")[3] or config["FunctionArn"].split(":")[3],
            endpoint_url=os.environ["AWS_ENDPOINT_URL"],
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials["AWS_SESSION_TOKEN"] or None,
            config=Config(
                retries={"total_max_attempts": 2}, inject_host_prefix=False, s3={"addressing_style": "path"}
            ),
        )


def _queue_url(arn: str) -> str:
    account_id, name = arn.split(":")[4:6]
    return f"{os.environ['AWS_ENDPOINT_URL']}/{account_id}/{name}"
