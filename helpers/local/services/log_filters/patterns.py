"""The four kinds of filter patterns, and what each takes out of a log event that it matches.

AWS: CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters,
filter log events, and Live Tail", and API reference, "TestMetricFilter" (the extracted values).
"""

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from helpers.local.services.log_filters.conditions import Condition, InvalidPattern, Regex
from helpers.local.services.log_filters.json_documents import NotJson, Selector, Test, read_json

# Brackets and quotes hold a field together. Only around a whole field: `GET["a` is one as it stands.
_FIELD = re.compile(r"""\[(?P<bracketed>[^\]]*)\](?!\S)|"(?P<quoted>(?:\\.|[^"\\])*)"(?!\S)|\S+""")
_REFERENCE = re.compile(r"\$[\w-]+")


@dataclass(frozen=True)
class Match:
    """A log event that matched. `extracted` are the fields of a space-delimited event by reference."""

    extracted: dict[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    document: Any = None

    def value(self, reference: str) -> str | None:
        """The text of `$.a.b` in JSON, of `$name` or `$3` in a space-delimited event."""
        if reference.startswith("$."):
            return next(iter(Selector.of(reference).texts(self.document)), None)
        position = reference.removeprefix("$")
        if position.isdecimal():
            return self.fields[int(position) - 1] if 0 < int(position) <= len(self.fields) else None
        return self.extracted.get(reference)


class Pattern(Protocol):
    """`regex_count` counts towards AWS's quotas."""

    @property
    def regex_count(self) -> int: ...

    def match(self, message: str) -> Match | None: ...

    def can_extract(self, reference: str) -> bool:
        """Whether a matching event may have a field of that reference."""


@dataclass(frozen=True)
class Terms:
    """All `required` and no `excluded` terms occur. AWS ignores `optional` ones beside those."""

    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    regex_count: int = 0

    def match(self, message: str) -> Match | None:
        if self.required or self.excluded or not self.optional:
            found = all(term in message for term in self.required)
            return Match() if found and not any(term in message for term in self.excluded) else None
        return Match() if any(term in message for term in self.optional) else None

    def can_extract(self, reference: str) -> bool:
        return False


@dataclass(frozen=True)
class StandaloneRegex:
    regex: Regex
    regex_count: int = 1

    def match(self, message: str) -> Match | None:
        return Match() if self.regex.equals(message) else None

    def can_extract(self, reference: str) -> bool:
        return False


@dataclass(frozen=True)
class Json:
    test: Test
    regex_count: int = 0

    def match(self, message: str) -> Match | None:
        try:
            document = read_json(message)
        except NotJson:
            return None
        return Match(document=document) if self.test.holds(document) else None

    def can_extract(self, reference: str) -> bool:
        try:
            return not Selector.of(reference).wildcards
        except InvalidPattern:
            return False


@dataclass(frozen=True)
class SpaceField:
    """A field of a space-delimited pattern. The event's field must fulfil all of one alternative."""

    name: str | None = None
    alternatives: tuple[tuple[Condition, ...], ...] = ()

    def holds(self, text: str) -> bool:
        return not self.alternatives or any(
            all(condition.holds(text) for condition in conditions) for conditions in self.alternatives
        )


@dataclass(frozen=True)
class SpaceDelimited:
    """Fields before and after an ellipsis. Without one `tail` is None, and the last takes all the rest."""

    head: tuple[SpaceField, ...]
    tail: tuple[SpaceField, ...] | None
    regex_count: int = 0

    def __post_init__(self) -> None:
        names = [each.name for each in self._named if each.name]
        if len(names) != len(set(names)):
            raise InvalidPattern("Invalid filter pattern: every field needs a name of its own")

    @property
    def _named(self) -> tuple[SpaceField, ...]:
        return self.head + (self.tail or ())

    def match(self, message: str) -> Match | None:
        texts = self._split(message)
        missing = len(texts) - len(self._named)
        if missing < 0 or (missing and self.tail is None):
            return None
        fields = (*self.head, *[SpaceField()] * missing, *(self.tail or ()))
        if not all(each.holds(text) for each, text in zip(fields, texts, strict=True)):
            return None
        named = {
            f"${each.name or position}": text
            for position, (each, text) in enumerate(zip(fields, texts, strict=True), 1)
        }
        return Match(named, tuple(texts))

    def can_extract(self, reference: str) -> bool:
        if not _REFERENCE.fullmatch(reference):
            return False
        return reference[1:].isdecimal() or reference[1:] in {each.name for each in self._named}

    def _split(self, message: str) -> list[str]:
        found = list(_FIELD.finditer(message))
        texts = [_text_of(each) for each in found]
        if self.tail is None and len(texts) > len(self.head):
            last = len(self.head) - 1
            texts[last:] = [message[found[last].start() :].rstrip()]
        return texts


def _text_of(found: re.Match[str]) -> str:
    if found["bracketed"] is not None:
        return found["bracketed"]
    return found.group() if found["quoted"] is None else found["quoted"]
