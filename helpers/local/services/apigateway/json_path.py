"""JSONPath, by which mapping templates and parameter mappings reach into a JSON payload.

Source: S. Goessner, "JSONPath - XPath for JSON", to which the developer guide refers. A path with a
wildcard, a filter, a slice, a union or `..` gives the array of all that it matches; any other path
gives the one value that it names.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Values = Iterable[Any]
Step = Callable[[Any], Values]

_TOKEN = re.compile(
    r"""
    (?P<deep>\.\.)?                                # `..` before any kind of step
    (?:
        \.?(?P<length>length|size)\(\)             # a function at the end
      | \.?(?P<wildcard>\*|\[\s*\*\s*\])
      | \.?\[\s*\?\s*\((?P<filter>.+?)\)\s*\]
      | \.?\[(?P<bracket>(?:'[^']*'|"[^"]*"|[^\]'"])*)\]
      | \.?(?P<name>[^.\[\]()*?\s]+)
    )
    """,
    re.VERBOSE,
)
_CONDITION = re.compile(
    r"\s*@(?P<path>[^\s=!<>&|]*)\s*(?:(?P<operator>==|!=|<=|>=|<|>)\s*(?P<literal>.+?))?\s*"
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class PathInvalid(ValueError):
    """A path that is no JSONPath, or uses more of it than is implemented here."""


class NotFound(LookupError):
    """The payload has nothing at a path that names one value."""


@dataclass(frozen=True)
class Path:
    steps: tuple[Step, ...]
    is_definite: bool

    def evaluate(self, document: Any) -> Any:
        """Raises NotFound."""
        values: Values = [document]
        for step in self.steps:
            values = [found for value in values for found in step(value)]
        if not self.is_definite:
            return list(values)
        for value in values:
            return value
        raise NotFound


@lru_cache(maxsize=1024)
def parse(path: str) -> Path:
    """Raises PathInvalid."""
    path = path.strip()
    if not path.startswith("$"):
        raise PathInvalid(f"{path!r}: a JSONPath begins with $")
    steps: list[Step] = []
    is_definite = True
    position = 1
    while position < len(path):
        token = _TOKEN.match(path, position)
        if token is None:
            raise PathInvalid(f"{path!r}: no JSONPath from position {position}: {path[position:]!r}")
        position = token.end()
        step, is_single = _step(token)
        if token["deep"]:
            steps.append(_descendants)
        steps.append(step)
        is_definite &= is_single and not token["deep"]
    return Path(tuple(steps), is_definite)


def _step(token: re.Match[str]) -> tuple[Step, bool]:
    """The step, and whether it leads to one value at most."""
    if token["name"]:
        return _member(token["name"]), True
    if token["wildcard"]:
        return _children, False
    if token["filter"]:
        return _filter(token["filter"]), False
    if token["length"]:
        return _length, True
    return _bracket(token["bracket"].strip())


def _bracket(content: str) -> tuple[Step, bool]:
    parts = [part.strip() for part in re.findall(r"""\s*(?:'[^']*'|"[^"]*"|[^,'"]+)\s*""", content)]
    if ":" in content and not content.startswith(("'", '"')):
        bounds = [int(bound) if bound.strip() else None for bound in content.split(":")]
        return (lambda value: value[slice(*bounds)] if isinstance(value, list) else ()), False
    steps = [_member(part[1:-1]) if part[:1] in "'\"" else _item(part) for part in parts]
    if len(steps) == 1:
        return steps[0], True
    return (lambda value: [found for step in steps for found in step(value)]), False


def _member(name: str) -> Step:
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else ()


def _item(index: str) -> Step:
    try:
        number = int(index)
    except ValueError:
        raise PathInvalid(f"[{index}]: expected a number, a quoted name, *, a slice or a filter") from None
    needed = -number if number < 0 else number + 1
    return lambda value: [value[number]] if isinstance(value, list) and len(value) >= needed else ()


def _children(value: Any) -> Values:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _descendants(value: Any) -> Iterator[Any]:
    yield value
    for child in _children(value):
        yield from _descendants(child)


def _length(value: Any) -> Values:
    return [len(value)] if isinstance(value, list | dict | str) else ()


def _filter(expression: str) -> Step:
    """Conditions on the members of each child, joined by && and ||."""
    alternatives = [
        [_condition(part) for part in alternative.split("&&")] for alternative in expression.split("||")
    ]
    return lambda value: [
        child for child in _children(value) if any(all(holds(child) for holds in a) for a in alternatives)
    ]


def _condition(text: str) -> Callable[[Any], bool]:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise PathInvalid(f"?({text}): expected a condition such as @.price < 10")
    path = parse("$" + match["path"])
    if match["operator"] is None:
        return lambda value: _finds(path, value)
    compare, literal = _COMPARISONS[match["operator"]], _literal(match["literal"])

    def holds(value: Any) -> bool:
        try:
            return bool(compare(path.evaluate(value), literal))
        except (NotFound, TypeError):
            return False

    return holds


def _finds(path: Path, value: Any) -> bool:
    try:
        return path.evaluate(value) is not None
    except NotFound:
        return False


def _literal(text: str) -> Any:
    if text[:1] in "'\"" and text[-1:] == text[:1]:
        return text[1:-1]
    words = {"true": True, "false": False, "null": None}
    if text in words:
        return words[text]
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        raise PathInvalid(f"{text}: expected a number, a quoted text, true, false or null") from None
