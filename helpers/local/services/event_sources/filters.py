"""Which records of a source a mapping's filters let through.

AWS Lambda developer guide, "Control which events Lambda sends to your function" and its pages for
Amazon SQS, Kinesis and DynamoDB: a record that satisfies one of the filters passes. Data are
filtered under the source's own key, and when the format of the data and that of the pattern for
them do not match, the record does not pass. Patterns without that key see the metadata only.

The pages of the three sources say that only that key is supported, yet describe filtering "on the
other metadata properties only", and the DynamoDB developer guide filters on `eventName` and
`userIdentity`: metadata are matched here.
"""

import base64
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from helpers.local.event_patterns import EventPattern, InvalidPattern, values
from helpers.local.functions.refusal import Refused, invalid_parameter
from helpers.local.services.event_sources.records import Record

logger = logging.getLogger("lambda.event_sources")

DATA_KEYS = {"sqs": "body", "kinesis": "data", "dynamodb": "dynamodb"}
MOST_FILTERS = 5
LONGEST_PATTERN = 4096


@dataclass(frozen=True)
class Filters:
    """The filters of one mapping. Without any, everything passes."""

    service: str
    patterns: tuple[EventPattern, ...] = ()

    @classmethod
    def parse(cls, service: str, criteria: dict[str, Any] | None) -> "Filters":
        """`criteria`: FilterCriteria of the API. Refuses invalid ones."""
        filters = (criteria or {}).get("Filters") or []
        if len(filters) > MOST_FILTERS:
            # AWS documents the quota, and not the words of its error.
            raise invalid_parameter(f"An event source mapping can have at most {MOST_FILTERS} filters.")
        texts = [each.get("Pattern") or "" for each in filters]
        return cls(service, tuple(_pattern(service, text, number) for number, text in enumerate(texts, 1)))

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def divide(self, records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
        """The records that pass, and those that do not."""
        passed: list[Record] = []
        left_out: list[Record] = []
        for record in records:
            (passed if self._passes(record.event) else left_out).append(record)
        return passed, left_out

    def _passes(self, event: dict[str, Any]) -> bool:
        if not self.patterns:
            return True
        document, has_json = _document(self.service, event)
        data_key = DATA_KEYS[self.service]
        for pattern in self.patterns:
            of_one_format = data_key not in (pattern.plain if has_json else pattern.nested)
            if of_one_format and pattern.matches(document):
                return True
        return False


def _pattern(service: str, text: str, number: int) -> EventPattern:
    if len(text) > LONGEST_PATTERN:
        member = f"filterCriteria.filters.{number}.member.pattern"
        raise Refused(
            "ValidationException",
            f"1 validation error detected: Value '{text}' at '{member}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LONGEST_PATTERN}",
            400,
        )
    try:
        pattern = EventPattern.parse(text)
        if service != "sqs" and DATA_KEYS[service] in pattern.plain:
            raise InvalidPattern(f"What {DATA_KEYS[service]!r} must match is to be an object.")
    except InvalidPattern as why:
        # AWS does not say what is wrong with a pattern. The log of the local AWS does.
        logger.warning("filter pattern %s: %s", text, why)
        raise invalid_parameter("Invalid filter pattern definition.") from None
    return pattern


def _document(service: str, event: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """What patterns are matched against, and whether its data are in JSON."""
    if service == "kinesis":
        metadata = {name: value for name, value in event.items() if name != "kinesis"} | event["kinesis"]
        data = base64.b64decode(metadata.pop("data"))
    elif service == "sqs":
        metadata = dict(event)
        data = event["body"]
    else:
        document: dict[str, Any] = values.parse(json.dumps(event))
        return document, True
    document = values.parse(json.dumps(metadata))
    parsed = _structure(data)
    if parsed is not None:
        document[DATA_KEYS[service]] = parsed
    return document, parsed is not None


def _structure(data: str | bytes) -> dict[str, Any] | Sequence[Any] | None:
    """The object or array that `data` are; None when they are plain."""
    try:
        parsed = values.parse(data.decode() if isinstance(data, bytes) else data)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict | list) else None
