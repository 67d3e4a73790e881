"""Invoke a function synchronously and keep what Lambda reports of it."""

import base64
import json
import random
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from helpers import report_line
from helpers.report_line import NoReportLine, ReportLine

THROTTLES_RETRIED = 6
FIRST_BACKOFF_S = 0.2
# Of the local AWS only: AWS does not say how much CPU an invocation has used.
_CPU_TIME_HEADER = "x-workshop-cpu-time-ms"


class InvocationFailed(Exception):
    """An invocation that gave no result: `kind` is the errorType or error code, `reason` its message.

    `invocation` is what the function's own failure left: the error document and the REPORT line. It is None
    when Lambda refused the request or the log's end holds no REPORT line.
    """

    def __init__(self, kind: str, reason: str, invocation: "Invocation | None" = None) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason
        self.invocation = invocation


@dataclass(frozen=True)
class Invocation:
    """The answer of a successful invocation and its REPORT line.

    `cpu_ms` is the CPU time (user and system) that the processes of the execution environment used in the
    INVOKE phase, INIT not included. None on AWS, which does not report it.
    """

    payload: Any
    report: ReportLine
    cpu_ms: float | None = None


def invoke(
    lambda_client: Any, function_name: str, payload: Any = None, qualifier: str = "$LATEST"
) -> Invocation:
    """Invoke with `LogType="Tail"` and read the REPORT line of the log's end.

    `payload` is any JSON value. Throttled requests are repeated with exponential back-off and jitter (AWS
    Architecture Blog, "Exponential Backoff and Jitter"). Raises InvocationFailed when the function fails,
    Lambda refuses the request or the client gives up waiting; NoReportLine when the log does not hold one.
    """
    response = _invoke_patiently(lambda_client, function_name, json.dumps(payload).encode(), qualifier)
    answer = json.loads(response["Payload"].read() or b"null")
    if "FunctionError" not in response:
        return _invocation(answer, response)
    try:
        invocation = _invocation(answer, response)
    except NoReportLine:
        invocation = None
    raise InvocationFailed(*_error_of(answer, response["FunctionError"]), invocation)


def _invocation(answer: Any, response: dict[str, Any]) -> Invocation:
    log_tail = base64.b64decode(response["LogResult"]).decode(errors="replace")
    cpu_ms = response["ResponseMetadata"]["HTTPHeaders"].get(_CPU_TIME_HEADER)
    return Invocation(answer, report_line.last(log_tail), None if cpu_ms is None else float(cpu_ms))


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
        except ReadTimeoutError as error:
            # Lambda may still run the function, so the request is not repeated.
            reason = "No answer in time: give the client a read_timeout longer than the function's timeout."
            raise InvocationFailed("ReadTimeoutError", reason) from error


def _message(error: ClientError) -> str:
    return str(error.response["Error"].get("Message", ""))


def _error_of(answer: Any, function_error: str) -> tuple[str, str]:
    """errorType and errorMessage of a failed invocation; a function may return anything as its error."""
    if not isinstance(answer, dict):
        return function_error, str(answer)
    return str(answer.get("errorType", function_error)), str(answer.get("errorMessage", ""))
