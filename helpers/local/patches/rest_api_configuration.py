"""REST APIs, their stages and integrations are checked when they are configured, and can be updated.

Restores: what PutIntegration, UpdateIntegration and PutIntegrationResponse refuse; paths of patch
operations with an escaped slash, as in /requestTemplates/application~1json and
/binaryMediaTypes/image~1png; UpdateIntegrationResponse. Refuses what would not be done: see
configuration_rules.py, TestInvokeMethod, and ImportRestApi, which would make an empty API. API Gateway
API reference, "PatchOperation" and the operations named.
"""

import contextvars
import copy
import functools
import json
import re
from collections.abc import Callable
from typing import Any

from ministack.services import apigateway_v1

from helpers.local import contract
from helpers.local.functions.refusal import Refused, not_implemented
from helpers.local.services.apigateway.configuration_rules import (
    bad_request,
    check_api,
    check_integration,
    check_integration_response,
    check_stage,
)

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Response]

_INTEGRATION_RESPONSE_PATH = re.compile(
    r"/restapis/([^/]+)/resources/([^/]+)/methods/([^/]+)/integration/responses/([^/]+)"
)
_METHOD_PATH = re.compile(r"/restapis/[^/]+/resources/[^/]+/methods/[^/]+")
_BINARY_TYPE = re.compile(r"/binaryMediaTypes/(.+)")
_rest_apis = contract.expect(apigateway_v1, "_rest_apis")
_resources = contract.expect(apigateway_v1, "_resources")
_error = contract.expect(apigateway_v1, "_v1_error", ("code", "message", "status"))
_answer = contract.expect(apigateway_v1, "_v1_response", ("data", "status"))
_decoded = contract.expect(apigateway_v1, "_decode_json_pointer_token", ("segment",))

# Where somebody wants to know what is refused, who does not look at the answers.
refusals: contextvars.ContextVar[list[Refused] | None] = contextvars.ContextVar("refusals", default=None)


def install() -> None:
    method_path = ("api_id", "resource_id", "http_method")
    put = contract.expect(apigateway_v1, "_put_integration", (*method_path, "data"))
    apigateway_v1._put_integration = refusing(_checked_integration(put))
    contract.replace(
        apigateway_v1, "_update_integration", (*method_path, "data"), refusing(_update_integration)
    )
    put = contract.expect(apigateway_v1, "_put_integration_response", (*method_path, "status_code", "data"))
    apigateway_v1._put_integration_response = refusing(_checked_integration_response(put))
    _route_what_the_emulator_lacks()
    create = contract.expect(apigateway_v1, "_create_rest_api", ("data",))
    apigateway_v1._create_rest_api = refusing(_checking(check_api, create))
    update = contract.expect(apigateway_v1, "_update_rest_api", ("api_id", "data"))
    apigateway_v1._update_rest_api = refusing(_checking(check_api, _updating_binary_types(update)))
    for name in ("_create_deployment", "_create_stage"):
        create = contract.expect(apigateway_v1, name, ("api_id", "data"))
        setattr(apigateway_v1, name, refusing(_checking(check_stage, create)))
    update = contract.expect(apigateway_v1, "_update_stage", ("api_id", "stage_name", "data"))
    apigateway_v1._update_stage = refusing(_checking(check_stage, update))


