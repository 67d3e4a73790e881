"""The functions of Logs Insights QL, except those on time buckets and the aggregations of stats.

AWS: CloudWatch Logs user guide, "Boolean, comparison, numeric, datetime, and other functions".
"""

from collections.abc import Callable
from dataclasses import dataclass

from helpers.local.services.logs_insights.typed import (
    Kind,
    Sql,
    as_number,
    as_text,
    quote_literal,
)

AGGREGATES = (
    *("avg", "count", "count_distinct", "earliest", "latest", "max", "median", "min", "pct"),
    *("sortsfirst", "sortslast", "stddev", "sum"),
)

NOT_IMPLEMENTED = frozenset(
    (
        *("base64decode", "base64encode", "case", "count_over_time", "dectohex", "endswith", "formatdate"),
        *("haversine", "hextoascii", "hextodec", "histogram", "if", "ipv4tonumber", "isipinsubnet"),
        *("isipv4insubnet", "isipv6insubnet", "isnumeric", "isprivateip", "ispublicip", "isreservedip"),
        *("isvalidip", "isvalidipv4", "isvalidipv6", "jsonarraycontains", "jsonarraysize", "jsonparse"),
        *("jsonstringify", "md5", "messagesize", "now", "parsedate", "queryendtime", "querystarttime"),
        *("querytimerange", "rate", "regexreplace", "round", "sha1", "sha256", "split", "startswith"),
        *("strftime", "sum_over_time", "todouble", "toint", "tolong", "tonumber", "urldecode", "urlencode"),
        "values",
    )
)

_WHITE_SPACE = quote_literal(" \t\n\r\f\v")
_UNLIMITED = 1000


@dataclass(frozen=True)
class Function:
    """`fewest` and `most` are numbers of arguments."""

    fewest: int
    most: int
    compile: Callable[[list[Sql]], Sql]


def names() -> str:
    """All that is implemented, for messages."""
    return ", ".join(sorted((*FUNCTIONS, *AGGREGATES, "bin", "datefloor", "dateceil")))


def _of_numbers(template: str, kind: Kind = Kind.NUMBER) -> Callable[[list[Sql]], Sql]:
    """`{0}`, `{1}` are the arguments as numbers, `{all}` is all of them."""

    def compile_call(arguments: list[Sql]) -> Sql:
        values = [as_number(argument) for argument in arguments]
        return Sql(template.format(*values, all=", ".join(values)), kind)

    return compile_call


def _of_texts(template: str, kind: Kind = Kind.TEXT) -> Callable[[list[Sql]], Sql]:
    """`{0}`, `{1}` are the arguments as text, `{all}` is all of them."""

    def compile_call(arguments: list[Sql]) -> Sql:
        values = [as_text(argument) for argument in arguments]
        return Sql(template.format(*values, all=", ".join(values)), kind)

    return compile_call


def _trim(function: str) -> Callable[[list[Sql]], Sql]:
    def compile_call(arguments: list[Sql]) -> Sql:
        characters = as_text(arguments[1]) if len(arguments) == 2 else _WHITE_SPACE
        return Sql(f"{function}({as_text(arguments[0])}, {characters})", Kind.TEXT)

    return compile_call


def _substr(arguments: list[Sql]) -> Sql:
    """Counts from 0, as in AWS's example: `substr("xyZfooxyZ",3, 3)` returns `"foo"`."""
    positions = [f"TRY_CAST({as_number(argument)} AS BIGINT)" for argument in arguments[1:]]
    positions[0] += " + 1"
    return Sql(f"substring({as_text(arguments[0])}, {', '.join(positions)})", Kind.TEXT)


def _coalesce(arguments: list[Sql]) -> Sql:
    kinds = {argument.kind for argument in arguments}
    if len(kinds) == 1:
        return Sql(f"coalesce({', '.join(argument.text for argument in arguments)})", kinds.pop())
    if Kind.TEXT in kinds:
        return _of_texts("coalesce({all})")(arguments)
    return _of_numbers("coalesce({all})")(arguments)


def _is_present(arguments: list[Sql]) -> Sql:
    return Sql(f"({arguments[0].text} IS NOT NULL)", Kind.BOOLEAN)


FUNCTIONS = {
    "abs": Function(1, 1, _of_numbers("abs({0})")),
    "ceil": Function(1, 1, _of_numbers("ceil({0})")),
    "floor": Function(1, 1, _of_numbers("floor({0})")),
    # DuckDB raises an error outside of the domain of a function; here nothing comes of it.
    "sqrt": Function(1, 1, _of_numbers("sqrt(CASE WHEN {0} >= 0 THEN {0} END)")),
    "log": Function(1, 1, _of_numbers("ln(CASE WHEN {0} > 0 THEN {0} END)")),
    # Missing values are left out: AWS's samples write `greatest(@initDuration, 0) + @duration`.
    "greatest": Function(1, _UNLIMITED, _of_numbers("greatest({all})")),
    "least": Function(1, _UNLIMITED, _of_numbers("least({all})")),
    "coalesce": Function(1, _UNLIMITED, _coalesce),
    "ispresent": Function(1, 1, _is_present),
    "isempty": Function(1, 1, _of_texts("(coalesce({0}, '') = '')", Kind.BOOLEAN)),
    "isblank": Function(1, 1, _of_texts(f"(trim(coalesce({{0}}, ''), {_WHITE_SPACE}) = '')", Kind.BOOLEAN)),
    "concat": Function(1, _UNLIMITED, _of_texts("concat({all})")),
    "strlen": Function(1, 1, _of_texts("CAST(length({0}) AS DOUBLE)", Kind.NUMBER)),
    "substr": Function(2, 3, _substr),
    "replace": Function(3, 3, _of_texts("replace({0}, {1}, {2})")),
    "trim": Function(1, 2, _trim("trim")),
    "ltrim": Function(1, 2, _trim("ltrim")),
    "rtrim": Function(1, 2, _trim("rtrim")),
    "toupper": Function(1, 1, _of_texts("upper({0})")),
    "tolower": Function(1, 1, _of_texts("lower({0})")),
    "strcontains": Function(2, 2, _of_texts("coalesce(contains({0}, {1}), false)", Kind.BOOLEAN)),
    "frommillis": Function(1, 1, _of_numbers("TRY_CAST({0} AS BIGINT)", Kind.TIMESTAMP)),
    "tomillis": Function(1, 1, _of_numbers("{0}")),
}
