"""A runtime loop in pure Python, for machines on which AWS's awslambdaric does not exist (macOS).

It speaks the Runtime API as AWS's client does: same context, same error documents, same text log
format. Not there: JSON logging and response streaming. Started by bootstrap.py in its own process,
so it imports nothing of the workshop.
"""

import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

_API = "/2018-06-01/runtime"
_FRAME_TYPE = bytes.fromhex("a55a0003")


class Context:
    """The handler's second argument. Lambda developer guide, "Using the Lambda context object"."""

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        client_context = headers["Lambda-Runtime-Client-Context"]
        self.client_context = json.loads(client_context) if client_context else None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))


class FramedHandler(logging.Handler):
    """Writes a log record as one framed event, so that several lines stay together."""

    request_id = ""

    def emit(self, record: logging.LogRecord) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        message = self.format(record)
        write_event(f"[{record.levelname}]\t{now}.{int(record.msecs):03d}Z\t{self.request_id}\t{message}")


def write_event(text: str) -> None:
    """Type, length, timestamp in microseconds, text: the framing of AWS's runtimes."""
    data = text.encode()
    header = _FRAME_TYPE + len(data).to_bytes(4, "big") + int(time.time() * 1e6).to_bytes(8, "big")
    sys.stdout.flush()
    os.write(1, header + data)


def error_document(error_type: str, message: str, stack: list[str], request_id: str = "") -> dict[str, Any]:
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": stack}


def find_handler(name: str) -> Callable[[Any, Context], Any]:
    """The function that `module.function` names; raises what importing it raises."""
    module_name, separator, function_name = name.rpartition(".")
    if not separator:
        raise InitFailed("Runtime.MalformedHandlerName", f"Bad handler '{name}': expected module.function")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise InitFailed("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        raise InitFailed("Runtime.UserCodeSyntaxError", message) from error
    try:
        handler: Callable[[Any, Context], Any] = getattr(module, function_name)
    except AttributeError as error:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise InitFailed("Runtime.HandlerNotFound", message) from error
    return handler


class InitFailed(Exception):
    """The handler cannot be had; carries Lambda's error type."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class RuntimeApi:
    """The client side of the Runtime API, on one connection."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)

    def next(self) -> tuple[http.client.HTTPMessage, bytes]:
        self._connection.request("GET", f"{_API}/invocation/next")
        response = self._connection.getresponse()
        return response.headers, response.read()

    def post(self, path: str, body: bytes, error_type: str | None = None) -> None:
        headers = {"Content-Type": "application/json"}
        if error_type:
            headers["Lambda-Runtime-Function-Error-Type"] = error_type
        self._connection.request("POST", f"{_API}/{path}", body, headers)
        self._connection.getresponse().read()


def handle(api: RuntimeApi, handler: Callable[[Any, Context], Any], log: FramedHandler) -> None:
    """Fetch one event, call the handler and post what came of it."""
    headers, body = api.next()
    context = Context(headers)
    log.request_id = context.aws_request_id
    os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"] or ""
    path = f"invocation/{context.aws_request_id}"
    try:
        result = json.dumps(handler(json.loads(body), context)).encode()
    except Exception as error:
        stack = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
        kind = type(error).__name__
        write_event(f"[ERROR] {kind}: {error}\nTraceback (most recent call last):\n{''.join(stack)}")
        document = error_document(kind, str(error), stack, context.aws_request_id)
        api.post(f"{path}/error", json.dumps(document).encode(), kind)
    else:
        sys.stdout.flush()
        api.post(f"{path}/response", result)


def main(handler_name: str) -> None:
    """Initialise, then serve events until the process is ended."""
    log = FramedHandler()
    logging.getLogger().addHandler(log)
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = find_handler(handler_name)
    except Exception as error:
        kind = error.error_type if isinstance(error, InitFailed) else type(error).__name__
        write_event(f"[ERROR] {kind}: {error}")
        api.post("init/error", json.dumps(error_document(kind, str(error), [])).encode(), kind)
        sys.exit(1)
    while True:
        handle(api, handler, log)
