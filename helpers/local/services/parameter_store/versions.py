"""PutParameter: what makes a new version, and what is refused.

AWS: Systems Manager API reference, "PutParameter"; user guide, "Working with parameter versions".
"""

import functools
import re
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import ssm

from helpers.local import contract
from helpers.local.functions.refusal import Handler, Refused, Response, not_implemented
from helpers.local.services.parameter_store import secure_strings, tiers
from helpers.local.services.parameter_store.changes import announce
from helpers.local.services.parameter_store.names import check_name, constraint_broken, validation_error

KEPT_VERSIONS = 100
TYPES = ("String", "StringList", secure_strings.TYPE)

_parameters = contract.expect(ssm, "_parameters")
_history = contract.expect(ssm, "_parameter_history")
_arn_of = contract.expect(ssm, "_param_arn", ("name",))
_default_tier = contract.expect(ssm, "_default_tier", ("data", "value", "existing"))
_caller_arn = contract.expect(iam_evaluator, "caller_arn", ())


def putting(put: Handler) -> Handler:
    @functools.wraps(put)
    def handle(data: dict[str, Any]) -> Response:
        name, value = data.get("Name", ""), data.get("Value", "")
        existing = _parameters.get(name)
        check_name(name, _arn_of(name))
        _check_value(data, value)
        overwritten = existing if data.get("Overwrite") else None
        tier = tiers.tier_of(data, overwritten, _default_tier(data, value, overwritten))
        if overwritten is not None:
            _check_type(data, overwritten)
            _check_oldest_version(name)
        parameter_type = data.get("Type") or (existing or {}).get("Type")
        ciphertext = None
        if parameter_type == secure_strings.TYPE:
            ciphertext = secure_strings.encrypted(data, _arn_of(name), tier)
        elif data.get("KeyId"):
            raise validation_error("KeyId is required for SecureString type parameter only.")
        response = put({**data, "Tier": tier})
        if response[0] < 300:
            _complete(name, ciphertext)
            announce("Update" if existing else "Create", name)
        return response

    return handle


def _complete(name: str, ciphertext: str | None) -> None:
    """What the emulator's new version lacks, and what it has too much."""
    parameter, history = _parameters[name], _history[name]
    del history[: max(0, len(history) - KEPT_VERSIONS)]
    history[-1]["LastModifiedUser"] = _caller_arn()
    for record in (parameter, history[-1]):
        # Kept as a JSON string by the emulator and described as a list; refused where it says anything.
        record["Policies"] = []
        if ciphertext is not None:
            record["Value"] = ciphertext


def _check_value(data: dict[str, Any], value: str) -> None:
    if not value:
        raise constraint_broken(None, "value", "Member must have length greater than or equal to 1")
    parameter_type = data.get("Type")
    if parameter_type is not None and parameter_type not in TYPES:
        constraint = f"Member must satisfy enum value set: [{', '.join(TYPES)}]"
        raise constraint_broken(parameter_type, "type", constraint)
    data_type = data.get("DataType") or "text"
    if data_type in ("aws:ec2:image", "aws:ssm:integration"):
        raise not_implemented(f"validate values of the data type {data_type}.")
    if data_type != "text":
        raise validation_error(
            f"The following data type is not supported: {data_type} (Data type names are all lowercase.)"
        )
    pattern = data.get("AllowedPattern")
    if not pattern:
        return
    try:
        matches = re.search(pattern, value)
    except re.error as error:
        message = f"The parameter value regular expression {pattern} is not valid: {error}"
        raise Refused("InvalidAllowedPatternException", message, 400) from error
    if matches is None:
        raise Refused(
            "ParameterPatternMismatchException",
            f"Parameter value, cannot be validated against allowedPattern: {pattern}",
            400,
        )


def _check_type(data: dict[str, Any], existing: dict[str, Any]) -> None:
    if data.get("Type") not in (None, existing["Type"]):
        raise Refused(
            "HierarchyTypeMismatchException",
            "Parameter Store doesn't support changing a parameter type in a hierarchy. For example, you "
            f"can't change a parameter from a {existing['Type']} type to a {data['Type']} type. You must "
            "create a new, unique parameter.",
            400,
        )


def _check_oldest_version(name: str) -> None:
    history = _history[name]
    if len(history) < KEPT_VERSIONS or not history[0]["Labels"]:
        return
    raise Refused(
        "ParameterMaxVersionLimitExceeded",
        f"You attempted to create a new version of {name} by calling the PutParameter API with the overwrite "
        f"flag. Version {history[0]['Version']}, the oldest version, can't be deleted because it has a label "
        "associated with it. Move the label to another version of the parameter, and try again.",
        400,
    )
