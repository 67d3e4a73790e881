"""Requests to the Lambda API that are refused as AWS refuses them."""

import functools
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json

# Status, headers and body: what every handler of the emulator returns.
Response = tuple[int, dict[str, str], Any]
Handler = Callable[..., Response]


class Refused(Exception):
    """A request that AWS refuses. `code` is the error code that a client branches on."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def response(self) -> Response:
        # Lambda's error shapes declare their message once as `message`, once as `Message`.
        answer: Response = error_response_json(
            self.code,
            self.message,
            self.status,
            {"Message": self.message, "Type": "User"},
            content_type="application/json",
        )
        return answer


def invalid_parameter(message: str) -> Refused:
    return Refused("InvalidParameterValueException", message, 400)


def conflict(message: str) -> Refused:
    return Refused("ResourceConflictException", message, 409)


def not_found(message: str) -> Refused:
    return Refused("ResourceNotFoundException", message, 404)


def not_implemented(message: str) -> Refused:
    """AWS can do it and the local AWS cannot: said, never mocked."""
    return Refused("NotImplementedException", f"The local AWS cannot do this: {message}", 501)


def preceded_by(check: Callable[..., None], handler: Handler) -> Handler:
    """A handler that first calls `check` with the same arguments and answers what that refuses."""

    @functools.wraps(handler)
    def guarded(*arguments: Any, **keywords: Any) -> Response:
        try:
            check(*arguments, **keywords)
        except Refused as refused:
            return refused.response()
        return handler(*arguments, **keywords)

    return guarded


def refusing(handler: Handler) -> Handler:
    """A handler whose refusals are answered instead of raised."""

    @functools.wraps(handler)
    def guarded(*arguments: Any, **keywords: Any) -> Response:
        try:
            return handler(*arguments, **keywords)
        except Refused as refused:
            return refused.response()

    return guarded
