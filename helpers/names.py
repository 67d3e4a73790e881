"""Names and tags that carry a run's id, and the question whether something carries it."""

import hashlib
import re
import secrets
from collections.abc import Iterator
from typing import Any

RUN_TAG = "workshop-run"
NOTEBOOK_TAG = "workshop-notebook"
SHORTENED_DIGEST_LENGTH = 4
# Shorter ids made by AWS could by chance be a part of something else's name.
SHORTEST_ID_SEARCHED_FOR = 8


def new_run_id(notebook: str) -> str:
    """An id such as `w01-3f9a2c` for one run of notebook `01`. Raises ValueError for another form."""
    if not re.fullmatch(r"[0-9a-z]{1,8}", notebook):
        raise ValueError(
            f"notebook={notebook!r}: expected its number, such as '01' (1 to 8 digits or small letters)."
        )
    return f"w{notebook}-{secrets.token_hex(3)}"


def resource_name(run_id: str, label: str, max_length: int | None = None, separator: str = "-") -> str:
    """`w01-3f9a2c-orders`; longer ones are cut to `max_length` and end in a digest of the label.

    `separator="_"` is for services that refuse hyphens, `separator=""` for those that refuse both.
    """
    prefix = run_id.replace("-", separator)
    name = f"{prefix}{separator}{label}"
    if max_length is None or len(name) <= max_length:
        return name
    digest = hashlib.sha256(label.encode()).hexdigest()[:SHORTENED_DIGEST_LENGTH]
    kept = max_length - len(prefix) - 2 * len(separator) - len(digest)
    if kept < 1:
        raise ValueError(
            f"max_length={max_length} leaves no room for {label!r} after the run's id {prefix!r}: "
            f"at least {max_length - kept + 1} is needed."
        )
    return f"{prefix}{separator}{label[:kept].rstrip('-_')}{separator}{digest}"


class Marks:
    """What tells the resources of one run from everything else in an account.

    That is the run's id, with hyphen, underscore or nothing in it, as names and tags carry it, and
    the ids that AWS gave to what the run created.
    """

    def __init__(self, run_id: str) -> None:
        self._spellings = tuple(run_id.replace("-", separator) for separator in ("-", "_", ""))
        self._generated: set[str] = set()

    def learn(self, identity: Any) -> None:
        """Remember the ids in `identity`, which AWS generated for this run.

        Some are paths, such as `/hostedzone/Z0123456789`, of which requests carry the last part.
        """
        for text in texts(identity):
            self._generated |= {text, text.rsplit("/", 1)[-1]} - {""}

    def carried_by(self, value: Any) -> bool:
        """Whether a string anywhere in `value` (a string, or nested lists and dicts) carries a mark."""
        return any(self._marked(text) for text in texts(value))

    def _marked(self, text: str) -> bool:
        if text in self._generated or any(spelling in text for spelling in self._spellings):
            return True
        return any(len(known) >= SHORTEST_ID_SEARCHED_FOR and known in text for known in self._generated)


def texts(value: Any) -> Iterator[str]:
    """Every string in nested lists and dicts, keys left out; bytes are read as UTF-8."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes | bytearray):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
