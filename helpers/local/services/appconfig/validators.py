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

from helpers.local.functions.invocation_rights import Invoker, find, may_invoke
from helpers.local.functions.pool import Throttled
from helpers.local.services.appconfig.refusals import (
    InvalidConfiguration,
    bad_request,
    invalid_configuration,
)
from helpers.local.services.synchronous_invocation import FunctionMissing, FunctionUnusable, invoke_and_wait

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
        result = invoke_and_wait(function_arn, json.dumps(configuration.event()).encode())
    except FunctionMissing:
        return [InvalidConfiguration(LAMBDA, f"The function does not exist: {function_arn}")]
    except Throttled as throttled:
        return [InvalidConfiguration(LAMBDA, f"{function_arn} was throttled: {throttled.reason}")]
    except FunctionUnusable as error:
        return [InvalidConfiguration(LAMBDA, f"{function_arn} could not be run: {error}")]
    if result.function_error is None:
        return []
    payload = result.payload.decode(errors="replace")
    return [InvalidConfiguration(LAMBDA, _error_message(payload), value=payload)]


def _error_message(payload: str) -> str:
    try:
        error: Any = json.loads(payload)
        return str(error["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return payload
