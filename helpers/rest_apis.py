"""Put a path into a REST API: its resources, its method, its integration and its responses."""

import time
from collections.abc import Mapping
from typing import Any

JSON = "application/json"
# API Gateway takes one deployment of an account every five seconds (developer guide, "Quotas for creating and
# managing APIs"), more than a client's own retries wait for.
DEPLOYMENT_PAUSE_S = 5.0
DEPLOYMENT_ATTEMPTS = 12


def publish(
    apigateway: Any,
    api_id: str,
    path: str,
    integration: Mapping[str, Any],
    answers: Mapping[str, tuple[int, str]] | None = None,
    http_method: str = "GET",
    stage: str = "v1",
) -> str:
    """Create a method at a path such as "/orders/{id}" and deploy the API to a stage.

    `integration` has the parameters of PutIntegration: type, uri, credentials, requestTemplates and so on.
    `answers` are its responses, by the pattern that selects them from what the backend answers ("" takes the
    rest): the status code for the client, and a template for the JSON body. A proxy integration needs none.
    Mappings may use the parameters of the path. Returns the ID of the resource.
    """
    method = {
        "restApiId": api_id,
        "resourceId": _resource_id(apigateway, api_id, path),
        "httpMethod": http_method,
    }
    names = [part.strip("{}+") for part in path.split("/") if part.startswith("{")]
    parameters = {f"method.request.path.{name}": True for name in names}
    apigateway.put_method(**method, authorizationType="NONE", requestParameters=parameters)
    apigateway.put_integration(**method, **integration)
    for pattern, (status, template) in (answers or {}).items():
        answer = {**method, "statusCode": str(status)}
        apigateway.put_method_response(**answer)
        apigateway.put_integration_response(
            **answer, selectionPattern=pattern, responseTemplates={JSON: template}
        )
    _deploy(apigateway, api_id, stage)
    return method["resourceId"]


def _deploy(apigateway: Any, api_id: str, stage: str) -> None:
    for attempt in range(1, DEPLOYMENT_ATTEMPTS + 1):
        try:
            apigateway.create_deployment(restApiId=api_id, stageName=stage)
            return
        except apigateway.exceptions.TooManyRequestsException:
            if attempt == DEPLOYMENT_ATTEMPTS:
                raise
            time.sleep(DEPLOYMENT_PAUSE_S)


def _resource_id(apigateway: Any, api_id: str, path: str) -> str:
    """The resource at a path, created with those above it where they are missing."""
    pages = apigateway.get_paginator("get_resources").paginate(restApiId=api_id)
    ids = {resource["path"]: resource["id"] for page in pages for resource in page["items"]}
    current = "/"
    for part in filter(None, path.split("/")):
        below = f"{current.rstrip('/')}/{part}"
        if below not in ids:
            created = apigateway.create_resource(restApiId=api_id, parentId=ids[current], pathPart=part)
            ids[below] = created["id"]
        current = below
    return str(ids[current])
