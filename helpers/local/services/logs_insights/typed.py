"""Pieces of SQL with the type of their value, and the conversions between types.

A field of a log is text. Logs Insights reads it as a number where an operation wants one, shows
booleans as 1 and 0, and timestamps as text in UTC.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """NUMBER is a DOUBLE, TEXT a VARCHAR, BOOLEAN a BOOLEAN; TIMESTAMP is a BIGINT of ms since 1970."""

    NUMBER = auto()
    TEXT = auto()
    BOOLEAN = auto()
    TIMESTAMP = auto()


@dataclass(frozen=True)
class Sql:
    """An SQL expression. `literal` is its value when the query spells it out."""

    text: str
    kind: Kind
    literal: str | float | None = None


MISSING = Sql("CAST(NULL AS VARCHAR)", Kind.TEXT)


def quote_literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def number(value: float) -> Sql:
    return Sql(f"CAST({value!r} AS DOUBLE)", Kind.NUMBER, value)


def text(value: str) -> Sql:
    return Sql(quote_literal(value), Kind.TEXT, value)


def as_number(value: Sql) -> str:
    """SQL of a DOUBLE: NULL for text that spells no number."""
    if value.kind is Kind.NUMBER:
        return value.text
    if value.kind is Kind.TEXT:
        return f"number_of({value.text})"
    return f"CAST({value.text} AS DOUBLE)"


def as_text(value: Sql) -> str:
    """SQL of a VARCHAR: what Logs Insights shows of the value."""
    match value.kind:
        case Kind.TEXT:
            return value.text
        case Kind.NUMBER:
            return f"text_of_number({value.text})"
        case Kind.TIMESTAMP:
            return f"text_of_time({value.text})"
        case Kind.BOOLEAN:
            return f"CAST(CAST({value.text} AS INTEGER) AS VARCHAR)"


def as_boolean(value: Sql) -> str:
    """SQL of a BOOLEAN that is never NULL. A number is true unless it is 0."""
    if value.kind is Kind.BOOLEAN:
        return value.text
    return f"coalesce({as_number(value)} <> 0, false)"


def sort_terms(value: Sql, descending: bool) -> list[str]:
    """Terms of an ORDER BY clause.

    AWS, user guide, "sort": values that are not numbers come before numbers and sort naturally;
    descending is the reverse. Missing values come first in ascending order.
    """
    terms = [value.text]
    if value.kind is Kind.TEXT:
        numeric = as_number(value)
        terms = [
            f"CASE WHEN {value.text} IS NULL THEN 0 WHEN {numeric} IS NULL THEN 1 ELSE 2 END",
            numeric,
            f"CASE WHEN {numeric} IS NULL THEN natural_key({value.text}) ELSE {value.text} END",
        ]
    direction = "DESC NULLS LAST" if descending else "ASC NULLS FIRST"
    return [f"{term} {direction}" for term in terms]
