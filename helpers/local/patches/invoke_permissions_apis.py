"""API Gateway invokes a function only when the function's policy or the integration's role lets it.

AWS behaviour restored (API Gateway developer guide, "Grant permissions to invoke a Lambda function"
and "Use an IAM role as the credentials of an integration"; Lambda developer guide, "Invoking a
Lambda function using an Amazon API Gateway endpoint", permissions): without the permission a REST
or HTTP API answers 500 and a WebSocket API an error frame; an authorizer that may not be invoked is
a failure of the API, never a pass. WebSocket routes run functions like every other caller.
"""

import functools
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import apigateway, apigateway_v1

from helpers.local import contract
from helpers.local.functions.invocation_rights import Invoker, may_invoke, role_trusts
from helpers.local.functions.pool import Throttled
from helpers.local.functions.role_permissions import role_allows
from helpers.local.patches.lambda_execution import execute_record

logger = logging.getLogger("lambda.permissions")

SERVICE = "apigateway.amazonaws.com"
AsyncHandler = Callable[..., Awaitable[Any]]

_rest_function = contract.expect(apigateway_v1, "_extract_lambda_ref_from_integration_uri")
_http_function = contract.expect(apigateway, "_extract_lambda_ref_from_integration_uri")
_integrations = contract.expect(apigateway, "_integrations")
_gateway_error = contract.expect(apigateway_v1, "_gw_error", ("response_type", "message"))


def install() -> None:
    proxy = contract.expect(apigateway_v1, "_invoke_lambda_proxy_v1")
    apigateway_v1._invoke_lambda_proxy_v1 = _rest_integration(proxy)
    apigateway._invoke_lambda_proxy = _http_integration(contract.expect(apigateway, "_invoke_lambda_proxy"))
    apigateway._invoke_ws_lambda = _websocket_integration(contract.expect(apigateway, "_invoke_ws_lambda"))
    parameters = ("authorizer", "event", "account_id", "region")
    apigateway_v1._invoke_authorizer_lambda = _authorizer(
        contract.expect(apigateway_v1, "_invoke_authorizer_lambda", parameters),
        _rest_function,
        ("id", "authorizerCredentials"),
    )
    apigateway._invoke_request_authorizer_lambda = _authorizer(
        contract.expect(apigateway, "_invoke_request_authorizer_lambda", parameters),
        _http_function,
        ("authorizerId", "authorizerCredentialsArn"),
    )
    contract.replace(
        lambda_runtime,
        "get_or_create_worker",
        ("func_name", "config", "code_zip", "qualifier"),
        lambda func_name, config, code_zip, qualifier="$LATEST": _Execution(config, code_zip),
    )


def _rest_integration(original: AsyncHandler) -> AsyncHandler:
    @functools.wraps(original)
    async def invoke(
        integration: dict[str, Any],
        api_id: str,
        stage_name: str,
        stage: dict[str, Any],
        resource: dict[str, Any],
        request_path: str,
        method: str,
        *arguments: Any,
        owner_account_id: str,
        owner_region: str,
        **keywords: Any,
    ) -> Any:
        function_arn = _rest_function(integration.get("uri", ""))
        path = f"{api_id}/{stage_name}/{method}{resource['path']}"
        source_arn = f"arn:aws:execute-api:{owner_region}:{owner_account_id}:{path}"
        if not allowed(function_arn, source_arn, integration.get("credentials")):
            return _gateway_error("API_CONFIGURATION_ERROR", "Internal server error")
        return await original(
            integration,
            api_id,
            stage_name,
            stage,
            resource,
            request_path,
            method,
            *arguments,
            owner_account_id=owner_account_id,
            owner_region=owner_region,
            **keywords,
        )

    return invoke


