"""Provisioned concurrency initialises execution environments before they are needed.

AWS behaviour restored (developer guide, "Configuring provisioned concurrency for a function"; API
reference, the four operations on ProvisionedConcurrencyConfig): IN_PROGRESS until the environments
have initialised, FAILED when the function cannot; for published versions and aliases without
weights only, never for a version and an alias of it at once; within the function's reserved
concurrency, or else within what the account does not reserve; it follows an alias to another
version and ends with it.
"""

import functools
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions import model_constraints, routing, service, states
from helpers.local.functions.pool import ACCOUNT_CONCURRENCY
from helpers.local.functions.provisioning import ProvisionedConcurrency
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
from helpers.local.patches.lambda_validation import UNRESERVED_MINIMUM

_functions = contract.expect(lambda_svc, "_functions")
_function_arn = contract.expect(lambda_svc, "_func_arn", ("name",))
_resolve_name = contract.expect(lambda_svc, "_resolve_request_scoped_name", ("name_or_arn",))


def install() -> None:
    for name, parameters, replacement in (
        ("_put_provisioned_concurrency", ("func_name", "qualifier", "data"), _put),
        ("_get_provisioned_concurrency", ("func_name", "qualifier"), _get),
        ("_delete_provisioned_concurrency", ("func_name", "qualifier"), _delete),
    ):
        contract.replace(lambda_svc, name, parameters, refusing(replacement))
    reserve = contract.expect(lambda_svc, "_put_function_concurrency", ("func_name", "data"))
    lambda_svc._put_function_concurrency = preceded_by(_check_reservation, reserve)
    update_alias = contract.expect(lambda_svc, "_update_alias", ("func_name", "alias_name", "data"))
    lambda_svc._update_alias = _following_alias(update_alias)
    delete_alias = contract.expect(lambda_svc, "_delete_alias", ("func_name", "alias_name"))
    lambda_svc._delete_alias = _ending_with_alias(delete_alias)
    delete = contract.expect(lambda_svc, "_delete_function", ("name", "query_params", "path_qualifier"))
    lambda_svc._delete_function = _ending_with_function(delete)
    handle = contract.expect(
        lambda_svc, "handle_request", ("method", "path", "headers", "body", "query_params")
    )
    lambda_svc.handle_request = _listing(handle)


def _put(func_name: str, qualifier: str | None, data: dict[str, Any]) -> Response:
    model_constraints.check("PutProvisionedConcurrencyConfig", data)
    requested = int(data["ProvisionedConcurrentExecutions"])
    if qualifier in (None, routing.LATEST):
        raise _unpublished()
    function, version = _target(func_name, str(qualifier))
    if version == routing.LATEST:
        raise _unpublished()
    alias = function["aliases"].get(qualifier) or {}
    if (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"):
        raise invalid_parameter("Alias with weights can not be used with Provisioned Concurrency")
    _check_other_configurations(function, str(qualifier), version)
    states.check_active(function["versions"][version]["config"])
    _check_concurrency(func_name, function, str(qualifier), requested)
    configured = _configure(function, str(qualifier), version, requested)
    response: Response = json_response(configured.document(), 202)
    return response


def _get(func_name: str, qualifier: str | None) -> Response:
    configured = _configured(func_name, qualifier)
    if configured is None:
        raise Refused(
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
            404,
        )
    response: Response = json_response(configured.document())
    return response


def _delete(func_name: str, qualifier: str | None) -> Response:
    if _configured(func_name, qualifier) is not None:
        _remove(_functions[func_name], str(qualifier))
    return 204, {}, b""


def _listing(handle: Callable[..., Any]) -> Callable[..., Any]:
    """ListProvisionedConcurrencyConfigs differs from Get by a parameter that the emulator does not read."""

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Any:
        is_list = method == "GET" and path.endswith("/provisioned-concurrency") and "List" in query_params
        if not is_list:
            return await handle(method, path, headers, body, query_params)
        name = _resolve_name(path.split("/")[3])
        return refusing(_list)(name)

    return handle_request


def _list(func_name: str) -> Response:
    function = _functions.get(func_name)
    if function is None:
        raise not_found(f"Function not found: {_function_arn(func_name)}")
    listed = [
        {"FunctionArn": f"{_function_arn(func_name)}:{qualifier}", **configured.document()}
        for qualifier, configured in _all(function).items()
    ]
    response: Response = json_response({"ProvisionedConcurrencyConfigs": listed})
    return response


def _all(function: routing.Record) -> dict[str, ProvisionedConcurrency]:
    """The configurations of a function, by version or alias."""
    configured: dict[str, ProvisionedConcurrency] = function["provisioned_concurrency"]
    return configured


def _configured(func_name: str, qualifier: str | None) -> ProvisionedConcurrency | None:
    if qualifier in (None, routing.LATEST):
        raise invalid_parameter("The function resource provided must be an alias or a published version.")
    function, _ = _target(func_name, str(qualifier))
    return _all(function).get(str(qualifier))


def _target(func_name: str, qualifier: str) -> tuple[routing.Record, str]:
    """The function, and the version that `qualifier` names or points to."""
    function = _functions.get(func_name)
    arn = f"{_function_arn(func_name)}:{qualifier}"
    if qualifier.isdigit():
        if function is None or qualifier not in function["versions"]:
            raise not_found(f"Function not found: {arn}")
        return function, qualifier
    if function is None or qualifier not in function["aliases"]:
        raise not_found(f"Cannot find alias arn: {arn}")
    return function, routing.primary_version(function, qualifier)


def _unpublished() -> Refused:
    return invalid_parameter(
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    )


def _check_other_configurations(function: routing.Record, qualifier: str, version: str) -> None:
    for other, configured in _all(function).items():
        if other == qualifier or configured.function.version != version:
            continue
        if qualifier.isdigit():
            raise conflict("Version is pointed by a Provisioned Concurrency alias")
        raise conflict(
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
        )


def _provisioned(function: routing.Record, besides: str | None = None) -> int:
    return sum(each.requested for name, each in _all(function).items() if name != besides)


def _check_concurrency(func_name: str, function: routing.Record, qualifier: str, requested: int) -> None:
    in_function = _provisioned(function, besides=qualifier) + requested
    reserved = function.get("concurrency")
    if reserved is not None:
        if in_function > reserved:
            raise invalid_parameter(
                "Requested Provisioned Concurrency should not be greater than the "
                "reservedConcurrentExecution for function"
            )
        return
    others = sum(
        int(other["concurrency"]) if other.get("concurrency") is not None else _provisioned(other)
        for name, other in _functions.items()
        if name != func_name
    )
    if ACCOUNT_CONCURRENCY - others - in_function < UNRESERVED_MINIMUM:
        raise invalid_parameter(
            "Specified ConcurrentExecutions for function decreases account's "
            f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MINIMUM}]."
        )


