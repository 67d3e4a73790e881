"""RotateSecret, CancelRotateSecret, and what DescribeSecret says of rotation.

AWS: Secrets Manager API reference, under their names; user guide, "Troubleshoot AWS Secrets Manager
rotation", from which the messages are.
"""

import time
import uuid
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import secretsmanager

from helpers.local import contract
from helpers.local.functions.invocation_rights import find, may_invoke
from helpers.local.functions.refusal import Refused, not_implemented
from helpers.local.services import key_use
from helpers.local.services.secret_rotation.rotation import (
    SERVICE,
    STEPS,
    TEST_STEP,
    Rotation,
    invoker_of,
    pending_version,
    running_rotation,
)
from helpers.local.services.secret_rotation.schedule import check_rules
from helpers.local.services.secret_rotation.timer import SCHEDULED_FROM, RotationTimer, window_of

_resolve = contract.expect(secretsmanager, "_resolve")
_is_replica = contract.expect(secretsmanager, "_is_replica", ("secret",))
_INVOKE = "lambda:InvokeFunction"


def rotate_secret(timer: RotationTimer, data: dict[str, Any]) -> dict[str, Any]:
    """Configure the rotation, and start one. Its steps follow asynchronously."""
    secret = _find(data)
    for name in ("ExternalSecretRotationMetadata", "ExternalSecretRotationRoleArn"):
        if data.get(name):
            raise not_implemented(f"rotate managed external secrets ({name})")
    function_arn = data.get("RotationLambdaARN") or secret.get("RotationLambdaARN")
    if not function_arn:
        raise _invalid_request("No Lambda rotation function ARN is associated with this secret.")
    rules = data.get("RotationRules") or secret.get("RotationRules")
    check_rules(rules or {})
    _check_function(function_arn, secret)
    token = data.get("ClientRequestToken") or str(uuid.uuid4())
    answer = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token}
    if token in secret["Versions"]:
        # The request was sent again: its rotation goes on, or has ended.
        return answer
    pending = pending_version(secret)
    if pending is not None:
        if running_rotation(secret) is None and secret.get("RotationLambdaARN"):
            Rotation(secret, pending).start()
        raise _invalid_request("A previous rotation isn't complete. That rotation will be reattempted.")
    secret |= {
        "RotationEnabled": True,
        "RotationLambdaARN": function_arn,
        "RotationRules": rules,
        SCHEDULED_FROM: time.time(),
    }
    Rotation(secret, token, STEPS if data.get("RotateImmediately", True) else (TEST_STEP,)).start()
    timer.look_again()
    return answer


def cancel_rotate_secret(data: dict[str, Any]) -> dict[str, Any]:
    """Turn scheduled rotation off and let no further step be called. Staging labels stay as they are."""
    secret = _find(data)
    secret["RotationEnabled"] = False
    answer = {"ARN": secret["ARN"], "Name": secret["Name"]}
    running, pending = running_rotation(secret), pending_version(secret)
    if running is not None:
        running.cancel()
    if pending is not None:
        answer["VersionId"] = pending
    return answer


def rotation_of(secret_arn: str) -> dict[str, Any]:
    """What descriptions of a secret add: nothing when rotation is not turned on."""
    _, secret = _resolve(secret_arn)
    if not secret or not secret.get("RotationEnabled"):
        return {}
    added = {"RotationLambdaARN": secret["RotationLambdaARN"]}
    if secret.get("RotationRules"):
        added["RotationRules"] = secret["RotationRules"]
    if "LastRotatedDate" in secret:
        added["LastRotatedDate"] = secret["LastRotatedDate"]
    window = window_of(secret)
    if window is not None:
        added["NextRotationDate"] = window.end.timestamp()
    return added


def _find(data: dict[str, Any]) -> dict[str, Any]:
    secret: dict[str, Any] | None
    _, secret = _resolve(data.get("SecretId"))
    if not secret:
        raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.", 400)
    if secret.get("DeletedDate"):
        raise _invalid_request(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    if _is_replica(secret):
        raise _invalid_request("You can't perform this operation on a replica secret.")
    return secret


def _check_function(function_arn: str, secret: dict[str, Any]) -> None:
    """The caller must be allowed to invoke it, and so must Secrets Manager by the function's policy."""
    denied = key_use.caller_denied(_INVOKE, "lambda", function_arn)
    if denied is not None:
        message = key_use.denial_message(denied, _INVOKE, function_arn)
        raise Refused("AccessDeniedException", message, 400)
    if find(function_arn) is None:
        raise Refused(
            "ResourceNotFoundException",
            f"Secrets Manager can't find the specified Lambda function: {function_arn}. Specify the ARN of a "
            f"function of this Region, such as one of account {get_account_id()}.",
            400,
        )
    if not may_invoke(function_arn, invoker_of(secret)):
        raise Refused(
            "AccessDeniedException",
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy "
            f"grants access to the principal {SERVICE}.",
            400,
        )


def _invalid_request(message: str) -> Refused:
    return Refused("InvalidRequestException", message, 400)
