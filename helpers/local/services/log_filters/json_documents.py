"""Conditions on log events that are JSON.

A comparison holds for a value node only: text or a number, which are compared by their text. A
selector that finds none, or an array, an object, true, false or null, fulfils no comparison, not
even `!=`. AWS: CloudWatch Logs user guide, "Using filter patterns to match terms in JSON log events".
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from helpers.local.services.log_filters.conditions import Condition, InvalidPattern

_NAME = r"(?:[\w-]+|\*|\['[^']+'\])"
_SELECTOR = re.compile(rf"\$\.{_NAME}(?:\.{_NAME}|\[(?:\d{{1,9}}|\*)\])*", re.ASCII)
_STEP = re.compile(r"\.(?P<name>[\w-]+)|\['(?P<quoted>[^']+)'\]|\[(?P<index>\d+)\]|(?P<any>\*)")


class NotJson(ValueError):
    """The log event is not a JSON document."""


def read_json(message: str) -> Any:
    """The document, with numbers as the text that spells them. Raises NotJson."""
    try:
        return json.loads(message, parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotJson from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


@dataclass(frozen=True)
class EachChild:
    """The step `*` or `[*]`: every member of an object, every element of an array."""


@dataclass(frozen=True)
class Selector:
    """`$.users[0].id` is the steps "users", 0, "id"."""

    steps: tuple[str | int | EachChild, ...]

    @staticmethod
    def of(written: str) -> "Selector":
        """Raises InvalidPattern."""
        if not _SELECTOR.fullmatch(written):
            raise InvalidPattern(
                f"Invalid filter pattern: '{written}' is not a selector. Expected $. and a name of letters, "
                "digits, - and _, as in $.users[0].id; other names are written as $.['cluster.name']"
            )
        steps: list[str | int | EachChild] = []
        for step in _STEP.finditer(written):
            if step["any"]:
                steps.append(EachChild())
            else:
                steps.append(int(step["index"]) if step["index"] else step["name"] or step["quoted"])
        return Selector(tuple(steps))

    @property
    def wildcards(self) -> int:
        return self.steps.count(EachChild())

    def nodes(self, document: Any) -> list[Any]:
        found = [document]
        for step in self.steps:
            found = [child for node in found for child in _children(node, step)]
        return found

    def texts(self, document: Any) -> list[str]:
        """The value nodes that it finds."""
        return [node for node in self.nodes(document) if isinstance(node, str)]


def _children(node: Any, step: str | int | EachChild) -> list[Any]:
    if isinstance(node, dict):
        if isinstance(step, EachChild):
            return list(node.values())
        return [node[step]] if step in node else []
    if isinstance(node, list):
        if isinstance(step, EachChild):
            return node
        return [node[step]] if isinstance(step, int) and step < len(node) else []
    return []


class Test(Protocol):
    def holds(self, document: Any) -> bool: ...


@dataclass(frozen=True)
class Comparison:
    selector: Selector
    condition: Condition

    def holds(self, document: Any) -> bool:
        return any(map(self.condition.holds, self.selector.texts(document)))


@dataclass(frozen=True)
class Identity:
    """`IS NULL`, `IS TRUE`, `IS FALSE`."""

    selector: Selector
    value: bool | None

    def holds(self, document: Any) -> bool:
        return any(node is self.value for node in self.selector.nodes(document))


@dataclass(frozen=True)
class Absence:
    """`NOT EXISTS`."""

    selector: Selector

    def holds(self, document: Any) -> bool:
        return not self.selector.nodes(document)


@dataclass(frozen=True)
class Compound:
    """`combine` is `all` for && and `any` for ||."""

    combine: Callable[..., bool]
    parts: tuple[Test, ...]

    def holds(self, document: Any) -> bool:
        return self.combine(part.holds(document) for part in self.parts)
