"""One Lambda execution environment: a runtime in a sandbox, initialised once, invoked many times.

Life and limits: AWS Lambda developer guide, "Understanding the Lambda execution environment
lifecycle". INIT runs at full speed for up to 10 s. Each invocation runs under the CPU share that
the memory buys and ends when the runtime has posted its outcome and asks for the next event, as does
every extension. Between invocations nothing runs. The thread that waits for the environment drives its
sockets and pipes; it may be another thread for each phase, never two at once.
"""

import contextlib
import selectors
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from helpers.local.functions.extensions.api import Extensions
from helpers.local.functions.extensions.processes import WatchedProcesses
from helpers.local.functions.invoke_phase import InvokePhase
from helpers.local.functions.outcome import Ending, FunctionFailure, Invocation, Outcome
from helpers.local.functions.output import LogLine
from helpers.local.functions.processes import Launch, Processes, RuntimeProcess, SandboxFailed
from helpers.local.functions.report import ExtensionStatus, InitReport
from helpers.local.functions.runtime_api import Request
from helpers.local.functions.sandbox import Sandbox

__all__ = ["INIT_TIMEOUT_S", "ExecutionEnvironment", "InitOutcome", "SandboxFailed"]

INIT_TIMEOUT_S = 10.0
# Developer guide, "Shutdown phase": the whole of it, and the runtime's part of it.
SHUTDOWN_S = 2.0
RUNTIME_SHUTDOWN_S = 0.3
SHUTDOWN_OF_INTERNAL_EXTENSIONS_S = 0.5


@dataclass(frozen=True)
class InitOutcome:
    """The end of an INIT phase: `failure` is None when the runtime asked for its first event."""

    report: InitReport
    failure: FunctionFailure | None


