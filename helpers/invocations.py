"""Invoke a function synchronously and keep what Lambda reports of it."""

import base64
import json
import random
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from helpers import report_line
from helpers.report_line import ReportLine

THROTTLES_RETRIED = 6
FIRST_BACKOFF_S = 0.2


class InvocationFailed(Exception):
    """An invocation that gave no result: `kind` is the errorType or error code, `reason` its message."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


@dataclass(frozen=True)
class Invocation:
    """The answer of a successful invocation and its REPORT line."""

    payload: Any
    report: ReportLine


def invoke(
    lambda_client: Any, function_name: str, payload: Any = None, qualifier: str = "$LATEST"
) -> Invocation:
    """Invoke with `LogType="Tail"` and read the REPORT line of the log's end.

    `payload` is any JSON value. Throttled requests are repeated with exponential back-off and jitter (AWS
    Architecture Blog, "Exponential Backoff and Jitter"). Raises InvocationFailed when the function fails
    or Lambda refuses the request.
    """
    response = _invoke_patiently(lambda_client, function_name, json.dumps(payload).encode(), qualifier)
    answer = json.loads(response["Payload"].read() or b"null")
    if "FunctionError" in response:
        raise InvocationFailed(*_error_of(answer, response["FunctionError"]))
    log_tail = base64.b64decode(response["LogResult"]).decode(errors="replace")
    return Invocation(answer, report_line.last(log_tail))


def _invoke_patiently(
    lambda_client: Any, function_name: str, payload: bytes, qualifier: str
) -> dict[str, Any]:
    attempt = 0
    while True:
        try:
            response: dict[str, Any] = lambda_client.invoke(
                FunctionName=function_name, Qualifier=qualifier, LogType="Tail", Payload=payload
            )
            return response
        except lambda_client.exceptions.TooManyRequestsException as error:
            if attempt == THROTTLES_RETRIED:
                raise InvocationFailed("TooManyRequestsException", _message(error)) from error
            time.sleep(random.uniform(0, FIRST_BACKOFF_S * 2**attempt))
            attempt += 1
        except ClientError as error:
            raise InvocationFailed(error.response["Error"]["Code"], _message(error)) from error


def _message(error: ClientError) -> str:
    return str(error.response["Error"].get("Message", ""))


def _error_of(answer: Any, function_error: str) -> tuple[str, str]:
    """errorType and errorMessage of a failed invocation; a function may return anything as its error."""
    if not isinstance(answer, dict):
        return function_error, str(answer)
    return str(answer.get("errorType", function_error)), str(answer.get("errorMessage", ""))
