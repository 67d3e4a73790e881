"""Whether a function's execution role may read an event source.

AWS Lambda developer guide, "Creating and configuring an Amazon SQS event source mapping", "Process
Amazon Kinesis Data Streams records with Lambda" and "Process DynamoDB records with Lambda":
permissions that the execution role needs. The messages are those that AWS returns.
"""

import logging
import time

from ministack import app
from ministack.core.responses import get_account_id
from ministack.services import kinesis

from helpers.local import contract
from helpers.local.functions.refusal import Refused, invalid_parameter
from helpers.local.functions.role_permissions import role_allows
from helpers.local.services.event_sources.invocation import function_record
from helpers.local.services.event_sources.settings import Settings

logger = logging.getLogger("lambda.event_sources")

RECHECKED_IN_S = 1.0

_QUEUE_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_STREAM_ACTIONS = {
    "kinesis": ("GetRecords", "GetShardIterator", "DescribeStream", "DescribeStreamSummary", "ListShards"),
    "dynamodb": ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"),
}
_NAMED_BY_AWS = {
    "kinesis": "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams",
    "dynamodb": "GetRecords, GetShardIterator, DescribeStream, and ListStreams",
}
_denied_to_other_account = contract.expect(
    kinesis, "mapping_read_denied", ("stream_arn", "role_arn", "function_name", "mapping_account")
)


def check_readable(source_arn: str, function_arn: str) -> None:
    """Refuse a source that the function's role may not read; nothing where IAM is not enforced."""
    function = function_record(function_arn)
    if function is None or not app.AUTH:
        return
    _, _, service, region, account_id, _ = source_arn.split(":", 5)
    role_arn, name = function["config"]["Role"], function["config"]["FunctionName"]
    if account_id != get_account_id():
        # Only another account's stream can be a source, and only its policy can allow that.
        denied = _denied_to_other_account(source_arn, role_arn, name, get_account_id())
        if denied is not None:
            session, action = denied
            raise invalid_parameter(
                f"Received Exception while reading from provided stream. User: {session} is not authorized "
                f"to perform: {action} on resource: {source_arn} because no resource-based policy allows "
                f"the {action} action"
            )
        return
    for action in _STREAM_ACTIONS.get(service, _QUEUE_ACTIONS):
        if role_allows(role_arn, f"{service}:{action}", source_arn, region):
            continue
        if service == "sqs":
            raise invalid_parameter(
                f"The provided execution role does not have permissions to call {action} on SQS"
            )
        raise invalid_parameter(
            f"Cannot access stream {source_arn}. Please ensure the role can perform the "
            f"{_NAMED_BY_AWS[service]} Actions on your stream in IAM."
        )


class Access:
    """What a poller asks before it reads. Looked up anew at most once a second."""

    def __init__(self) -> None:
        self._looked_up_s = float("-inf")
        self._denied: str | None = None

    def denied(self, settings: Settings) -> str | None:
        """Why the source must not be read, None when it may be."""
        if time.monotonic() - self._looked_up_s >= RECHECKED_IN_S:
            before, self._denied = self._denied, _refusal(settings)
            self._looked_up_s = time.monotonic()
            if self._denied not in (None, before):
                logger.warning("%s: %s", settings.source_arn, self._denied)
        return self._denied


def _refusal(settings: Settings) -> str | None:
    try:
        check_readable(settings.source_arn, settings.function_arn)
    except Refused as refused:
        return refused.message
    return None
