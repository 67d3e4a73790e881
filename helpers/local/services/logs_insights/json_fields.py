"""The fields of JSON messages.

AWS: CloudWatch Logs user guide, "Supported logs and discovered fields", "Fields in JSON logs".
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from helpers.local.services.logs_insights.event_index import valid_text

# "CloudWatch Logs Insights can extract a maximum of 200 log event fields from a JSON log."
MAXIMUM_FIELDS = 200

# Numbers stay as they are written in the log.
_decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def fields_of_json(message: str, embedded: bool) -> dict[str, str]:
    """The leaves of a JSON object, as `userIdentity.type` and `items.0.instanceId`.

    With `embedded` it is the first JSON object anywhere in the message, as in Lambda's logs; else
    the message is JSON as a whole. Booleans are 1 and 0, null is a missing field, and a name that
    begins with @ gets another @. Without JSON there are no fields.
    """
    if "{" not in message:
        return {}
    document = _first_object(message) if embedded else _whole_object(message)
    return dict(islice(_leaves("", document), MAXIMUM_FIELDS))


def _whole_object(message: str) -> dict[str, Any]:
    if not message.lstrip().startswith("{"):
        return {}
    try:
        document: dict[str, Any] = _decoder.decode(message)
    except (ValueError, RecursionError):
        return {}
    return document


def _first_object(message: str) -> dict[str, Any]:
    start = message.find("{")
    while start >= 0:
        try:
            document: dict[str, Any] = _decoder.raw_decode(message, start)[0]
        except (ValueError, RecursionError):
            start = message.find("{", start + 1)
        else:
            return document
    return {}


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(f"{name}.{key}" if name else f"@{key}" if key.startswith("@") else key, member)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _leaves(f"{name}.{index}", member)
    elif isinstance(value, bool):
        yield name, "1" if value else "0"
    elif value is not None:
        yield valid_text(name), valid_text(value)
