"""The agent as an extension and as a server.

AppConfig user guide, "Understanding how the AWS AppConfig Agent Lambda extension works": each invocation
checks whether the poll interval is over. The wording of the log is that of AWS's agent.
"""

import http.client
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePath
from urllib.parse import urlsplit

from .cache import Cache
from .calls import SHORTEST_POLL_S, CallFailed, Name
from .settings import PREFIX, SUPPORTED, Log, SettingInvalid, Settings

_API = "/2020-01-01/extension"


class Extension:
    """The agent's side of the Extensions API."""

    def __init__(self, name: str) -> None:
        self._connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
        events = json.dumps({"events": ["INVOKE", "SHUTDOWN"]})
        response, _ = self._request("POST", "register", {"Lambda-Extension-Name": name}, events)
        self._identity = {"Lambda-Extension-Identifier": response.headers["Lambda-Extension-Identifier"]}

    def next_event(self) -> str:
        """Wait for the next event and return its type."""
        _, body = self._request("GET", "event/next", self._identity)
        return str(json.loads(body)["eventType"])

    def report_init_error(self, message: str) -> None:
        error_type = "Extension.ConfigInvalid"
        headers = {**self._identity, "Lambda-Extension-Function-Error-Type": error_type}
        document = json.dumps({"errorType": error_type, "errorMessage": message})
        self._request("POST", "init/error", headers, document)

    def _request(
        self, method: str, action: str, headers: dict[str, str], body: str | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request(method, f"{_API}/{action}", body, headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 300:
            raise RuntimeError(f"the Extensions API refuses {action}: {content.decode()}")
        return response, content


class Server(ThreadingHTTPServer):
    """Serves configurations of a cache on 127.0.0.1."""

    daemon_threads = True

    def __init__(self, port: int, cache: Cache, log: Log) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.cache = cache
        self.log = log

    def server_bind(self) -> None:
        # Without asking a name server what this machine is called.
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", self.server_address[1]


class Handler(BaseHTTPRequestHandler):
    """GET /applications/{name}/environments/{name}/configurations/{name}."""

    server: Server
    protocol_version = "HTTP/1.1"
    # Head and body are written apart, which must not wait for an acknowledgement in between.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        name = Name.of_path(parts.path)
        if name is None:
            self._refuse(404, "NotFound", f"there is nothing at {parts.path}")
        elif parts.query or "Context" in self.headers or "Entity-Id" in self.headers:
            self._refuse(
                501,
                "NotImplemented",
                "The local AWS's agent serves whole configurations only: no ?flag=, Context, Entity-Id.",
            )
        else:
            self._serve(name)

    def _serve(self, name: Name) -> None:
        try:
            configuration = self.server.cache.get(name)
        except CallFailed as failed:
            self._refuse(failed.status, failed.code, str(failed))
        else:
            self._answer(200, configuration.headers, configuration.content)

    def _refuse(self, status: int, code: str, message: str) -> None:
        document = json.dumps({"code": code, "message": message}).encode()
        self._answer(status, {"Content-Type": "application/json"}, document)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for header, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        self.server.log.write("DEBUG", format % arguments)


def _warn_of_what_is_not_supported(log: Log, settings: Settings) -> None:
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and variable.removeprefix(PREFIX) not in SUPPORTED:
            log.write("ERROR", f"{variable} is not supported by the agent of the local AWS")
    if settings.poll_interval_s < SHORTEST_POLL_S:
        log.write("WARN", f"AppConfig allows a poll every {SHORTEST_POLL_S}s: that is the interval used")


def _prefetch(cache: Cache, settings: Settings, log: Log) -> None:
    for path in settings.prefetch:
        name = Name.of_path(path)
        if name is None:
            log.write("ERROR", f"{PREFIX}PREFETCH_LIST: {path} is no path of a configuration")
            continue
        try:
            cache.get(name)
        except CallFailed:
            # Said in the log. The function's request for it will tell the function too.
            continue


def main(script: str) -> None:
    """`script` is the file by which Lambda has started this extension."""
    try:
        settings = Settings.of_variables(dict(os.environ))
    except SettingInvalid as invalid:
        Log("ERROR").write("ERROR", str(invalid))
        Extension(PurePath(script).name).report_init_error(str(invalid))
        sys.exit(1)
    log = Log(settings.log_level)
    log.write("INFO", "AppConfig Lambda Extension of the local AWS")
    _warn_of_what_is_not_supported(log, settings)
    cache = Cache(settings, log)
    server = Server(settings.port, cache, log)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log.write("INFO", f"serving on localhost:{settings.port}")
    _prefetch(cache, settings, log)
    extension = Extension(PurePath(script).name)
    while extension.next_event() == "INVOKE":
        cache.poll_what_is_due()
    log.write("INFO", "shutdown complete")
