"""The address at which an API or a function answers, by target.

On AWS the address holds the id and the Region; the local AWS serves all of them below its own.
"""

from urllib.parse import urlsplit

from helpers.workshop import Workshop

DEFAULT_STAGE = "$default"


def rest_api_url(ws: Workshop, api_id: str, stage: str, path: str = "/", region: str | None = None) -> str:
    """Where a stage of a REST API answers: `rest_api_url(ws, api_id, "v1", "/orders")`."""
    return _api_url(ws, "http", api_id, stage, region) + _with_slash(path)


def http_api_url(
    ws: Workshop, api_id: str, path: str = "/", stage: str = DEFAULT_STAGE, region: str | None = None
) -> str:
    """Where an HTTP API answers. Its default stage does not show in the address on AWS."""
    return _api_url(ws, "http", api_id, stage, region) + _with_slash(path)


def websocket_url(ws: Workshop, api_id: str, stage: str, region: str | None = None) -> str:
    """Where clients connect to a WebSocket API."""
    return _api_url(ws, "ws", api_id, stage, region)


def connections_url(ws: Workshop, api_id: str, stage: str, region: str | None = None) -> str:
    """The endpoint_url of an `apigatewaymanagementapi` client, which posts to connected clients."""
    return _api_url(ws, "http", api_id, stage, region)


def function_url(ws: Workshop, address: str, path: str = "/") -> str:
    """Where a function URL answers; `address` is the `FunctionUrl` that Lambda returned.

    Raises ValueError for another address.
    """
    host = str(urlsplit(address).hostname)
    url_id, _, rest = host.partition(".")
    if not rest.startswith("lambda-url."):
        raise ValueError(
            f"{address!r} is no function URL: expected the FunctionUrl of create_function_url_config, "
            "such as https://abc123.lambda-url.us-east-1.on.aws/."
        )
    base = f"{ws.endpoint_url}/_aws/lambda-url/{url_id}" if ws.endpoint_url else f"https://{host}"
    return base + _with_slash(path)


def _api_url(ws: Workshop, scheme: str, api_id: str, stage: str, region: str | None) -> str:
    if ws.endpoint_url:
        return f"{scheme}://{urlsplit(ws.endpoint_url).netloc}/_aws/execute-api/{api_id}/{stage}"
    address = f"{scheme}s://{api_id}.execute-api.{region or ws.region}.amazonaws.com"
    return address if stage == DEFAULT_STAGE else f"{address}/{stage}"


def _with_slash(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"
