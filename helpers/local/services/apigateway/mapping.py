"""From the method request to the integration request, and from the backend's reply to the client.

Source: developer guide, "Set up an integration request in API Gateway", "Method request behavior for
payloads without mapping templates", "Set up an integration response in API Gateway", "Override your
API's request and response parameters and status codes".
"""

import re
from typing import Any

from helpers.local.services.apigateway import content_handling, parameters, velocity
from helpers.local.services.apigateway.execution import (
    Execution,
    ExecutionFailed,
    IntegrationReply,
    IntegrationRequest,
    configuration_error,
)
from helpers.local.services.apigateway.java_values import JavaMap, text
from helpers.local.services.apigateway.template_variables import UTIL, input_variable

Response = tuple[int, dict[str, str], bytes]
JSON = "application/json"
# The status codes that a template may set; any other is ignored.
OVERRIDING_STATUS = range(100, 600)
_PLACEHOLDER = re.compile(r"\$\{stageVariables\.([^}]+)\}|\{([^}+]+)\+?\}")


def request_template(integration: dict[str, Any], headers: dict[str, str]) -> str | None:
    """The template for the request's content type. The body passes where it is None or empty.

    Raises ExecutionFailed where passthroughBehavior does not let it pass.
    """
    templates = _by_media_type(integration.get("requestTemplates"))
    template = templates.get(_media_type(headers.get("content-type", "")))
    behavior = integration.get("passthroughBehavior") or "WHEN_NO_MATCH"
    if template is None and (behavior == "NEVER" or (behavior == "WHEN_NO_TEMPLATES" and templates)):
        reason = f"no request template for {headers.get('content-type', JSON)} and {behavior}"
        raise ExecutionFailed("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type", reason)
    return template


def integration_request(execution: Execution) -> IntegrationRequest:
    """Raises ExecutionFailed."""
    integration, request = execution.integration, execution.request
    template = request_template(integration, request.headers)
    mapped = parameters.request_parameters(execution)
    try:
        body = content_handling.request_payload(
            request.body,
            request.headers.get("content-type", ""),
            execution.api.get("binaryMediaTypes") or [],
            integration.get("contentHandling"),
        )
    except content_handling.NotBase64 as error:
        raise configuration_error(str(error)) from error
    if template:
        body = _rendered(template, body, execution)
    for place, overrides in execution.context["requestOverride"].items():
        if place in mapped:
            mapped[place] |= {name: _values(value) for name, value in overrides.items()}
    path_parameters = {name: ",".join(values) for name, values in mapped["path"].items()}
    return IntegrationRequest(
        http_method=_integration_method(integration, request.http_method),
        uri=with_variables(integration.get("uri") or "", path_parameters, execution.stage_variables),
        query=mapped["querystring"],
        headers={name.lower(): ",".join(values) for name, values in mapped["header"].items()},
        body=body,
    )


def method_response(execution: Execution, reply: IntegrationReply) -> Response:
    """Raises ExecutionFailed."""
    integration, request = execution.integration, execution.request
    selected = _selected(integration.get("integrationResponses") or {}, reply)
    try:
        body = content_handling.response_payload(
            reply.body,
            reply.headers.get("content-type", ""),
            request.headers.get("accept", ""),
            execution.api.get("binaryMediaTypes") or [],
            selected.get("contentHandling"),
        )
    except content_handling.NotBase64 as error:
        raise configuration_error(str(error)) from error
    headers = parameters.response_headers(selected.get("responseParameters"), execution, reply)
    template = _response_template(selected.get("responseTemplates"), request.headers.get("accept", ""))
    if template:
        body = _rendered(template, body, execution, is_response=True)
    override = execution.context["responseOverride"]
    overriding = {name: ",".join(_values(value)) for name, value in override["header"].items()}
    headers = _replaced(_replaced({"Content-Type": JSON}, headers), overriding)
    return _status(selected, override), headers, body


def with_variables(template: str, path_parameters: dict[str, str], stage_variables: dict[str, str]) -> str:
    """Put in what `{name}` and `${stageVariables.name}` stand for; what is unknown stays."""

    def value(match: re.Match[str]) -> str:
        found = stage_variables.get(match[1]) if match[1] else path_parameters.get(match[2])
        return match[0] if found is None else found

    return _PLACEHOLDER.sub(value, template)


def _integration_method(integration: dict[str, Any], http_method: str) -> str:
    configured = integration.get("httpMethod")
    return http_method if configured in (None, "", "ANY") else str(configured)


def _selected(responses: dict[str, dict[str, Any]], reply: IntegrationReply) -> dict[str, Any]:
    """The integration response whose pattern matches all of what the backend answered, or the default."""
    for response in responses.values():
        pattern = response.get("selectionPattern")
        if pattern and re.fullmatch(pattern, reply.selection):
            return response
    for response in responses.values():
        if not response.get("selectionPattern"):
            return response
    raise configuration_error(
        f"no match for output mapping and no default output mapping configured, for {reply.selection!r}. "
        f"The backend answered {reply.status} {reply.body[:500]!r}"
    )


def _response_template(templates: dict[str, str] | None, accept: str) -> str | None:
    by_media_type = _by_media_type(templates)
    for media_type in (_media_type(accept.partition(",")[0]), JSON):
        if media_type in by_media_type:
            return by_media_type[media_type]
    return next(iter(by_media_type.values()), None)


def _by_media_type(templates: dict[str, str] | None) -> dict[str, str]:
    return {_media_type(key): template or "" for key, template in (templates or {}).items()}


def _media_type(header: str) -> str:
    """Without parameters such as the character set; JSON when there is none."""
    return header.partition(";")[0].strip().lower() or JSON


def _rendered(template: str, payload: bytes, execution: Execution, is_response: bool = False) -> bytes:
    request = execution.request
    variables = {
        "input": input_variable(payload, request.path_parameters, request.query, request.headers),
        "context": execution.context,
        "stageVariables": execution.stage_variables,
        "util": UTIL,
    }
    try:
        return velocity.render(template, variables).encode()
    except velocity.TemplateFailed as error:
        raise configuration_error(f"a mapping template cannot be evaluated: {error}") from error
    except velocity.PayloadInvalid as error:
        if is_response:
            raise configuration_error(f"the integration response is not JSON: {error}") from error
        raise ExecutionFailed("BAD_REQUEST_BODY", "Invalid JSON in request body", str(error)) from error


def _values(value: Any) -> list[str]:
    return [text(item) for item in value] if isinstance(value, list) else [text(value)]


def _status(selected: dict[str, Any], override: JavaMap) -> int:
    status = override.get("status")
    if isinstance(status, int) and status in OVERRIDING_STATUS:
        return status
    return int(selected["statusCode"])


def _replaced(headers: dict[str, str], by: dict[str, str]) -> dict[str, str]:
    """Names of headers are the same in any case."""
    names = {name.lower() for name in by}
    return {name: value for name, value in headers.items() if name.lower() not in names} | by
