"""Run the validators of a configuration profile on a configuration.

AWS: AppConfig user guide, "Understanding validators": a function gets the configuration in an event and
refuses it by an error. AppConfig may invoke it when the function's policy says so.
"""

import base64
import importlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ministack.core.responses import request_scope

from helpers.local.functions import routing
from helpers.local.functions.environment import SandboxFailed
from helpers.local.functions.execution import InvocationResult
from helpers.local.functions.invocation_rights import Invoker, find, may_invoke
from helpers.local.functions.packages import PackageUnreadable
from helpers.local.functions.pool import Throttled
from helpers.local.functions.runtimes import RuntimeUnavailable
from helpers.local.functions.tracing import RecursiveLoop
from helpers.local.patches.lambda_execution import execute_record
from helpers.local.services.appconfig.refusals import (
    InvalidConfiguration,
    bad_request,
    invalid_configuration,
)

JSON_SCHEMA, LAMBDA = "JSON_SCHEMA", "LAMBDA"
MAXIMUM_VALIDATORS = 2
LARGEST_VALIDATOR_CHARACTERS = 32_768
SERVICE = "appconfig.amazonaws.com"

Validator = dict[str, str]


@dataclass(frozen=True)
class Configuration:
    """A version of a hosted configuration, with what a function is told about it."""

    application_id: str
    profile_id: str
    profile_arn: str
    version: str
    content: bytes
    content_type: str

    def event(self) -> dict[str, str]:
        return {
            "applicationId": self.application_id,
            "configurationProfileId": self.profile_id,
            "configurationVersion": self.version,
            "content": base64.b64encode(self.content).decode(),
            "uri": "hosted",
        }


def check_validators(validators: Sequence[Validator]) -> None:
    """What a configuration profile is made with. Raises Refused."""
    if len(validators) > MAXIMUM_VALIDATORS:
        raise bad_request(
            f"A configuration profile has up to {MAXIMUM_VALIDATORS} validators, not {len(validators)}."
        )
    for validator in validators:
        content = validator.get("Content") or ""
        if len(content) > LARGEST_VALIDATOR_CHARACTERS:
            raise bad_request(
                f"A validator has up to {LARGEST_VALIDATOR_CHARACTERS} characters, not {len(content)}."
            )
        match validator.get("Type"):
            case "JSON_SCHEMA":
                _json_schema().check_schema(content)
            case "LAMBDA":
                if find(content) is None:
                    raise bad_request(f"The function of a LAMBDA validator does not exist: {content}")
            case other:
                raise bad_request(f"The type of a validator is {JSON_SCHEMA} or {LAMBDA}, not {other}.")


def check_by_schema(validators: Sequence[Validator], configuration: Configuration) -> None:
    """Raises Refused when the configuration does not satisfy a JSON Schema."""
    details = [
        detail
        for validator in validators
        if validator["Type"] == JSON_SCHEMA
        for detail in _json_schema().errors(
            validator["Content"], configuration.content, configuration.content_type
        )
    ]
    _refuse(details)


def check(validators: Sequence[Validator], configuration: Configuration) -> None:
    """Run all validators, functions too: to be called in a thread of its own. Raises Refused."""
    check_by_schema(validators, configuration)
    details = [
        detail
        for validator in validators
        if validator["Type"] == LAMBDA
        for detail in _function_errors(validator["Content"], configuration)
    ]
    _refuse(details)


def _json_schema() -> ModuleType:
    return importlib.import_module("helpers.local.services.appconfig.json_schema")


def _refuse(details: Sequence[InvalidConfiguration]) -> None:
    if details:
        raise invalid_configuration(
            f"The configuration is not valid: {'; '.join(detail.reason for detail in details)}", details
        )


def _function_errors(function_arn: str, configuration: Configuration) -> list[InvalidConfiguration]:
    account_id = configuration.profile_arn.split(":")[4]
    if not may_invoke(function_arn, Invoker(SERVICE, configuration.profile_arn, account_id)):
        reason = (
            f"{SERVICE} is not authorized to perform lambda:InvokeFunction on {function_arn}: "
            "no statement of the function's policy allows it"
        )
        return [InvalidConfiguration(LAMBDA, reason)]
    try:
        result = _invoke(function_arn, configuration.event())
    except Throttled as throttled:
        return [InvalidConfiguration(LAMBDA, f"{function_arn} was throttled: {throttled.reason}")]
    except (RuntimeUnavailable, PackageUnreadable, SandboxFailed, RecursiveLoop) as error:
        return [InvalidConfiguration(LAMBDA, f"{function_arn} could not be run: {error}")]
    if result is None:
        return [InvalidConfiguration(LAMBDA, f"The function does not exist: {function_arn}")]
    if result.function_error is None:
        return []
    payload = result.payload.decode(errors="replace")
    return [InvalidConfiguration(LAMBDA, _error_message(payload), value=payload)]


def _invoke(function_arn: str, event: dict[str, str]) -> InvocationResult | None:
    """None when the ARN names no function, version or alias."""
    parts = function_arn.split(":")
    record = routing.resolve(find(function_arn), parts[7] if len(parts) > 7 else None)
    if record is None:
        return None
    with request_scope(parts[4], parts[3]):
        return execute_record(record, json.dumps(event).encode())


def _error_message(payload: str) -> str:
    try:
        error: Any = json.loads(payload)
        return str(error["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return payload
