"""Rehearse a custom runtime on this machine: run it through events before it is deployed.

A server on 127.0.0.1 plays the Lambda Runtime API and every AWS service that the function calls. It is no
AWS: it checks nothing and measures nothing. Builds need it where a run decides what they contain, as that of
an archive for class data sharing does.
"""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TIMEOUT_S = 60.0
REQUEST_ID = "rehearsal-{}"
CHARACTERS_SHOWN = 1000
_PREFIX = "/2018-06-01/runtime/"
# What a function finds in its environment on Lambda, as far as it needs it to call a service.
_PLAYED = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "rehearsal",
    "AWS_SECRET_ACCESS_KEY": "rehearsal",
    "AWS_SESSION_TOKEN": "rehearsal",
}


class RehearsalFailed(RuntimeError):
    """The runtime did not get through its events; the message holds what it said."""


def rehearse(
    command: Sequence[str], events: Sequence[Any], variables: Mapping[str, str] | None = None
) -> list[Any]:
    """Run the command of a custom runtime, hand it `events` one by one, and return what it responds to each.

    Events and responses are JSON values. Every request that is not for the Runtime API is answered with 200
    and `{}`; the variable AWS_ENDPOINT_URL leads there. After the last event the request for another one is
    answered with 410, and the runtime has to end. Lambda has no such answer: it kills the process.

    Raises RehearsalFailed when the runtime reports an error, ends before it has responded to all events or
    with an exit code other than 0, or takes longer than a minute.
    """
    with _stage(events) as (address, responses):
        played = {**_PLAYED, "AWS_LAMBDA_RUNTIME_API": address, "AWS_ENDPOINT_URL": f"http://{address}"}
        try:
            ended = subprocess.run(
                list(command),
                env={**os.environ, **played, **(variables or {})},
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RehearsalFailed(f"{command[0]} did not end within {TIMEOUT_S:g} s.") from None
    errors = [body for path, body in responses if path.endswith("/error")]
    if errors:
        raise RehearsalFailed(f"{command[0]} reported an error: {errors[0]}")
    if ended.returncode != 0 or len(responses) != len(events):
        said = (ended.stdout + ended.stderr)[-CHARACTERS_SHOWN:]
        raise RehearsalFailed(
            f"{command[0]} ended with exit code {ended.returncode} after {len(responses)} responses to "
            f"{len(events)} events: {said}"
        )
    return [json.loads(body) for _, body in responses]


@contextmanager
def _stage(events: Sequence[Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The address of a server that plays Lambda, and what is posted there: paths and bodies."""
    waiting = [json.dumps(event).encode() for event in events]
    posted: list[tuple[str, str]] = []

    class Stage(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave together: in two parts, the second waits for an acknowledgement of the first.
        wbufsize = -1

        def do_GET(self) -> None:
            if self.path != f"{_PREFIX}invocation/next":
                self._answer(200, b"{}")
            elif waiting:
                request_id = REQUEST_ID.format(len(events) - len(waiting))
                self._answer(200, waiting.pop(0), {"Lambda-Runtime-Aws-Request-Id": request_id})
            else:
                self._answer(410, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if self.path.startswith(_PREFIX):
                posted.append((self.path, body))
                self._answer(202, b"{}")
            else:
                self._answer(200, b"{}")

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Requests of a rehearsal are nobody's concern."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stage)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
