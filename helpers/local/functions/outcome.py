"""How one INIT phase or one invocation ended."""

import json
from dataclasses import dataclass
from typing import Any

# Lambda quotas: a synchronous response may have 6 MB (6,291,556 bytes in Lambda's own message).
LARGEST_RESPONSE_BYTES = 6_291_556

# In the words of Go, in which Lambda reports them.
_SIGNALS = {6: "aborted", 9: "killed", 11: "segmentation fault", 15: "terminated"}

EXIT_ERROR, OUT_OF_MEMORY = "Runtime.ExitError", "Runtime.OutOfMemory"


@dataclass(frozen=True)
class FunctionFailure:
    """An error document as Lambda returns it. `error_type` is an exception's class or one of Lambda's own.

    `exit_message` is what the log says of a process that ended by itself.
    """

    error_type: str
    document: bytes
    exit_message: str | None = None

    @classmethod
    def of_platform(cls, error_type: str, request_id: str, text: str) -> "FunctionFailure":
        """An error that Lambda itself reports, such as a process that exited."""
        return cls.of_document(
            {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {text}"}
        )

    @classmethod
    def of_ending(cls, ending: "Ending", request_id: str) -> "FunctionFailure":
        message = f"RequestId: {request_id} Error: {ending.text}"
        document = {"errorType": ending.error_type, "errorMessage": message}
        return cls(ending.error_type, json.dumps(document).encode(), f"{message}\n{ending.error_type}")

    def reported_error_type(self, memory_exhausted: bool) -> str:
        """The Error Type of the REPORT line. It alone says of an exit that memory was the reason.

        No page of AWS lists the types; the repository amazon-connect/voicemail-express-amazon-connect
        shows a platform.report of AWS with this one.
        """
        return OUT_OF_MEMORY if memory_exhausted and self.error_type == EXIT_ERROR else self.error_type

    @classmethod
    def of_timeout(cls, timeout_s: float, request_id: str) -> "FunctionFailure":
        text = f"Task timed out after {timeout_s:.2f} seconds"
        return cls.of_platform("Sandbox.Timedout", request_id, text)

    @classmethod
    def of_large_response(cls, size_bytes: int) -> "FunctionFailure":
        text = (
            f"Response payload size ({size_bytes} bytes) exceeded maximum allowed payload size "
            f"({LARGEST_RESPONSE_BYTES} bytes)."
        )
        return cls.of_document({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": text})

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> "FunctionFailure":
        return cls(str(document.get("errorType", "Unknown")), json.dumps(document).encode())

    @classmethod
    def of_posted(cls, body: bytes, error_type_header: str | None) -> "FunctionFailure":
        """An error that the runtime posted; its document is passed on as it is."""
        try:
            document = json.loads(body)
        except ValueError:
            document = {}
        named = document.get("errorType") if isinstance(document, dict) else None
        return cls(str(named or error_type_header or "Unknown"), body)


@dataclass(frozen=True)
class Ending:
    """What ended an execution environment from within, in Lambda's words: a process that has ended."""

    error_type: str
    text: str

    @classmethod
    def of_runtime(cls, code: int) -> "Ending":
        """`code` is the exit status, or a signal's number made negative."""
        if code == 0:
            return cls(EXIT_ERROR, "Runtime exited without providing a reason")
        return cls(EXIT_ERROR, f"Runtime exited with error: {_exit_text(code)}")

    @classmethod
    def of_extension(cls, error_type: str, code: int) -> "Ending":
        """`error_type` is Extension.Crash, or that of the error which the extension has posted before."""
        return cls(error_type, "exit code 0" if code == 0 else _exit_text(code))


def _exit_text(code: int) -> str:
    return f"signal: {_SIGNALS.get(-code, str(-code))}" if code < 0 else f"exit status {code}"


@dataclass(frozen=True)
class LaunchFailure:
    """Why an execution environment cannot be started, as Lambda reports it of every invocation."""

    error_type: str
    text: str


@dataclass(frozen=True)
class Invocation:
    """What the runtime is asked to do. `payload` is the event as it came, byte for byte."""

    request_id: str
    payload: bytes
    function_arn: str
    timeout_s: float
    trace_id: str | None = None
    client_context: str | None = None


@dataclass(frozen=True)
class Outcome:
    """The end of one invocation: a response or a failure, and the time it took.

    `reusable` is False when the environment's runtime has ended and must be replaced. `cpu_ms` is the CPU
    time of the environment's processes from the event to the outcome; 0 when no runtime got the event.
    `post_runtime_extensions_ms` is how long extensions took after the runtime, None without extensions;
    `late_failure` that of an extension after the response had gone to the caller.
    """

    response: bytes | None
    failure: FunctionFailure | None
    duration_ms: float
    reusable: bool
    timed_out: bool = False
    cpu_ms: float = 0.0
    post_runtime_extensions_ms: float | None = None
    late_failure: FunctionFailure | None = None
