"""Keys of AWS Key Management Service (AWS KMS) that another service uses in the name of its caller.

AWS KMS developer guide, "kms:ViaService", "AWS managed keys" and "Encryption context": Parameter Store and
AWS Secrets Manager call AWS KMS with the caller's own permissions. An AWS managed key, such as
`alias/aws/ssm`, lets every principal of the account use it through its service, and nobody otherwise.
"""

import base64
import importlib
import json
import logging
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id

from helpers.local import contract


def _imported_quietly() -> ModuleType:
    """MiniStack's KMS warns, whenever it is loaded, that it cannot sign without a package that is not
    required here. A request to sign is told so."""
    logger = logging.getLogger("kms")
    logger.disabled = True
    try:
        return importlib.import_module("ministack.services.kms")
    finally:
        logger.disabled = False


kms: Any = _imported_quietly()
_resolve = contract.expect(kms, "_resolve_key", ("key_id_or_arn",))
_check_state = contract.expect(kms, "_check_key_state", ("rec",))
_create = contract.expect(kms, "_create_key", ("data",))
_encrypt = contract.expect(kms, "_encrypt", ("data",))
_decrypt = contract.expect(kms, "_decrypt", ("data",))
_keys = contract.expect(kms, "_keys")
_aliases = contract.expect(kms, "_aliases")
_alias_arn = contract.expect(kms, "_alias_arn", ("alias_name",))
_enforce = contract.expect(iam_evaluator, "enforce")
_denial = contract.expect(
    iam_actions, "identity_denial_message", ("action", "principal_arn", "resource", "explicit_deny")
)

AWS = "AWS"
# None outside of requests to Parameter Store and Secrets Manager, such as where CloudFormation calls them.
_access_key: ContextVar[str | None] = ContextVar("access_key", default=None)


def install() -> None:
    """DescribeKey says of an AWS managed key who manages it."""
    describe = contract.expect(kms, "_key_metadata", ("rec",))

    def key_metadata(rec: dict[str, Any]) -> dict[str, Any]:
        return {**describe(rec), "KeyManager": _manager_of(rec)}

    kms._key_metadata = key_metadata


class KeyUseDenied(Exception):
    """The caller may not use the key. The message is the one of AWS KMS."""


class KeyUnusable(Exception):
    """The key does not exist, or is disabled or pending deletion. The message is the one of AWS KMS."""


def remember_caller(headers: dict[str, str], query_params: Any) -> None:
    """Whose permissions count in what follows in this request."""
    _access_key.set(extract_access_key_id(headers, query_params) or "")


def caller_denied(action: str, service: str, resource_arn: str, **context: Any) -> Any:
    """The emulator's evaluation where it denies the caller `action`, else None."""
    access_key = _access_key.get()
    if not app.AUTH or access_key is None:
        return None
    return _enforce(
        access_key, action, service, get_region(), resource_arn=resource_arn, service_context=context
    )


def denial_message(denied: Any, action: str, resource_arn: str) -> str:
    principal = getattr(denied, "principal_arn", "")
    return str(_denial(action, principal, resource_arn, getattr(denied, "decision", "") == "Deny"))


def find_key(key_id: str) -> dict[str, Any]:
    """The emulator's record of a key by id, ARN or alias; an AWS managed key comes into being when it is
    first used. Raises KeyUnusable."""
    key: dict[str, Any] | None = _resolve(key_id)
    if key is None and key_id.startswith("alias/aws/"):
        key = _create_managed_key(key_id)
    if key is None:
        arn = key_id if ":" in key_id else f"arn:aws:kms:{get_region()}:{get_account_id()}:key/{key_id}"
        if key_id.startswith("alias/"):
            arn = _alias_arn(key_id)
        raise KeyUnusable(f"Alias {arn} is not found." if ":alias/" in arn else f"Key '{arn}' does not exist")
    if refused := _check_state(key):
        raise KeyUnusable(json.loads(refused[2])["message"])
    return key


def check_use(key: dict[str, Any], action: str, service: str, encryption_context: dict[str, str]) -> None:
    """Whether the caller may call `action` with `key` through `service`, such as "ssm".

    Raises KeyUseDenied.
    """
    if _manager_of(key) == AWS:
        return
    context = {
        "kms:ViaService": f"{service}.{get_region()}.amazonaws.com",
        "kms:CallerAccount": get_account_id(),
        "kms:EncryptionContextKeys": list(encryption_context),
    }
    context |= {f"kms:EncryptionContext:{name}": value for name, value in encryption_context.items()}
    denied = caller_denied(action, "kms", key["Arn"], **context)
    if denied is not None:
        raise KeyUseDenied(denial_message(denied, action, key["Arn"]))


def encrypt(key: dict[str, Any], plaintext: str, encryption_context: dict[str, str]) -> str:
    """The ciphertext in base64."""
    request = {
        "KeyId": key["Arn"],
        "Plaintext": base64.b64encode(plaintext.encode()).decode(),
        "EncryptionContext": encryption_context,
    }
    return str(_answer_of(_encrypt(request))["CiphertextBlob"])


def decrypt(ciphertext: str, encryption_context: dict[str, str]) -> str:
    """Raises KeyUnusable."""
    answer = _answer_of(_decrypt({"CiphertextBlob": ciphertext, "EncryptionContext": encryption_context}))
    return base64.b64decode(answer["Plaintext"]).decode()


def _answer_of(response: Any) -> dict[str, Any]:
    status, _, body = response
    answer: dict[str, Any] = json.loads(body)
    if status >= 300:
        raise KeyUnusable(answer["message"])
    return answer


def _create_managed_key(alias: str) -> dict[str, Any]:
    service = alias.removeprefix("alias/aws/")
    through_service = {
        "kms:CallerAccount": get_account_id(),
        "kms:ViaService": f"{service}.{get_region()}.amazonaws.com",
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*",
        "Condition": {"StringEquals": through_service},
    }
    policy = json.dumps({"Version": "2012-10-17", "Id": f"auto-{service}", "Statement": [statement]})
    made = _answer_of(_create({"Policy": policy, "Description": f"Default key of {service}"}))
    key: dict[str, Any] = _keys[made["KeyMetadata"]["KeyId"]]
    key["KeyManager"] = AWS
    _aliases[_alias_arn(alias)] = key["KeyId"]
    return key


def _manager_of(key: dict[str, Any]) -> str:
    return str(key.get("KeyManager", "CUSTOMER"))
