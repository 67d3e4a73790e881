"""Refusals by IAM name the resource, as AWS's do.

AWS behaviour restored (IAM user guide, "Troubleshoot access denied error messages"): the message of a denial
in an identity-based policy names principal, action and resource. Amazon S3 quotes the ARN, and AWS Secrets
Manager repeats the name or ARN of the request. DynamoDB, AWS Secrets Manager and AWS KMS answer with status
400 (API references, "Common error types").
"""

import functools
import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_actions

from helpers.local import contract
from helpers.local.patches import resource_arns
from helpers.local.patches.resource_arns import Request

SECRETS_MANAGER = "secretsmanager"
_OF_DENIAL = (
    *("service", "action", "principal_arn", "request_id", "error_code", "message", "headers"),
    *("resource_arn", "explicit_deny", "resource_policy_arn"),
)
_STATUS_OF_JSON_SERVICES = {"dynamodb": 400, "kms": 400, SECRETS_MANAGER: 400}

_message = contract.expect(
    iam_actions, "identity_denial_message", ("action", "principal_arn", "resource", "explicit_deny")
)
_requested_secret: ContextVar[str | None] = ContextVar("requested_secret", default=None)


def install() -> None:
    deny = contract.expect(iam_actions, "access_denied_response", _OF_DENIAL)
    iam_actions.access_denied_response = _naming_resource(deny)
    resource_arns.register(SECRETS_MANAGER, _remember_secret)


def _naming_resource(deny: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(deny)
    def access_denied(service: str, action: str, principal_arn: str, request_id: str, **details: Any) -> Any:
        resource = details.get("resource_arn", "*")
        decided_elsewhere = (
            details.get("error_code") or details.get("message") or details.get("resource_policy_arn")
        )
        if decided_elsewhere or resource == "*" or service not in ("s3", *_STATUS_OF_JSON_SERVICES):
            return deny(service, action, principal_arn, request_id, **details)
        if service == "s3":
            resource = f'"{resource}"'
        elif service == SECRETS_MANAGER:
            resource = _requested_secret.get() or resource
        details["message"] = _message(action, principal_arn, resource, bool(details.get("explicit_deny")))
        status, headers, body = deny(service, action, principal_arn, request_id, **details)
        return _STATUS_OF_JSON_SERVICES.get(service, status), headers, body

    return access_denied


def _remember_secret(request: Request) -> None:
    """Called for the ARN of the secret, which is left to MiniStack."""
    _requested_secret.set(_secret_in(request.body))


def _secret_in(body: bytes) -> str | None:
    """None when the request names none, or cannot be read, which its handler says."""
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return None
    named = data.get("SecretId") or data.get("Name")
    return named if isinstance(named, str) else None
