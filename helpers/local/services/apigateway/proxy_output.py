"""What a function behind a proxy integration may answer, in payload format 1.0 and to REST APIs.

Source: developer guide, "Output format of a Lambda function for proxy integration" and "Create AWS Lambda
proxy integrations for HTTP APIs in API Gateway".
"""

from typing import Any


class Malformed(ValueError):
    """A function's output that is no answer for the client; the message says why, for the log."""


def checked(output: Any) -> dict[str, Any]:
    """`output` with its status code as a number and its body as text. Raises Malformed."""
    if not isinstance(output, dict):
        raise Malformed(f"the output is no JSON object: {output!r:.200}")
    try:
        status = int(output["statusCode"])
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"statusCode is missing or no number: {output!r:.200}") from error
    if not 100 <= status <= 599:
        raise Malformed(f"statusCode is {status}, expected 100 to 599")
    body = output.get("body")
    if not isinstance(body, str | None):
        raise Malformed(f"body is no string: {body!r:.200}")
    return output | {"statusCode": status, "body": body or ""}
