"""One Lambda execution environment: a runtime in a sandbox, initialised once, invoked many times.

Life and limits: AWS Lambda developer guide, "Understanding the Lambda execution environment
lifecycle". INIT runs at full speed for up to 10 s. Each invocation runs under the CPU share that
the memory buys and ends when the runtime has posted its outcome and asks for the next event.
Between invocations nothing runs. The thread that waits for the environment drives its sockets and
pipes; it may be another thread for each invocation, never two at once.
"""

import os
import re
import select
import selectors
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from helpers.local.functions.outcome import (
    LARGEST_RESPONSE_BYTES,
    FunctionFailure,
    Invocation,
    LaunchFailure,
    Outcome,
)
from helpers.local.functions.output import LogLine, Output
from helpers.local.functions.report import InitReport
from helpers.local.functions.runtime_api import Request, RuntimeApi
from helpers.local.functions.sandbox import Sandbox
from helpers.local.functions.sandbox.isolation import READY_LINE

INIT_TIMEOUT_S = 10.0
# Entering the sandbox is not part of INIT; it takes some 20 ms.
ENTER_TIMEOUT_S = 10.0


class SandboxFailed(RuntimeError):
    """The machine could not start the processes of an execution environment."""


@dataclass(frozen=True)
class Launch:
    """What is started: the command enters the sandbox and becomes the runtime.

    `environment_variables` lacks only AWS_LAMBDA_RUNTIME_API, which the environment adds. With a
    `failure` nothing is started, and every INIT ends with it.
    """

    command: list[str]
    environment_variables: dict[str, str]
    log_stream_name: str
    runtime_version: str
    failure: LaunchFailure | None = None


@dataclass(frozen=True)
class InitOutcome:
    """The end of an INIT phase: `failure` is None when the runtime asked for its first event."""

    report: InitReport
    failure: FunctionFailure | None


