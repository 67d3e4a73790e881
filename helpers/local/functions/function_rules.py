"""What AWS accepts as a function's configuration and package, beyond its service model.

Source of the limits: AWS Lambda developer guide, "Lambda quotas" and "Defined runtime
environment variables". The messages are those that AWS returns, where they are known.
"""

import base64
import binascii
import io
import json
import zipfile
from typing import Any

from helpers.local.functions.refusal import Refused, invalid_parameter, not_implemented

LARGEST_MEMORY_MB = 10_240
LONGEST_TIMEOUT_S = 900
LARGEST_EPHEMERAL_STORAGE_MB = 10_240
LONGEST_NAME = 64
LARGEST_ENVIRONMENT_BYTES = 4096
MOST_LAYERS = 5
LARGEST_DIRECT_ZIP_BYTES = 50 * 1024 * 1024
LARGEST_UNZIPPED_BYTES = 250 * 1024 * 1024
# What AWS names as the limit of a request that carries a zip file of 50 MB in base64.
_LARGEST_REQUEST_BYTES = 70_167_211

RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)

# Settings that the emulator would store and nothing would act upon.
_NOT_ACTED_UPON = {
    "CapacityProviderConfig": "run functions on managed instances",
    "CodeSigningConfigArn": "verify code signatures",
    "DurableConfig": "run durable functions",
    "FileSystemConfigs": "mount file systems into functions",
    "KMSKeyArn": "encrypt environment variables with a customer managed key",
    "TenancyConfig": "isolate execution environments by tenant",
}


def check_settings(request: dict[str, Any]) -> None:
    """Refuse sizes, variables and layers of CreateFunction or UpdateFunctionConfiguration."""
    _check_at_most("MemorySize", request.get("MemorySize"), LARGEST_MEMORY_MB)
    _check_at_most("Timeout", request.get("Timeout"), LONGEST_TIMEOUT_S)
    storage = (request.get("EphemeralStorage") or {}).get("Size")
    _check_at_most("EphemeralStorage", storage, LARGEST_EPHEMERAL_STORAGE_MB)
    _check_variables((request.get("Environment") or {}).get("Variables") or {})
    _check_layers(request.get("Layers") or [])
    _check_supported(request)


def check_name(name: str) -> None:
    if ":" not in name and len(name) > LONGEST_NAME:
        raise Refused(
            "ValidationException",
            f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LONGEST_NAME}",
            400,
        )


def decoded_zip(encoded: str, operation: str) -> bytes:
    """The zip file of a request. Refuses one that is too large for a request."""
    largest = 4 * ((LARGEST_DIRECT_ZIP_BYTES + 2) // 3)
    if len(encoded) > largest:
        raise Refused(
            "RequestEntityTooLargeException",
            f"Request must be smaller than {_LARGEST_REQUEST_BYTES} bytes for the {operation} operation",
            413,
        )
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise _unreadable() from None


def unzipped_bytes(package: bytes) -> int:
    """Size of a package's content. Refuses a package that cannot be unpacked or is too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            if not archive.infolist():
                raise invalid_parameter("Uploaded file must be a non-empty zip")
            size_bytes = sum(entry.file_size for entry in archive.infolist())
            if size_bytes > LARGEST_UNZIPPED_BYTES:
                raise invalid_parameter(f"Unzipped size must be smaller than {LARGEST_UNZIPPED_BYTES} bytes")
            if archive.testzip() is not None:
                raise _unreadable()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, ValueError):
        raise _unreadable() from None
    return size_bytes


def check_total_size(code_bytes: int, layers_bytes: int) -> None:
    """The quota of 250 MB counts the function's code and all its layers, unzipped."""
    if layers_bytes > LARGEST_UNZIPPED_BYTES:
        raise invalid_parameter(
            f"Layers consume more than the available size of {LARGEST_UNZIPPED_BYTES} bytes"
        )
    if code_bytes + layers_bytes > LARGEST_UNZIPPED_BYTES:
        raise invalid_parameter(
            "Function code combined with layers exceeds the maximum allowed size of "
            f"{LARGEST_UNZIPPED_BYTES} bytes. The actual size is {code_bytes + layers_bytes} bytes."
        )


def _unreadable() -> Refused:
    return invalid_parameter(
        "Could not unzip uploaded file. Please check your file, then try to upload again."
    )


def _check_at_most(name: str, value: int | str | None, largest: int) -> None:
    # CloudFormation templates may give numbers as text.
    if value is not None and int(value) > largest:
        raise invalid_parameter(
            f"'{name}' value failed to satisfy constraint: "
            f"Member must have value less than or equal to {largest}"
        )


def _check_variables(variables: dict[str, str]) -> None:
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    subject = "Lambda was unable to configure your environment variables because the environment variables"
    if len(measured.encode()) > LARGEST_ENVIRONMENT_BYTES:
        raise invalid_parameter(
            f"{subject} you have provided exceeded the 4KB limit. String measured: {measured}"
        )
    reserved = [name for name in variables if name in RESERVED_VARIABLES]
    if reserved:
        raise invalid_parameter(
            f"{subject} you have provided contains reserved keys that are currently not supported for "
            f"modification. Reserved keys used in this request: {', '.join(reserved)}"
        )


def _check_layers(layers: list[str]) -> None:
    if len(layers) > MOST_LAYERS:
        raise invalid_parameter(f"Cannot reference more than {MOST_LAYERS} layers.")
    seen: dict[str, str] = {}
    for arn in layers:
        layer = arn.rpartition(":")[0]
        if layer in seen:
            raise invalid_parameter(
                "Two different versions of the same layer are not allowed to be referenced in the same "
                f"function. {seen[layer]} and {arn} are versions of the same layer."
            )
        seen[layer] = arn


def _check_supported(request: dict[str, Any]) -> None:
    if request.get("PackageType") == "Image" or "ImageUri" in (request.get("Code") or {}):
        raise not_implemented("run container images. Deploy the function as a zip file.")
    if (request.get("SnapStart") or {}).get("ApplyOn", "None") != "None":
        raise not_implemented("restore functions from snapshots (SnapStart).")
    for name, ability in _NOT_ACTED_UPON.items():
        if request.get(name):
            raise not_implemented(f"{ability} ({name}).")
