"""Filters of DescribeParameters.

AWS: Systems Manager API reference, "DescribeParameters" and "ParameterStringFilter".
"""

from collections.abc import Callable
from typing import Any

from ministack.services import ssm

from helpers.local import contract
from helpers.local.functions.refusal import Refused

EQUALS, BEGINS_WITH, CONTAINS, ONE_LEVEL, RECURSIVE = (
    "Equals",
    "BeginsWith",
    "Contains",
    "OneLevel",
    "Recursive",
)
_TAG = "tag:"
_OPTIONS = {
    "Name": (EQUALS, BEGINS_WITH, CONTAINS),
    "Type": (EQUALS, BEGINS_WITH),
    "KeyId": (EQUALS, BEGINS_WITH),
    "Label": (EQUALS, BEGINS_WITH),
    "Path": (ONE_LEVEL, RECURSIVE),
    "Tier": (EQUALS,),
    "DataType": (EQUALS,),
    _TAG: (EQUALS, BEGINS_WITH),
}
_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    EQUALS: lambda actual, value: actual == value,
    BEGINS_WITH: lambda actual, value: actual.startswith(value),
    CONTAINS: lambda actual, value: value in actual,
    RECURSIVE: lambda actual, value: actual.startswith(f"{value.rstrip('/')}/"),
    ONE_LEVEL: lambda actual, value: actual.rpartition("/")[0] == value.rstrip("/"),
}

_tags = contract.expect(ssm, "_tags")


def check_filters(data: dict[str, Any]) -> None:
    """Raises InvalidFilterKey or InvalidFilterOption for what DescribeParameters does not take."""
    for each in data.get("ParameterFilters") or []:
        key, option = each["Key"], each.get("Option")
        options = _OPTIONS.get(_TAG if key.startswith(_TAG) else key)
        if options is None:
            raise Refused(
                "InvalidFilterKey",
                f"The following filter key is not valid: {key}. Valid filter keys include: "
                f"[{', '.join(_OPTIONS)}].",
                400,
            )
        if option is not None and option not in options:
            raise Refused(
                "InvalidFilterOption",
                f"The following filter option is not valid: {option}. Valid options include: "
                f"[{', '.join(options)}].",
                400,
            )


def passes(param: dict[str, Any], key: str, option: str, values: list[str]) -> bool:
    """Whether the emulator's record of a parameter passes a filter; a tag without values need only exist.

    The emulator passes Equals where the request has no option.
    """
    if key == "Path" and option == EQUALS:
        option = ONE_LEVEL
    actuals = _actual_values(param, key)
    if not values:
        return bool(actuals) if key.startswith(_TAG) else True
    compare = _COMPARISONS[option]
    return any(compare(actual, value) for actual in actuals for value in values)


def _actual_values(param: dict[str, Any], key: str) -> list[str]:
    if key.startswith(_TAG):
        tags = _tags.get(param["ARN"]) or {}
        name = key.removeprefix(_TAG)
        return [tags[name]] if name in tags else []
    if key == "Label":
        return list(param["Labels"])
    value = param["Name"] if key == "Path" else param.get(key)
    return [value] if value else []
