"""Check a request against the constraints that AWS publishes in its own service model.

The model comes with botocore, whose clients check no more than types, required members and
minima; patterns, enumerations and maxima are left to the service. The message is the one that
AWS's front end writes, such as
`1 validation error detected: Value '5' at 'maximumRetryAttempts' failed to satisfy constraint:
Member must have value less than or equal to 2`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import regex
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from helpers.local.functions.refusal import Refused


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("lambda")


def check(operation: str, parameters: dict[str, Any], ignoring: frozenset[str] = frozenset()) -> None:
    """Raise ValidationException when `parameters` of an operation of Lambda break its model.

    `ignoring` names members of the request that AWS checks in another way.
    """
    request = _model().operation_model(operation).input_shape
    found = [
        violation
        for name, shape in request.members.items()
        if name in parameters and name not in ignoring
        for violation in _violations(shape, parameters[name], _camel(name))
    ]
    if found:
        plural = "" if len(found) == 1 else "s"
        text = f"{len(found)} validation error{plural} detected: {'; '.join(found)}"
        raise Refused("ValidationException", text, 400)


def _violations(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, member in shape.members.items():
            if name in value:
                yield from _violations(member, value[name], f"{path}.{_camel(name)}")
        return
    broken = [text for text, holds in _constraints(shape, value) if not holds]
    if not broken and isinstance(shape, ListShape) and isinstance(value, list):
        broken = _broken_by_members(shape.member, value, "Member must satisfy constraint")
    elif not broken and isinstance(shape, MapShape) and isinstance(value, dict):
        broken = _broken_by_members(shape.key, list(value), "Map keys must satisfy constraint")
        broken += _broken_by_members(shape.value, list(value.values()), "Map value must satisfy constraint")
    for text in broken:
        yield f"Value '{_shown(value)}' at '{path}' failed to satisfy constraint: {text}"


def _broken_by_members(shape: Shape, values: list[Any], text: str) -> list[str]:
    """AWS names every constraint of a member when one of the members breaks one of them."""
    if all(holds for value in values for _, holds in _constraints(shape, value)):
        return []
    every = [constraint for constraint, _ in _constraints(shape, values[0])]
    return [f"{text}: [{', '.join([*every, 'Member must not be null'])}]"]


def _constraints(shape: Shape, value: Any) -> list[tuple[str, bool]]:
    """Each constraint of `shape` as AWS words it, and whether `value` satisfies it."""
    constraints: list[tuple[str, bool]] = []
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    measured = value if is_number else len(value) if hasattr(value, "__len__") else None
    kind = "value" if is_number else "length"
    if measured is not None:
        for bound, comparison, holds in (
            ("max", "less", lambda limit: measured <= limit),
            ("min", "greater", lambda limit: measured >= limit),
        ):
            limit = shape.metadata.get(bound)
            if limit is not None:
                constraints.append(
                    (f"Member must have {kind} {comparison} than or equal to {limit}", holds(limit))
                )
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str):
        text = f"Member must satisfy regular expression pattern: {pattern}"
        constraints.append((text, regex.fullmatch(pattern, value) is not None))
    if shape.metadata.get("enum"):
        choices = ", ".join(shape.metadata["enum"])
        text = f"Member must satisfy enum value set: [{choices}]"
        constraints.append((text, value in shape.metadata["enum"]))
    return constraints


def _shown(value: Any) -> str:
    """A value as AWS's Java services print it."""
    if isinstance(value, list):
        return f"[{', '.join(_shown(each) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(each)}" for key, each in value.items()) + "}"
    return str(value)


def _camel(name: str) -> str:
    return name[0].lower() + name[1:]
