"""Show that AWS refuses a call, and what it says."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError


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
    raise NotRefused(f"AWS did not refuse {call.__name__}({parameters or ', '.join(map(repr, arguments))}).")
