"""The comparison operators of event patterns: one class for each, made from its operand.

AWS Lambda developer guide, "Control which events Lambda sends to your function", table of
comparison operators; Amazon EventBridge user guide, "Comparison operators for use in event
patterns", those that Pipes have too. What the two do not list for Lambda, such as `wildcard`, is
no operator here either.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from helpers.local.event_patterns.values import Number, Pairs, Scalar, equal

# EventBridge user guide, "Numeric matching": values from -5.0e9 to +5.0e9.
LARGEST_NUMBER = Decimal("5.0e9")

_COMPARISONS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class InvalidPattern(ValueError):
    """The pattern is not one; the message says why."""


class Condition(Protocol):
    """What may hold of one value of a field."""

    def holds(self, value: Scalar) -> bool: ...


@dataclass(frozen=True)
class Exists:
    """Whether the field has a value at all. Arrays and objects that hold none do not count."""

    wanted: bool


@dataclass(frozen=True)
class Equals:
    wanted: Scalar

    def holds(self, value: Scalar) -> bool:
        return equal(value, self.wanted)


@dataclass(frozen=True)
class EqualsIgnoreCase:
    wanted: str

    def holds(self, value: Scalar) -> bool:
        return isinstance(value, str) and value.lower() == self.wanted.lower()


@dataclass(frozen=True)
class Affix:
    """The text with which a string begins, or ends."""

    text: str
    is_suffix: bool
    ignores_case: bool

    def holds(self, value: Scalar) -> bool:
        if not isinstance(value, str):
            return False
        whole, part = (value.lower(), self.text.lower()) if self.ignores_case else (value, self.text)
        return whole.endswith(part) if self.is_suffix else whole.startswith(part)


@dataclass(frozen=True)
class AnythingBut:
    unwanted: tuple[Scalar, ...]

    def holds(self, value: Scalar) -> bool:
        return not any(equal(value, each) for each in self.unwanted)


@dataclass(frozen=True)
class Numeric:
    """Comparisons by value, all of which hold; a string is no number, whatever it spells."""

    comparisons: tuple[tuple[str, Decimal], ...]

    def holds(self, value: Scalar) -> bool:
        if not isinstance(value, Number) or abs(value.value) > LARGEST_NUMBER:
            return False
        return all(_COMPARISONS[sign](value.value, limit) for sign, limit in self.comparisons)


def condition(pairs: Pairs) -> Condition | Exists:
    """The condition that an object such as {"prefix": "us-"} in a field's list stands for.

    `pairs`: the names and values of the object. Raises InvalidPattern.
    """
    if len(pairs) != 1:
        raise InvalidPattern("A comparison has exactly one operator.")
    ((name, operand),) = pairs
    if name not in OPERATORS:
        raise InvalidPattern(f"{name!r} is not a comparison operator of event filters.")
    return OPERATORS[name](operand)


def _exists(operand: Any) -> Exists:
    if not isinstance(operand, bool):
        raise InvalidPattern("exists takes true or false.")
    return Exists(operand)


def _equals_ignore_case(operand: Any) -> EqualsIgnoreCase:
    return EqualsIgnoreCase(_string("equals-ignore-case", operand))


def _affix(name: str) -> Callable[[Any], Affix]:
    def make(operand: Any) -> Affix:
        ignores_case = isinstance(operand, Object)
        if isinstance(operand, Object):
            inner = condition(operand.pairs)
            if not isinstance(inner, EqualsIgnoreCase):
                raise InvalidPattern(f"{name} takes a string, or equals-ignore-case with a string.")
            operand = inner.wanted
        return Affix(_string(name, operand), name == "suffix", ignores_case)

    return make


def _anything_but(operand: Any) -> AnythingBut:
    unwanted = operand if isinstance(operand, list) else [operand]
    kinds = {type(each) for each in unwanted}
    if kinds not in ({str}, {Number}):
        raise InvalidPattern("anything-but takes strings or numbers, one or a list of one kind.")
    return AnythingBut(tuple(unwanted))


def _numeric(operand: Any) -> Numeric:
    """One comparison, or a lower limit followed by an upper one."""
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise InvalidPattern("numeric takes a list of one comparison, or of two that make a range.")
    comparisons = tuple(
        (_sign(sign), _limit(limit)) for sign, limit in zip(operand[::2], operand[1::2], strict=True)
    )
    if len(comparisons) == 2:
        (low_sign, low), (high_sign, high) = comparisons
        if low_sign not in (">", ">=") or high_sign not in ("<", "<=") or low >= high:
            raise InvalidPattern("A numeric range has a lower limit and then a greater upper one.")
    return Numeric(comparisons)


def _sign(sign: Any) -> str:
    if not isinstance(sign, str) or sign not in _COMPARISONS:
        raise InvalidPattern(f"numeric compares by {', '.join(_COMPARISONS)}.")
    return sign


def _limit(limit: Any) -> Decimal:
    if not isinstance(limit, Number) or abs(limit.value) > LARGEST_NUMBER:
        raise InvalidPattern(f"numeric takes numbers from -{LARGEST_NUMBER} to {LARGEST_NUMBER}.")
    return limit.value


def _string(name: str, operand: Any) -> str:
    if not isinstance(operand, str):
        raise InvalidPattern(f"{name} takes a string.")
    return operand


@dataclass(frozen=True)
class Object:
    """An object of a pattern. Names may come twice, and then both count."""

    pairs: Pairs


OPERATORS: dict[str, Callable[[Any], Condition | Exists]] = {
    "exists": _exists,
    "equals-ignore-case": _equals_ignore_case,
    "prefix": _affix("prefix"),
    "suffix": _affix("suffix"),
    "anything-but": _anything_but,
    "numeric": _numeric,
}
