"""REST API integrations go through parameter mapping, mapping templates and integration responses.

Restores: AWS integrations with the actions of other services, called by the role that the integration
names; request and response templates in the whole of their language; MOCK responses that are
rendered; selection patterns; overrides; content handling; the integration's timeout, for proxies too.
API Gateway developer guide, "Data transformations for REST APIs in API Gateway", "Integrations for
REST APIs in API Gateway".
"""

import contextvars
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import get_request_client_ip
from ministack.services import apigateway_v1

from helpers.local import contract
from helpers.local.services.apigateway import backends, context, mapping
from helpers.local.services.apigateway.execution import (
    Execution,
    ExecutionFailed,
    IntegrationReply,
    IntegrationRequest,
    MethodRequest,
)
from helpers.local.services.apigateway.time_limit import TimeIsUp, within

AsyncHandler = Callable[..., Awaitable[Any]]
Backend = Callable[[Execution, IntegrationRequest], Awaitable[IntegrationReply]]
PROXIES = ("AWS_PROXY", "HTTP_PROXY")
# What the client has to put right; everything else concerns the owner of the API.
_CLIENT_ERRORS = ("BAD_REQUEST_BODY", "UNSUPPORTED_MEDIA_TYPE")

logger = logging.getLogger("apigateway.execution")

_gateway_error = contract.expect(apigateway_v1, "_gw_error", ("response_type", "message"))
_caller_identity = contract.expect(apigateway_v1, "_iam_caller_identity", ("headers", "query_params"))
_api_key_of = contract.expect(apigateway_v1, "_resolve_api_key", ("value",))
_api_key_value = contract.expect(apigateway_v1, "_api_key_from_request", ("headers",))
_rest_apis = contract.expect(apigateway_v1, "_rest_apis")

_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("rest_api_request_id")
_execution: contextvars.ContextVar[Execution | None] = contextvars.ContextVar(
    "rest_api_execution", default=None
)


def install() -> None:
    _note_requests()
    _note_authorized_requests()
    contract.replace(
        apigateway_v1, "_check_passthrough_behavior", ("integration", "headers"), _check_passthrough_behavior
    )
    contract.replace(apigateway_v1, "_invoke_mock_v1", ("integration",), _invoke_mock)
    for name in ("_invoke_lambda_custom_v1", "_invoke_sqs_v1"):
        contract.expect(apigateway_v1, name)
        setattr(apigateway_v1, name, _invoke_aws)
    proxy = contract.expect(apigateway_v1, "_invoke_lambda_proxy_v1")
    apigateway_v1._invoke_lambda_proxy_v1 = _limited(proxy)
    http = contract.expect(apigateway_v1, "_invoke_http_proxy_v1")
    apigateway_v1._invoke_http_proxy_v1 = _invoke_http(_limited(http))


def current_execution() -> Execution | None:
    """That of the request being served, once it is authorized."""
    return _execution.get()


def _note_requests() -> None:
    execute = contract.expect(apigateway_v1, "_execute_in_scope")

    @functools.wraps(execute)
    async def execute_in_scope(request: dict[str, Any], *arguments: Any) -> Any:
        _request_id.set(request["request_id"])
        _execution.set(None)
        return await execute(request, *arguments)

    apigateway_v1._execute_in_scope = execute_in_scope


def _note_authorized_requests() -> None:
    """Where the emulator has found the method, and everything about the request is known."""
    parameters = (
        *("api_id", "stage_name", "method_obj", "method", "request_path", "resource", "headers", "body"),
        *("query_params", "path_params", "stage", "owner_account_id", "owner_region"),
    )
    authorize = contract.expect(apigateway_v1, "_authorize_request_v1", parameters)

    @functools.wraps(authorize)
    async def authorize_request(*arguments: Any) -> Any:
        error, authorizer = await authorize(*arguments)
        if error is None:
            _execution.set(_new_execution(authorizer, **dict(zip(parameters, arguments, strict=True))))
        return error, authorizer

    apigateway_v1._authorize_request_v1 = authorize_request


