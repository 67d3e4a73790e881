"""From a name that an invocation carries to the version of the function that runs.

AWS Lambda developer guide, "Implement Lambda canary deployments using a weighted alias": an alias
points to one version, or to two of which the second gets a share of the invocations.
"""

import random
from collections.abc import Callable
from typing import Any

LATEST = "$LATEST"
Record = dict[str, Any]


def choose_version(function: Record, alias_name: str, draw: Callable[[], float] = random.random) -> str:
    """The version that an invocation of the alias runs: drawn by weight, for each one anew.

    `draw` returns a number from 0 up to, but not including, 1. Raises KeyError when the function
    has no such alias.
    """
    alias = function["aliases"][alias_name]
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    drawn = draw()
    for version, weight in weights.items():
        if drawn < weight:
            return str(version)
        drawn -= weight
    return str(alias["FunctionVersion"])


def primary_version(function: Record, alias_name: str) -> str:
    """The version that the alias itself shows: where most invocations go."""
    return str(function["aliases"][alias_name]["FunctionVersion"])


def resolve(
    function: Record | None,
    qualifier: str | None,
    version_of_alias: Callable[[Record, str], str] = choose_version,
) -> Record | None:
    """The record of what `qualifier` names, with the ARN under which it was named.

    The name lives on as `invoked_function_arn` in the handler's context. None when there is
    nothing of that name.
    """
    if function is None or not qualifier:
        return function
    version = version_of_alias(function, qualifier) if qualifier in function.get("aliases", {}) else qualifier
    record = function if version == LATEST else function.get("versions", {}).get(version)
    if record is None:
        return None
    arn = f"{function['config']['FunctionArn']}:{qualifier}"
    return {**record, "config": {**record["config"], "FunctionArn": arn}}
