"""SecureString parameters, which a key of AWS KMS encrypts with the permissions of the caller.

AWS: Systems Manager user guide, "AWS KMS encryption for AWS Systems Manager Parameter Store SecureString
parameters": kms:Encrypt for a standard and kms:GenerateDataKey for an advanced parameter, kms:Decrypt to
read either; the encryption context is the parameter's ARN. The ciphertext is the one of AWS KMS here for
both tiers, where AWS wraps an advanced parameter as the AWS Encryption SDK does.
"""

import uuid
from typing import Any

from ministack.services import ssm

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.services import key_use
from helpers.local.services.parameter_store.tiers import STANDARD

TYPE = "SecureString"
# The key of a request that names none.
DEFAULT_KEY = "alias/aws/ssm"

_arn_of = contract.expect(ssm, "_param_arn", ("name",))


def encrypted(data: dict[str, Any], parameter_arn: str, tier: str) -> str:
    """The value of a PutParameter request as ciphertext in base64."""
    context = {"PARAMETER_ARN": parameter_arn}
    action = "kms:Encrypt" if tier == STANDARD else "kms:GenerateDataKey"
    key = _usable(data.get("KeyId") or DEFAULT_KEY, action, context)
    return key_use.encrypt(key, data["Value"], context)


def decrypted(parameter: dict[str, Any]) -> str:
    """The value of the emulator's record of a parameter, or of a version of one."""
    context = {"PARAMETER_ARN": _arn_of(parameter["Name"])}
    _usable(parameter["KeyId"], "kms:Decrypt", context)
    return key_use.decrypt(parameter["Value"], context)


def _usable(key_id: str, action: str, context: dict[str, str]) -> dict[str, Any]:
    try:
        key = key_use.find_key(key_id)
        key_use.check_use(key, action, "ssm", context)
    except key_use.KeyUnusable as unusable:
        raise Refused("InvalidKeyId", f"{unusable} {_origin('NotFoundException')}", 400) from unusable
    except key_use.KeyUseDenied as denied:
        message = f"{denied} {_origin('AccessDeniedException')}"
        raise Refused("AccessDeniedException", message, 400) from denied
    return key


def _origin(code: str) -> str:
    return f"(Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: {uuid.uuid4()}; Proxy: null)"
