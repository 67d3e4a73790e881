"""One INVOKE phase: an event, what the runtime makes of it, and what that means for the caller."""

import time
from dataclasses import dataclass, field

from helpers.local.functions.outcome import (
    LARGEST_RESPONSE_BYTES,
    Ending,
    FunctionFailure,
    Invocation,
    Outcome,
)
from helpers.local.functions.runtime_api import Request


@dataclass
class InvokePhase:
    """What is known of an invocation so far. Moments are those of time.perf_counter.

    `runtime_done_s` is the moment at which the runtime was done, or was given up, `ended_s` that at which
    extensions were done too.
    """

    invocation: Invocation
    cpu_before_s: float
    started_s: float = field(default_factory=time.perf_counter)
    deadline_ms: int = 0
    runtime_done_s: float = 0.0
    ended_s: float = 0.0
    response: bytes | None = None
    failure: FunctionFailure | None = None
    timed_out: bool = False

    def __post_init__(self) -> None:
        # As runtime and extensions are told: milliseconds since 1970.
        self.deadline_ms = int((time.time() + self.invocation.timeout_s) * 1000)

    @property
    def deadline_s(self) -> float:
        return self.started_s + self.invocation.timeout_s

    @property
    def event_headers(self) -> dict[str, str]:
        """Those with which the runtime gets the event."""
        invocation = self.invocation
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
        }
        if invocation.trace_id:
            headers["Lambda-Runtime-Trace-Id"] = invocation.trace_id
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return headers

    @property
    def has_responded(self) -> bool:
        return self.response is not None or self.failure is not None

    def take(self, request: Request) -> None:
        """Take what the runtime has posted; refuse what has no place now."""
        outcome = request.outcome
        if outcome is None or outcome[0] != self.invocation.request_id or self.has_responded:
            request.refuse_out_of_turn()
        elif outcome[1] == "error":
            self.failure = FunctionFailure.of_posted(request.body, request.error_type)
            request.connection.accept()
        elif len(request.body) > LARGEST_RESPONSE_BYTES:
            self.failure = FunctionFailure.of_large_response(len(request.body))
            request.connection.refuse(413, self.failure.error_type, "the response is too large")
        else:
            self.response = request.body
            request.connection.accept()

    def outcome(self, ending: Ending | None, reusable: bool, cpu_ms: float, with_extensions: bool) -> Outcome:
        """What the phase was, once it has ended. `ending` is there when the environment has ended."""
        request_id, timeout_s = self.invocation.request_id, self.invocation.timeout_s
        duration_ms = (self.ended_s - self.started_s) * 1000
        failure, late_failure = self.failure, None
        # A response that was already posted has reached the caller on AWS too.
        if self.timed_out:
            duration_ms = max(duration_ms, timeout_s * 1000)
            if not self.has_responded:
                failure = FunctionFailure.of_timeout(timeout_s, request_id)
        elif ending is not None and not self.has_responded:
            failure = FunctionFailure.of_ending(ending, request_id)
        elif ending is not None and ending.error_type.startswith("Extension."):
            late_failure = FunctionFailure.of_ending(ending, request_id)
        return Outcome(
            response=self.response,
            failure=failure,
            duration_ms=duration_ms,
            reusable=reusable,
            timed_out=self.timed_out,
            cpu_ms=cpu_ms,
            post_runtime_extensions_ms=(
                (self.ended_s - self.runtime_done_s) * 1000 if with_extensions else None
            ),
            late_failure=late_failure,
        )
