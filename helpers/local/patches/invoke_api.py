"""The Invoke API: the event reaches the function byte for byte, and errors are AWS's.

Restores: an event that is not JSON is refused, size limits, LogResult with the platform's lines,
weighted aliases, TooManyRequestsException with its reason. AWS Lambda API reference, "Invoke".
Refuses InvokeWithResponseStream, whose answer would not be what the function has written, when it did.
"""

import asyncio
import base64
import contextvars
import functools
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

from ministack import app
from ministack.services import cloudwatch, lambda_svc

from helpers.local import contract
from helpers.local.functions import routing, tracing
from helpers.local.functions.environment import SandboxFailed
from helpers.local.functions.execution import InvocationResult
from helpers.local.functions.packages import PackageUnreadable
from helpers.local.functions.pool import ACCOUNT_CONCURRENCY, Throttled
from helpers.local.functions.refusal import not_implemented
from helpers.local.functions.runtimes import RuntimeUnavailable
from helpers.local.functions.tracing import RecursiveLoop
from helpers.local.patches.lambda_execution import execute_record

# Lambda quotas, "Invocation payload": 6 MB synchronous. Lambda's own message names 6,291,456 bytes.
LARGEST_REQUEST_BYTES = 6_291_456
_INVOKE_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")
_STREAMING_PATH = re.compile(r"/2021-11-15/functions/[^/]+/response-streaming-invocations/?")

_record_metric = contract.expect(
    cloudwatch, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")
)

Response = tuple[int, dict[str, str], bytes]

# A function may invoke another one while its own invocation holds a thread. There are more threads
# than an account may have concurrent executions, so throttling, not waiting, ends such a chain.
_threads = ThreadPoolExecutor(ACCOUNT_CONCURRENCY + 100, thread_name_prefix="lambda-invoke")
# The emulator gives every answer a request id of its own; Invoke's is that of the invocation.
OWN_REQUEST_ID = "x-workshop-request-id"
# An addition to AWS's answer, by which a measurement tells computing and waiting apart.
CPU_TIME = "x-workshop-cpu-time-ms"

_original_handle_request: Any = None
_original_dispatch: Any = None
_resolve_name = contract.expect(lambda_svc, "_resolve_request_scoped_name_and_qualifier", ("name_or_arn",))
_functions = contract.expect(lambda_svc, "_functions")


def install() -> None:
    global _original_handle_request, _original_dispatch
    parameters = ("method", "path", "headers", "body", "query_params")
    _original_handle_request = contract.replace(lambda_svc, "handle_request", parameters, _handle_request)
    _original_dispatch = contract.replace(
        app, "_dispatch_service_request", (*parameters, "request_id"), _dispatch
    )


async def _dispatch(
    method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any, request_id: str
) -> Any:
    answer = await _original_dispatch(method, path, headers, body, query_params, request_id)
    own_request_id = answer[1].pop(OWN_REQUEST_ID, None)
    if own_request_id is not None:
        answer[1]["x-amzn-requestid"] = own_request_id
    return answer


async def _handle_request(
    method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
) -> Any:
    if _STREAMING_PATH.fullmatch(unquote(path)):
        return not_implemented("stream a response. Invoke returns the whole of it.").response()
    match = _INVOKE_PATH.fullmatch(unquote(path)) if method == "POST" else None
    kind = headers.get("x-amz-invocation-type", "RequestResponse")
    if match is None or kind != "RequestResponse":
        return await _original_handle_request(method, path, headers, body, query_params)
    name, qualifier = _resolve_name(match[1])
    qualifier = qualifier or next(iter(query_params.get("Qualifier", [])), None)
    return await _invoke(name, qualifier, headers, body)


async def _in_thread(function: Callable[..., InvocationResult], *arguments: Any, **keywords: Any) -> Any:
    """Run on a thread of its own, in the account and Region of the current request."""
    call = functools.partial(contextvars.copy_context().run, function, *arguments, **keywords)
    return await asyncio.get_running_loop().run_in_executor(_threads, call)


async def _invoke(name: str, qualifier: str | None, headers: dict[str, str], body: bytes) -> Response:
    record = routing.resolve(_functions.get(name), qualifier)
    if record is None:
        suffix = f":{qualifier}" if qualifier else ""
        return _error(
            404, "ResourceNotFoundException", f"Function not found: {lambda_svc._func_arn(name)}{suffix}"
        )
    refusal = _refuse_payload(body)
    if refusal is not None:
        return refusal
    try:
        client_context = _client_context(headers)
    except ValueError:
        message = "Client context must be a valid Base64-encoded JSON object."
        return _error(400, "InvalidRequestContentException", message)
    wants_log_tail = headers.get("x-amz-log-type") == "Tail"
    try:
        result: InvocationResult = await _in_thread(
            execute_record,
            record,
            body or b"{}",
            trace_header=headers.get(tracing.HEADER),
            client_context=client_context,
            wants_log_tail=wants_log_tail,
        )
    except Throttled as throttled:
        return _throttled(throttled)
    except RecursiveLoop:
        return _recursive_loop(name)
    except (RuntimeUnavailable, PackageUnreadable, SandboxFailed) as error:
        return _error(502, "InvalidRuntimeException", str(error))
    answer = {"Content-Type": "application/json", "X-Amz-Executed-Version": result.executed_version}
    answer[OWN_REQUEST_ID] = result.request_id
    answer[CPU_TIME] = f"{result.cpu_ms:.3f}"
    if result.function_error:
        answer["X-Amz-Function-Error"] = result.function_error
    if wants_log_tail:
        answer["X-Amz-Log-Result"] = result.log_tail
    return 200, answer, result.payload


def _client_context(headers: dict[str, str]) -> str | None:
    """The caller's ClientContext as JSON in ASCII, fit for a header. Raises ValueError."""
    encoded = headers.get("x-amz-client-context")
    if encoded is None:
        return None
    client_context = json.loads(base64.b64decode(encoded, validate=True))
    if not isinstance(client_context, dict):
        raise ValueError("not an object")
    return json.dumps(client_context)


def _refuse_payload(body: bytes) -> Response | None:
    if len(body) > LARGEST_REQUEST_BYTES:
        message = (
            f"Request must be smaller than {LARGEST_REQUEST_BYTES} bytes for the InvokeFunction operation"
        )
        return _error(413, "RequestTooLargeException", message)
    if not body:
        return None
    try:
        json.loads(body)
    except ValueError as error:
        return _error(
            400, "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        )
    return None


def _qualified_arn(name: str, qualifier: str | None) -> str:
    return f"{lambda_svc._func_arn(name)}:{qualifier}" if qualifier else str(lambda_svc._func_arn(name))


def _throttled(throttled: Throttled) -> Response:
    document = {"Reason": throttled.reason, "Type": "User", "message": str(throttled)}
    headers = {
        "Content-Type": "application/json",
        "x-amzn-ErrorType": "TooManyRequestsException",
        "Retry-After": "1",
    }
    return 429, headers, json.dumps(document).encode()


def _recursive_loop(name: str) -> Response:
    _record_metric("AWS/Lambda", "RecursiveInvocationsDropped", 1, "Count", {"FunctionName": name})
    message = (
        "Lambda has detected your function being invoked in a recursive loop with other Amazon Web "
        f"Services resources and stopped your function's invocation: {lambda_svc._func_arn(name)}"
    )
    return _error(400, "RecursiveInvocationException", message)


def _error(status: int, code: str, message: str) -> Response:
    document = {"Type": "User", "Message": message}
    return (
        status,
        {"Content-Type": "application/json", "x-amzn-ErrorType": code},
        json.dumps(document).encode(),
    )
