"""Versions of secrets and their staging labels.

AWS behaviour restored (AWS Secrets Manager user guide, "What's in a Secrets Manager secret?", "Secret
encryption and decryption in AWS Secrets Manager", "AWS Secrets Manager quotas"; API reference,
"CreateSecret", "PutSecretValue", "UpdateSecret", "GetSecretValue", "UpdateSecretVersionStage",
"ListSecretVersionIds"): a ClientRequestToken is the id of the version and makes requests idempotent; a
label is attached to one version at a time; a version without labels is deprecated and not gone; a value has
65,536 bytes at most; with a customer managed key, callers need permissions for that key.
"""

import base64
import functools
import json
import re
import uuid
from typing import Any

from ministack.core.responses import json_response
from ministack.services import secretsmanager

from helpers.local import contract
from helpers.local.functions.refusal import Handler, Refused, Response, preceded_by, refusing
from helpers.local.services import key_use

LARGEST_VALUE_BYTES = 65_536
CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
_VALUE = ("SecretString", "SecretBinary")
_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")

_secrets = contract.expect(secretsmanager, "_secrets")
_resolve = contract.expect(secretsmanager, "_resolve")
_version_of_stage = contract.expect(secretsmanager, "_find_stage_version", ("secret", "stage"))
_remove_everywhere = contract.expect(
    secretsmanager, "_remove_stage_everywhere", ("secret", "stage", "except_version_id")
)
_add_stage = contract.expect(secretsmanager, "_add_stage", ("secret", "version_id", "stage"))
_label_updated = contract.expect(
    secretsmanager, "_emit_secret_label_updated", ("secret", "label", "version_id")
)


def install() -> None:
    contract.replace(secretsmanager, "_apply_current_promotion", ("secret", "new_vid"), _promote)

    def handler(name: str) -> Handler:
        found: Handler = contract.expect(secretsmanager, name, ("data",))
        return found

    get, put = handler("_get_secret_value"), refusing(_putting(handler("_put_secret_value")))
    secretsmanager._put_secret_value = put
    secretsmanager._update_secret = refusing(_updating(handler("_update_secret"), put))
    secretsmanager._create_secret = refusing(_creating(handler("_create_secret")))
    secretsmanager._get_secret_value = preceded_by(_check_get, get)
    move = handler("_update_secret_version_stage")
    secretsmanager._update_secret_version_stage = preceded_by(_check_move, move)
    list_versions = handler("_list_secret_version_ids")
    secretsmanager._list_secret_version_ids = _listing(list_versions)


def _promote(secret: dict[str, Any], new_vid: str) -> None:
    """AWSCURRENT moves to the version, AWSPREVIOUS to the one that had it."""
    old, _ = _version_of_stage(secret, CURRENT)
    if old == new_vid:
        return
    _remove_everywhere(secret, CURRENT)
    _add_stage(secret, new_vid, CURRENT)
    if old is not None:
        _remove_everywhere(secret, PREVIOUS)
        _add_stage(secret, old, PREVIOUS)
    _label_updated(secret, CURRENT, new_vid)


def _creating(create: Handler) -> Handler:
    @functools.wraps(create)
    def handle(data: dict[str, Any]) -> Response:
        _check_value(data)
        name = data.get("Name", "")
        if not _NAME.fullmatch(name):
            raise invalid_parameter(
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
                "following: -/_+=.@!"
            )
        existing = _secrets.get(name)
        if existing is not None:
            return _created_before(existing, data) or create(data)
        has_value = any(data.get(member) for member in _VALUE)
        _check_key(data.get("KmsKeyId"), has_value, data)
        response = create(data)
        secret = _secrets[name]
        (version,) = secret["Versions"].values()
        token = data.get("ClientRequestToken") or str(uuid.uuid4())
        secret["Versions"] = {token: version} if has_value else {}
        answer = {"ARN": secret["ARN"], "Name": name}
        return (
            response[0],
            response[1],
            json_response(answer | ({"VersionId": token} if has_value else {}))[2],
        )

    return handle


def _created_before(secret: dict[str, Any], data: dict[str, Any]) -> Response | None:
    """The answer to a request that was sent again."""
    token = data.get("ClientRequestToken")
    version = secret["Versions"].get(token)
    if version is None or secret.get("DeletedDate") or not _has_value(version, data):
        return None
    answer: Response = json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token})
    return answer


def _putting(put: Handler) -> Handler:
    @functools.wraps(put)
    def handle(data: dict[str, Any]) -> Response:
        _check_value(data, required=True)
        _, secret = _resolve(data.get("SecretId"))
        if not secret or secret.get("DeletedDate"):
            return put(data)
        token = data.get("ClientRequestToken") or str(uuid.uuid4())
        version = secret["Versions"].get(token)
        if version is not None and not _is_empty(version):
            return _put_before(secret, token, version, data)
        _check_key(secret.get("KmsKeyId"), True, {"SecretId": secret["ARN"]})
        stages = data.get("VersionStages") or [CURRENT]
        kept = list(version["Stages"]) if version is not None else []
        for stage in set(stages) - {CURRENT}:
            _remove_everywhere(secret, stage)
        response = put({**data, "ClientRequestToken": token, "VersionStages": stages})
        for stage in {*stages, *kept} - {CURRENT}:
            _add_stage(secret, token, stage)
        return _answered_with_stages(response, secret, token)

    return handle


