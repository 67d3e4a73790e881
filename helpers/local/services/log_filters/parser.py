"""Read a filter pattern; say where and why when it cannot be read."""

import functools
import re
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from helpers.local.services.log_filters.conditions import (
    Condition,
    InvalidPattern,
    Number,
    Operand,
    Regex,
    Text,
    number_of,
    regex_of,
)
from helpers.local.services.log_filters.json_documents import (
    Absence,
    Comparison,
    Compound,
    Identity,
    Selector,
    Test,
)
from helpers.local.services.log_filters.patterns import (
    Json,
    Pattern,
    SpaceDelimited,
    SpaceField,
    StandaloneRegex,
    Terms,
)

MAXIMUM_LENGTH = 1024
# AWS: CloudWatch Logs user guide, "Filter pattern syntax for metric filters, ...", quotas.
MAXIMUM_REGEXES = 2
MAXIMUM_WILDCARDS_IN_SELECTOR = 1
MAXIMUM_WILDCARD_SELECTORS = 3

_KINDS = {"{": ("json", "}"), "[": ("space_delimited", "]"), "%": ("regex", "%")}
_LITERALS = {"NULL": None, "TRUE": True, "FALSE": False}
# What the grammar expects, in the words of somebody who writes a pattern.
_EXPECTED_IN_WORDS = {
    "SELECTOR": "a selector such as $.level",
    "COMPARATOR": "a comparison such as =",
    "IS": "IS NULL, IS TRUE or IS FALSE",
    "NOT": "NOT EXISTS",
    "EXISTS": "EXISTS",
    "LITERAL": "NULL, TRUE or FALSE",
    "NAME": "the name of a field",
    "ELLIPSIS": "an ellipsis (...)",
    "BARE": "a value",
    "STRING": "a quoted string",
    "REGEX": "a regular expression between percent signs",
    "WORD": "a term of letters, digits and underscores",
    "LPAR": "(",
    "RPAR": ")",
    "_AND": "&&",
    "_OR": "||",
    "COMMA": "a comma",
    "RBRACE": "}",
    "RSQB": "]",
    "$END": "the end of the pattern",
}


@functools.lru_cache(maxsize=1024)
def parse(written: str) -> Pattern:
    """Raises InvalidPattern. An empty pattern matches everything."""
    if len(written) > MAXIMUM_LENGTH:
        raise InvalidPattern(f"A filter pattern has at most {MAXIMUM_LENGTH} characters, not {len(written)}")
    text = written.strip()
    if not text:
        return Terms()
    kind, end = _KINDS.get(text[0], ("terms", ""))
    if not text.endswith(end) or text == "%":
        raise InvalidPattern(f"If a filter pattern starts with '{text[0]}' it must end with '{end}'")
    reader = _ToPattern()
    try:
        pattern: Pattern = reader.transform(_parser().parse(text, start=kind))
    except UnexpectedInput as error:
        raise _unexpected(text, kind, error) from error
    except VisitError as error:
        raise error.orig_exc from error
    reader.check_quotas()
    return pattern


@functools.cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        start=["terms", "regex", "json", "space_delimited"],
        maybe_placeholders=True,
    )


def _unexpected(text: str, kind: str, error: UnexpectedInput) -> InvalidPattern:
    position = error.pos_in_stream
    if position is None or position < 0 or (isinstance(error, UnexpectedToken) and not error.token):
        position = len(text)
    if kind == "terms" and position < len(text):
        # Not from what was unexpected on, but the whole term that it is in.
        start = position - len(re.split(r"\s", text[:position])[-1])
        term = text[start:].split()[0]
        advice = "Put it in double quotes: only letters, digits and underscores stand without."
        if term.lstrip("-?").startswith('"'):
            advice = "This quote is not closed."
        return InvalidPattern(f"Invalid character(s) in term '{term}'. {advice}")
    expected = error.expected if isinstance(error, UnexpectedToken) else set()
    if isinstance(error, UnexpectedCharacters):
        expected = error.allowed
    words = ", ".join(_EXPECTED_IN_WORDS[name] for name in _EXPECTED_IN_WORDS if name in expected)
    found = f"'{text[position:].split()[0]}'" if text[position:].strip() else "the end"
    return InvalidPattern(f"Invalid filter pattern: {found} at position {position}. Expected {words}.")


