"""Conversion of payloads between text and binary.

Source: developer guide, "Content type conversions in API Gateway": the tables for requests and
responses. A payload is binary when its media type is one of the API's binaryMediaTypes.
"""

import base64
import binascii

TO_BINARY = "CONVERT_TO_BINARY"
TO_TEXT = "CONVERT_TO_TEXT"
STRATEGIES = (TO_BINARY, TO_TEXT)


class NotBase64(ValueError):
    """Text that is to become binary is not Base64."""


def is_binary(media_type: str, binary_media_types: list[str]) -> bool:
    """Whether `media_type` is listed, itself or by `type/*` or `*/*`. Of several, the first counts."""
    media_type = media_type.partition(",")[0].partition(";")[0].strip().lower()
    if not media_type:
        return False
    wildcards = {media_type, media_type.partition("/")[0] + "/*", "*/*"}
    return not wildcards.isdisjoint(listed.strip().lower() for listed in binary_media_types)


def request_payload(
    body: bytes, content_type: str, binary_media_types: list[str], strategy: str | None
) -> bytes:
    """What of the method request's body reaches the integration. Raises NotBase64."""
    return _converted(body, is_binary(content_type, binary_media_types), strategy)


def response_payload(
    body: bytes, content_type: str, accept: str, binary_media_types: list[str], strategy: str | None
) -> bytes:
    """What of the integration response's body reaches the client. Raises NotBase64."""
    if strategy is None:
        strategy = TO_BINARY if is_binary(accept, binary_media_types) else TO_TEXT
    return _converted(body, is_binary(content_type, binary_media_types), strategy)


def _converted(body: bytes, binary: bool, strategy: str | None) -> bytes:
    if binary and strategy == TO_TEXT:
        return base64.b64encode(body)
    if not binary and strategy == TO_BINARY:
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise NotBase64(f"the payload is to become binary and is not Base64: {error}") from error
    return body
