"""Execute one invocation of a function, from whichever service it comes.

This is the one point that every invoking path passes: concurrency, cold start, INIT and its retry,
the invocation itself, log and metrics.
"""

import contextvars
import threading
import time
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from helpers.local.functions import metrics
from helpers.local.functions.environment import INIT_TIMEOUT_S, ExecutionEnvironment
from helpers.local.functions.invocation_log import InvocationLog
from helpers.local.functions.outcome import FunctionFailure, Invocation, Outcome
from helpers.local.functions.pool import EnvironmentPool, Lease, Throttled
from helpers.local.functions.report import InitReport, Report
from helpers.local.functions.specification import FunctionVersion

# Lambda returns the response while extensions go on. Of those that are done within this time, about that
# of the response's way to the caller, the caller's next invocation finds the environment free.
RESPONSE_WAY_S = 0.05


@dataclass(frozen=True)
class InvocationResult:
    """What the caller of an invocation learns. `log_tail` is base64, as the Invoke API returns it.

    `cpu_ms` is the CPU time of the INVOKE phase.
    """

    request_id: str
    payload: bytes
    function_error: str | None
    log_tail: str
    executed_version: str
    cpu_ms: float


@dataclass(frozen=True)
class InvocationRequest:
    """One event for one version of a function. `qualifier` is the version or alias that was named.

    With `wants_log_tail` extensions are waited for, since the log ends after them.
    """

    function: FunctionVersion
    payload: bytes
    qualifier: str | None = None
    reserved_concurrency: int | None = None
    request_id: str | None = None
    trace_id: str | None = None
    client_context: str | None = None
    wants_log_tail: bool = False


class Executor:
    """Executes invocations on the environments of one pool."""

    def __init__(self, pool: EnvironmentPool) -> None:
        self.pool = pool

    def execute(self, request: InvocationRequest) -> InvocationResult:
        """Run until the runtime is done and return the response or the function's error.

        Raises Throttled when no concurrency is left, RuntimeUnavailable, PackageUnreadable or
        SandboxFailed when the function cannot run here at all. Blocks for as long as it takes.
        """
        function = request.function
        try:
            lease = self.pool.acquire(function, request.reserved_concurrency)
        except Throttled:
            self._measure(request, concurrent_executions=0, throttled=True)
            raise
        request_id = request.request_id or str(uuid.uuid4())
        qualifier = f":{request.qualifier}" if request.qualifier else ""
        invocation = Invocation(
            request_id=request_id,
            payload=request.payload,
            function_arn=f"{function.arn}{qualifier}",
            timeout_s=function.timeout_s,
            trace_id=request.trace_id,
            client_context=request.client_context,
        )
        run = _Run(self.pool, lease, invocation)
        try:
            run.begin()
            waits_for_extensions = request.wants_log_tail or run.is_done(within_s=RESPONSE_WAY_S)
            early = None if waits_for_extensions else run.early_result()
        except BaseException:
            self.pool.release(lease, reusable=False)
            raise
        if early is None:
            return self._finish(request, run)
        finish = contextvars.copy_context().run
        threading.Thread(target=finish, args=(self._finish, request, run), daemon=True).start()
        return early

    def _finish(self, request: InvocationRequest, run: "_Run") -> InvocationResult:
        """Wait until extensions are done, then give the environment back, measure and log."""
        function, lease = request.function, run.lease
        reusable = False
        try:
            outcome = run.finish()
            reusable = outcome.reusable
            if reusable and lease.environment is not None:
                lease.environment.freeze()
        finally:
            utilization = self.pool.provisioned_utilization(function)
            self.pool.release(lease, reusable)
        self._measure(
            request,
            lease.concurrent_executions,
            failed=outcome.failure is not None or outcome.late_failure is not None,
            duration_ms=outcome.duration_ms,
            post_runtime_extensions_ms=outcome.post_runtime_extensions_ms,
            provisioned=lease.provisioned,
            provisioned_utilization=utilization,
        )
        result = run.result(outcome.response, outcome.failure, outcome.cpu_ms)
        run.log.flush(run.log_stream_name)
        return result

    def _measure(
        self,
        request: InvocationRequest,
        concurrent_executions: int,
        throttled: bool = False,
        failed: bool = False,
        duration_ms: float = 0.0,
        post_runtime_extensions_ms: float | None = None,
        provisioned: bool = False,
        provisioned_utilization: float | None = None,
    ) -> None:
        function = request.function
        in_account = self.pool.concurrent_executions(function.account_id, function.region)
        metrics.record(
            metrics.Measured(
                function=function,
                qualifier=request.qualifier,
                concurrent_executions=concurrent_executions,
                # This invocation is over, and no longer among those that run.
                account_concurrent_executions=in_account + (0 if throttled else 1),
                throttled=throttled,
                failed=failed,
                duration_ms=duration_ms,
                post_runtime_extensions_ms=post_runtime_extensions_ms,
                provisioned=provisioned,
                provisioned_utilization=provisioned_utilization,
            )
        )


