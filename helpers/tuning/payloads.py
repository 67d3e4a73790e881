"""The payload of every round of a power tuning run: one for all, or several by weight."""

import json
import random
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError


class PayloadUnreadable(RuntimeError):
    """The object with the payload cannot be read from Amazon S3; the message says why."""


def fetch(s3_client: Any, uri: str) -> Any:
    """The object at `s3://BUCKET/KEY`: parsed where it is JSON, else as text. Raises PayloadUnreadable."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        body: bytes = s3_client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return _value(body.decode())
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        raise PayloadUnreadable(
            f"The payload {uri} cannot be read ({code}: {message}). It takes s3:GetObject on an object that "
            "exists."
        ) from error
    except UnicodeDecodeError as error:
        raise PayloadUnreadable(f"The payload {uri} is no text in UTF-8, as events are: {error}.") from error


def of_rounds(payload: Any, num: int, order: random.Random) -> list[Any]:
    """The event of each of `num` rounds, as a JSON value.

    A text that is JSON counts as what it holds; another text is an event by itself. A list of
    `{"payload": ..., "weight": ...}` is weighted: each payload gets the whole part of its share of the
    rounds, and the last one the rest as well. `order` then mixes them, so that no payload has a part of the
    run for itself. Any other list is one event.

    Raises ValueError for weights that are not positive, when a payload would get no round, and for one that
    JSON cannot hold.
    """
    if not _is_weighted(payload):
        return [_value(payload)] * num
    weights = [entry["weight"] for entry in payload]
    for weight in weights:
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight <= 0:
            raise ValueError(f"The weight of a payload is a number over 0, not {weight!r}.")
    counts = [int(weight * num / sum(weights)) for weight in weights]
    if min(counts) < 1:
        raise ValueError(
            f"With num={num} and weights {weights} a payload would never be used: increase num or its weight."
        )
    counts[-1] = num - sum(counts[:-1])
    events = [
        _value(entry["payload"]) for entry, count in zip(payload, counts, strict=True) for _ in range(count)
    ]
    order.shuffle(events)
    return events


def _is_weighted(payload: Any) -> bool:
    return (
        isinstance(payload, Sequence)
        and len(payload) > 0
        and all(isinstance(entry, dict) and {"payload", "weight"} <= entry.keys() for entry in payload)
    )


def _value(payload: Any) -> Any:
    if not isinstance(payload, str):
        try:
            json.dumps(payload, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"A payload is a JSON value or a text; this one is neither: {error}.") from error
        return payload
    try:
        return json.loads(payload, parse_constant=_refuse_constant)
    except ValueError:
        return payload


def _refuse_constant(name: str) -> None:
    """Python reads NaN and Infinity; JSON, and so Lambda, does not know them."""
    raise ValueError(f"{name} is not JSON")
