"""What StartQuery's parameters mean, and the errors that AWS answers when they mean nothing.

AWS: CloudWatch Logs API reference, "StartQuery".
"""

import re
from dataclasses import dataclass
from typing import Any

MAXIMUM_LOG_GROUPS = 50
MAXIMUM_QUERY_LENGTH = 10_000
_GROUP_PARAMETERS = ("logGroupName", "logGroupNames", "logGroupIdentifiers")
_ARN = re.compile(r"arn:[\w-]+:logs:([\w-]+):(\d{12}):log-group:([\w.\-/#]+)")


class RequestError(Exception):
    """Answered to the caller: `code` is the name of AWS's exception, `members` what else it carries."""

    def __init__(self, code: str, message: str, members: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.members = members


def invalid(message: str) -> RequestError:
    return RequestError("InvalidParameterException", message)


def not_found(message: str) -> RequestError:
    return RequestError("ResourceNotFoundException", message)


@dataclass(frozen=True)
class StartQueryRequest:
    """Times in ms since 1970, both inclusive. `limit` is None when none was given."""

    query: str
    log_groups: list[str]
    start_ms: int
    end_ms: int
    limit: int | None

    @staticmethod
    def of(
        parameters: dict[str, Any], account_id: str, region: str, maximum_limit: int
    ) -> "StartQueryRequest":
        """Raises RequestError."""
        query = parameters.get("queryString")
        if not isinstance(query, str) or len(query) > MAXIMUM_QUERY_LENGTH:
            raise invalid(f"queryString must have at most {MAXIMUM_QUERY_LENGTH} characters")
        if "\0" in query or any("\ud800" <= character <= "\udfff" for character in query):
            raise invalid("queryString must be text: it has a NUL or half of a surrogate pair")
        language = parameters.get("queryLanguage", "CWLI")
        if language != "CWLI":
            raise invalid(f"queryLanguage {language} is not implemented by the local AWS: only CWLI is")
        # AWS converts the seconds to milliseconds as they are: the last second is not included whole.
        start_ms, end_ms = (_seconds(parameters, name) * 1000 for name in ("startTime", "endTime"))
        if start_ms > end_ms:
            raise invalid("endTime must not be before startTime")
        limit = parameters.get("limit")
        if limit is not None and not (isinstance(limit, int) and 1 <= limit <= maximum_limit):
            raise invalid(f"limit must be between 1 and {maximum_limit}, not {limit}")
        return StartQueryRequest(query, _log_groups(parameters, account_id, region), start_ms, end_ms, limit)


def _seconds(parameters: dict[str, Any], name: str) -> int:
    value = parameters.get(name)
    if not isinstance(value, int) or value < 0:
        raise invalid(f"{name} must be a number of seconds since 1970-01-01, not {value}")
    return value


def _log_groups(parameters: dict[str, Any], account_id: str, region: str) -> list[str]:
    given = [name for name in _GROUP_PARAMETERS if parameters.get(name)]
    if len(given) != 1:
        raise invalid(
            f"Exactly one of {', '.join(_GROUP_PARAMETERS)} is required: {', '.join(given) or 'none'} given. "
            "The SOURCE command is not implemented by the local AWS."
        )
    values = parameters[given[0]]
    names = [values] if isinstance(values, str) else list(dict.fromkeys(values))
    if len(names) > MAXIMUM_LOG_GROUPS:
        raise invalid(f"A query can include up to {MAXIMUM_LOG_GROUPS} log groups, not {len(names)}")
    if given[0] == "logGroupIdentifiers":
        return [_name_of(identifier, account_id, region) for identifier in names]
    return names


def _name_of(identifier: str, account_id: str, region: str) -> str:
    if not identifier.startswith("arn:"):
        return identifier
    match = _ARN.fullmatch(identifier)
    if match is None:
        raise invalid(
            f"logGroupIdentifiers: {identifier} is not an ARN of a log group: expected "
            "arn:aws:logs:<region>:<account-id>:log-group:<log_group_name>, without * at its end"
        )
    if match.groups()[:2] != (region, account_id):
        raise not_found(
            f"{identifier} is not in account {account_id} and {region}: "
            "the local AWS has no monitoring accounts"
        )
    return match.group(3)