def _http_integration(original: AsyncHandler) -> AsyncHandler:
    @functools.wraps(original)
    async def invoke(
        integration: dict[str, Any],
        api_id: str,
        stage: str,
        path: str,
        method: str,
        headers: dict[str, str],
        body: bytes,
        query_params: Any,
        route_key: str,
        *arguments: Any,
        owner_account_id: str,
        owner_region: str,
        **keywords: Any,
    ) -> Any:
        function_arn = _http_function(integration.get("integrationUri", ""))
        _, _, route = route_key.partition(" ")
        source = f"{api_id}/{stage}/{method}{route}" if route else f"{api_id}/{stage}/{route_key}"
        source_arn = f"arn:aws:execute-api:{owner_region}:{owner_account_id}:{source}"
        if not allowed(function_arn, source_arn, integration.get("credentialsArn")):
            document = json.dumps({"message": "Internal Server Error"}).encode()
            return 500, {"Content-Type": "application/json"}, document
        return await original(
            integration,
            api_id,
            stage,
            path,
            method,
            headers,
            body,
            query_params,
            route_key,
            *arguments,
            owner_account_id=owner_account_id,
            owner_region=owner_region,
            **keywords,
        )

    return invoke


def _websocket_integration(original: AsyncHandler) -> AsyncHandler:
    @functools.wraps(original)
    async def invoke(
        api_id: str,
        account_id: str,
        region: str,
        route: dict[str, Any],
        stage: str,
        connection_id: str,
        event_type: str,
        message_id: str,
        *arguments: Any,
        **keywords: Any,
    ) -> Any:
        integration = _integrations.get(api_id, {}).get(route.get("target", "").rpartition("/")[2]) or {}
        if integration.get("integrationType") in ("AWS", "AWS_PROXY"):
            function_arn = _http_function(integration.get("integrationUri", ""))
            source_arn = f"arn:aws:execute-api:{region}:{account_id}:{api_id}/{stage}/{route['routeKey']}"
            if not allowed(function_arn, source_arn, integration.get("credentialsArn")):
                return _websocket_error(connection_id, message_id)
        return await original(
            api_id,
            account_id,
            region,
            route,
            stage,
            connection_id,
            event_type,
            message_id,
            *arguments,
            **keywords,
        )

    return invoke


def _authorizer(
    original: AsyncHandler, function_of: Callable[[str], str], keys: tuple[str, str]
) -> AsyncHandler:
    """Answers as the emulator does for a function that is not there: the request fails with 500."""
    id_key, role_key = keys

    @functools.wraps(original)
    async def invoke(authorizer: dict[str, Any], event: dict[str, Any], account_id: str, region: str) -> Any:
        route_arn = event.get("methodArn") or event["routeArn"]
        api_arn = route_arn.partition("/")[0]
        source_arn = f"{api_arn}/authorizers/{authorizer[id_key]}"
        function_arn = function_of(authorizer.get("authorizerUri", ""))
        if not allowed(function_arn, source_arn, authorizer.get(role_key)):
            return None
        return await original(authorizer, event, account_id, region)

    return invoke


def allowed(function_arn: str, source_arn: str, role_arn: str | None) -> bool:
    """By the role of the integration if it has one, else by the function's policy."""
    _, _, _, region, account_id, _ = source_arn.split(":", 5)
    if role_arn:
        allowed = role_trusts(role_arn, SERVICE) and role_allows(
            role_arn, "lambda:InvokeFunction", function_arn, region
        )
    else:
        allowed = may_invoke(function_arn, Invoker(SERVICE, source_arn, account_id))
    if not allowed:
        logger.warning(
            "Execution failed due to configuration error: Invalid permissions on Lambda function %s for %s",
            function_arn,
            source_arn,
        )
    return allowed


def _websocket_error(connection_id: str, request_id: str) -> dict[str, Any]:
    body = {"message": "Internal server error", "connectionId": connection_id, "requestId": request_id}
    return {"statusCode": 500, "body": json.dumps(body)}


class _Execution:
    """Stands where WebSocket routes expect a worker of the emulator's own executor."""

    def __init__(self, config: dict[str, Any], code_zip: bytes) -> None:
        self._record = {"config": config, "code_zip": code_zip}

    def invoke(self, event: dict[str, Any], request_id: str) -> dict[str, Any]:
        context = event["requestContext"]
        failed = {"status": "error", "error": _websocket_error(context["connectionId"], request_id)["body"]}
        try:
            result = execute_record(self._record, json.dumps(event).encode())
        except Throttled:
            return failed
        if result.function_error:
            return failed
        return {"status": "ok", "result": json.loads(result.payload) or {}}