def _new_execution(
    authorizer: dict[str, Any] | None,
    *,
    api_id: str,
    stage_name: str,
    method_obj: dict[str, Any],
    method: str,
    request_path: str,
    resource: dict[str, Any],
    headers: dict[str, str],
    body: bytes,
    query_params: dict[str, list[str]],
    path_params: dict[str, str],
    stage: dict[str, Any],
    owner_account_id: str,
    owner_region: str,
) -> Execution:
    request = MethodRequest(method, request_path, path_params or {}, query_params or {}, headers, body or b"")
    return Execution(
        account_id=owner_account_id,
        region=owner_region,
        api=_rest_apis[api_id],
        stage=stage,
        resource=resource,
        method=method_obj,
        request=request,
        context=context.build(
            request,
            request_id=_request_id.get(),
            account_id=owner_account_id,
            api_id=api_id,
            stage=stage,
            resource=resource,
            authorizer=authorizer,
            identity=_identity(method_obj, request),
        ),
    )


def _identity(method: dict[str, Any], request: MethodRequest) -> dict[str, Any]:
    identity: dict[str, Any] = {"sourceIp": get_request_client_ip()}
    if method.get("authorizationType") == "AWS_IAM":
        identity |= _caller_identity(request.headers, request.query) or {}
    if method.get("apiKeyRequired"):
        value = _api_key_value(request.headers)
        identity |= {"apiKey": value, "apiKeyId": (_api_key_of(value) or {}).get("id")}
    return identity


def _check_passthrough_behavior(integration: dict[str, Any], headers: dict[str, str]) -> Any:
    if integration.get("type") in PROXIES:
        return None
    try:
        mapping.request_template(integration, headers)
    except ExecutionFailed as failed:
        return _refused(failed)
    return None


def _invoke_mock(integration: dict[str, Any]) -> Any:
    execution = _served()
    try:
        reply = backends.mock(mapping.integration_request(execution))
        return _answer(execution, reply)
    except ExecutionFailed as failed:
        return _refused(failed)


async def _invoke_aws(*arguments: Any, **keywords: Any) -> Any:
    return await _invoke(backends.aws)


def _invoke_http(proxy: AsyncHandler) -> AsyncHandler:
    @functools.wraps(proxy)
    async def invoke(integration: dict[str, Any], *arguments: Any) -> Any:
        if integration.get("type") == "HTTP":
            return await _invoke(backends.http)
        return await proxy(integration, *arguments)

    return invoke


async def _invoke(backend: Backend) -> Any:
    execution = _served()
    try:
        request = mapping.integration_request(execution)
        reply = await _within_time(execution, backend(execution, request))
        return _answer(execution, reply)
    except ExecutionFailed as failed:
        return _refused(failed)


def _limited(proxy: AsyncHandler) -> AsyncHandler:
    @functools.wraps(proxy)
    async def invoke(*arguments: Any, **keywords: Any) -> Any:
        try:
            return await _within_time(_served(), proxy(*arguments, **keywords))
        except ExecutionFailed as failed:
            return _refused(failed)

    return invoke


async def _within_time(execution: Execution, call: Awaitable[Any]) -> Any:
    """Raises ExecutionFailed when the integration's time is up; what was called then goes on alone."""
    began_s = time.perf_counter()
    try:
        return await within(backends.timeout_s(execution.integration), call)
    except TimeIsUp as error:
        raise ExecutionFailed("INTEGRATION_TIMEOUT", "Endpoint request timed out", str(error)) from error
    finally:
        execution.integration_latency_ms = (time.perf_counter() - began_s) * 1000


def _answer(execution: Execution, reply: IntegrationReply) -> mapping.Response:
    status, headers, body = mapping.method_response(execution, reply)
    return status, {**headers, "x-amzn-requestid": execution.context["requestId"]}, body


def _served() -> Execution:
    execution = _execution.get()
    assert execution is not None
    return execution


def _refused(failed: ExecutionFailed) -> Any:
    level = logging.INFO if failed.response_type in _CLIENT_ERRORS else logging.WARNING
    logger.log(level, "(%s) Execution failed: %s: %s", _request_id.get(), failed.response_type, failed)
    return _gateway_error(failed.response_type, failed.message)
