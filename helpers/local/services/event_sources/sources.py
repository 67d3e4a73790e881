"""The two ends of a mapping's way: its source, and where discarded batches go.

AWS Lambda developer guide, "Creating and configuring an Amazon SQS event source mapping": the
function's timeout must not exceed the queue's visibility timeout. The messages are those that AWS
returns.
"""

from typing import Any

from ministack.core.responses import get_region
from ministack.services import s3, sns, sqs

from helpers.local import contract
from helpers.local.functions.refusal import invalid_parameter
from helpers.local.functions.role_permissions import role_allows
from helpers.local.services.event_sources.access import Access, check_readable
from helpers.local.services.event_sources.invocation import function_record
from helpers.local.services.event_sources.mappings import Poller
from helpers.local.services.event_sources.queue_poller import QueuePoller
from helpers.local.services.event_sources.queues import Queue
from helpers.local.services.event_sources.scheduler import Scheduler
from helpers.local.services.event_sources.settings import Settings
from helpers.local.services.event_sources.stream_poller import StreamPoller
from helpers.local.services.event_sources.streams import KinesisStream, Stream, TableStream

# What Lambda calls to deliver, as it names it when the role may not.
_DELIVERIES = {"sqs": "SendMessage", "sns": "Publish", "s3": "PutObject"}

_queue_by_arn = contract.expect(sqs, "_queue_by_arn", ("arn",))
_topic_by_arn = contract.expect(sns, "_topic_by_arn_any_scope")
_bucket_region = contract.expect(s3, "bucket_region")


def make_poller(service: str, configuration: dict[str, Any], scheduler: Scheduler) -> Poller:
    """Refuses a source that does not exist."""
    settings, access = Settings.of(configuration), Access()
    if service == "sqs":
        queue = Queue(settings.source_arn)
        if not queue.exists:
            raise invalid_parameter(
                "Error occurred while ReceiveMessage. SQS Error Code: "
                "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not "
                "exist."
            )
        return QueuePoller(queue, settings, access, scheduler)
    function = function_record(settings.function_arn)
    assert function is not None
    stream: Stream = (
        KinesisStream(settings.source_arn, function["config"]["Role"])
        if service == "kinesis"
        else TableStream(settings.source_arn)
    )
    if not stream.exists:
        raise invalid_parameter(f"Stream not found: {settings.source_arn}")
    return StreamPoller(stream, settings, access, scheduler, configuration)


def check_source(configuration: dict[str, Any], data: dict[str, Any]) -> None:
    """That the source is there, that the role may read it, and what else Lambda asks of the two."""
    source_arn, function_arn = configuration["EventSourceArn"], configuration["FunctionArn"]
    function = function_record(function_arn)
    assert function is not None
    check_readable(source_arn, function_arn)
    if source_arn.split(":")[2] == "sqs":
        timeout_s = function["config"]["Timeout"]
        visibility_timeout_s = Queue(source_arn).visibility_timeout_s
        if visibility_timeout_s < timeout_s:
            raise invalid_parameter(
                f"Queue visibility timeout: {visibility_timeout_s} seconds is less than "
                f"Function timeout: {timeout_s} seconds"
            )
    destination = ((data.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    if destination:
        _check_destination(destination, function["config"]["Role"])


def _check_destination(arn: str, role_arn: str) -> None:
    kind = arn.split(":")[2] if arn.count(":") >= 5 else ""
    if kind not in _DELIVERIES:
        raise invalid_parameter(f"The destination ARN {arn} is invalid.")
    there = {
        "sqs": lambda: _queue_by_arn(arn),
        "sns": lambda: _topic_by_arn(arn),
        "s3": lambda: _bucket_region(arn.rpartition(":")[2]),
    }
    if there[kind]() is None:
        raise invalid_parameter(f"The destination ARN {arn} is invalid.")
    delivery, resource = _DELIVERIES[kind], f"{arn}/*" if kind == "s3" else arn
    if not role_allows(role_arn, f"{kind}:{delivery}", resource, get_region()):
        raise invalid_parameter(
            f"The provided execution role does not have permissions to call {delivery} on {kind.upper()}"
        )
