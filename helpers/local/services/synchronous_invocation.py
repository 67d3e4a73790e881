"""Functions that another service invokes and waits for: validators, rotations, event source mappings.

AWS Lambda developer guide, "Invoke a Lambda function synchronously". Whether the service may do so is its own
question: see helpers.local.functions.invocation_rights.
"""

from helpers.local.functions import routing
from helpers.local.functions.environment import SandboxFailed
from helpers.local.functions.execution import InvocationResult
from helpers.local.functions.invocation_rights import find
from helpers.local.functions.packages import PackageUnreadable
from helpers.local.functions.runtimes import RuntimeUnavailable
from helpers.local.functions.tracing import RecursiveLoop
from helpers.local.patches.lambda_execution import execute_record


class FunctionMissing(Exception):
    """The ARN names no function, version or alias."""


class FunctionUnusable(Exception):
    """The function cannot be run here; the message says why."""


def invoke_and_wait(function_arn: str, payload: bytes) -> InvocationResult:
    """Run what the ARN names in its own account and Region. To be called in a thread of its own.

    `payload` is JSON. A function's error is part of the result. Raises FunctionMissing, FunctionUnusable, and
    Throttled when no concurrency is left.
    """
    parts = function_arn.split(":")
    record = routing.resolve(find(function_arn), parts[7] if len(parts) > 7 else None)
    if record is None:
        raise FunctionMissing(f"{function_arn} does not exist")
    try:
        return execute_record(record, payload)
    except (RuntimeUnavailable, PackageUnreadable, SandboxFailed, RecursiveLoop) as error:
        raise FunctionUnusable(str(error)) from error
