"""GetParametersByPath.

AWS: Systems Manager API reference, "GetParametersByPath" and "ParameterStringFilter"; user guide, "Working
with parameter hierarchies".
"""

import base64
from collections.abc import Iterator
from typing import Any

from ministack.services import ssm

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.services.parameter_store.names import check_path, constraint_broken, validation_error

MAXIMUM_PAGE = 10
# Which key takes which options; the first is the default.
_OPTIONS = {
    "Type": ("Equals", "BeginsWith"),
    "KeyId": ("Equals", "BeginsWith"),
    "Label": ("Equals", "Contains"),
}

_parameters = contract.expect(ssm, "_parameters")
_history = contract.expect(ssm, "_parameter_history")


def page(data: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
    """The emulator's records of one page of a GetParametersByPath request, and the token of the next one."""
    check_path(data["Path"])
    limit = data.get("MaxResults", MAXIMUM_PAGE)
    if limit > MAXIMUM_PAGE:
        constraint = f"Member must have value less than or equal to {MAXIMUM_PAGE}"
        raise constraint_broken(limit, "maxResults", constraint)
    filters = data.get("ParameterFilters") or []
    for each in filters:
        _check_filter(each)
    found = list(_below(data["Path"], bool(data.get("Recursive"))))
    for each in filters:
        found = [version for record in found if (version := _filtered(record, each)) is not None]
    first = _position(data.get("NextToken"))
    more = first + limit < len(found)
    return found[first : first + limit], _token(first + limit) if more else None


def _below(path: str, recursive: bool) -> Iterator[dict[str, Any]]:
    prefix = f"{path.rstrip('/')}/"
    for name, record in sorted(_parameters.items()):
        # A name without a slash is one level below the root.
        below = (name if name.startswith("/") else f"/{name}").removeprefix(prefix)
        if below != name and (recursive or "/" not in below) and (name.startswith(prefix) or prefix == "/"):
            yield record


def _check_filter(given: dict[str, Any]) -> None:
    key, option = given["Key"], given.get("Option", "Equals")
    if key not in _OPTIONS:
        raise Refused(
            "InvalidFilterKey",
            f"The following filter key is not valid: {key}. Valid filter keys include: [Type, KeyId, Label].",
            400,
        )
    if option not in _OPTIONS[key]:
        valid = ", ".join(_OPTIONS[key])
        message = f"The following filter option is not valid: {option}. Valid options include: [{valid}]"
        raise Refused("InvalidFilterOption", message, 400)
    if not given.get("Values"):
        raise validation_error(f"The following filter values are missing : null for filter key {key}")


def _filtered(record: dict[str, Any], given: dict[str, Any]) -> dict[str, Any] | None:
    """The record, or its version with the label, where it passes the filter."""
    values, option = given["Values"], given.get("Option", "Equals")
    if given["Key"] == "Label":
        for version in _history.get(record["Name"]) or []:
            for label in version["Labels"]:
                if label in values or (option == "Contains" and any(value in label for value in values)):
                    return {**version, "ARN": record["ARN"], "Selector": f":{label}"}
        return None
    actual = record.get(given["Key"]) or ""
    passes = actual in values or (option == "BeginsWith" and actual.startswith(tuple(values)))
    return record if passes else None


def _token(position: int) -> str:
    return base64.b64encode(str(position).encode()).decode()


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except ValueError:
        raise Refused("InvalidNextToken", "The specified token isn't valid.", 400) from None
