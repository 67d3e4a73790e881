"""Event patterns, as they filter what event source mappings hand to a function.

AWS Lambda developer guide, "Control which events Lambda sends to your function": all fields of a
pattern must match, one value of a field's list is enough, fields that the pattern does not name
are ignored, and comparisons work on leaf nodes only. Arrays, after the matching engine that AWS
publishes: a field matches when one element does, and fields of one object must match in the same
element.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from helpers.local.event_patterns import values
from helpers.local.event_patterns.conditions import (
    OPERATORS,
    Condition,
    Equals,
    Exists,
    InvalidPattern,
    Object,
    condition,
)

__all__ = ["EventPattern", "InvalidPattern"]

OR = "$or"
Nodes = Sequence[dict[str, Any]]


class _Part(Protocol):
    """What a pattern asks of `node`; `everywhere` has all objects that the event holds in its place.

    They are more than one where the event has an array. A field that must not exist must not exist
    in any of them.
    """

    def matches(self, node: dict[str, Any], everywhere: Nodes) -> bool: ...


@dataclass(frozen=True)
class EventPattern:
    """A valid pattern. `plain` and `nested` name the fields at its top: those with a list of values,
    and those with a pattern of their own."""

    fields: "_All"
    plain: frozenset[str]
    nested: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> "EventPattern":
        """Raises InvalidPattern."""
        try:
            document = values.parse(text, Object)
        except (ValueError, RecursionError) as error:
            raise InvalidPattern(f"The pattern is not JSON: {error}") from None
        if not isinstance(document, Object):
            raise InvalidPattern("The pattern is not a JSON object.")
        top = list(_top_fields(document))
        return cls(
            fields=_compile(document),
            plain=frozenset(name for name, value in top if isinstance(value, list)),
            nested=frozenset(name for name, value in top if isinstance(value, Object)),
        )

    def matches(self, event: dict[str, Any]) -> bool:
        """Whether `event`, made by values.parse, matches."""
        return self.fields.matches(event, [event])


@dataclass(frozen=True)
class _All:
    parts: tuple[_Part, ...]

    def matches(self, node: dict[str, Any], everywhere: Nodes) -> bool:
        return all(part.matches(node, everywhere) for part in self.parts)


@dataclass(frozen=True)
class _Any:
    parts: tuple[_Part, ...]

    def matches(self, node: dict[str, Any], everywhere: Nodes) -> bool:
        return any(part.matches(node, everywhere) for part in self.parts)


@dataclass(frozen=True)
class _Nested:
    """A field that holds an object, or objects in an array."""

    name: str
    fields: _All

    def matches(self, node: dict[str, Any], everywhere: Nodes) -> bool:
        below = [each for other in everywhere for each in values.objects(other.get(self.name))]
        candidates = list(values.objects(node.get(self.name))) or [{}]
        return any(self.fields.matches(each, below) for each in candidates)


@dataclass(frozen=True)
class _Leaf:
    name: str
    conditions: tuple[Condition | Exists, ...]

    def matches(self, node: dict[str, Any], everywhere: Nodes) -> bool:
        found = list(values.scalars(node[self.name])) if self.name in node else []
        for each in self.conditions:
            if isinstance(each, Exists):
                if bool(found) if each.wanted else not self._is_anywhere(everywhere):
                    return True
            elif any(each.holds(value) for value in found):
                return True
        return False

    def _is_anywhere(self, everywhere: Nodes) -> bool:
        return any(True for node in everywhere if self.name in node for _ in values.scalars(node[self.name]))


def _compile(document: Object) -> _All:
    if not document.pairs:
        raise InvalidPattern("Empty objects are not allowed.")
    return _All(tuple(_part(name, value) for name, value in document.pairs))


def _part(name: str, value: Any) -> _Part:
    if isinstance(value, Object):
        return _Nested(name, _compile(value))
    if not isinstance(value, list):
        raise InvalidPattern(f"{name!r} must be an object or an array.")
    if name == OR and _is_alternatives(value):
        return _Any(tuple(_compile(each) for each in value))
    if not value:
        raise InvalidPattern("Empty arrays are not allowed.")
    return _Leaf(name, tuple(_condition(each) for each in value))


def _condition(value: Any) -> Condition | Exists:
    if isinstance(value, Object):
        return condition(value.pairs)
    if isinstance(value, list):
        raise InvalidPattern("A value to match is a string, a number, true, false, null or a comparison.")
    return Equals(value)


def _is_alternatives(value: list[Any]) -> bool:
    """Whether a field named $or is the operator: two objects or more, none with an operator's name."""
    if len(value) < 2 or not all(isinstance(each, Object) for each in value):
        return False
    return not any(name in OPERATORS for each in value for name, _ in each.pairs)


def _top_fields(document: Object) -> list[tuple[str, Any]]:
    """Those at the top of the event, also where they stand in alternatives."""
    fields = []
    for name, value in document.pairs:
        if name == OR and isinstance(value, list) and _is_alternatives(value):
            fields += [field for each in value for field in _top_fields(each)]
        else:
            fields.append((name, value))
    return fields
