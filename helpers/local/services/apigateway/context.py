"""The variable `$context` of mapping templates and parameter mappings.

Source: developer guide, "Variables for data transformations for API Gateway", context variables. What
is not known of a request is absent, and renders as nothing.
"""

import time
from datetime import UTC, datetime
from typing import Any

from helpers.local.services.apigateway.execution import MethodRequest
from helpers.local.services.apigateway.java_values import JavaMap, from_json


class OverriddenTwice(Exception):
    """A template overrides a parameter that was overridden before."""


class _Overrides(JavaMap):
    """Developer guide, "Override your API's request and response parameters and status codes": an override
    is final, and a second one of the same parameter is answered with 5XX."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self:
            raise OverriddenTwice(f"{name} is overridden more than once")
        super().__setitem__(name, value)


class _Claims(JavaMap):
    """Of the claims of a Cognito token only the single ones can be printed."""

    def __str__(self) -> str:
        return ""


def build(
    request: MethodRequest,
    *,
    request_id: str,
    account_id: str,
    api_id: str,
    stage: dict[str, Any],
    resource: dict[str, Any],
    authorizer: dict[str, Any] | None,
    identity: dict[str, Any],
) -> JavaMap:
    """`identity` holds what is known of the caller, from sourceIp to userArn."""
    now_s = time.time()
    host = request.headers.get("host", "")
    return JavaMap(
        accountId=account_id,
        apiId=api_id,
        authorizer=_authorizer(authorizer or {}),
        deploymentId=stage.get("deploymentId"),
        domainName=host,
        domainPrefix=host.partition(".")[0],
        extendedRequestId=request_id,
        httpMethod=request.http_method,
        identity=JavaMap({"userAgent": request.headers.get("user-agent", ""), **identity}),
        path=f"/{stage['stageName']}{request.path}",
        protocol="HTTP/1.1",
        requestId=request_id,
        requestTime=datetime.fromtimestamp(now_s, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        requestTimeEpoch=int(now_s * 1000),
        resourceId=resource["id"],
        resourcePath=resource["path"],
        stage=stage["stageName"],
        requestOverride=JavaMap(header=_Overrides(), path=_Overrides(), querystring=_Overrides()),
        responseOverride=_Overrides(header=_Overrides()),
    )


def _authorizer(authorizer: dict[str, Any]) -> JavaMap:
    members: JavaMap = from_json(authorizer)
    if "claims" in members:
        members["claims"] = _Claims(members["claims"])
    return members
