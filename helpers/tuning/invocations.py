"""One invocation of a tuning run, with its pre- and post-processor, as a row of the result or a failure."""

import json
import math
from dataclasses import dataclass
from typing import Any

from helpers.invocations import Invocation, InvocationFailed, invoke
from helpers.report_line import NoReportLine
from helpers.tuning.billing import Billing
from helpers.tuning.failure import Failure
from helpers.tuning.input import TuningInput

NOT_COLD = "NoColdStart"


class ProcessorFailed(RuntimeError):
    """The pre- or the post-processor failed, which ends the run; the message says which, and how."""


@dataclass(frozen=True)
class Outcome:
    """What came of one invocation.

    `row` has the INVOCATION_COLUMNS; it is None when Lambda has not reported the invocation. `error` is set
    when it failed, and then `allowed` says that this counts as success.
    """

    row: dict[str, Any] | None
    error: Failure | None = None
    allowed: bool = False


class Invoker:
    """Invokes the memory sizes of one function, in the way that the run's input asks for."""

    def __init__(
        self,
        lambda_client: Any,
        processor_client: Any,
        function_name: str,
        tuning_input: TuningInput,
        billing: Billing,
    ) -> None:
        self._lambda = lambda_client
        self._processors = processor_client
        self._function_name = function_name
        self._input = tuning_input
        self._billing = billing

    def invoke(self, memory_mb: int, round_number: int, alias: str, payload: Any) -> Outcome:
        """Pre-processor, function, post-processor. Raises ProcessorFailed."""
        payload = self._prepared(payload)
        invocation: Invocation | None
        failure: Failure | None = None
        try:
            invocation = invoke(self._lambda, self._function_name, payload, alias)
        except InvocationFailed as error:
            invocation = error.invocation
            failure = self._failure(memory_mb, round_number, error.kind, error.reason, payload)
        except NoReportLine as error:
            invocation = None
            reason = f"{error} Lambda writes one unless the function's SystemLogLevel hides it."
            failure = self._failure(memory_mb, round_number, type(error).__name__, reason, payload)
        if invocation is None:
            return Outcome(None, failure)
        self._conclude(invocation.payload)
        if failure is None and self._input.only_cold_starts and not invocation.report.cold_start:
            reason = "The first invocation of a new version found a warm environment."
            failure = self._failure(memory_mb, round_number, NOT_COLD, reason, payload)
        allowed = failure is not None and failure.kind in self._input.allowed_exceptions
        return Outcome(self._row(memory_mb, round_number, invocation), failure, allowed)

    def _prepared(self, payload: Any) -> Any:
        """What the pre-processor makes of the payload; when that is nothing, the payload itself."""
        if self._input.pre_processor_arn is None:
            return payload
        prepared = self._process("pre-processor", self._input.pre_processor_arn, payload)
        return payload if prepared in (None, "") else prepared

    def _conclude(self, answer: Any) -> None:
        """The post-processor gets what the function has returned, its error document when it failed."""
        if self._input.post_processor_arn is not None:
            self._process("post-processor", self._input.post_processor_arn, answer)

    def _process(self, role: str, arn: str, payload: Any) -> Any:
        parts = arn.split(":")
        function_arn, qualifier = ":".join(parts[:7]), parts[7] if len(parts) > 7 else "$LATEST"
        try:
            return invoke(self._processors, function_arn, payload, qualifier).payload
        except (InvocationFailed, NoReportLine) as error:
            shown = self._shown(payload)
            with_payload = f" with payload {shown}" if shown is not None else ""
            raise ProcessorFailed(f"The {role} {arn} failed{with_payload}: {error}") from error

    def _failure(self, memory_mb: int, round_number: int, kind: str, reason: str, payload: Any) -> Failure:
        return Failure(memory_mb, round_number, kind, reason, payload=self._shown(payload))

    def _shown(self, payload: Any) -> str | None:
        if payload is None or self._input.disable_payload_logs:
            return None
        return json.dumps(payload)

    def _row(self, memory_mb: int, round_number: int, invocation: Invocation) -> dict[str, Any]:
        report = invocation.report
        # What SnapStart restores has a Restore Duration in place of an Init Duration.
        init_ms, restore_ms = report.init_duration_ms, report.restore_duration_ms
        return {
            "round": round_number,
            "memory_mb": memory_mb,
            "duration_ms": report.total_duration_ms,
            "init_duration_ms": init_ms if restore_ms is None else restore_ms,
            "billed_duration_ms": report.billed_duration_ms,
            "max_memory_used_mb": report.max_memory_used_mb,
            "cost_usd": self._billing.usd(report.billed_duration_ms, memory_mb),
            "cpu_ms": math.nan if invocation.cpu_ms is None else invocation.cpu_ms,
        }