class ExecutionEnvironment:
    """Start with `initialise`, then `invoke` any number of times; `close` removes every trace.

    `on_close` is called at the very end, with what was written in the SHUTDOWN phase.
    """

    def __init__(self, sandbox: Sandbox, launch: Launch, on_close: Callable[[list[LogLine]], None]) -> None:
        self.log_stream_name = launch.log_stream_name
        self.runtime_version = launch.runtime_version
        self._sandbox = sandbox
        self._launch = launch
        self._on_close = on_close
        self._selector = selectors.DefaultSelector()
        names = launch.extensions.names if launch.extensions else ()
        self._extensions = Extensions(launch.function, names)
        self._processes: Processes = (
            WatchedProcesses(sandbox, launch, self._selector, self._extensions, launch.extensions)
            if launch.extensions
            else RuntimeProcess(sandbox, launch, self._selector)
        )
        self._waiting_for_event: Request | None = None
        self._drained = False
        self._shutdown_reason = "spindown"
        self._shutting_down = False
        self.max_memory_used_mb = 0
        self.memory_exhausted = False
        self.last_used_s = time.monotonic()

    # INIT

    def initialise(
        self, phase: str = "init", timeout_s: float = INIT_TIMEOUT_S, request_id: str = ""
    ) -> InitOutcome:
        """Start extensions and runtime, and wait until each asks for its first event.

        `request_id` is that of the invocation that waits for it, if any. Raises SandboxFailed when
        the machine cannot even start it.
        """
        if self._launch.failure is not None:
            refusal = self._launch.failure
            failed = FunctionFailure.of_platform(refusal.error_type, request_id, refusal.text)
            return InitOutcome(InitReport(0.0, phase, "error", refusal.error_type), failed)
        self._processes.enter()
        started = time.perf_counter()
        self._processes.start_extensions()
        failure: FunctionFailure | None = None

        def handle(request: Request) -> None:
            nonlocal failure
            if request.is_init_error:
                failure = FunctionFailure.of_posted(request.body, request.error_type)
                request.connection.accept()
            else:
                request.refuse_out_of_turn()

        in_time = self._serve_until(self._everyone_waits, started + timeout_s, handle)
        duration_ms = (time.perf_counter() - started) * 1000
        if not in_time:
            status = "timeout"
        elif self._everyone_waits():
            status = "success"
            self._sandbox.limit_cpu()
        else:
            status, failure = "error", failure or FunctionFailure.of_ending(self._ending, request_id)
        self._shutdown_reason = {"success": "spindown", "timeout": "timeout"}.get(status, "failure")
        error_type = failure.error_type if failure else None
        return InitOutcome(InitReport(duration_ms, phase, status, error_type), failure)

    def extension_statuses(self) -> list[ExtensionStatus]:
        return self._extensions.statuses()

    # INVOKE

    def invoke(self, invocation: Invocation) -> None:
        """Hand one event to runtime and extensions and wait until the runtime is done with it.

        The environment must have been initialised, and be thawed. `finish_invoke` must follow.
        """
        assert self._waiting_for_event is not None
        asked, self._waiting_for_event = self._waiting_for_event, None
        self._phase = phase = InvokePhase(invocation, cpu_before_s=self._sandbox.cpu_seconds())
        self._extensions.send_invoke(invocation, phase.deadline_ms)
        asked.connection.answer(200, phase.event_headers, invocation.payload)
        in_time = self._serve_until(lambda: self._waiting_for_event is not None, phase.deadline_s, phase.take)
        phase.timed_out = not in_time
        phase.runtime_done_s = time.perf_counter()

    def extensions_are_done(self, within_s: float) -> bool:
        """Whether every extension is done with the event too, waited for so long at most."""
        phase = self._phase
        deadline_s = min(phase.deadline_s, time.perf_counter() + within_s)
        return phase.timed_out or self._serve_until(self._everyone_waits, deadline_s, phase.take)

    def finish_invoke(self) -> Outcome:
        """Wait until the extensions are done too: that is the end of the invocation."""
        phase = self._phase
        if not phase.timed_out:
            phase.timed_out = not self._serve_until(self._everyone_waits, phase.deadline_s, phase.take)
        # Without extensions it has ended when the runtime was done.
        phase.ended_s = time.perf_counter() if self._extensions.any_registered else phase.runtime_done_s
        reusable = self._everyone_waits() and self._processes.ending is None
        self.max_memory_used_mb = max(self.max_memory_used_mb, self._sandbox.peak_memory_mb())
        outcome = phase.outcome(
            ending=self._ending if self._drained else None,
            reusable=reusable,
            cpu_ms=self.cpu_ms_so_far(),
            with_extensions=self._extensions.any_registered,
        )
        if not reusable:
            self.memory_exhausted = self._sandbox.memory_exhausted()
            self._shutdown_reason = "timeout" if phase.timed_out else "failure"
        return outcome

    def cpu_ms_so_far(self) -> float:
        """CPU time since the event was handed over."""
        return (self._sandbox.cpu_seconds() - self._phase.cpu_before_s) * 1000

    @property
    def response_so_far(self) -> tuple[bytes | None, FunctionFailure | None]:
        """What the runtime has posted."""
        return self._phase.response, self._phase.failure

    def take_output(self) -> list[LogLine]:
        """What the function has written since the last call."""
        return self._processes.take_output()

    def freeze(self) -> None:
        """Stop every process until the next event."""
        self.last_used_s = time.monotonic()
        self._sandbox.freeze()

    def thaw(self) -> None:
        self._sandbox.thaw()

    @property
    def is_alive(self) -> bool:
        return self._processes.is_alive

    # SHUTDOWN

    def close(self) -> None:
        """End this environment and give back what it holds.

        With extensions there is a SHUTDOWN phase first, which is not waited for.
        """
        if self._processes.has_entered and self._extensions.any_registered:
            threading.Thread(target=self._shut_down, name="lambda-shutdown", daemon=True).start()
        else:
            self._remove()

    def _shut_down(self) -> None:
        external = self._extensions.any_external
        started = time.perf_counter()
        limit_s = SHUTDOWN_S if external else SHUTDOWN_OF_INTERNAL_EXTENSIONS_S
        runtime_limit_s = RUNTIME_SHUTDOWN_S if external else limit_s
        self._shutting_down, self._drained = True, False
        try:
            self._sandbox.thaw()
            # Processes that are gone, or no longer watched, need no farewell.
            with contextlib.suppress(SandboxFailed, OSError):
                self._processes.signal_runtime(signal.SIGTERM)
                self._serve_until(
                    lambda: self._processes.runtime_has_ended,
                    started + runtime_limit_s,
                    Request.refuse_out_of_turn,
                )
                self._processes.signal_runtime(signal.SIGKILL)
                left_s = started + limit_s - time.perf_counter()
                self._extensions.send_shutdown(
                    self._shutdown_reason, deadline_ms=int((time.time() + left_s) * 1000)
                )
                self._serve_until(
                    lambda: not self._extensions.any_to_end, started + limit_s, Request.refuse_out_of_turn
                )
        finally:
            self._remove()

    def _remove(self) -> None:
        self._sandbox.remove()
        last_lines = self.take_output() if self._shutting_down else []
        self._processes.close()
        self._selector.close()
        self._on_close(last_lines)

    # Driving sockets and pipes

    def _everyone_waits(self) -> bool:
        return self._waiting_for_event is not None and self._extensions.all_waiting

    def _serve_until(
        self, is_done: Callable[[], bool], deadline_s: float, handle: Callable[[Request], None]
    ) -> bool:
        """Serve requests until `is_done`, or the environment has ended; False when the time is over first."""
        while not is_done() and not self._drained:
            if self._extensions.all_registered and not self._shutting_down:
                self._processes.start_runtime()
            requests = self._wait(deadline_s)
            if requests is None:
                return False
            for request in requests:
                handle(request)
        return True

    def _wait(self, deadline_s: float) -> list[Request] | None:
        """Requests that have arrived, possibly none; None when the deadline has passed."""
        remaining_s = deadline_s - time.perf_counter()
        if remaining_s <= 0:
            return None
        requests: list[Request] = []
        has_ended = self._processes.ending is not None and not self._shutting_down
        events = self._selector.select(0 if has_ended else remaining_s)
        # What a runtime sent just before it ended is still to be read.
        self._drained = has_ended and not events
        for key, _ in events:
            arrived: list[Request] = key.data()
            for request in arrived:
                if request.wants_next:
                    self._waiting_for_event = request
                    self._extensions.registration_is_open = False
                elif not self._extensions.handle(request):
                    requests.append(request)
        return requests

    @property
    def _ending(self) -> Ending:
        assert self._processes.ending is not None
        return self._processes.ending
