"""Send a signed request to the local AWS itself, without leaving the process.

It takes the way of every request from outside: signature, permissions, the service, CloudTrail. It
only spares the socket, which the event loop that serves it could not wait for.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack import app

from helpers.local import contract

Response = tuple[int, dict[str, str], bytes]
Message = dict[str, Any]

contract.expect(app, "app", ("scope", "receive", "send"))


async def send(
    service: str,
    region: str,
    credentials: Credentials,
    method: str,
    path: str,
    query: dict[str, list[str]],
    headers: dict[str, str],
    body: bytes,
) -> Response:
    """Status, headers by lower-case name, and body of the service's response."""
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    query_string = urlencode(query, doseq=True)
    url = f"{endpoint}{path}" + (f"?{query_string}" if query_string else "")
    request = AWSRequest(method=method, url=url, data=body, headers={**headers, "host": urlsplit(url).netloc})
    SigV4Auth(credentials, service, region).add_auth(request)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query_string.encode(),
        "headers": [
            (name.lower().encode(), value.encode())
            for name, value in [*request.headers.items(), ("content-length", str(len(body)))]
        ],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", urlsplit(url).port),
    }
    exchange = _Exchange(body)
    # A task has a context of its own: the account and caller of this request are not those of the outer.
    await asyncio.create_task(_application()(scope, exchange.receive, exchange.send))
    return exchange.status, exchange.headers, bytes(exchange.body)


def _application() -> Callable[..., Coroutine[Any, Any, None]]:
    application: Callable[..., Coroutine[Any, Any, None]] = app.app
    return application


class _Exchange:
    """The two ends of one request, as ASGI has them."""

    def __init__(self, body: bytes) -> None:
        self._request: Message | None = {"type": "http.request", "body": body, "more_body": False}
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()

    async def receive(self) -> Message:
        if self._request is None:
            # The client stays until it is answered.
            await asyncio.Event().wait()
        request, self._request = self._request, None
        assert request is not None
        return request

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]
            }
        else:
            self.body += message.get("body", b"")
