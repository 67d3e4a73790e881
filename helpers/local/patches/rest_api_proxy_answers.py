"""A REST API passes on what a function meant for the client, and never its errors.

AWS behaviour restored: a function that fails, or whose output is no proxy answer, makes API Gateway answer
502 with "Internal server error" (API Gateway developer guide, "Output format of a Lambda function for proxy
integration"; AWS re:Post Knowledge Center, "How do I resolve HTTP 502 errors from API Gateway REST APIs with
Lambda proxy integration?"). The emulator sends the client the function's error with its stack trace, and any
other output as a success.
"""

from typing import Any

from ministack.services import apigateway_v1

from helpers.local import contract

# The message of the 502.
MALFORMED = "Internal server error"

_original: Any = None


def install() -> None:
    global _original
    _original = contract.replace(apigateway_v1, "_lambda_proxy_response", ("result",), _proxy_answer)


def _proxy_answer(result: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
    """The answer for the client, or the message of a 502."""
    if result.get("throttle"):
        answer: tuple[dict[str, Any] | None, str | None] = _original(result)
        return answer
    output = result.get("body")
    if result.get("error") or not isinstance(output, dict):
        return None, MALFORMED
    try:
        status, body = int(output["statusCode"]), output.get("body")
    except (KeyError, TypeError, ValueError):
        return None, MALFORMED
    if not 100 <= status <= 599 or not isinstance(body, str | None):
        return None, MALFORMED
    return output | {"statusCode": status, "body": body or ""}, None
