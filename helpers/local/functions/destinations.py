"""Deliver invocation records and dead letters as the function's execution role.

Everything goes through the API of the local AWS with the role's credentials, so that IAM, queue
policies, size limits and encryption have their say as on AWS. AWS Lambda developer guide,
"Capturing records of Lambda asynchronous invocations", required permissions for destinations.
"""

import uuid
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime

from helpers.local import contract
from helpers.local.functions.clients import client, queue_url
from helpers.local.functions.invocation_records import FinishedInvocation

# SNS carries 256 KB; Lambda then leaves the payloads out of the record.
LARGEST_NOTIFICATION_BYTES = 256 * 1024

_role_credentials = contract.expect(lambda_runtime, "execution_credentials", ("config",))


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
    api = _client(kind, target_arn, config)
    body, attributes = finished.payload.decode(), finished.dead_letter_attributes()
    if kind == "sqs":
        api.send_message(QueueUrl=queue_url(target_arn), MessageBody=body, MessageAttributes=attributes)
    else:
        api.publish(TopicArn=target_arn, Message=body, MessageAttributes=attributes)


def _to_queue(api: Any, arn: str, finished: FinishedInvocation) -> None:
    api.send_message(QueueUrl=queue_url(arn), MessageBody=finished.record())


def _to_topic(api: Any, arn: str, finished: FinishedInvocation) -> None:
    record = finished.record()
    if len(record.encode()) > LARGEST_NOTIFICATION_BYTES and not finished.succeeded:
        record = finished.record(with_payloads=False)
    api.publish(TopicArn=arn, Message=record)


def _to_function(api: Any, arn: str, finished: FinishedInvocation) -> None:
    api.invoke(FunctionName=arn, InvocationType="Event", Payload=finished.record())


def _to_event_bus(api: Any, arn: str, finished: FinishedInvocation) -> None:
    outcome = "Success" if finished.succeeded else "Failure"
    answer = api.put_events(
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


def _to_bucket(api: Any, arn: str, finished: FinishedInvocation) -> None:
    name = finished.function_arn.split(":")[6]
    moment = finished.finished_at
    key = f"aws/lambda/async/{name}/{moment:%Y/%m/%d}/{moment:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
    api.put_object(Bucket=arn.rpartition(":")[2], Key=key, Body=finished.record().encode())


_SENDERS: dict[str, Callable[[Any, str, FinishedInvocation], None]] = {
    "sqs": _to_queue,
    "sns": _to_topic,
    "lambda": _to_function,
    "events": _to_event_bus,
    "s3": _to_bucket,
}


def _client(service: str, arn: str, config: dict[str, Any]) -> Any:
    """A client with the credentials of the function's role, in the Region of `arn`."""
    region = arn.split(":")[3] or config["FunctionArn"].split(":")[3]
    return client(service, region, _role_credentials(config))
