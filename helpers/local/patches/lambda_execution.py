"""Functions run as real processes under Lambda's limits, whoever invokes them.

Restores what MiniStack's executors leave out: the CPU share that memory buys, INIT and its
duration, environments that live on after an error, AWS's platform log lines, metrics from every
path. AWS Lambda developer guide, "Understanding the Lambda execution environment lifecycle".
"""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions import service
from helpers.local.functions.execution import InvocationResult
from helpers.local.functions.pool import Throttled

_in_scope_of = contract.expect(
    lambda_svc, "_run_with_function_config_scope", ("func_or_config", "callback", "args", "kwargs")
)
_scope_differs = contract.expect(lambda_svc, "_function_config_scope_mismatch", ("config",))


def install() -> None:
    contract.replace(lambda_svc, "_execute_function", ("func", "event"), _execute_function)
    contract.replace(
        lambda_svc,
        "invalidate_worker",
        ("func_name", "qualifier", "account", "region"),
        _discard_environments,
    )
    parameters = ("function_name", "duration_ms", "error", "throttle")
    contract.replace(lambda_svc, "_emit_lambda_metrics", parameters, _leave_metrics_to_the_executor)
    service.executor()


def execute_record(record: dict[str, Any], payload: bytes, **details: Any) -> InvocationResult:
    """Execute an invocation in the function's own account and Region.

    `details`: request_id, trace_header, client_context, wants_log_tail. Raises what
    Executor.execute raises, and RecursiveLoop.
    """

    def execute() -> InvocationResult:
        return service.executor().execute(service.invocation_request(record, payload, **details))

    if _scope_differs(record["config"]):
        result: InvocationResult = _in_scope_of(record["config"], execute)
        return result
    return execute()


def _execute_function(func: dict[str, Any], event: Any) -> dict[str, Any]:
    """What MiniStack's services call: they pass the event parsed and want the response parsed."""
    record = func if "config" in func else {"config": func, "code_zip": None}
    try:
        result = execute_record(record, json.dumps(event).encode())
    except Throttled as throttled:
        body = {"__type": "TooManyRequestsException", "message": str(throttled), "Reason": throttled.reason}
        return {"throttle": True, "error": True, "body": body, "log": ""}
    answer: dict[str, Any] = {"log": ""}
    try:
        answer["body"] = json.loads(result.payload)
    except ValueError:
        answer["body"] = result.payload.decode(errors="replace")
    if result.function_error:
        answer |= {"error": True, "function_error": result.function_error}
    return answer


def _leave_metrics_to_the_executor(
    function_name: str, duration_ms: float, error: bool, throttle: bool
) -> None:
    """Some of MiniStack's callers count an invocation that the executor has counted already."""


def _discard_environments(
    func_name: str, qualifier: str | None = None, account: str | None = None, region: str | None = None
) -> None:
    key = (account or get_account_id(), region or get_region(), func_name)
    service.executor().pool.discard(key, qualifier)
