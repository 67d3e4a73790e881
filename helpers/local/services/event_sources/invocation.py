"""Hand a batch to a function, and read from its answer which records have failed.

AWS Lambda developer guide, "Handling errors for an SQS event source in Lambda", "Configuring
partial batch response with Kinesis Data Streams and Lambda": success and failure conditions.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions import routing
from helpers.local.functions.pool import Throttled
from helpers.local.services.event_sources.records import Record, payload
from helpers.local.services.synchronous_invocation import FunctionMissing, FunctionUnusable, invoke_and_wait

logger = logging.getLogger("lambda.event_sources")

_functions = contract.expect(lambda_svc, "_functions")


class Status(Enum):
    SUCCEEDED = auto()
    FUNCTION_ERROR = auto()
    THROTTLED = auto()
    NOT_INVOKED = auto()


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended. What follows the status is there when the function ran."""

    status: Status
    request_id: str | None = None
    executed_version: str | None = None
    response: bytes = b""

    @property
    def has_function_error(self) -> bool:
        return self.status is Status.FUNCTION_ERROR


def function_record(function_arn: str) -> routing.Record | None:
    """The emulator's record of what the ARN names, in the account and Region of the current scope."""
    parts = function_arn.split(":")
    return routing.resolve(_functions.get(parts[6]), parts[7] if len(parts) > 7 else None)


def invoke(function_arn: str, records: Sequence[Record]) -> Outcome:
    """Invoke the function and wait for it. To be called in a thread of its own."""
    try:
        result = invoke_and_wait(function_arn, payload(records))
    except FunctionMissing:
        logger.warning("%s is gone: its event source mapping invokes nothing", function_arn)
        return Outcome(Status.NOT_INVOKED)
    except Throttled:
        return Outcome(Status.THROTTLED)
    except FunctionUnusable as error:
        logger.warning("%s could not be run: %s", function_arn, error)
        return Outcome(Status.NOT_INVOKED)
    status = Status.SUCCEEDED if result.function_error is None else Status.FUNCTION_ERROR
    return Outcome(status, result.request_id, result.executed_version, result.payload)


def failed_items(response: bytes, records: Sequence[Record]) -> set[str]:
    """Identifiers of the records that the function reports as failed.

    All of them when the report is malformed or names a record that is not of the batch.
    """
    everything = {record.identifier for record in records}
    try:
        report = json.loads(response)
    except ValueError:
        return everything
    if not report:
        return set()
    if not isinstance(report, dict):
        return everything
    failures = report.get("batchItemFailures") or []
    if not isinstance(failures, list) or not all(isinstance(each, dict) for each in failures):
        return everything
    named = {each.get("itemIdentifier") for each in failures}
    return named if named <= everything else everything
