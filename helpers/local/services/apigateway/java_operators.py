"""The operators of mapping templates, as Velocity evaluates them in Java.

Source: Apache Velocity user guide 1.7, "Conditionals" and "Math": everything but false is true; only
numbers compare by size; objects of different classes are equal when they print alike.
"""

import operator
from collections.abc import Callable
from typing import Any

from helpers.local.services.apigateway.java_values import text

Operator = Callable[[Any, Any], Any]


def is_true(value: Any) -> bool:
    return value is not False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    if type(left) is type(right) or (_is_number(left) and _is_number(right)):
        return bool(left == right)
    return text(left) == text(right)


def _comparing(compare: Operator) -> Operator:
    """What is no number compares as false, without an error."""
    return lambda left, right: _is_number(left) and _is_number(right) and compare(left, right)


def both(left: Any, right: Any) -> bool:
    return is_true(left) and is_true(right)


def either(left: Any, right: Any) -> bool:
    return is_true(left) or is_true(right)


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) or isinstance(right, str):
        return text(left) + text(right)
    return left + right


def _divide(left: Any, right: Any) -> Any:
    """Whole numbers divide toward zero."""
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


def _remainder(left: Any, right: Any) -> Any:
    """It has the sign of what is divided."""
    return left - right * int(left / right)


def _spelled(symbol: str, word: str, operation: Operator) -> dict[str, Operator]:
    return {symbol: operation, word: operation}


OPERATORS: dict[str, Operator] = {
    "+": _add,
    "/": _divide,
    "%": _remainder,
    **_spelled("==", "eq", _equal),
    **_spelled("!=", "ne", lambda left, right: not _equal(left, right)),
    **_spelled(">", "gt", _comparing(operator.gt)),
    **_spelled(">=", "ge", _comparing(operator.ge)),
    **_spelled("<", "lt", _comparing(operator.lt)),
    **_spelled("<=", "le", _comparing(operator.le)),
    **_spelled("&&", "and", both),
    **_spelled("||", "or", either),
}
