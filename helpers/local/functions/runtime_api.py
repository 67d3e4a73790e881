"""AWS Lambda's Runtime API, served to one execution environment.

Source of the rules: AWS Lambda developer guide, "Using the Lambda runtime API for custom
runtimes". The server has no thread of its own: whoever waits for the environment drives it, so
that the moments which make up a duration are read off the clock where they happen.
"""

import contextlib
import json
import re
import selectors
import socket
from dataclasses import dataclass
from http import HTTPStatus

import httptools

_RECEIVE_BYTES = 256 * 1024
_PREFIX = "/2018-06-01/runtime"
_OUTCOME = re.compile(rf"{_PREFIX}/invocation/([^/]+)/(response|error)")


@dataclass(frozen=True)
class Request:
    """One request of the runtime, complete with its body."""

    connection: "Connection"
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def wants_next(self) -> bool:
        return self.method == "GET" and self.path == f"{_PREFIX}/invocation/next"

    @property
    def is_init_error(self) -> bool:
        return self.method == "POST" and self.path == f"{_PREFIX}/init/error"

    @property
    def outcome(self) -> tuple[str, str] | None:
        """`(request id, "response" or "error")` when the request ends an invocation."""
        match = _OUTCOME.fullmatch(self.path) if self.method == "POST" else None
        return (match[1], match[2]) if match else None

    @property
    def error_type(self) -> str | None:
        """What the runtime calls the error that it posts."""
        return self.headers.get("lambda-runtime-function-error-type")

    def refuse_out_of_turn(self) -> None:
        """Answer a request that the Runtime API has no place for now."""
        if self.outcome is not None:
            self.connection.refuse(400, "InvalidRequestID", "Invalid request ID")
        else:
            self.connection.refuse(404, "NotFound", f"{self.method} {self.path} is not supported here")


class Connection:
    """One connection of a runtime. Runtimes keep one open, or open one for each request.

    The methods whose names begin with `on_` are called by the parser.
    """

    def __init__(self, accepted: socket.socket) -> None:
        # Without this a small answer waits up to 40 ms for the acknowledgement of the one before.
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = accepted
        self._parser = httptools.HttpRequestParser(self)
        self._complete: list[Request] = []

    def receive(self) -> list[Request]:
        """Read what has arrived and return the requests that are complete by it.

        Raises ConnectionError when the runtime has closed the connection or broke the protocol.
        """
        data = self.socket.recv(_RECEIVE_BYTES)
        if not data:
            raise ConnectionResetError("closed by the runtime")
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise ConnectionError(str(error)) from error
        complete, self._complete = self._complete, []
        return complete

    def on_message_begin(self) -> None:
        self._path = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    def on_url(self, part: bytes) -> None:
        self._path += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        path = self._path.decode("latin-1")
        self._complete.append(Request(self, method, path, self._headers, b"".join(self._body)))

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send a whole answer in one write. Raises OSError when the runtime is gone."""
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(lines) + "\r\n\r\n"
        self.socket.sendall(head.encode("latin-1") + body)

    def refuse(self, status: int, error_type: str, message: str) -> None:
        document = {"errorMessage": message, "errorType": error_type}
        self.answer(status, {}, json.dumps(document).encode())

    def accept(self) -> None:
        """Acknowledge a posted response or error."""
        self.answer(202, {}, b'{"status":"OK"}')

    def close(self) -> None:
        self.socket.close()


class RuntimeApi:
    """The listening socket and the connections of one execution environment.

    `listener` is a socket that listens already; without it the API gets a port of this machine.
    """

    def __init__(self, selector: selectors.BaseSelector, listener: socket.socket | None = None) -> None:
        self._selector = selector
        self._listener = listener or _listen()
        self._connections: set[Connection] = set()
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    @property
    def address(self) -> str:
        """Value of AWS_LAMBDA_RUNTIME_API."""
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def _accept(self) -> list[Request]:
        accepted, _ = self._listener.accept()
        connection = Connection(accepted)
        self._connections.add(connection)
        self._selector.register(accepted, selectors.EVENT_READ, lambda: self._receive(connection))
        return []

    def _receive(self, connection: Connection) -> list[Request]:
        try:
            return connection.receive()
        except OSError:
            self._drop(connection)
            return []

    def _drop(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._selector.unregister(connection.socket)
        connection.close()

    def close(self) -> None:
        for connection in list(self._connections):
            self._drop(connection)
        with contextlib.suppress(KeyError):
            self._selector.unregister(self._listener)
        self._listener.close()


def _listen() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    return listener
