"""Requests to AWS AppConfig that are refused as AWS refuses them.

AWS: AppConfig API reference, "BadRequestException" and "InvalidConfigurationDetail"; AppConfig Data API
reference, "BadRequestException", "InvalidParameterDetail" and "ResourceNotFoundException".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ministack.core.responses import error_response_json

from helpers.local.functions.refusal import Refused, Response


@dataclass(frozen=True)
class InvalidConfiguration:
    """One reason why a validator refuses a configuration: a member of BadRequestDetails.

    `kind` is the validator's type, JSON_SCHEMA or LAMBDA. `constraint` and `location` are a keyword of the
    schema and its place in it; `value` is what a function returned.
    """

    kind: str
    reason: str
    constraint: str | None = None
    location: str | None = None
    value: str | None = None

    def shown(self) -> dict[str, str]:
        members = {
            "Type": self.kind,
            "Reason": self.reason,
            "Constraint": self.constraint,
            "Location": self.location,
            "Value": self.value,
        }
        return {name: value for name, value in members.items() if value is not None}


class RefusedByAppConfig(Refused):
    """`members` are those of the error's shape beside its message."""

    def __init__(self, code: str, message: str, status: int, members: Mapping[str, Any]) -> None:
        super().__init__(code, message, status)
        self.members = members

    def response(self) -> Response:
        answer: Response = error_response_json(
            self.code,
            self.message,
            self.status,
            dict(self.members),
            message_key="Message",
            content_type="application/json",
        )
        return answer


def bad_request(message: str) -> Refused:
    return RefusedByAppConfig("BadRequestException", message, 400, {})


def invalid_configuration(message: str, details: Sequence[InvalidConfiguration]) -> Refused:
    members = {
        "Reason": "InvalidConfiguration",
        "Details": {"InvalidConfiguration": [detail.shown() for detail in details]},
    }
    return RefusedByAppConfig("BadRequestException", message, 400, members)


def invalid_token(problem: str, message: str) -> Refused:
    """`problem` is Corrupted, Expired or PollIntervalNotSatisfied."""
    members = {
        "Reason": "InvalidParameters",
        "Details": {"InvalidParameters": {"ConfigurationToken": {"Problem": problem}}},
    }
    return RefusedByAppConfig("BadRequestException", message, 400, members)


def conflict(message: str) -> Refused:
    return RefusedByAppConfig("ConflictException", message, 409, {})


def not_found(message: str, **members: Any) -> Refused:
    return RefusedByAppConfig("ResourceNotFoundException", message, 404, members)


def too_large(size_kb: float, limit_kb: float) -> Refused:
    members = {"Measure": "KILOBYTES", "Size": size_kb, "Limit": limit_kb}
    message = f"The configuration has {size_kb:.1f} KB, and at most {limit_kb:.0f} KB are allowed."
    return RefusedByAppConfig("PayloadTooLargeException", message, 413, members)
