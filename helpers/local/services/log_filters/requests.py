"""What FilterLogEvents' parameters mean, and the errors that AWS answers when they mean nothing.

AWS: CloudWatch Logs API reference, "FilterLogEvents".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from helpers.local.functions.refusal import Refused
from helpers.local.services.log_filters.conditions import InvalidPattern
from helpers.local.services.log_filters.parser import parse
from helpers.local.services.log_filters.patterns import Pattern
from helpers.local.services.log_filters.search import MAXIMUM_PAGE

MAXIMUM_STREAM_NAMES = 100
# The name of the log group that an ARN names; None for an ARN from another account or Region.
NameOfArn: TypeAlias = Callable[[str], str | None]
# 2024-01-01T00:00:00Z, in ms since 1970.
NEWEST_FIRST_SINCE_MS = 1_704_067_200_000


def invalid(message: str) -> Refused:
    return Refused("InvalidParameterException", message, 400)


def not_found(message: str) -> Refused:
    return Refused("ResourceNotFoundException", message, 400)


def pattern_of(written: Any) -> Pattern:
    """Raises Refused."""
    if written is not None and not isinstance(written, str):
        raise invalid(f"filterPattern must be a string, not {written!r}")
    try:
        return parse(written or "")
    except InvalidPattern as error:
        raise invalid(str(error)) from error


@dataclass(frozen=True)
class FilterRequest:
    """Times in ms since 1970, both inclusive. `log_streams` are all when None."""

    log_group: str
    log_streams: tuple[str, ...] | None
    prefix: str
    start_ms: int | None
    end_ms: int | None
    written_pattern: str
    pattern: Pattern
    limit: int
    newest_first: bool
    next_token: str | None

    @staticmethod
    def of(parameters: dict[str, Any], name_of_arn: NameOfArn) -> "FilterRequest":
        """Raises Refused."""
        names, prefix = parameters.get("logStreamNames"), parameters.get("logStreamNamePrefix")
        if names and prefix:
            raise invalid("logStreamNames and logStreamNamePrefix exclude each other: give one of them")
        if names and len(names) > MAXIMUM_STREAM_NAMES:
            raise invalid(f"logStreamNames can have up to {MAXIMUM_STREAM_NAMES} names, not {len(names)}")
        limit = parameters.get("limit", MAXIMUM_PAGE)
        if not isinstance(limit, int) or not 1 <= limit <= MAXIMUM_PAGE:
            raise invalid(f"limit must be between 1 and {MAXIMUM_PAGE}, not {limit}")
        start_ms, end_ms = _time(parameters, "startTime"), _time(parameters, "endTime")
        newest_first = parameters.get("startFromHead") is False
        if newest_first and not (start_ms is not None and start_ms >= NEWEST_FIRST_SINCE_MS):
            raise invalid("startFromHead can be false only with a startTime on or after 2024-01-01T00:00:00Z")
        return FilterRequest(
            _log_group(parameters, name_of_arn),
            tuple(dict.fromkeys(names)) if names else None,
            prefix or "",
            start_ms,
            end_ms,
            parameters.get("filterPattern") or "",
            pattern_of(parameters.get("filterPattern")),
            limit,
            newest_first,
            parameters.get("nextToken"),
        )


def _time(parameters: dict[str, Any], name: str) -> int | None:
    value = parameters.get(name)
    if value is not None and (not isinstance(value, int) or value < 0):
        raise invalid(f"{name} must be a number of milliseconds since 1970-01-01, not {value}")
    return value


def _log_group(parameters: dict[str, Any], name_of_arn: NameOfArn) -> str:
    name, identifier = parameters.get("logGroupName"), parameters.get("logGroupIdentifier")
    if bool(name) == bool(identifier):
        raise invalid("Exactly one of logGroupName and logGroupIdentifier is required")
    if not identifier or not identifier.startswith("arn:"):
        return str(name or identifier)
    found = name_of_arn(identifier)
    if found is None:
        raise not_found(
            f"{identifier} is not a log group of this account and Region: "
            "the local AWS has no monitoring accounts"
        )
    return str(found)
