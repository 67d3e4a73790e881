"""Execute one invocation of a function, from whichever service it comes.

This is the one point that every invoking path passes: concurrency, cold start, INIT and its retry,
the invocation itself, log and metrics.
"""

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
    """One event for one version of a function. `qualifier` is the version or alias that was named."""

    function: FunctionVersion
    payload: bytes
    qualifier: str | None = None
    reserved_concurrency: int | None = None
    request_id: str | None = None
    trace_id: str | None = None
    client_context: str | None = None


class Executor:
    """Executes invocations on the environments of one pool."""

    def __init__(self, pool: EnvironmentPool) -> None:
        self.pool = pool

    def execute(self, request: InvocationRequest) -> InvocationResult:
        """Run to the end and return the response or the function's error.

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
        reusable = False
        try:
            run = _Run(self.pool, lease, invocation)
            outcome = run.run()
            reusable = outcome.reusable
            if reusable and lease.environment is not None:
                lease.environment.freeze()
        finally:
            utilization = self.pool.provisioned_utilization(function)
            self.pool.release(lease, reusable)
        self._measure(
            request,
            lease.concurrent_executions,
            failed=outcome.failure is not None,
            duration_ms=outcome.duration_ms,
            provisioned=lease.provisioned,
            provisioned_utilization=utilization,
        )
        result = InvocationResult(
            request_id=request_id,
            payload=outcome.failure.document if outcome.failure else outcome.response or b"null",
            function_error="Unhandled" if outcome.failure else None,
            log_tail=run.log.tail(),
            executed_version=function.version,
            cpu_ms=outcome.cpu_ms,
        )
        run.log.flush(run.log_stream_name)
        return result

    def _measure(
        self,
        request: InvocationRequest,
        concurrent_executions: int,
        throttled: bool = False,
        failed: bool = False,
        duration_ms: float = 0.0,
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
                provisioned=provisioned,
                provisioned_utilization=provisioned_utilization,
            )
        )


class _Run:
    """One invocation on one lease, from a cold start if need be to its REPORT line."""

    def __init__(self, pool: EnvironmentPool, lease: Lease, invocation: Invocation) -> None:
        self._pool = pool
        self._lease = lease
        self._invocation = invocation
        self.log = InvocationLog(lease.function)
        self.log_stream_name = ""

    def run(self) -> Outcome:
        init: InitReport | None = None
        environment = self._lease.environment
        if environment is None or not environment.is_alive:
            environment = self._replace_environment()
            init = self._initialise(environment, "init")
        else:
            environment.thaw()
            self.log_stream_name = environment.log_stream_name
            # Of a provisioned environment: what it wrote when it was initialised.
            self.log.function_output(environment)
        if init is not None and init.status != "success":
            outcome = self._retry_init_and_invoke()
            init = None
        else:
            self.log.start(self._invocation.request_id)
            outcome = environment.invoke(self._invocation)
        self._finish(outcome, init)
        return outcome

    def _replace_environment(self) -> ExecutionEnvironment:
        """A new environment for this lease; the one before, if any, is ended."""
        if self._lease.environment is not None:
            self._lease.environment.close()
        environment = self._pool.create(self._lease.function)
        self._lease.environment = environment
        self.log_stream_name = environment.log_stream_name
        return environment

    def _initialise(
        self, environment: ExecutionEnvironment, phase: str, timeout_s: float = INIT_TIMEOUT_S
    ) -> InitReport:
        self.log.init_start(environment.runtime_version)
        outcome = environment.initialise(phase, timeout_s, self._invocation.request_id)
        self.log.function_output(environment)
        self.log.init_report(outcome.report)
        self._init_failure = outcome.failure
        return outcome.report

    def _retry_init_and_invoke(self) -> Outcome:
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
            spent_s = time.perf_counter() - started
            outcome = environment.invoke(self._invocation)
            return replace(outcome, duration_ms=outcome.duration_ms + spent_s * 1000)
        timed_out = init.status == "timeout"
        failure = self._init_failure
        if failure is None:
            failure = FunctionFailure.of_timeout(timeout_s, self._invocation.request_id)
        return Outcome(None, failure, init.duration_ms, reusable=False, timed_out=timed_out)

    def _finish(self, outcome: Outcome, init: InitReport | None) -> None:
        environment = self._lease.environment
        assert environment is not None
        self.log.function_output(environment)
        request_id = self._invocation.request_id
        status, error_type = "success", None
        if outcome.timed_out:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            text = f"Task timed out after {self._invocation.timeout_s:.2f} seconds"
            self.log.platform_text(f"{now} {request_id} {text}")
            status = "timeout"
        elif outcome.failure is not None and not outcome.reusable:
            # Only a runtime that ended makes the platform speak of an error.
            status, error_type = "error", outcome.failure.error_type
        report = Report(
            duration_ms=outcome.duration_ms,
            memory_size_mb=self._lease.function.memory_mb,
            max_memory_used_mb=environment.max_memory_used_mb,
            init_duration_ms=init.duration_ms if init else None,
            status=status,
            error_type=error_type,
        )
        self.log.end(
            request_id, report, exit_message=outcome.failure.exit_message if outcome.failure else None
        )
