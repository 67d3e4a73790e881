"""JSON as event patterns compare it: numbers keep the form in which they are written.

AWS Lambda developer guide, "Control which events Lambda sends to your function", note on filter
rule syntax: strings are compared character by character, and for numbers Lambda uses their string
representation, so that 300, 300.0 and 3.0e2 are not equal.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Number:
    """A JSON number as it is written, such as "3.0e2"."""

    literal: str

    @property
    def value(self) -> Decimal:
        return Decimal(self.literal)


Scalar: TypeAlias = "str | Number | bool | None"
Pairs: TypeAlias = "list[tuple[str, Any]]"


def parse(text: str | bytes, make_object: Callable[[Pairs], Any] = dict) -> Any:
    """`text` parsed, with its numbers as Number; `make_object` takes the names and values of an object.

    Raises ValueError when it is not JSON.
    """
    return json.loads(
        text, parse_int=Number, parse_float=Number, parse_constant=_refuse, object_pairs_hook=make_object
    )


def equal(one: Scalar, other: Scalar) -> bool:
    """Whether they are the same value of the same type: `true` is not 1, and "31" is not 31."""
    return type(one) is type(other) and one == other


def scalars(value: Any) -> Iterator[Scalar]:
    """The values of a field: its own, or those of the array that it holds, however deep."""
    if isinstance(value, list):
        for element in value:
            yield from scalars(element)
    elif not isinstance(value, dict):
        yield value


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a field: its own, or those of the array that it holds, however deep."""
    if isinstance(value, list):
        for element in value:
            yield from objects(element)
    elif isinstance(value, dict):
        yield value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