def refusing(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def guarded(*arguments: Any) -> Response:
        try:
            return handler(*arguments)
        except Refused as refused:
            noted = refusals.get()
            if noted is not None:
                noted.append(refused)
            answer: Response = _error(refused.code, refused.message, refused.status)
            return answer

    return guarded


def _checking(check: Callable[[dict[str, Any]], None], handler: Handler) -> Handler:
    """A handler that first checks what it is asked for, its last argument."""

    @functools.wraps(handler)
    def checked(*arguments: Any) -> Response:
        check(arguments[-1])
        return handler(*arguments)

    return checked


def _method(api_id: str, resource_id: str, http_method: str) -> dict[str, Any] | None:
    resource = _resources.get(api_id, {}).get(resource_id) or {}
    method: dict[str, Any] | None = resource.get("resourceMethods", {}).get(http_method)
    return method


def _checked_integration(put: Handler) -> Handler:
    def put_integration(api_id: str, resource_id: str, http_method: str, data: dict[str, Any]) -> Response:
        method = _method(api_id, resource_id, http_method)
        if method is not None:
            check_integration(data, method)
        return put(api_id, resource_id, http_method, data)

    return put_integration


def _checked_integration_response(put: Handler) -> Handler:
    def put_integration_response(
        api_id: str, resource_id: str, http_method: str, status_code: str, data: dict[str, Any]
    ) -> Response:
        method = _method(api_id, resource_id, http_method)
        if method is not None and method.get("methodIntegration"):
            check_integration_response(data, status_code, method)
        return put(api_id, resource_id, http_method, status_code, data)

    return put_integration_response


def _update_integration(api_id: str, resource_id: str, http_method: str, data: dict[str, Any]) -> Response:
    method = _method(api_id, resource_id, http_method)
    if method is None or not method.get("methodIntegration"):
        raise Refused("NotFoundException", "Invalid Integration identifier specified", 404)
    integration = _patched(method["methodIntegration"], data)
    check_integration(integration, method)
    method["methodIntegration"] = integration
    answer: Response = _answer(integration, 200)
    return answer


def _update_integration_response(
    api_id: str, resource_id: str, http_method: str, status_code: str, data: dict[str, Any]
) -> Response:
    method = _method(api_id, resource_id, http_method) or {}
    responses = (method.get("methodIntegration") or {}).get("integrationResponses", {})
    if status_code not in responses:
        raise Refused("NotFoundException", "Invalid Response status code specified", 404)
    response = _patched(responses[status_code], data)
    check_integration_response(response, status_code, method)
    responses[status_code] = response
    answer: Response = _answer(response, 200)
    return answer


def _route_what_the_emulator_lacks() -> None:
    parameters = ("method", "path", "headers", "body", "query_params")
    handle = contract.expect(apigateway_v1, "handle_request", parameters)

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any
    ) -> Any:
        if method == "POST" and _METHOD_PATH.fullmatch(path):
            return refusing(_test_invoke_method)()
        if method == "POST" and path == "/restapis" and "mode" in query_params:
            return refusing(_import_rest_api)()
        match = _INTEGRATION_RESPONSE_PATH.fullmatch(path) if method == "PATCH" else None
        if match is None:
            return await handle(method, path, headers, body, query_params)
        return refusing(_update_integration_response)(*match.groups(), json.loads(body or b"{}"))

    apigateway_v1.handle_request = handle_request


def _test_invoke_method() -> Response:
    raise not_implemented("TestInvokeMethod. Deploy the API to a stage and send it a request")


def _import_rest_api() -> Response:
    raise not_implemented("ImportRestApi. Create the API and its methods by their own operations")


def _updating_binary_types(update: Handler) -> Handler:
    """The emulator would take the media type for a member of an object."""

    @functools.wraps(update)
    def update_rest_api(api_id: str, data: dict[str, Any]) -> Response:
        others = []
        for operation in data.get("patchOperations") or []:
            match = _BINARY_TYPE.fullmatch(operation["path"])
            api = _rest_apis.get(api_id) if match else None
            if match is None or api is None:
                others.append(operation)
                continue
            media_type = _decoded(match[1])
            kept = [each for each in api.get("binaryMediaTypes") or [] if each != media_type]
            api["binaryMediaTypes"] = kept if operation["op"] == "remove" else [*kept, media_type]
        return update(api_id, {**data, "patchOperations": others})

    return update_rest_api


def _patched(record: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """A copy of `record` after the patch operations of `data`. Raises Refused."""
    patched = copy.deepcopy(record)
    for operation in data.get("patchOperations") or []:
        member, *key = (_decoded(part) for part in operation["path"].lstrip("/").split("/"))
        kind, value = operation["op"], operation.get("value")
        is_map = isinstance(patched.get(member), dict)
        if kind not in ("add", "replace", "remove") or member not in patched or len(key) != int(is_map):
            raise bad_request(f"Invalid patch path {operation['path']} for operation {kind}")
        target, name = (patched[member], key[0]) if is_map else (patched, member)
        if kind == "remove":
            target.pop(name, None)
        else:
            target[name] = int(value) if name == "timeoutInMillis" else value
    return patched