class ExecutionEnvironment:
    """Start with `initialise`, then `invoke` any number of times; `close` removes every trace."""

    def __init__(self, sandbox: Sandbox, launch: Launch, on_close: Callable[[], None]) -> None:
        self.log_stream_name = launch.log_stream_name
        self.runtime_version = launch.runtime_version
        self._sandbox = sandbox
        self._launch = launch
        self._on_close = on_close
        self._selector = selectors.DefaultSelector()
        self._api = RuntimeApi(self._selector)
        self._waiting_for_event: Request | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._output: Output | None = None
        self._process_ended = False
        self._drained = False
        self.max_memory_used_mb = 0
        self.last_used_s = time.monotonic()

    # INIT

    def initialise(
        self, phase: str = "init", timeout_s: float = INIT_TIMEOUT_S, request_id: str = ""
    ) -> InitOutcome:
        """Start the runtime and wait until it asks for its first event.

        `request_id` is that of the invocation that waits for it, if any. Raises SandboxFailed when
        the machine cannot even start it.
        """
        if self._launch.failure is not None:
            refusal = self._launch.failure
            failed = FunctionFailure.of_platform(refusal.error_type, request_id, refusal.text)
            return InitOutcome(InitReport(0.0, phase, "error", refusal.error_type), failed)
        self._start()
        started = time.perf_counter()
        deadline = started + timeout_s
        failure: FunctionFailure | None = None
        status = "success"
        while self._waiting_for_event is None and not self._drained:
            requests = self._wait(deadline)
            if requests is None:
                status = "timeout"
                break
            for request in requests:
                if request.is_init_error:
                    failure = FunctionFailure.of_posted(request.body, _error_type_header(request))
                    request.connection.accept()
                else:
                    self._answer_out_of_turn(request)
        duration_ms = (time.perf_counter() - started) * 1000
        if status == "success" and self._waiting_for_event is None:
            status = "error"
            failure = failure or self._exit_failure(request_id)
        if status == "success":
            self._sandbox.limit_cpu()
        error_type = failure.error_type if failure else None
        return InitOutcome(InitReport(duration_ms, phase, status, error_type), failure)

    def _start(self) -> None:
        variables = {**self._launch.environment_variables, "AWS_LAMBDA_RUNTIME_API": self._api.address}
        try:
            self._process = subprocess.Popen(
                self._launch.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxFailed(f"{self._launch.command[0]} could not be started: {error}") from error
        self._sandbox.attach(self._process.pid)
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        self._wait_until_entered(descriptor)
        self._output = Output(descriptor)
        self._selector.register(descriptor, selectors.EVENT_READ, self._read_output)
        self._process_descriptor = _descriptor_of_end(self._process)
        self._selector.register(self._process_descriptor, selectors.EVENT_READ, self._note_end)

    def _wait_until_entered(self, descriptor: int) -> None:
        """Wait for the launcher's line, which comes just before it becomes the runtime."""
        received = b""
        deadline = time.monotonic() + ENTER_TIMEOUT_S
        # Byte by byte: what follows the line belongs to the runtime.
        while not received.endswith(READY_LINE):
            readable, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            byte = os.read(descriptor, 1) if readable else b""
            if not byte:
                raise SandboxFailed(f"the sandbox could not be entered: {received.decode(errors='replace')}")
            received += byte

    # INVOKE

    def invoke(self, invocation: Invocation) -> Outcome:
        """Hand one event to the runtime and wait until it is done with it.

        The environment must have been initialised, and be thawed.
        """
        assert self._waiting_for_event is not None
        asked, self._waiting_for_event = self._waiting_for_event, None
        cpu_before_s = self._sandbox.cpu_seconds()
        started = time.perf_counter()
        deadline = started + invocation.timeout_s
        asked.connection.answer(200, _event_headers(invocation), invocation.payload)
        response: bytes | None = None
        failure: FunctionFailure | None = None
        timed_out = False
        while self._waiting_for_event is None and not self._drained:
            requests = self._wait(deadline)
            if requests is None:
                timed_out = True
                break
            for request in requests:
                outcome = request.outcome
                if outcome is None or outcome[0] != invocation.request_id or response or failure:
                    self._answer_out_of_turn(request)
                elif outcome[1] == "error":
                    failure = FunctionFailure.of_posted(request.body, _error_type_header(request))
                    request.connection.accept()
                elif len(request.body) > LARGEST_RESPONSE_BYTES:
                    failure = FunctionFailure.of_large_response(len(request.body))
                    request.connection.refuse(413, failure.error_type, "the response is too large")
                else:
                    response = request.body
                    request.connection.accept()
        duration_ms = (time.perf_counter() - started) * 1000
        # Looks for processes that are new, so that what they have used counts too.
        self._note_memory()
        cpu_ms = (self._sandbox.cpu_seconds() - cpu_before_s) * 1000
        if timed_out:
            duration_ms = max(duration_ms, invocation.timeout_s * 1000)
            # A response that was already posted has reached the caller on AWS too.
            if response is None and failure is None:
                failure = FunctionFailure.of_timeout(invocation.timeout_s, invocation.request_id)
        elif response is None and failure is None:
            failure = self._exit_failure(invocation.request_id)
        reusable = self._waiting_for_event is not None and not self._process_ended
        return Outcome(response, failure, duration_ms, reusable, timed_out, cpu_ms)

    def take_output(self) -> list[LogLine]:
        """What the function has written since the last call."""
        return self._output.take() if self._output is not None else []

    def freeze(self) -> None:
        """Stop every process until the next event."""
        self.last_used_s = time.monotonic()
        self._sandbox.freeze()

    def thaw(self) -> None:
        self._sandbox.thaw()

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """Kill every process of this environment and give back what it holds."""
        self._sandbox.remove()
        if self._process is not None:
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            os.close(self._process_descriptor)
        self._api.close()
        self._selector.close()
        self._on_close()

    # Driving sockets and pipes

    def _wait(self, deadline: float) -> list[Request] | None:
        """Requests that have arrived, possibly none; None when `deadline` has passed."""
        remaining_s = deadline - time.perf_counter()
        if remaining_s <= 0:
            return None
        requests: list[Request] = []
        events = self._selector.select(0 if self._process_ended else remaining_s)
        # What a runtime sent just before it ended is still to be read.
        self._drained = self._process_ended and not events
        for key, _ in events:
            arrived: list[Request] = key.data()
            for request in arrived:
                if request.wants_next:
                    self._waiting_for_event = request
                else:
                    requests.append(request)
        return requests

    def _read_output(self) -> list[Request]:
        assert self._output is not None
        if not self._output.read():
            # Readable with nothing to read: every process has closed its end.
            self._selector.unregister(self._output.descriptor)
        return []

    def _note_end(self) -> list[Request]:
        self._process_ended = True
        self._selector.unregister(self._process_descriptor)
        return []

    def _answer_out_of_turn(self, request: Request) -> None:
        """A request that the Runtime API has no place for now."""
        if request.outcome is not None:
            request.connection.refuse(400, "InvalidRequestID", "Invalid request ID")
        else:
            request.connection.refuse(
                404, "NotFound", f"{request.method} {request.path} is not supported here"
            )

    def _exit_failure(self, request_id: str) -> FunctionFailure:
        assert self._process is not None
        return FunctionFailure.of_exit(self._process.wait(), request_id)

    def _note_memory(self) -> None:
        """Peak resident memory of the processes, as far as they still live."""
        used_kb = sum(_peak_memory_kb(process_id) for process_id in self._sandbox.process_ids())
        self.max_memory_used_mb = max(self.max_memory_used_mb, used_kb // 1024)
        if self._sandbox.memory_exhausted():
            self.max_memory_used_mb = self._sandbox.memory_mb


def _descriptor_of_end(process: subprocess.Popen[bytes]) -> int:
    """A file descriptor that becomes readable when the process ends."""
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(process.pid)
    read_end, write_end = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(write_end)

    threading.Thread(target=wait, daemon=True).start()
    return read_end


def _event_headers(invocation: Invocation) -> dict[str, str]:
    deadline_ms = int((time.time() + invocation.timeout_s) * 1000)
    headers = {
        "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
        "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
    }
    if invocation.trace_id:
        headers["Lambda-Runtime-Trace-Id"] = invocation.trace_id
    if invocation.client_context:
        headers["Lambda-Runtime-Client-Context"] = invocation.client_context
    return headers


def _error_type_header(request: Request) -> str | None:
    return request.headers.get("lambda-runtime-function-error-type")


def _peak_memory_kb(process_id: int) -> int:
    # Read for every invocation: pathlib's own open takes five times as long.
    try:
        with open(f"/proc/{process_id}/status", "rb", buffering=0) as file:  # noqa: PTH123
            status = file.read()
    except OSError:
        return 0
    found = re.search(rb"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) if found else 0
