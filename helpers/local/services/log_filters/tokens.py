"""Where a search through log events goes on: what stands in FilterLogEvents' `nextToken`.

AWS: CloudWatch Logs API reference, "FilterLogEvents": the token expires after 24 hours. It decides
the direction of the search, and belongs to the search that returned it.
"""

import base64
import dataclasses
import hashlib
import json
from dataclasses import dataclass

LIFETIME_S = 24 * 3600


class InvalidToken(ValueError):
    """The token is none of ours, of another search, or expired."""


@dataclass(frozen=True)
class Position:
    """The last log event that was looked at.

    `ordinal` counts the events of the log stream that have the same timestamp: late events may
    change the index of an event, but not that.
    """

    timestamp_ms: int
    ingestion_ms: int
    log_stream: str
    ordinal: int


@dataclass(frozen=True)
class Token:
    """`search` identifies what is searched for; `issued_s` is seconds since 1970."""

    search: str
    newest_first: bool
    position: Position
    issued_s: float

    def encode(self) -> str:
        written = json.dumps(dataclasses.asdict(self), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(_digest(written) + written).decode()

    @staticmethod
    def decode(encoded: str, search: str, now_s: float) -> "Token":
        """Raises InvalidToken."""
        try:
            decoded = base64.b64decode(encoded, altchars=b"-_", validate=True)
        except ValueError as error:
            raise InvalidToken("expected what an earlier page of this search returned") from error
        size = len(_digest(b""))
        digest, written = decoded[:size], decoded[size:]
        if digest != _digest(written):
            raise InvalidToken("expected what an earlier page of this search returned")
        parts = json.loads(written)
        token = Token(**{**parts, "position": Position(**parts["position"])})
        if token.search != search:
            raise InvalidToken("it belongs to a search with other parameters")
        if now_s - token.issued_s > LIFETIME_S:
            raise InvalidToken("it expired: tokens are valid for 24 hours")
        return token


def search_identity(*parameters: object) -> str:
    return hashlib.sha256(json.dumps(parameters).encode()).hexdigest()


def _digest(written: bytes) -> bytes:
    return hashlib.sha256(b"FilterLogEvents" + written).digest()
