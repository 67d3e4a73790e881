"""Versions are published when something has changed, and weighted aliases split the traffic.

AWS behaviour restored (developer guide, "Manage Lambda function versions", "Create an alias for a
Lambda function", "Implement Lambda canary deployments using a weighted alias"): PublishVersion
returns the latest version while code and configuration are the same, and honours CodeSha256 and
RevisionId; an alias points to versions that exist, with a weight for at most one more of them;
invocations of the alias are split by that weight, and the function sees the alias in its ARN.

To be installed after function_states, whose answers to CreateFunction and UpdateFunctionCode it
publishes.
"""

import contextvars
import copy
import functools
from typing import Any

from ministack.core.responses import json_response, new_uuid
from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions import model_constraints, routing, states
from helpers.local.functions.refusal import (
    Handler,
    Refused,
    Response,
    conflict,
    invalid_parameter,
    not_found,
    preceded_by,
    refusing,
)

# What differs between a function and a version of it, or changes by itself.
_NOT_COMPARED = {
    "FunctionArn",
    "LastModified",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RevisionId",
    "State",
    "StateReason",
    "StateReasonCode",
    "Version",
}
# Where a version record keeps the configuration that it was published from.
_PUBLISHED_FROM = "published_from"

_functions = contract.expect(lambda_svc, "_functions")
_function_arn = contract.expect(lambda_svc, "_func_arn", ("name",))

_reading: contextvars.ContextVar[bool] = contextvars.ContextVar("reading", default=False)


def install() -> None:
    contract.replace(
        lambda_svc, "_effective_func_record_for_qualifier", ("func", "qualifier"), _record_and_config
    )
    for reader in ("_get_function", "_get_function_config"):
        original = contract.expect(lambda_svc, reader, ("name", "qualifier"))
        setattr(lambda_svc, reader, _reads(original))
    contract.replace(lambda_svc, "_publish_version", ("name", "data"), refusing(_publish_version))
    create = contract.expect(lambda_svc, "_create_function", ("data",))
    lambda_svc._create_function = _then_publish(create, lambda data: data.get("FunctionName"))
    update = contract.expect(lambda_svc, "_update_code", ("name", "data"))
    lambda_svc._update_code = _then_publish(update, lambda name, data: name)
    create_alias = contract.expect(lambda_svc, "_create_alias", ("func_name", "data"))
    lambda_svc._create_alias = preceded_by(_check_new_alias, create_alias)
    update_alias = contract.expect(lambda_svc, "_update_alias", ("func_name", "alias_name", "data"))
    lambda_svc._update_alias = preceded_by(_check_alias_update, update_alias)


def _record_and_config(
    func: routing.Record | None, qualifier: str | None
) -> tuple[routing.Record | None, Any]:
    """Every reading and every invoking path of the emulator asks here for a version's record."""
    choose = routing.primary_version if _reading.get() else routing.choose_version
    record = routing.resolve(func, qualifier, choose)
    return record, record["config"] if record is not None else None


def _reads(handler: Handler) -> Handler:
    """GetFunction shows the version that an alias points to, whatever its weights."""

    @functools.wraps(handler)
    def read(*arguments: Any, **keywords: Any) -> Response:
        token = _reading.set(True)
        try:
            return handler(*arguments, **keywords)
        finally:
            _reading.reset(token)

    return read


def _publish_version(name: str, data: dict[str, Any]) -> Response:
    model_constraints.check("PublishVersion", data)
    function = _functions.get(name)
    if function is None:
        raise not_found(f"Function not found: {_function_arn(name)}")
    config = function["config"]
    states.check_settled(config)
    if "RevisionId" in data and data["RevisionId"] != config["RevisionId"]:
        raise Refused(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. "
            "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
            412,
        )
    if data.get("CodeSha256") and data["CodeSha256"] != config["CodeSha256"]:
        raise invalid_parameter(
            f"CodeSHA256 ({data['CodeSha256']}) is different from current CodeSHA256 in $LATEST "
            f"({config['CodeSha256']}). Please try again with the CodeSHA256 in $LATEST."
        )
    response: Response = json_response(_publish(function, data.get("Description")), 201)
    return response


def _publish(function: routing.Record, description: str | None = None) -> dict[str, Any]:
    """The configuration of the version that now holds what $LATEST holds."""
    config = function["config"]
    comparable = {key: value for key, value in config.items() if key not in _NOT_COMPARED}
    latest = function["versions"].get(max(function["versions"], key=int, default=""))
    if latest is not None and latest.get(_PUBLISHED_FROM) == comparable:
        published: dict[str, Any] = latest["config"]
        return published
    number = str(function["next_version"])
    function["next_version"] += 1
    published = copy.deepcopy(config) | {
        "Version": number,
        "FunctionArn": f"{config['FunctionArn']}:{number}",
        "RevisionId": new_uuid(),
    }
    if description:
        published["Description"] = description
    function["versions"][number] = {
        "config": published,
        "code_zip": function["code_zip"],
        _PUBLISHED_FROM: copy.deepcopy(comparable),
    }
    return published


def _then_publish(handler: Handler, name_of: Any) -> Handler:
    """CreateFunction and UpdateFunctionCode with Publish, by the same rules as PublishVersion."""

    @functools.wraps(handler)
    def handle(*arguments: Any) -> Response:
        *before, data = arguments
        request = {key: value for key, value in data.items() if key != "Publish"}
        response = handler(*before, request)
        function = _functions.get(name_of(*arguments))
        is_published = data.get("Publish") and not data.get("DryRun") and response[0] < 300
        if not is_published or function is None:
            return response
        published = _publish(function)
        shown = {**published, "FunctionArn": function["config"]["FunctionArn"]}
        answer: Response = json_response(shown, response[0])
        return answer

    return handle


def _check_new_alias(func_name: str, data: dict[str, Any]) -> None:
    model_constraints.check("CreateAlias", data)
    function = _functions.get(func_name)
    version = data.get("FunctionVersion", "")
    if function is None:
        raise not_found(f"Function not found: {_function_arn(func_name)}:{version}")
    if data.get("Name") in function["aliases"]:
        raise conflict(f"Alias already exists: {_function_arn(func_name)}:{data['Name']}")
    _check_versions(func_name, function, version, data.get("RoutingConfig"))


def _check_alias_update(func_name: str, alias_name: str, data: dict[str, Any]) -> None:
    model_constraints.check("UpdateAlias", data)
    function = _functions.get(func_name)
    alias = (function or {}).get("aliases", {}).get(alias_name)
    if function is None or alias is None:
        raise not_found(f"Cannot find alias arn: {_function_arn(func_name)}:{alias_name}")
    version = data.get("FunctionVersion") or alias["FunctionVersion"]
    _check_versions(func_name, function, version, data.get("RoutingConfig", alias.get("RoutingConfig")))


def _check_versions(
    func_name: str, function: routing.Record, version: str, routing_config: dict[str, Any] | None
) -> None:
    weights = (routing_config or {}).get("AdditionalVersionWeights") or {}
    if len(weights) > 1:
        raise invalid_parameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if weights and version == routing.LATEST:
        raise invalid_parameter("$LATEST is not supported for an alias pointing to more than 1 version")
    if version in weights:
        raise invalid_parameter(
            f"Invalid function version {version}. "
            f"Function version {version} is already included in routing configuration."
        )
    for named in (version, *weights):
        if named != routing.LATEST and named not in function["versions"]:
            raise not_found(f"Function not found: {_function_arn(func_name)}:{named}")
