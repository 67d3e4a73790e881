"""Parameter mapping: where a parameter of the integration request or the method response comes from.

Source: developer guide, "Parameter mapping source reference for REST APIs in API Gateway". A source
that is absent leaves its parameter out.
"""

import json
from collections.abc import Mapping
from typing import Any

from helpers.local.services.apigateway import json_path
from helpers.local.services.apigateway.execution import Execution, ExecutionFailed, IntegrationReply
from helpers.local.services.apigateway.java_values import text, to_json

Mapped = dict[str, dict[str, list[str]]]


def request_parameters(execution: Execution) -> Mapped:
    """The mapped `header`, `path` and `querystring` parameters of the integration request.

    Raises ExecutionFailed when a mapping reads a body that is not JSON.
    """
    mapped: Mapped = {"header": {}, "path": {}, "querystring": {}}
    mappings = execution.integration.get("requestParameters") or {}
    for target, source in mappings.items():
        place, _, name = target.removeprefix("integration.request.").partition(".")
        values = _request_values(source, execution)
        if values:
            mapped[place][name] = values
    return mapped


def response_headers(
    mappings: Mapping[str, str] | None, execution: Execution, reply: IntegrationReply
) -> dict[str, str]:
    """The mapped headers of the method response."""
    headers = {}
    for target, source in (mappings or {}).items():
        values = _response_values(source, execution, reply)
        if values:
            headers[target.removeprefix("method.response.header.")] = ",".join(values)
    return headers


def _request_values(source: str, execution: Execution) -> list[str]:
    request = execution.request
    place, _, name = source.removeprefix("method.request.").partition(".")
    if not source.startswith("method.request."):
        return _common_values(source, execution)
    if place == "path":
        return _present(request.path_parameters.get(name))
    if place == "querystring":
        return request.query.get(name, [])[-1:]
    if place == "multivaluequerystring":
        return request.query.get(name, [])
    if place in ("header", "multivalueheader"):
        return _present(request.headers.get(name.lower()))
    try:
        return _body_values(request.body, name)
    except ValueError as error:
        raise ExecutionFailed("BAD_REQUEST_BODY", "Invalid JSON in request body", str(error)) from error


def _response_values(source: str, execution: Execution, reply: IntegrationReply) -> list[str]:
    place, _, name = source.removeprefix("integration.response.").partition(".")
    if not source.startswith("integration.response."):
        return _common_values(source, execution)
    if place in ("header", "multivalueheader"):
        return _present(reply.headers.get(name.lower()))
    try:
        return _body_values(reply.body, name)
    except ValueError:
        return []


def _common_values(source: str, execution: Execution) -> list[str]:
    if source.startswith("'"):
        return [source[1:-1]]
    if source.startswith("stageVariables."):
        return _present(execution.stage_variables.get(source.removeprefix("stageVariables.")))
    return _values_at(execution.context, source.removeprefix("context."))


def _body_values(body: bytes, path: str) -> list[str]:
    """The whole body, or what a JSONPath below `$.` finds in it. Raises ValueError."""
    if not path:
        return _present(body.decode(errors="replace"))
    return _values_at(json.loads(body or b"{}"), path)


def _values_at(document: Any, path: str) -> list[str]:
    try:
        value = json_path.parse(f"$.{path}").evaluate(document)
    except json_path.NotFound:
        return []
    return _present(to_json(value) if isinstance(value, dict | list) else value)


def _present(value: Any) -> list[str]:
    return [] if value is None or value == "" else [text(value)]
