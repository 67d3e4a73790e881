"""Show that a call is refused, by AWS or on this side of it, and what is said."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

ACCEPTED = "yes"


class NotRefused(AssertionError):
    """A call that AWS was expected to refuse went through."""


def refusal(call: Callable[..., Any], *arguments: Any, **parameters: Any) -> str:
    """Make a call that AWS refuses and return its code and message: "ResourceNotFoundException: ...".

    Raises NotRefused when the call goes through; any other error comes out as it is.
    """
    try:
        call(*arguments, **parameters)
    except ClientError as error:
        details = error.response["Error"]
        return f"{details['Code']}: {details.get('Message', '')}"
    raise NotRefused(f"AWS did not refuse {_name(call)}({parameters or ', '.join(map(repr, arguments))}).")


def answer(call: Callable[..., Any], *arguments: Any, **parameters: Any) -> str:
    """Make a call that AWS may refuse, and return "yes" or the code of the refusal ("ValidationException").

    For tables of what is allowed and what is not; any error that AWS did not give comes out as it is.
    """
    try:
        call(*arguments, **parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ACCEPTED


def raised(kind: type[Exception], call: Callable[..., Any], *arguments: Any, **parameters: Any) -> str:
    """Make a call that raises an error of that kind, and return the error's text.

    Raises NotRefused when the call goes through; an error of another kind comes out as it is.
    """
    try:
        call(*arguments, **parameters)
    except kind as error:
        return str(error)
    raise NotRefused(f"{_name(call)} did not raise {kind.__name__}.")


def _name(call: Callable[..., Any]) -> str:
    return str(getattr(call, "__name__", call))
