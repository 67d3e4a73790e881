"""What Lambda sends on when an asynchronous invocation is over.

AWS Lambda developer guide, "Capturing records of Lambda asynchronous invocations" (invocation
record) and "Dead-letter queues" (message attributes).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SUCCESS = "Success"
RETRIES_EXHAUSTED = "RetriesExhausted"
EVENT_AGE_EXCEEDED = "EventAgeExceeded"
ZERO_RESERVED_CONCURRENCY = "ZeroReservedConcurrency"
RECURSIVE_INVOCATION = "RecursiveInvocation"

LARGEST_ERROR_MESSAGE_BYTES = 1024


@dataclass(frozen=True)
class Response:
    """The last attempt. A throttled one has a status code and nothing else."""

    status_code: int
    executed_version: str | None = None
    function_error: str | None = None
    payload: bytes | None = None
    error_message: str | None = None


@dataclass(frozen=True)
class FinishedInvocation:
    """An asynchronous invocation that will not be tried again. `response` is None when none was made."""

    request_id: str
    function_arn: str
    condition: str
    invoke_count: int
    payload: bytes
    response: Response | None
    finished_at: datetime

    @property
    def succeeded(self) -> bool:
        return self.condition == SUCCESS

    def record(self, with_payloads: bool = True) -> str:
        """The invocation record as JSON."""
        document: dict[str, Any] = {
            "version": "1.0",
            "timestamp": _timestamp(self.finished_at),
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": self.function_arn,
                "condition": self.condition,
                "approximateInvokeCount": self.invoke_count,
            },
        }
        if with_payloads:
            document["requestPayload"] = json.loads(self.payload)
        if self.response is not None:
            document["responseContext"] = _response_context(self.response)
            if with_payloads and self.response.payload is not None:
                document["responsePayload"] = json.loads(self.response.payload)
        return json.dumps(document, ensure_ascii=False)

    def dead_letter_attributes(self) -> dict[str, dict[str, str]]:
        """Message attributes of a dead letter, as SQS and SNS take them."""
        attributes = {"RequestID": {"DataType": "String", "StringValue": self.request_id}}
        if self.response is not None:
            code = str(self.response.status_code)
            attributes["ErrorCode"] = {"DataType": "Number", "StringValue": code}
        text = self._error_message().encode()[:LARGEST_ERROR_MESSAGE_BYTES].decode(errors="ignore")
        if text:
            attributes["ErrorMessage"] = {"DataType": "String", "StringValue": text}
        return attributes

    def _error_message(self) -> str:
        if self.condition == ZERO_RESERVED_CONCURRENCY:
            return "Function not invoked. Function is configured with zero reserved concurrent executions"
        if self.response is None:
            return ""
        if self.response.error_message is not None:
            return self.response.error_message
        document = json.loads(self.response.payload or b"null")
        return str(document.get("errorMessage", "")) if isinstance(document, dict) else ""


def _response_context(response: Response) -> dict[str, Any]:
    context: dict[str, Any] = {"statusCode": response.status_code}
    if response.executed_version is not None:
        context["executedVersion"] = response.executed_version
    if response.function_error is not None:
        context["functionError"] = response.function_error
    return context


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
