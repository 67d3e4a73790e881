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

import h11

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


class Connection:
    """One connection of a runtime. Runtimes keep one open, or open one for each request."""

    def __init__(self, accepted: socket.socket) -> None:
        # Without this a small answer waits up to 40 ms for the acknowledgement of the one before.
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = accepted
        self._protocol = h11.Connection(h11.SERVER)
        self._head: h11.Request | None = None
        self._body: list[bytes] = []

    def receive(self) -> list[Request]:
        """Read what has arrived and return the requests that are complete by it.

        Raises ConnectionError when the runtime has closed the connection or broke the protocol.
        """
        data = self.socket.recv(_RECEIVE_BYTES)
        self._protocol.receive_data(data)
        if not data:
            raise ConnectionResetError("closed by the runtime")
        complete = []
        try:
            while request := self._next_request():
                complete.append(request)
        except h11.RemoteProtocolError as error:
            raise ConnectionError(str(error)) from error
        return complete

    def _next_request(self) -> Request | None:
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                if self._protocol.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
                return None
            if isinstance(event, h11.Request):
                self._head, self._body = event, []
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                assert self._head is not None
                headers = {name.decode(): value.decode("latin-1") for name, value in self._head.headers}
                return Request(
                    connection=self,
                    method=self._head.method.decode(),
                    path=self._head.target.decode(),
                    headers=headers,
                    body=b"".join(self._body),
                )
            else:
                raise ConnectionResetError("closed by the runtime")

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send a whole answer in one write. Raises OSError when the runtime is gone."""
        head = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers.items()]
        data = [
            self._protocol.send(h11.Response(status_code=status, headers=head)),
            self._protocol.send(h11.Data(data=body)),
            self._protocol.send(h11.EndOfMessage()),
        ]
        self.socket.sendall(b"".join(part for part in data if part))
        if self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE:
            self._protocol.start_next_cycle()

    def refuse(self, status: int, error_type: str, message: str) -> None:
        document = {"errorMessage": message, "errorType": error_type}
        self.answer(status, {}, json.dumps(document).encode())

    def accept(self) -> None:
        """Acknowledge a posted response or error."""
        self.answer(202, {}, b'{"status":"OK"}')

    def _send(self, event: h11.Event) -> None:
        data = self._protocol.send(event)
        if data:
            self.socket.sendall(data)

    def close(self) -> None:
        self.socket.close()


class RuntimeApi:
    """The listening socket and the connections of one execution environment."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(16)
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
