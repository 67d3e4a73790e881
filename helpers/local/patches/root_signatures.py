"""The signature of an account's root user is checked like everyone else's.

Restores: a wrong secret access key is refused, whoever signs with it. IAM user guide, "AWS
Signature Version 4 for API requests". The emulator checks users and roles only.
"""

from typing import Any

from ministack import app
from ministack.core import iam_evaluator, router, sigv4

from helpers.local import contract

_original_pin: Any = None
_signed_request = contract.expect(iam_evaluator, "_signed_request")
_is_root_key = contract.expect(iam_evaluator, "_is_root_key", ("access_key_id",))
_access_key_id = contract.expect(router, "extract_access_key_id", ("headers", "query_params"))
_decode = contract.expect(sigv4, "decode_header_value", ("value",))


def install() -> None:
    global _original_pin
    parameters = ("method", "raw_path", "query_params", "raw_headers", "handshake")
    _original_pin = contract.replace(iam_evaluator, "pin_signed_request", parameters, _pin_signed_request)
    contract.replace(app, "pin_signed_request", parameters, _pin_signed_request)


def _pin_signed_request(
    method: str,
    raw_path: str,
    query_params: dict[str, list[str]],
    raw_headers: list[tuple[bytes, bytes]],
    handshake: bool = False,
) -> None:
    """Keep the request as it was sent, for the check that comes before its permissions are looked at."""
    _original_pin(method, raw_path, query_params, raw_headers, handshake)
    authorization = next((value for name, value in raw_headers if name.lower() == b"authorization"), b"")
    if not authorization.startswith(b"AWS4-HMAC-SHA256"):
        return
    key = _access_key_id({"authorization": _decode(authorization)}, None)
    if not key or not _is_root_key(key):
        return
    headers: dict[str, str] = {}
    for raw_name, value in raw_headers:
        name, text = raw_name.decode("latin-1").lower(), _decode(value)
        # Signature Version 4 joins a header that is sent on several lines by commas.
        headers[name] = f"{headers[name]},{text}" if name in headers else text
    request = iam_evaluator.SignedRequest(key, method, raw_path, query_params, headers, handshake=handshake)
    _signed_request.set(request)
