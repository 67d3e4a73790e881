"""A REST API passes on what a function meant for the client, and never its errors.

AWS behaviour restored: a function that fails, or whose output is no proxy answer, makes API Gateway answer
502, one that Lambda does not invoke, because it is throttled, makes it answer 500, both with "Internal
server error" (API Gateway developer guide, "Output format of a Lambda function for proxy integration";
Lambda developer guide, "Handling Lambda errors with an API Gateway API"). The emulator sends the client the
function's error with its stack trace, Lambda's refusal, and any other output as a success.
"""

import json
from typing import Any

from ministack.services import apigateway_v1

from helpers.local import contract
from helpers.local.services.apigateway import proxy_output
from helpers.local.services.apigateway.execution import INTERNAL_ERROR

NOT_INVOKED = {"statusCode": 500, "body": json.dumps({"message": INTERNAL_ERROR})}


def install() -> None:
    contract.replace(apigateway_v1, "_lambda_proxy_response", ("result",), _proxy_answer)


def _proxy_answer(result: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
    """The answer for the client, or the message of a 502."""
    if result.get("throttle"):
        return NOT_INVOKED, None
    if result.get("error"):
        return None, INTERNAL_ERROR
    try:
        return proxy_output.checked(result.get("body")), None
    except proxy_output.Malformed:
        return None, INTERNAL_ERROR
