"""The CloudWatch metrics of REST APIs, in the namespace AWS/ApiGateway.

Restores: Count, 4XXError, 5XXError, Latency and IntegrationLatency by API and by stage, and by method
where the stage has detailed metrics enabled. API Gateway developer guide, "Amazon API Gateway
dimensions and metrics".
"""

import functools
import time
from typing import Any

from ministack.services import apigateway_v1, cloudwatch

from helpers.local import contract
from helpers.local.patches.rest_api_integrations import current_execution
from helpers.local.services.apigateway.execution import Execution

NAMESPACE = "AWS/ApiGateway"

_record = contract.expect(
    cloudwatch, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")
)
_rest_apis = contract.expect(apigateway_v1, "_rest_apis")
_stages = contract.expect(apigateway_v1, "_stages_v1")


def install() -> None:
    parameters = (
        *("api_id", "stage_name", "method", "path", "headers", "body", "query_params"),
        *("owner_account_id", "owner_region"),
    )
    handle = contract.expect(apigateway_v1, "_handle_execute_in_scope", parameters)

    @functools.wraps(handle)
    async def handle_execute(api_id: str, stage_name: str, *arguments: Any) -> Any:
        began_s = time.perf_counter()
        response = await handle(api_id, stage_name, *arguments)
        stage = _stages.get(api_id, {}).get(stage_name)
        # Without a stage the request has not reached the API.
        if stage is not None:
            latency_ms = (time.perf_counter() - began_s) * 1000
            _publish(_rest_apis[api_id]["name"], stage, current_execution(), response[0], latency_ms)
        return response

    apigateway_v1._handle_execute_in_scope = handle_execute


def _publish(
    api_name: str, stage: dict[str, Any], execution: Execution | None, status: int, latency_ms: float
) -> None:
    for dimensions in _dimensions(api_name, stage, execution):
        _record(NAMESPACE, "Count", 1, "Count", dimensions)
        _record(NAMESPACE, "4XXError", int(400 <= status < 500), "Count", dimensions)
        _record(NAMESPACE, "5XXError", int(status >= 500), "Count", dimensions)
        _record(NAMESPACE, "Latency", round(latency_ms, 2), "Milliseconds", dimensions)
        if execution is not None and execution.integration_latency_ms is not None:
            latency = round(execution.integration_latency_ms, 2)
            _record(NAMESPACE, "IntegrationLatency", latency, "Milliseconds", dimensions)


def _dimensions(api_name: str, stage: dict[str, Any], execution: Execution | None) -> list[dict[str, str]]:
    # CloudWatch takes no other characters in the name of an API.
    name = api_name.encode("ascii", "ignore").decode()
    dimensions = [{"ApiName": name}, {"ApiName": name, "Stage": stage["stageName"]}]
    if execution is not None and _is_detailed(stage, execution):
        method, resource = execution.request.http_method, execution.resource["path"]
        dimensions.append(
            {"ApiName": name, "Method": method, "Resource": resource, "Stage": stage["stageName"]}
        )
    return dimensions


def _is_detailed(stage: dict[str, Any], execution: Execution) -> bool:
    """The setting of the method, else that of all methods."""
    settings = stage.get("methodSettings") or {}
    path = f"{execution.resource['path']}/{execution.request.http_method}"
    for key in (path, path.removeprefix("/"), "*/*"):
        if key in settings:
            return bool(settings[key].get("metricsEnabled"))
    return False
