"""What a filter pattern compares the text of a field with.

AWS: CloudWatch Logs user guide, "Using filter patterns to match terms in JSON log events" and
"... in space-delimited log events"; "Supported regular expressions (regex) syntax".
"""

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

# An optional sign, an integer or a decimal, and an optional exponent.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

_SYMBOLS, _OPERATORS = ":_#=@/;,-", "^$?[]{}|\\*+."
_REGEX = re.compile(
    rf"""(?: [A-Za-z0-9\ {re.escape(_SYMBOLS + _OPERATORS.replace(chr(92), ""))}]
           | \\[dDsSwW]
           | \\x[0-9A-Fa-f]{{2}}
           | \\[{re.escape(_SYMBOLS + _OPERATORS)}] )+""",
    re.VERBOSE,
)
_ATOM = re.compile(r"\\x[0-9A-Fa-f]{2}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
# Python reads a second + as possessive, and a brace that is no {m,n} as itself.
_OTHERWISE_IN_PYTHON = re.compile(r"[*+?}]\+|\{(?!\d+(?:,\d*)?\})|(?<!\d)(?<!,)\}")

_ORDERINGS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class InvalidPattern(ValueError):
    """A filter pattern that AWS refuses. The message says what is wrong and what was expected."""


def number_of(text: str) -> float | None:
    """The number that the text spells, if it is one, and not too great for a double."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Number:
    value: float
    written: str

    def equals(self, text: str) -> bool:
        number = number_of(text)
        return text == self.written if number is None else number == self.value


@dataclass(frozen=True)
class Text:
    """An asterisk at the beginning or end stands for any text there, and for itself elsewhere."""

    written: str

    def equals(self, text: str) -> bool:
        open_start, open_end = self.written.startswith("*"), self.written.endswith("*")
        wanted = self.written.removeprefix("*").removesuffix("*")
        if open_start and open_end:
            return wanted in text
        if open_start:
            return text.endswith(wanted)
        return text.startswith(wanted) if open_end else text == wanted


@dataclass(frozen=True)
class Regex:
    compiled: re.Pattern[str]

    def equals(self, text: str) -> bool:
        return self.compiled.search(text) is not None


Operand: TypeAlias = Number | Text | Regex


def regex_of(pattern: str) -> Regex:
    """The regular expression between two percent signs. Raises InvalidPattern for what AWS has not."""
    advice = (
        f"Expected letters, digits, spaces, {_SYMBOLS} and the operators {_OPERATORS}; groups in parentheses "
        r"are not supported, and other characters are written as \xhh"
    )
    if not _REGEX.fullmatch(pattern) or _OTHERWISE_IN_PYTHON.search(_ATOM.sub("a", pattern)):
        raise InvalidPattern(f"Invalid character(s) in term '%{pattern}%'. {advice}")
    try:
        return Regex(re.compile(pattern, re.ASCII))
    except re.error as error:
        raise InvalidPattern(f"Invalid regular expression '%{pattern}%': {error}. {advice}") from error


@dataclass(frozen=True)
class Condition:
    """Whether the text of a field compares with `operand` as `comparator` says: = != < <= > >="""

    comparator: str
    operand: Operand

    def __post_init__(self) -> None:
        if self.comparator in _ORDERINGS and not isinstance(self.operand, Number):
            raise InvalidPattern(f"Invalid filter pattern: {self.comparator} compares with a number only")

    def holds(self, text: str) -> bool:
        if self.comparator == "=":
            return self.operand.equals(text)
        if self.comparator == "!=":
            return not self.operand.equals(text)
        assert isinstance(self.operand, Number)
        number = number_of(text)
        return number is not None and _ORDERINGS[self.comparator](number, self.operand.value)
