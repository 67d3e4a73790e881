"""What a Logs Insights query consists of, after parsing."""

from dataclasses import dataclass, field
from typing import TypeAlias


class MalformedQuery(ValueError):
    """The query cannot be run: a syntax error, or something the local AWS does not implement.

    `start` and `end` are offsets into the query string (AWS: QueryCompileErrorLocation).
    """

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


@dataclass(frozen=True)
class Span:
    """Where something stands in the query string: offsets, the end exclusive."""

    start: int
    end: int


# Two expressions are the same when they say the same, wherever they stand.
_span: Span = field(compare=False)


@dataclass(frozen=True)
class Field:
    name: str
    span: Span = _span


@dataclass(frozen=True)
class Number:
    value: float
    span: Span = _span


@dataclass(frozen=True)
class String:
    value: str
    span: Span = _span


@dataclass(frozen=True)
class Regex:
    """A regular expression in RE2's syntax, without its slashes."""

    pattern: str
    span: Span = _span


@dataclass(frozen=True)
class Period:
    """A time period such as `5m`: `unit` as written, in lower case."""

    count: int
    unit: str
    span: Span = _span


@dataclass(frozen=True)
class Star:
    """The `*` of `count(*)`."""

    span: Span = _span


@dataclass(frozen=True)
class Call:
    """`function` is in lower case: names of functions are not case-sensitive."""

    function: str
    arguments: "tuple[Expression, ...]"
    span: Span = _span


@dataclass(frozen=True)
class Unary:
    """`operator` is `-` or `not`."""

    operator: str
    operand: "Expression"
    span: Span = _span


@dataclass(frozen=True)
class Binary:
    """`operator` is one of `+ - * / % ^ = != < <= > >= and or`."""

    operator: str
    left: "Expression"
    right: "Expression"
    span: Span = _span


@dataclass(frozen=True)
class Like:
    """`like` and `=~`: whether the operand contains a string, or matches a regular expression."""

    operand: "Expression"
    pattern: String | Regex
    negated: bool
    span: Span = _span


@dataclass(frozen=True)
class Membership:
    """`in [...]` and `not in [...]`."""

    operand: "Expression"
    options: "tuple[Expression, ...]"
    negated: bool
    span: Span = _span


Expression: TypeAlias = Field | Number | String | Period | Star | Call | Unary | Binary | Like | Membership


@dataclass(frozen=True)
class Item:
    """An expression to show or to group by. `name` is its alias, or the expression as written."""

    expression: Expression
    name: str
    aliased: bool
    span: Span = _span


@dataclass(frozen=True)
class Fields:
    items: tuple[Item, ...]
    span: Span = _span


@dataclass(frozen=True)
class Display:
    items: tuple[Item, ...]
    span: Span = _span


@dataclass(frozen=True)
class Filter:
    condition: Expression
    span: Span = _span


@dataclass(frozen=True)
class Parse:
    """`names` is empty when the fields get their names from the regular expression's groups."""

    source: Field
    pattern: String | Regex
    names: tuple[str, ...]
    span: Span = _span


@dataclass(frozen=True)
class Stats:
    items: tuple[Item, ...]
    groups: tuple[Item, ...]
    span: Span = _span


@dataclass(frozen=True)
class SortKey:
    expression: Expression
    descending: bool


@dataclass(frozen=True)
class Sort:
    keys: tuple[SortKey, ...]
    span: Span = _span


@dataclass(frozen=True)
class Limit:
    count: float
    span: Span = _span


@dataclass(frozen=True)
class Dedup:
    fields: tuple[Field, ...]
    span: Span = _span


Command: TypeAlias = Fields | Display | Filter | Parse | Stats | Sort | Limit | Dedup