class _Run:
    """One invocation on one lease, from a cold start if need be to its REPORT line.

    First `begin`, then `finish`; in between the runtime is done, and extensions may not be.
    """

    def __init__(self, pool: EnvironmentPool, lease: Lease, invocation: Invocation) -> None:
        self._pool = pool
        self.lease = lease
        self._invocation = invocation
        self.log = InvocationLog(lease.function)
        self.log_stream_name = ""
        self._init: InitReport | None = None
        # Of an INIT that was repeated as part of the invocation.
        self._spent_ms = 0.0
        # Of an invocation whose event has reached no runtime.
        self._without_runtime: Outcome | None = None

    def begin(self) -> None:
        environment = self.lease.environment
        if environment is None or not environment.is_alive:
            environment = self._replace_environment()
            self._init = self._initialise(environment, "init")
        else:
            environment.thaw()
            self.log_stream_name = environment.log_stream_name
            # Of a provisioned environment: what it wrote when it was initialised.
            self.log.function_output(environment)
        if self._init is not None and self._init.status != "success":
            self._init = None
            self._retry_init_and_invoke()
        else:
            self.log.start(self._invocation.request_id)
            environment.invoke(self._invocation)

    def is_done(self, within_s: float) -> bool:
        """Whether extensions are done too, waited for so long at most."""
        return self._without_runtime is not None or self._environment.extensions_are_done(within_s)

    def early_result(self) -> InvocationResult:
        """What the caller gets while extensions go on."""
        return self.result(*self._environment.response_so_far, self._environment.cpu_ms_so_far())

    def finish(self) -> Outcome:
        outcome = self._without_runtime or self._environment.finish_invoke()
        outcome = replace(outcome, duration_ms=outcome.duration_ms + self._spent_ms)
        self._log_end(outcome)
        return outcome

    def result(
        self, response: bytes | None, failure: FunctionFailure | None, cpu_ms: float
    ) -> InvocationResult:
        return InvocationResult(
            request_id=self._invocation.request_id,
            payload=failure.document if failure else response or b"null",
            function_error="Unhandled" if failure else None,
            log_tail=self.log.tail(),
            executed_version=self.lease.function.version,
            cpu_ms=cpu_ms,
        )

    @property
    def _environment(self) -> ExecutionEnvironment:
        assert self.lease.environment is not None
        return self.lease.environment

    def _replace_environment(self) -> ExecutionEnvironment:
        """A new environment for this lease; the one before, if any, is ended."""
        if self.lease.environment is not None:
            self.lease.environment.close()
        environment = self._pool.create(self.lease.function)
        self.lease.environment = environment
        self.log_stream_name = environment.log_stream_name
        return environment

    def _initialise(
        self, environment: ExecutionEnvironment, phase: str, timeout_s: float = INIT_TIMEOUT_S
    ) -> InitReport:
        self.log.init_start(environment.runtime_version)
        outcome = environment.initialise(phase, timeout_s, self._invocation.request_id)
        self.log.function_output(environment)
        self.log.extensions(environment.extension_statuses())
        self.log.init_report(outcome.report)
        self._init_failure = outcome.failure
        return outcome.report

    def _retry_init_and_invoke(self) -> None:
        """A failed INIT is tried once more as part of the invocation, under the function's timeout.

        AWS Lambda developer guide, "Failures during the Init phase".
        """
        started = time.perf_counter()
        self.log.begin_tail()
        environment = self._replace_environment()
        timeout_s = self._invocation.timeout_s
        init = self._initialise(environment, "invoke", timeout_s)
        self.log.start(self._invocation.request_id)
        if init.status == "success":
            self._spent_ms = (time.perf_counter() - started) * 1000
            environment.invoke(self._invocation)
            return
        timed_out = init.status == "timeout"
        failure = self._init_failure
        if failure is None:
            failure = FunctionFailure.of_timeout(timeout_s, self._invocation.request_id)
        self._without_runtime = Outcome(None, failure, init.duration_ms, reusable=False, timed_out=timed_out)

    def _log_end(self, outcome: Outcome) -> None:
        environment = self._environment
        self.log.function_output(environment)
        request_id = self._invocation.request_id
        status, error_type = "success", None
        if outcome.timed_out:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            text = f"Task timed out after {self._invocation.timeout_s:.2f} seconds"
            self.log.platform_text(f"{now} {request_id} {text}")
            status = "timeout"
        ended = outcome.late_failure or (outcome.failure if not outcome.reusable else None)
        if ended is not None and not outcome.timed_out:
            # Only a process that ended makes the platform speak of an error.
            status, error_type = "error", ended.reported_error_type(environment.memory_exhausted)
        report = Report(
            duration_ms=outcome.duration_ms,
            memory_size_mb=self.lease.function.memory_mb,
            max_memory_used_mb=environment.max_memory_used_mb,
            init_duration_ms=self._init.duration_ms if self._init else None,
            status=status,
            error_type=error_type,
        )
        said = outcome.late_failure or outcome.failure
        self.log.end(request_id, report, exit_message=said.exit_message if said else None)
