"""Read a query string into the dataclasses of `syntax`; say where and why when it cannot be read."""

import functools
import re
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, Tree, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.tree import Meta

from helpers.local.services.logs_insights.syntax import (
    Binary,
    Call,
    Command,
    Dedup,
    Display,
    Expression,
    Field,
    Fields,
    Filter,
    Item,
    Like,
    Limit,
    MalformedQuery,
    Membership,
    Number,
    Parse,
    Period,
    Regex,
    Sort,
    SortKey,
    Span,
    Star,
    Stats,
    String,
    Unary,
)

SUPPORTED_COMMANDS = ("fields", "display", "filter", "where", "parse", "stats", "sort", "limit", "dedup")

# What this implementation leaves out of Logs Insights QL.
# AWS: CloudWatch Logs user guide, "CloudWatch Logs Insights language query syntax", "parse" and "stats".
COMMANDS_NOT_IMPLEMENTED = (
    *("accum", "addtotals", "anomaly", "appendcols", "autoregress", "cidrlookup", "countfrequent", "diff"),
    *("estimate", "expand", "filldown", "fillmissing", "filterindex", "head", "join", "json", "logcompare"),
    *("lookup", "outlier", "pattern", "relevantfields", "sessionize", "source", "tail", "unmask", "unnest"),
)
OPTIONS_NOT_IMPLEMENTED = {"multi": "parse", "logfmt": "parse", "csv": "parse", "offset": "stats"}
# Every level of an expression takes some of the interpreter's stack, and of DuckDB's.
MAXIMUM_DEPTH = 200

# What the grammar expects, in the words of somebody who writes a query.
_EXPECTED_IN_WORDS = {
    "FIELD": "a field",
    "NUMBER": "a number",
    "STRING": "a quoted string",
    "REGEX": "a regular expression between slashes",
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "COMMA": ",",
    "VBAR": "|",
    "$END": "the end of the query",
    "COMPARATOR": "a comparison such as =",
    "_MATCHES": "=~",
    "ASC": "asc",
    "DESC": "desc",
    "_AS": "as",
    "_BY": "by",
    "_LIKE": "like",
    "_IN": "in",
}


def parse(query: str) -> tuple[Command, ...]:
    """The commands of `query`. Raises MalformedQuery with the position of what was not expected."""
    if not query.strip():
        raise MalformedQuery("the query is empty: expected a command such as fields or stats", 0, len(query))
    try:
        tree = _parser().parse(query)
    except UnexpectedInput as error:
        raise _malformed(query, error) from error
    if _depth(tree) > MAXIMUM_DEPTH:
        message = f"the query is nested too deeply: more than {MAXIMUM_DEPTH} levels"
        raise MalformedQuery(message, 0, len(query))
    commands: tuple[Command, ...] = _ToSyntax(query).transform(tree)
    return commands


def _depth(tree: Tree[Token]) -> int:
    depth, level = 0, [tree]
    while level:
        depth += 1
        level = [child for node in level for child in node.children if isinstance(child, Tree)]
    return depth


@functools.cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True)


def _malformed(query: str, error: UnexpectedInput) -> MalformedQuery:
    """In AWS's words ("unexpected symbol found ... at line ... and position ..."), and what to do."""
    start = error.pos_in_stream or 0
    if isinstance(error, UnexpectedToken):
        found, expected, before = str(error.token), error.expected, error.token_history
    else:
        assert isinstance(error, UnexpectedCharacters)
        found, expected, before = query[start], error.allowed, error.token_history
    if not found:
        start = len(query)
    line, position = query.count("\n", 0, start) + 1, start - query.rfind("\n", 0, start) - 1
    advice = _advice(found, expected, before[-1] if before else None)
    symbol = f"unexpected symbol found {found or '<end of query>'} at line {line} and position {position}."
    return MalformedQuery(f"{symbol} {advice}", start, start + len(found))


def _advice(found: str, expected: set[str], after: Token | None) -> str:
    word = found.partition(".")[0].lower()
    if "_STATS" in expected and word in COMMANDS_NOT_IMPLEMENTED:
        return f"The command {word} of Logs Insights QL is not implemented by the local AWS."
    if "_STATS" not in expected and word in OPTIONS_NOT_IMPLEMENTED:
        command = OPTIONS_NOT_IMPLEMENTED[word]
        return f"{command} with {word}, of Logs Insights QL, is not implemented by the local AWS."
    if "_STATS" in expected:
        return f"Expected a command: {', '.join(SUPPORTED_COMMANDS)}."
    if after is not None and after.type == "REGEX":
        return "Flags stand inside of a regular expression: /(?i)error/."
    if found in ("'", '"'):
        return "This quote is not closed."
    words = [_EXPECTED_IN_WORDS[name] for name in _EXPECTED_IN_WORDS if name in expected]
    return f"Expected {', '.join(words)}."


