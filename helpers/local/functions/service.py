"""Lambda execution in the emulator: the one executor, and the emulator's records turned into requests."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions import tracing
from helpers.local.functions.execution import Executor, InvocationRequest
from helpers.local.functions.factory import EnvironmentFactory
from helpers.local.functions.pool import IDLE_LIFETIME_S, EnvironmentPool
from helpers.local.functions.specification import FunctionVersion

_resolve_layer = contract.expect(lambda_svc, "_resolve_layer_zip", ("attachment",))
_credentials = contract.expect(lambda_runtime, "execution_credentials", ("config",))
_functions = contract.expect(lambda_svc, "_functions")


@cache
def executor() -> Executor:
    """The executor of this local AWS. The gateway has named run and directory in the environment."""
    factory = EnvironmentFactory(
        run_id=os.environ["WORKSHOP_RUN_ID"],
        directory=Path(os.environ["WORKSHOP_FUNCTIONS_DIRECTORY"]),
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        role_credentials=_role_credentials,
    )
    idle_lifetime_s = float(os.environ.get("WORKSHOP_IDLE_LIFETIME_S", IDLE_LIFETIME_S))
    return Executor(EnvironmentPool(factory, idle_lifetime_s))


def function_version(record: dict[str, Any]) -> FunctionVersion:
    """Of the emulator's record of a version, in the account and Region of the current request."""
    layers = [_resolve_layer(layer) for layer in record["config"].get("Layers") or []]
    return FunctionVersion.of_record(record, tuple(layer for layer in layers if layer))


def invocation_request(
    record: dict[str, Any],
    payload: bytes,
    request_id: str | None = None,
    trace_header: str | None = None,
    client_context: str | None = None,
    wants_log_tail: bool = False,
) -> InvocationRequest:
    """The emulator's record carries the qualifier in its ARN, and the concurrency with the function.

    `trace_header` is what the caller sent. Raises RecursiveLoop when it tells of a loop.
    """
    config = record["config"]
    function = _functions.get(config["FunctionName"]) or {}
    parts = config["FunctionArn"].split(":")
    version = function_version(record)
    loops_allowed = function.get("recursive_loop") == "Allow"
    trace = tracing.continued(trace_header, version.arn, version.tracing, loops_allowed)
    return InvocationRequest(
        function=version,
        payload=payload,
        qualifier=parts[7] if len(parts) > 7 else None,
        reserved_concurrency=function.get("concurrency"),
        request_id=request_id,
        trace_id=str(trace),
        client_context=client_context,
        wants_log_tail=wants_log_tail,
    )


def discard(function_name: str, version: str | None = None) -> None:
    """End the idle environments of a function of the current account and Region."""
    executor().pool.discard((get_account_id(), get_region(), function_name), version)


def _role_credentials(function: FunctionVersion) -> dict[str, str]:
    config = {"FunctionArn": function.arn, "Role": function.role_arn, "FunctionName": function.name}
    credentials: dict[str, str] = _credentials(config)
    return {name: value for name, value in credentials.items() if value}