class _ToPattern(Transformer[Token, Any]):
    """Children arrive as already transformed; a `None` stands for an optional part left out."""

    def __init__(self) -> None:
        super().__init__()
        self._regexes = 0
        self._selectors: list[Selector] = []

    def check_quotas(self) -> None:
        """Raises InvalidPattern."""
        wildcards = [selector.wildcards for selector in self._selectors if selector.wildcards]
        for what, count, maximum in (
            ("regular expressions in a filter pattern", self._regexes, MAXIMUM_REGEXES),
            ("selectors with a wildcard in a filter pattern", len(wildcards), MAXIMUM_WILDCARD_SELECTORS),
            ("wildcards in a selector", max(wildcards, default=0), MAXIMUM_WILDCARDS_IN_SELECTOR),
        ):
            if count > maximum:
                raise InvalidPattern(f"Invalid filter pattern: {count} {what}, at most {maximum} are allowed")

    def terms(self, terms: list[tuple[str | None, str]]) -> Terms:
        required, excluded, optional = (
            tuple(text for mark, text in terms if mark == wanted) for wanted in (None, "-", "?")
        )
        return Terms(required, excluded, optional)

    def term(self, children: list[Token | None]) -> tuple[str | None, str]:
        mark, written = children
        assert written is not None
        text = _unquoted(written) if written.type == "STRING" else str(written)
        if not text:
            raise InvalidPattern(f"Invalid character(s) in term '{written}'. A phrase must not be empty.")
        return (None if mark is None else str(mark)), text

    def regex(self, children: list[Token]) -> StandaloneRegex:
        return StandaloneRegex(regex_of(children[0][1:-1]))

    def json(self, children: list[Test]) -> Json:
        return Json(children[0], self._regexes)

    def disjunction(self, parts: list[Test]) -> Compound:
        return Compound(any, tuple(parts))

    def conjunction(self, parts: list[Test]) -> Compound:
        return Compound(all, tuple(parts))

    def comparison(self, children: list[Any]) -> Comparison:
        selector, comparator, operand = children
        return Comparison(self._selector(selector), Condition(str(comparator), operand))

    def identity(self, children: list[Token]) -> Identity:
        selector, literal = children
        return Identity(self._selector(selector), _LITERALS[literal])

    def absence(self, children: list[Token]) -> Absence:
        return Absence(self._selector(children[0]))

    def _selector(self, written: Token) -> Selector:
        selector = Selector.of(written)
        self._selectors.append(selector)
        return selector

    def space_delimited(self, fields: list[SpaceField | None]) -> SpaceDelimited:
        if fields == [SpaceField()]:
            fields = [None]
        ellipses = [index for index, each in enumerate(fields) if each is None]
        if len(ellipses) > 1:
            raise InvalidPattern(f"Invalid filter pattern: {len(ellipses)} ellipses, at most 1 is allowed")
        named = [each for each in fields if each is not None]
        split = ellipses[0] if ellipses else len(named)
        tail = tuple(named[split:]) if ellipses else None
        return SpaceDelimited(tuple(named[:split]), tail, self._regexes)

    def field(self, children: list[Any]) -> SpaceField | None:
        """None for an ellipsis."""
        [content] = children
        if content is None:
            return SpaceField()
        if isinstance(content, Token):
            return None if content.type == "ELLIPSIS" else SpaceField(str(content))
        names = {name for conditions in content for name, _ in conditions}
        if len(names) > 1:
            raise InvalidPattern(
                f"Invalid filter pattern: the conditions of one field name {' and '.join(sorted(names))}. "
                "Separate fields by commas."
            )
        alternatives = tuple(tuple(condition for _, condition in conditions) for conditions in content)
        return SpaceField(names.pop(), alternatives)

    def alternatives(self, children: list[Any]) -> list[list[tuple[str, Condition]]]:
        return [*children[0], *children[1]]

    def requirements(self, children: list[Any]) -> list[list[tuple[str, Condition]]]:
        # Each side is one alternative: && binds stronger than ||.
        return [[*children[0][0], *children[1][0]]]

    def constraint(self, children: list[Any]) -> list[list[tuple[str, Condition]]]:
        name, comparator, operand = children
        return [[(str(name), Condition(str(comparator), operand))]]

    def value(self, children: list[Token]) -> Operand:
        written = children[0]
        if written.type == "STRING":
            return Text(_unquoted(written))
        if written.type == "REGEX":
            return self._regex(written)
        number = number_of(written)
        return Text(str(written)) if number is None else Number(number, str(written))

    def _regex(self, written: Token) -> Regex:
        self._regexes += 1
        return regex_of(written[1:-1])


def _unquoted(written: Token) -> str:
    return re.sub(r'\\(["\\])', r"\1", written[1:-1])
