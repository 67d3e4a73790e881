"""Settings of asynchronous invocation, by function, version and alias.

AWS behaviour restored (API reference, "PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig",
"GetFunctionEventInvokeConfig", "ListFunctionEventInvokeConfigs", "DeleteFunctionEventInvokeConfig"):
Put replaces all settings and Update changes the given ones; what was not set is not shown;
unqualified means $LATEST; a destination must exist, and the function's role must be allowed to
send to it. The same is asked of the dead-letter queue of CreateFunction and
UpdateFunctionConfiguration.
"""

import json
import re
import time
from typing import Any
from urllib.parse import unquote

from ministack.core.responses import json_response
from ministack.services import eventbridge, lambda_svc, s3, sns, sqs

from helpers.local import contract
from helpers.local.functions import event_settings, model_constraints
from helpers.local.functions.refusal import (
    Response,
    invalid_parameter,
    not_found,
    preceded_by,
    refusing,
)
from helpers.local.functions.role_permissions import role_allows
from helpers.local.functions.routing import LATEST

_PATH = re.compile(r"/2019-09-25/functions/([^/]+)/event-invoke-config/?")
_SETTINGS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
# What Lambda calls to deliver, as it names it when the role may not.
_DELIVERIES = {
    "sqs": "SendMessage",
    "sns": "Publish",
    "lambda": "InvokeFunction",
    "events": "PutEvents",
    "s3": "PutObject",
}

_functions = contract.expect(lambda_svc, "_functions")
_function_arn = contract.expect(lambda_svc, "_func_arn", ("name",))
_resolve_name = contract.expect(lambda_svc, "_resolve_request_scoped_name_and_qualifier", ("name_or_arn",))
_qualifier_exists = contract.expect(lambda_svc, "_function_qualifier_exists", ("func", "qualifier"))


def install() -> None:
    for name, parameters, replacement in (
        ("_put_event_invoke_config", ("func_name", "qualifier", "data"), _put),
        ("_get_event_invoke_config", ("func_name", "qualifier"), _get),
        ("_delete_event_invoke_config", ("func_name", "qualifier"), _delete),
        ("_list_function_event_invoke_configs", ("func_name", "query_params"), _list),
    ):
        contract.replace(lambda_svc, name, parameters, refusing(replacement))
    # Where a destination is looked up.
    contract.expect(sqs, "_queue_by_arn")
    contract.expect(sns, "_topic_by_arn_any_scope")
    contract.expect(eventbridge, "_event_buses")
    contract.expect(s3, "bucket_region")
    create = contract.expect(lambda_svc, "_create_function", ("data",))
    lambda_svc._create_function = preceded_by(_check_new_dead_letter_queue, create)
    update = contract.expect(lambda_svc, "_update_config", ("name", "data"))
    lambda_svc._update_config = preceded_by(_check_dead_letter_queue, update)
    _route_update()


def _route_update() -> None:
    """The emulator does not know UpdateFunctionEventInvokeConfig at all."""
    parameters = ("method", "path", "headers", "body", "query_params")
    handle = contract.expect(lambda_svc, "handle_request", parameters)

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Any:
        match = _PATH.fullmatch(unquote(path)) if method == "POST" else None
        if match is None:
            return await handle(method, path, headers, body, query_params)
        name, qualifier = _resolve_name(match[1])
        qualifier = qualifier or next(iter(query_params.get("Qualifier", [])), None)
        return refusing(_update)(name, qualifier, body)

    lambda_svc.handle_request = handle_request


def _put(func_name: str, qualifier: str | None, data: dict[str, Any]) -> Response:
    model_constraints.check("PutFunctionEventInvokeConfig", data)
    return _store(func_name, qualifier, data, {})


def _update(func_name: str, qualifier: str | None, body: bytes) -> Response:
    data = json.loads(body or b"{}")
    model_constraints.check("UpdateFunctionEventInvokeConfig", data)
    function = _existing(func_name, qualifier)
    return _store(func_name, qualifier, data, _stored_config(func_name, qualifier, function))


def _store(func_name: str, qualifier: str | None, data: dict[str, Any], before: dict[str, Any]) -> Response:
    function = _existing(func_name, qualifier)
    given = {name: data[name] for name in _SETTINGS if name in data}
    if not given:
        raise invalid_parameter("You must specify at least one of error handling or destination setting.")
    _check_destinations(function, given.get("DestinationConfig") or {})
    destinations = {
        "OnSuccess": {},
        "OnFailure": {},
        **(before.get("DestinationConfig") or {}),
        **(given.get("DestinationConfig") or {}),
    }
    config = {
        **{name: before[name] for name in _SETTINGS if name in before},
        **given,
        "DestinationConfig": destinations,
        "FunctionArn": _arn(func_name, qualifier),
        "LastModified": time.time(),
    }
    event_settings.stored(function)[qualifier or LATEST] = config
    response: Response = json_response(config)
    return response


