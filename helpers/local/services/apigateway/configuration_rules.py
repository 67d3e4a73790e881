"""What is refused of a REST API's configuration, as AWS does or because it is not done here.

Source: API Gateway API reference, "CreateRestApi", "CreateStage", "PatchOperation", "PutIntegration",
"PutIntegrationResponse"; developer guide, "Parameter mapping source reference for REST APIs in API
Gateway" and "Amazon API Gateway quotas".
"""

import re
from collections.abc import Iterator
from typing import Any

from helpers.local.functions.refusal import Refused, not_implemented
from helpers.local.services.apigateway import content_handling
from helpers.local.services.apigateway.integration_uri import JSON_SERVICES, IntegrationUri, UriInvalid, parse

TYPES = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK")
PASSTHROUGH_BEHAVIORS = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
TIMEOUTS_MS = range(50, 29_001)
CALLER_CREDENTIALS = "arn:aws:iam::*:user/*"
# Members of requests, or paths of patch operations, that ask for what AWS can do and nothing here would.
_NOT_DONE_FOR_APIS = {
    "cloneFrom": "make an API from another one",
    "disableExecuteApiEndpoint": "close the default endpoint of an API",
    "minimumCompressionSize": "compress the responses of an API",
}
_NOT_DONE_FOR_STAGES = {
    "accessLogSettings": "write the access log of a stage",
    "cacheClusterEnabled": "cache the responses of a stage",
    "canarySettings": "send a share of the requests to a canary",
    # As patches name the two settings of a method, and as stages show them.
    **dict.fromkeys(("loglevel", "loggingLevel"), "write the execution log of a stage"),
    **dict.fromkeys(("dataTrace", "dataTraceEnabled"), "write the execution log of a stage"),
    "tracingEnabled": "trace the requests to a stage with AWS X-Ray",
}
# Values that ask for nothing, as text in lower case.
_NOTHING_ASKED = ("none", "", "{}", "false", "off")

_NAME = r"[A-Za-z0-9._$-]+"
_COMMON_SOURCE = rf"'[^']*'|stageVariables\.{_NAME}|context\.{_NAME}"
_REQUEST_TARGET = re.compile(rf"integration\.request\.(?:path|querystring|header)\.{_NAME}")
_PARAMETER = re.compile(
    rf"method\.request\.(?P<place>path|querystring|multivaluequerystring|header|multivalueheader)"
    rf"\.(?P<name>{_NAME})"
)
_REQUEST_SOURCE = re.compile(rf"{_COMMON_SOURCE}|method\.request\.body(?:\..+)?|{_PARAMETER.pattern}")
_RESPONSE_TARGET = re.compile(rf"method\.response\.header\.{_NAME}")
_RESPONSE_SOURCE = re.compile(
    rf"{_COMMON_SOURCE}|integration\.response\.(?:body(?:\..+)?|(?:header|multivalueheader)\.{_NAME})"
)


def bad_request(message: str) -> Refused:
    return Refused("BadRequestException", message, 400)


def check_api(data: dict[str, Any]) -> None:
    """`data` as CreateRestApi or UpdateRestApi receives it. Raises Refused."""
    _check_done(data, _NOT_DONE_FOR_APIS)


def check_stage(data: dict[str, Any]) -> None:
    """`data` as CreateStage, CreateDeployment or UpdateStage receives it. Raises Refused."""
    _check_done(data, _NOT_DONE_FOR_STAGES)


def _check_done(data: dict[str, Any], not_done: dict[str, str]) -> None:
    for name, value in _asked(data):
        if name in not_done and str(value).lower() not in _NOTHING_ASKED:
            raise not_implemented(not_done[name])


