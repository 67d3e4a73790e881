"""Tell the on-failure destination of a batch that will not be processed.

AWS Lambda developer guide, "Retain discarded batch records for a Kinesis Data Streams event source
in Lambda" and the same for DynamoDB: the record names the batch and does not hold it, except in
Amazon S3. It is sent as the function's execution role.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import request_scope

from helpers.local import contract
from helpers.local.functions.clients import client, queue_url
from helpers.local.functions.routing import LATEST
from helpers.local.services.event_sources.invocation import Outcome, function_record
from helpers.local.services.event_sources.records import Record, payload

RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"

_BATCH_INFO = {"kinesis": "KinesisBatchInfo", "dynamodb": "DDBStreamBatchInfo"}
_role_credentials = contract.expect(lambda_runtime, "execution_credentials", ("config",))


@dataclass(frozen=True)
class DiscardedBatch:
    """`outcome` is that of the invocation after which the batch was discarded, None when its age was
    the reason."""

    mapping_uuid: str
    function_arn: str
    stream_arn: str
    shard_id: str
    records: Sequence[Record]
    condition: str
    invocations: int
    outcome: Outcome | None

    def document(self, discarded_at: datetime) -> dict[str, Any]:
        """The invocation record, without the batch itself."""
        first, last = self.records[0], self.records[-1]
        document: dict[str, Any] = {
            "requestContext": {
                "requestId": (self.outcome and self.outcome.request_id) or str(uuid.uuid4()),
                "functionArn": self.function_arn,
                "condition": self.condition,
                # AWS says 1 as well where records were too old for a first invocation.
                "approximateInvokeCount": max(1, self.invocations),
            },
        }
        if self.outcome is not None:
            document["responseContext"] = self._response_context(self.outcome)
        return document | {
            "version": "1.0",
            "timestamp": _timestamp(discarded_at),
            _BATCH_INFO[self.stream_arn.split(":")[2]]: {
                "shardId": self.shard_id,
                "startSequenceNumber": first.identifier,
                "endSequenceNumber": last.identifier,
                "approximateArrivalOfFirstRecord": _timestamp(_moment(first)),
                "approximateArrivalOfLastRecord": _timestamp(_moment(last)),
                "batchSize": len(self.records),
                "streamArn": self.stream_arn,
            },
        }

    def _response_context(self, outcome: Outcome) -> dict[str, Any]:
        context = {"statusCode": 200, "executedVersion": outcome.executed_version or LATEST}
        if outcome.has_function_error:
            context["functionError"] = "Unhandled"
        return context


def send(destination_arn: str, batch: DiscardedBatch) -> None:
    """Send the record. To be called in a thread of its own.

    Raises botocore's ClientError when the destination or the role's permissions do not allow it.
    """
    _, _, _, region, account_id, *_ = batch.function_arn.split(":")
    with request_scope(account_id, region):
        function = function_record(batch.function_arn)
        assert function is not None, f"{batch.function_arn} is gone"
        credentials = _role_credentials(function["config"])
    now = datetime.now(UTC)
    document = batch.document(now)
    kind = destination_arn.split(":")[2]
    api = client(kind, destination_arn.split(":")[3] or region, credentials)
    if kind == "sqs":
        api.send_message(QueueUrl=queue_url(destination_arn), MessageBody=json.dumps(document))
    elif kind == "sns":
        api.publish(TopicArn=destination_arn, Message=json.dumps(document))
    else:
        document["payload"] = payload(batch.records).decode()
        prefix = f"aws/lambda/{batch.mapping_uuid}/{batch.shard_id}/{now:%Y/%m/%d}"
        key = f"{prefix}/{now:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
        bucket = destination_arn.rpartition(":")[2]
        api.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())


def _moment(record: Record) -> datetime:
    return datetime.fromtimestamp(record.arrived_s, UTC)


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
