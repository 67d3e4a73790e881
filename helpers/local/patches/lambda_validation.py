"""Lambda refuses requests that break its constraints, with its own error codes.

AWS behaviour restored (developer guide, "Lambda quotas", "Lambda runtimes", "Defining Lambda
function permissions with an execution role"; API reference of CreateFunction,
UpdateFunctionConfiguration, UpdateFunctionCode, PublishLayerVersion and PutFunctionConcurrency):
unknown and retired runtimes, sizes, variables, layers, packages, the execution role and reserved
concurrency are checked before anything is stored. What is valid on AWS and cannot be done here is
refused as NotImplementedException, which AWS never returns.
"""

import functools
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import json_response
from ministack.services import lambda_svc, s3

from helpers.local import contract
from helpers.local.functions import function_rules as rules
from helpers.local.functions import model_constraints
from helpers.local.functions.invocation_rights import role_trusts
from helpers.local.functions.pool import ACCOUNT_CONCURRENCY
from helpers.local.functions.refusal import (
    Handler,
    Refused,
    Response,
    invalid_parameter,
    not_implemented,
    preceded_by,
)
from helpers.local.functions.runtime_names import check_runtime

# Developer guide, "Configuring reserved concurrency": 100 units stay for functions that reserve none.
UNRESERVED_MINIMUM = 100
_functions = contract.expect(lambda_svc, "_functions")
_caller = contract.expect(lambda_svc, "_request_access_key")
_enforce = contract.expect(iam_evaluator, "enforce")

_CHECKED_OTHERWISE = frozenset({"Runtime"})


def install() -> None:
    for name, parameters, check in (
        ("_create_function", ("data",), _check_create),
        ("_update_config", ("name", "data"), _check_configuration),
        ("_publish_layer_version", ("layer_name", "data"), _check_layer),
        ("_put_function_concurrency", ("func_name", "data"), _check_concurrency),
    ):
        original = contract.expect(lambda_svc, name, parameters)
        setattr(lambda_svc, name, preceded_by(check, original))
    update_code = contract.expect(lambda_svc, "_update_code", ("name", "data"))
    lambda_svc._update_code = preceded_by(_check_code, _unless_dry_run(update_code))
    contract.expect(lambda_svc, "_ACCOUNT_CONCURRENCY_CAP")
    # The emulator would derive the account's quota from the memory of this machine.
    lambda_svc._ACCOUNT_CONCURRENCY_CAP = ACCOUNT_CONCURRENCY
    contract.expect(lambda_svc, "_fetch_code_from_s3", ("bucket", "key", "version_id"))
    contract.expect(lambda_svc, "_resolve_layer_zip", ("attachment",))
    contract.expect(s3, "bucket_region")
    contract.replace(lambda_svc, "_validate_total_unzipped_size", ("code_zip", "layers"), _checked_before)
    contract.replace(
        lambda_svc,
        "_resolve_cross_account_layer",
        ("layer_arn", "spec", "name_and_version"),
        _refuse_unknown_layer(lambda_svc._resolve_cross_account_layer),
    )


def _check_create(data: dict[str, Any]) -> None:
    model_constraints.check("CreateFunction", data, ignoring=_CHECKED_OTHERWISE)
    rules.check_name(data.get("FunctionName", ""))
    rules.check_settings(data)
    if not data.get("Runtime") or not data.get("Handler"):
        raise invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    check_runtime(data["Runtime"])
    check_role(data.get("Role", ""))
    code_bytes = _code_bytes(data.get("Code") or {}, "CreateFunction")
    rules.check_total_size(code_bytes, _layers_bytes(data.get("Layers") or []))


def _check_configuration(name: str, data: dict[str, Any]) -> None:
    model_constraints.check("UpdateFunctionConfiguration", data, ignoring=_CHECKED_OTHERWISE)
    rules.check_settings(data)
    if data.get("Runtime"):
        check_runtime(data["Runtime"])
    if data.get("Role"):
        check_role(data["Role"])
    function = _functions.get(name)
    if function is not None and data.get("Layers"):
        code_bytes = rules.unzipped_bytes(function["code_zip"])
        rules.check_total_size(code_bytes, _layers_bytes(data["Layers"]))