def _put_before(
    secret: dict[str, Any], token: str, version: dict[str, Any], data: dict[str, Any]
) -> Response:
    """The same value again changes nothing; a version cannot be given another."""
    if not _has_value(version, data):
        raise Refused(
            "ResourceExistsException",
            f"You can't use ClientRequestToken {token} because that value is already in use for a version of "
            f"secret {secret['ARN']}.",
            400,
        )
    answer = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token}
    response: Response = json_response({**answer, "VersionStages": list(version["Stages"])})
    return response


def _answered_with_stages(response: Response, secret: dict[str, Any], token: str) -> Response:
    status, headers, body = response
    if status >= 300:
        return response
    answer = {**json.loads(body), "VersionStages": list(secret["Versions"][token]["Stages"])}
    return status, headers, json.dumps(answer).encode()


def _updating(update: Handler, put: Handler) -> Handler:
    """A new value goes the way of PutSecretValue, under the token of the request."""

    @functools.wraps(update)
    def handle(data: dict[str, Any]) -> Response:
        _check_value(data)
        metadata = {name: value for name, value in data.items() if name not in _VALUE}
        value = {name: data[name] for name in (*_VALUE, "SecretId", "ClientRequestToken") if name in data}
        if "KmsKeyId" in data:
            _check_key(data["KmsKeyId"], False, {"SecretId": data.get("SecretId")})
        response = update(metadata)
        if response[0] >= 300 or all(data.get(name) is None for name in _VALUE):
            return response
        status, headers, body = put(value)
        answer = json.loads(body)
        answer.pop("VersionStages", None)
        return status, headers, json.dumps(answer).encode()

    return handle


def _check_get(data: dict[str, Any]) -> None:
    _, secret = _resolve(data.get("SecretId"))
    if not secret or secret.get("DeletedDate"):
        return
    version_id, stage = data.get("VersionId"), data.get("VersionStage")
    version = secret["Versions"].get(version_id)
    if version_id is None:
        _, version = _version_of_stage(secret, stage or CURRENT)
    elif version is not None and stage is not None and stage not in version["Stages"]:
        raise Refused(
            "InvalidRequestException",
            "You provided a VersionStage that is not associated to the provided VersionId.",
            400,
        )
    if version is None:
        return
    if _is_empty(version):
        what = f"VersionId: {version_id}" if version_id else f"staging label: {stage or CURRENT}"
        message = f"Secrets Manager can't find the specified secret value for {what}"
        raise Refused("ResourceNotFoundException", message, 400)
    if secret.get("KmsKeyId"):
        _use_key(secret["KmsKeyId"], ("kms:Decrypt",), secret["ARN"], "DecryptionFailure", "decrypt")


def _check_move(data: dict[str, Any]) -> None:
    if data.get("VersionStage") == CURRENT and not data.get("MoveToVersionId"):
        raise invalid_parameter(
            "You can only move staging label AWSCURRENT to a different secret version. "
            "It can't be completely removed."
        )


def _listing(list_versions: Handler) -> Handler:
    """Versions without labels are listed on demand only."""

    @functools.wraps(list_versions)
    def handle(data: dict[str, Any]) -> Response:
        status, headers, body = list_versions(data)
        if status >= 300 or data.get("IncludeDeprecated"):
            return status, headers, body
        answer = json.loads(body)
        answer["Versions"] = [version for version in answer["Versions"] if version["VersionStages"]]
        return status, headers, json.dumps(answer).encode()

    return handle


def _check_value(data: dict[str, Any], required: bool = False) -> None:
    given = [member for member in _VALUE if data.get(member) is not None]
    if len(given) > 1:
        raise invalid_parameter(
            "You can't specify both a binary secret value and a string secret value in the same secret."
        )
    if required and not given:
        raise Refused("InvalidRequestException", "You must provide either SecretString or SecretBinary.", 400)
    for member in given:
        value = data[member]
        size = len(value.encode()) if member == "SecretString" else len(base64.b64decode(value))
        if size > LARGEST_VALUE_BYTES:
            raise Refused(
                "ValidationException",
                f"1 validation error detected: Value at '{member[0].lower()}{member[1:]}' failed to satisfy "
                f"constraint: Member must have length less than or equal to {LARGEST_VALUE_BYTES}",
                400,
            )


def _check_key(key_id: str | None, has_value: bool, data: dict[str, Any]) -> None:
    """The key must exist; who stores a value needs permission to generate a data key and to decrypt it."""
    if not key_id:
        return
    actions = ("kms:GenerateDataKey", "kms:Decrypt") if has_value else ()
    _use_key(key_id, actions, data.get("SecretId") or data.get("Name", ""), "EncryptionFailure", "encrypt")


def _use_key(key_id: str, actions: tuple[str, ...], secret: str, failure: str, verb: str) -> None:
    try:
        key = key_use.find_key(key_id)
        for action in actions:
            key_use.check_use(key, action, "secretsmanager", {"SecretARN": secret})
    except key_use.KeyUseDenied as denied:
        raise Refused("AccessDeniedException", "Access to KMS is not allowed", 400) from denied
    except key_use.KeyUnusable as unusable:
        message = f"Secrets Manager can't {verb} the protected secret text using the provided KMS key."
        raise Refused(failure, f"{message} {unusable}", 400) from unusable


def _has_value(version: dict[str, Any], data: dict[str, Any]) -> bool:
    return all(version.get(member) == data.get(member) for member in _VALUE)


def _is_empty(version: dict[str, Any]) -> bool:
    return all(version.get(member) is None for member in _VALUE)


def invalid_parameter(message: str) -> Refused:
    return Refused("InvalidParameterException", message, 400)