def _check_reservation(func_name: str, data: dict[str, Any]) -> None:
    function = _functions.get(func_name)
    if function is None:
        return
    reserved, provisioned = int(data["ReservedConcurrentExecutions"]), _provisioned(function)
    if reserved < provisioned:
        raise invalid_parameter(
            f"ReservedConcurrentExecutions {reserved} should not be lower than function's total "
            f"provisioned concurrency [{provisioned}]."
        )


def _configure(
    function: routing.Record, qualifier: str, version: str, requested: int
) -> ProvisionedConcurrency:
    configured = ProvisionedConcurrency(requested, service.function_version(function["versions"][version]))
    configured.start(service.executor().pool, previous=_all(function).get(qualifier))
    _all(function)[qualifier] = configured
    return configured


def _remove(function: routing.Record, qualifier: str) -> None:
    _all(function).pop(qualifier).end(service.executor().pool)


def _following_alias(update_alias: Handler) -> Handler:
    @functools.wraps(update_alias)
    def update(func_name: str, alias_name: str, data: dict[str, Any]) -> Response:
        response = update_alias(func_name, alias_name, data)
        function = _functions.get(func_name)
        configured = _all(function).get(alias_name) if response[0] == 200 and function else None
        if configured is not None:
            version = routing.primary_version(function, alias_name)
            if version != configured.function.version:
                _configure(function, alias_name, version, configured.requested)
        return response

    return update


def _ending_with_alias(delete_alias: Handler) -> Handler:
    @functools.wraps(delete_alias)
    def delete(func_name: str, alias_name: str) -> Response:
        response = delete_alias(func_name, alias_name)
        function = _functions.get(func_name)
        if response[0] == 204 and function is not None and alias_name in _all(function):
            _remove(function, alias_name)
        return response

    return delete


def _ending_with_function(delete_function: Handler) -> Handler:
    @functools.wraps(delete_function)
    def delete(name: str, query_params: dict[str, list[str]], path_qualifier: str | None = None) -> Response:
        function = _functions.get(name)
        response = delete_function(name, query_params, path_qualifier)
        if response[0] != 204 or function is None:
            return response
        is_gone = _functions.get(name) is not function
        for qualifier, configured in list(_all(function).items()):
            if is_gone or configured.function.version not in function["versions"]:
                _remove(function, qualifier)
        return response

    return delete