def _asked(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Members and their values, also those of patch operations, and of methods' settings.

    A path begins with the member that it sets. Those of a method's settings have it at their end, as in
    `/~1items/GET/logging/loglevel`. CloudFormation gives a stage all of its methodSettings at once.
    """
    asked = list(data.items())
    for operation in data.get("patchOperations") or []:
        if operation["op"] != "remove":
            parts = operation["path"].lstrip("/").split("/")
            asked.append((parts[-1] if "logging" in parts[:-1] else parts[0], operation.get("value")))
    for name, value in asked:
        if name == "methodSettings":
            for settings in value.values():
                yield from settings.items()
        else:
            yield name, value


def check_integration(data: dict[str, Any], method: dict[str, Any]) -> None:
    """`data` as PutIntegration receives it, `method` as PutMethod made it. Raises Refused."""
    kind = data.get("type")
    _check_one_of("type", kind, TYPES)
    if kind in ("AWS", "HTTP", "HTTP_PROXY") and not data.get("httpMethod"):
        raise bad_request("Enumeration value for HttpMethod must be non-empty")
    if kind in ("AWS", "AWS_PROXY"):
        _check_target(data, _uri(data))
    if kind in ("HTTP", "HTTP_PROXY") and not str(data.get("uri")).startswith(("http://", "https://")):
        raise bad_request("Invalid HTTP endpoint specified for URI")
    if data.get("credentials") == CALLER_CREDENTIALS:
        raise not_implemented("call an integration with the credentials of the API's caller")
    if data.get("tlsConfig"):
        raise not_implemented("heed tlsConfig")
    if data.get("connectionType") == "VPC_LINK":
        raise not_implemented("reach an integration through a VPC link")
    if data.get("responseTransferMode") == "STREAM":
        raise not_implemented("stream the response of an integration")
    _check_one_of("passthroughBehavior", data.get("passthroughBehavior"), (None, *PASSTHROUGH_BEHAVIORS))
    _check_one_of("contentHandling", data.get("contentHandling"), (None, *content_handling.STRATEGIES))
    if int(data.get("timeoutInMillis") or TIMEOUTS_MS[-1]) not in TIMEOUTS_MS:
        raise bad_request(f"Timeout should be between {TIMEOUTS_MS[0]} ms and {TIMEOUTS_MS[-1]} ms")
    _check_request_parameters(data.get("requestParameters") or {}, method.get("requestParameters") or {})


def check_integration_response(data: dict[str, Any], status_code: str, method: dict[str, Any]) -> None:
    """Raises Refused."""
    method_response = (method.get("methodResponses") or {}).get(status_code)
    if method_response is None:
        raise Refused("NotFoundException", "Invalid Response status code specified", 404)
    _check_one_of("contentHandling", data.get("contentHandling"), (None, *content_handling.STRATEGIES))
    try:
        re.compile(data.get("selectionPattern") or "")
    except re.error as error:
        raise bad_request(f"Invalid selection pattern: {data['selectionPattern']}: {error}") from error
    declared = method_response.get("responseParameters") or {}
    for target, source in (data.get("responseParameters") or {}).items():
        _check_mapping(_RESPONSE_TARGET, target)
        _check_mapping(_RESPONSE_SOURCE, source)
        _check_declared(target, target in declared)


def _uri(data: dict[str, Any]) -> IntegrationUri:
    try:
        return parse(data.get("uri") or "")
    except UriInvalid as error:
        raise bad_request(str(error)) from error


def _check_target(data: dict[str, Any], uri: IntegrationUri) -> None:
    if uri.function_arn:
        return
    if data["type"] == "AWS_PROXY":
        raise bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
            "invocations."
        )
    if not uri.is_action and not uri.is_queue:
        raise not_implemented(
            f"integrate with {uri.service}:{uri.kind}/{uri.target}. It can invoke Lambda functions, call "
            f"actions of {', '.join(JSON_SERVICES)}, and send messages by sqs:path/account/queue"
        )
    if not data.get("credentials"):
        raise bad_request("Role ARN must be specified for AWS integrations")
    if data["httpMethod"] != "POST":
        raise not_implemented(
            f"call {uri.service} with {data['httpMethod']}. The service takes POST: "
            "set integrationHttpMethod to it"
        )


def _check_one_of(name: str, value: Any, expected: tuple[Any, ...]) -> None:
    if value not in expected:
        raise bad_request(
            f"Invalid value for {name}: {value}. Expected one of {', '.join(filter(None, expected))}"
        )


def _check_request_parameters(mappings: dict[str, str], declared: dict[str, Any]) -> None:
    for target, source in mappings.items():
        _check_mapping(_REQUEST_TARGET, target)
        _check_mapping(_REQUEST_SOURCE, source)
        parameter = _PARAMETER.fullmatch(source)
        if parameter:
            single = f"method.request.{parameter['place'].removeprefix('multivalue')}.{parameter['name']}"
            _check_declared(source, source in declared or single in declared)


def _check_mapping(form: re.Pattern[str], expression: str) -> None:
    if not form.fullmatch(expression):
        raise _mapping_invalid(f"Invalid mapping expression specified: {expression}")


def _check_declared(parameter: str, is_declared: bool) -> None:
    if not is_declared:
        raise _mapping_invalid(f"Invalid mapping expression parameter specified: {parameter}")


def _mapping_invalid(error: str) -> Refused:
    return bad_request(
        f"Invalid mapping expression specified: Validation Result: warnings : [], errors : [{error}]"
    )