def _check_code(name: str, data: dict[str, Any]) -> None:
    model_constraints.check("UpdateFunctionCode", data)
    if "ImageUri" in data:
        raise not_implemented("run container images. Deploy the function as a zip file.")
    code_bytes = _code_bytes(data, "UpdateFunctionCode")
    function = _functions.get(name)
    if function is not None:
        check_runtime(function["config"]["Runtime"])
        rules.check_total_size(code_bytes, _layers_bytes(function["config"].get("Layers") or []))


def _unless_dry_run(update_code: Handler) -> Handler:
    """UpdateFunctionCode with DryRun checks the request and changes nothing."""

    @functools.wraps(update_code)
    def handle(name: str, data: dict[str, Any]) -> Response:
        function = _functions.get(name)
        if not data.get("DryRun") or function is None:
            return update_code(name, data)
        response: Response = json_response(function["config"])
        return response

    return handle


def _check_layer(layer_name: str, data: dict[str, Any]) -> None:
    model_constraints.check("PublishLayerVersion", data)
    _code_bytes(data.get("Content") or {}, "PublishLayerVersion")


def _check_concurrency(func_name: str, data: dict[str, Any]) -> None:
    model_constraints.check("PutFunctionConcurrency", data)
    reserved_elsewhere = sum(
        int(function.get("concurrency") or 0) for name, function in _functions.items() if name != func_name
    )
    requested = int(data.get("ReservedConcurrentExecutions", 0))
    if ACCOUNT_CONCURRENCY - reserved_elsewhere - requested < UNRESERVED_MINIMUM:
        raise invalid_parameter(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MINIMUM}]."
        )


def _code_bytes(source: dict[str, Any], operation: str) -> int:
    """Unzipped size of the package that a request carries or names."""
    if source.get("ZipFile"):
        return rules.unzipped_bytes(rules.decoded_zip(source["ZipFile"], operation))
    bucket, key = source.get("S3Bucket"), source.get("S3Key")
    if not bucket or not key:
        raise invalid_parameter("Please provide a source for function code.")
    package = lambda_svc._fetch_code_from_s3(bucket, key, source.get("S3ObjectVersion"))
    if package is None:
        missing_bucket = s3.bucket_region(bucket) is None
        code = "NoSuchBucket" if missing_bucket else "NoSuchKey"
        what = "bucket" if missing_bucket else "key"
        raise invalid_parameter(
            f"Error occurred while GetObject. S3 Error Code: {code}. "
            f"S3 Error Message: The specified {what} does not exist."
        )
    return rules.unzipped_bytes(package)


def _layers_bytes(layers: list[str]) -> int:
    packages = (lambda_svc._resolve_layer_zip(arn) for arn in layers)
    return sum(rules.unzipped_bytes(package) for package in packages if package)


def check_role(role_arn: str) -> None:
    """The role must exist and trust Lambda, and the caller must be allowed to pass it on.

    As everywhere, the check of roles is off where IAM is not enforced.
    """
    from ministack.app import AUTH

    if not AUTH:
        return
    if not role_trusts(role_arn, "lambda.amazonaws.com"):
        raise invalid_parameter("The role defined for the function cannot be assumed by Lambda.")
    denied = _enforce(
        _caller.get(),
        "iam:PassRole",
        "iam",
        lambda_svc.get_region(),
        resource_arn=role_arn,
        service_context={"iam:PassedToService": "lambda.amazonaws.com"},
    )
    if denied is not None:
        caller = getattr(denied, "principal_arn", "")
        raise Refused(
            "AccessDeniedException",
            f"User: {caller} is not authorized to perform: iam:PassRole on resource: {role_arn} "
            "because no identity-based policy allows the iam:PassRole action",
            403,
        )


def _checked_before(code_zip: bytes | None, layers: Any) -> None:
    """In place of the emulator's check of the size, which says it in other words than AWS."""


def _refuse_unknown_layer(original: Any) -> Any:
    """Layers of accounts that are not here, such as AWS's own, would be attached as empty ones."""

    def resolve(layer_arn: str, spec: Any, name_and_version: tuple[str, int]) -> Any:
        name, _ = name_and_version
        known = lambda_svc._layers.get_scoped(spec.account_id, spec.region, name) is not None
        if spec.region == lambda_svc.get_region() and not known:
            refused = not_implemented(f"load {layer_arn}: no account of that number publishes it here.")
            return None, refused.response()
        return original(layer_arn, spec, name_and_version)

    return resolve