@v_args(meta=True)
class _ToSyntax(Transformer[Token, Any]):
    """Children arrive as already transformed; a `None` stands for an optional part left out."""

    def __init__(self, query: str) -> None:
        super().__init__()
        self._query = query

    def start(self, meta: Meta, commands: list[Command]) -> tuple[Command, ...]:
        return tuple(commands)

    def fields(self, meta: Meta, items: list[Item]) -> Fields:
        return Fields(tuple(items), _span(meta))

    def display(self, meta: Meta, items: list[Item]) -> Display:
        return Display(tuple(items), _span(meta))

    def filter(self, meta: Meta, children: list[Expression]) -> Filter:
        return Filter(children[0], _span(meta))

    def parse(self, meta: Meta, children: list[Any]) -> Parse:
        source, pattern, names = children
        return Parse(source or Field("@message", _span(meta)), pattern, names or (), _span(meta))

    def stats(self, meta: Meta, children: list[tuple[Item, ...] | None]) -> Stats:
        items, groups = children
        return Stats(items or (), groups or (), _span(meta))

    def sort(self, meta: Meta, keys: list[SortKey]) -> Sort:
        return Sort(tuple(keys), _span(meta))

    def limit(self, meta: Meta, children: list[Token]) -> Limit:
        return Limit(float(children[0]), _span(meta))

    def dedup(self, meta: Meta, fields: list[Field]) -> Dedup:
        return Dedup(tuple(fields), _span(meta))

    def items(self, meta: Meta, items: list[Item]) -> tuple[Item, ...]:
        return tuple(items)

    def item(self, meta: Meta, children: list[Any]) -> Item:
        expression, alias = children
        span = _span(meta)
        if alias is not None:
            return Item(expression, _unquoted(alias), True, span)
        written = self._query[span.start : span.end]
        return Item(expression, expression.name if isinstance(expression, Field) else written, False, span)

    def names(self, meta: Meta, names: list[Token]) -> tuple[str, ...]:
        return tuple(_unquoted(name) for name in names)

    def key(self, meta: Meta, children: list[Any]) -> SortKey:
        expression, direction = children
        return SortKey(expression, direction is not None and direction.type == "DESC")

    def binary(self, meta: Meta, children: list[Any]) -> Binary:
        left, operator, right = children
        return Binary(str(operator).lower(), left, right, _span(meta))

    def unary(self, meta: Meta, children: list[Any]) -> Unary:
        operator, operand = children
        return Unary(str(operator).lower(), operand, _span(meta))

    def like(self, meta: Meta, children: list[Any]) -> Like:
        operand, negation, pattern = children
        return Like(operand, pattern, negation is not None, _span(meta))

    def matches(self, meta: Meta, children: list[Any]) -> Like:
        operand, pattern = children
        return Like(operand, pattern, False, _span(meta))

    def membership(self, meta: Meta, children: list[Any]) -> Membership:
        operand, negation, *options = children
        return Membership(operand, tuple(options), negation is not None, _span(meta))

    def number(self, meta: Meta, children: list[Token]) -> Number:
        return Number(float(children[0]), _span(meta))

    def period(self, meta: Meta, children: list[Token]) -> Period:
        count, unit = re.fullmatch(r"(\d+)([a-zA-Z]+)", children[0]).groups()  # type: ignore[union-attr]
        return Period(int(count), unit.lower(), _span(meta))

    def string(self, meta: Meta, children: list[Token]) -> String:
        # Only quotes and backslashes are escaped: a `\d` stays what it is.
        return String(re.sub(r"""\\(["'\\])""", r"\1", children[0][1:-1]), _span(meta))

    def regex(self, meta: Meta, children: list[Token]) -> Regex:
        # RE2 writes named groups as Python does.
        pattern = re.sub(r"(?<!\\)\(\?<(?=[A-Za-z_])", "(?P<", children[0][1:-1])
        return Regex(pattern.replace(r"\/", "/"), _span(meta))

    def field(self, meta: Meta, children: list[Token]) -> Field:
        return Field(_unquoted(children[0]), _span(meta))

    def call(self, meta: Meta, children: list[Any]) -> Call:
        name, arguments = children
        return Call(str(name).lower(), arguments or (), _span(meta))

    def arguments(self, meta: Meta, children: list[Any]) -> tuple[Expression, ...]:
        return tuple(
            Star(_span(meta)) if isinstance(child, Token) and child.type == "STAR" else child
            for child in children
        )


def _span(meta: Meta) -> Span:
    return Span(meta.start_pos, meta.end_pos)


def _unquoted(name: Token) -> str:
    return str(name).replace("`", "")