def _get(func_name: str, qualifier: str | None = None) -> Response:
    response: Response = json_response(_stored_config(func_name, qualifier, _functions.get(func_name)))
    return response


def _delete(func_name: str, qualifier: str | None = None) -> Response:
    function = _functions.get(func_name)
    _stored_config(func_name, qualifier, function)
    del event_settings.stored(function)[qualifier or LATEST]
    return 204, {}, b""


def _list(func_name: str, query_params: dict[str, list[str]]) -> Response:
    function = _existing(func_name, None)
    configs = list(event_settings.stored(function).values())
    response: Response = json_response({"FunctionEventInvokeConfigs": configs})
    return response


def _existing(func_name: str, qualifier: str | None) -> dict[str, Any]:
    function = _functions.get(func_name)
    if function is None or not _qualifier_exists(function, qualifier):
        raise not_found("The function doesn't exist.")
    existing: dict[str, Any] = function
    return existing


def _stored_config(func_name: str, qualifier: str | None, function: dict[str, Any] | None) -> dict[str, Any]:
    config = event_settings.stored(function).get(qualifier or LATEST) if function is not None else None
    if config is None:
        arn = _arn(func_name, qualifier)
        raise not_found(f"The function {arn} doesn't have an EventInvokeConfig")
    stored: dict[str, Any] = config
    return stored


def _arn(func_name: str, qualifier: str | None) -> str:
    return f"{_function_arn(func_name)}:{qualifier or LATEST}"


def _check_destinations(function: dict[str, Any], config: dict[str, Any]) -> None:
    on_success = (config.get("OnSuccess") or {}).get("Destination")
    on_failure = (config.get("OnFailure") or {}).get("Destination")
    for arn in (on_success, on_failure):
        kind = arn.split(":")[2] if arn else ""
        if arn and (kind not in _DELIVERIES or (kind == "s3" and arn == on_success)):
            success = f"OnSuccess(destination={on_success})" if on_success else "null"
            failure = f"OnFailure(destination={on_failure})" if on_failure else "null"
            raise invalid_parameter(
                f"The provided destination config DestinationConfig(onSuccess={success}, "
                f"onFailure={failure}) is invalid."
            )
        if arn:
            _check_destination(function["config"], kind, arn)


def _check_destination(config: dict[str, Any], kind: str, arn: str) -> None:
    if kind == "lambda" and ":".join(arn.split(":")[:7]) == config["FunctionArn"]:
        raise invalid_parameter("You can't specify the function as a destination for itself.")
    if not _exists(kind, arn):
        raise invalid_parameter(f"The destination ARN {arn} is invalid.")
    delivery = _DELIVERIES[kind]
    resource = f"{arn}/*" if kind == "s3" else arn
    if not role_allows(config["Role"], f"{kind}:{delivery}", resource, lambda_svc.get_region()):
        raise invalid_parameter(
            f"The function's execution role does not have permissions to call {delivery} on {arn}"
        )


def _exists(kind: str, arn: str) -> bool:
    _, _, _, region, account_id, name, *rest = arn.split(":")
    if kind == "sqs":
        return sqs._queue_by_arn(arn) is not None
    if kind == "sns":
        return sns._topic_by_arn_any_scope(arn) is not None
    if kind == "lambda":
        function = _functions.get_scoped(account_id, region, rest[0])
        return bool(_qualifier_exists(function, rest[1] if len(rest) > 1 else None))
    if kind == "events":
        bus = name.removeprefix("event-bus/")
        return eventbridge._event_buses.get_scoped(account_id, region, bus) is not None
    return s3.bucket_region(name) is not None


def _check_new_dead_letter_queue(data: dict[str, Any]) -> None:
    _check_dead_letters(data.get("DeadLetterConfig"), data.get("Role", ""))


def _check_dead_letter_queue(name: str, data: dict[str, Any]) -> None:
    function = _functions.get(name)
    if function is not None:
        _check_dead_letters(data.get("DeadLetterConfig"), data.get("Role") or function["config"]["Role"])


def _check_dead_letters(config: dict[str, Any] | None, role_arn: str) -> None:
    arn = str((config or {}).get("TargetArn") or "")
    kind = arn.split(":")[2] if arn.count(":") >= 5 else ""
    if kind not in ("sqs", "sns"):
        # The emulator refuses what is neither queue nor topic.
        return
    delivery = _DELIVERIES[kind]
    if not role_allows(role_arn, f"{kind}:{delivery}", arn, lambda_svc.get_region()):
        raise invalid_parameter(
            f"The provided execution role does not have permissions to call {delivery} on {kind.upper()}"
        )
