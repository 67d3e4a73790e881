"""One request to a stage of a REST API: what the steps from the client to the backend and back share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from helpers.local.services.apigateway.java_values import JavaMap

INTERNAL_ERROR = "Internal server error"


class ExecutionFailed(Exception):
    """API Gateway answers instead of the integration, by the gateway response of `response_type`.

    Developer guide, "Gateway response types". `message` is for the client, `reason` for the log.
    """

    def __init__(self, response_type: str, message: str, reason: str) -> None:
        super().__init__(reason)
        self.response_type = response_type
        self.message = message


def configuration_error(reason: str) -> ExecutionFailed:
    """What the API's owner has to put right: the client learns nothing of it."""
    return ExecutionFailed("API_CONFIGURATION_ERROR", INTERNAL_ERROR, reason)


@dataclass(frozen=True)
class MethodRequest:
    """What the client sent. Names of headers are in lower case, `path` is the one below the stage."""

    http_method: str
    path: str
    path_parameters: dict[str, str]
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Execution:
    """`api`, `stage`, `resource` and `method` are the emulator's records of them."""

    account_id: str
    region: str
    api: dict[str, Any]
    stage: dict[str, Any]
    resource: dict[str, Any]
    method: dict[str, Any]
    request: MethodRequest
    context: JavaMap
    integration_latency_ms: float | None = None

    @property
    def integration(self) -> dict[str, Any]:
        return dict(self.method["methodIntegration"])

    @cached_property
    def stage_variables(self) -> JavaMap:
        return JavaMap(self.stage.get("variables") or {})

    @property
    def source_arn(self) -> str:
        """As the conditions of a function's policy know it."""
        path = f"{self.api['id']}/{self.stage['stageName']}/{self.request.http_method}{self.resource['path']}"
        return f"arn:aws:execute-api:{self.region}:{self.account_id}:{path}"


@dataclass(frozen=True)
class IntegrationRequest:
    """What goes to the backend. A query parameter may have several values."""

    http_method: str
    uri: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class IntegrationReply:
    """What the backend answered. Names of headers are in lower case.

    `selection` is what the selection patterns of the integration responses are matched against: the
    message of a function's error, otherwise the status code.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    selection: str = ""
