"""The two calls of the AppConfig data plane, signed with the credentials of the function's role.

AppConfig API reference, StartConfigurationSession and GetLatestConfiguration.
"""

import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

# Bounds of RequiredMinimumPollIntervalInSeconds.
SHORTEST_POLL_S, LONGEST_POLL_S = 15, 86_400
_PATH = re.compile(r"/applications/([^/]+)/environments/([^/]+)/configurations/([^/]+)")


class CallFailed(RuntimeError):
    """AppConfig has refused a call, or not answered: status, error code and message."""

    def __init__(self, operation: str, status: int, code: str, message: str) -> None:
        super().__init__(f"{operation}: api error {code}: {message}")
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Name:
    """Which configuration: each part is a name or an id."""

    application: str
    environment: str
    profile: str

    @classmethod
    def of_path(cls, path: str) -> "Name | None":
        match = _PATH.fullmatch(path)
        return cls(*map(unquote, match.groups())) if match else None

    def __str__(self) -> str:
        return f"{self.application}:{self.environment}:{self.profile}"


class AppConfigData:
    """The data plane, called at most `timeout_s` long. Each call raises CallFailed."""

    def __init__(self, timeout_s: float) -> None:
        endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
        self._host = endpoint.netloc
        self._timeout_s = timeout_s

    def start_session(self, name: Name, poll_interval_s: int) -> str:
        """Returns the first token."""
        shortest_s = min(max(poll_interval_s, SHORTEST_POLL_S), LONGEST_POLL_S)
        document = {
            "ApplicationIdentifier": name.application,
            "EnvironmentIdentifier": name.environment,
            "ConfigurationProfileIdentifier": name.profile,
            "RequiredMinimumPollIntervalInSeconds": shortest_s,
        }
        operation, path = "StartConfigurationSession", "/configurationsessions"
        _, body = self._call(operation, "POST", path, "", json.dumps(document).encode())
        return str(json.loads(body)["InitialConfigurationToken"])

    def get_latest(self, token: str) -> tuple[http.client.HTTPMessage, bytes]:
        query = f"configuration_token={quote(token, safe='')}"
        return self._call("GetLatestConfiguration", "GET", "/configuration", query, b"")

    def _call(
        self, operation: str, method: str, path: str, query: str, body: bytes
    ) -> tuple[http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection(self._host, timeout=self._timeout_s)
        target = f"{path}?{query}" if query else path
        try:
            connection.request(method, target, body, _signed(method, self._host, path, query, body))
            response = connection.getresponse()
            content = response.read()
        except TimeoutError:
            raise CallFailed(operation, 504, "Timeout", "AppConfig has not answered in time") from None
        except OSError as error:
            raise CallFailed(operation, 502, "ConnectionFailed", str(error)) from error
        finally:
            connection.close()
        if response.status >= 300:
            raise _failure(operation, response, content)
        return response.headers, content


def _failure(operation: str, response: http.client.HTTPResponse, content: bytes) -> CallFailed:
    try:
        document = json.loads(content)
    except ValueError:
        document = {}
    code = (response.headers.get("x-amzn-errortype") or document.get("__type") or "Unknown").split(":")[0]
    message = document.get("Message") or document.get("message") or content.decode(errors="replace")
    return CallFailed(operation, response.status, code, message)


def _signed(method: str, host: str, path: str, query: str, body: bytes) -> dict[str, str]:
    """Headers with a signature of version 4. IAM user guide, "Create a signed AWS API request"."""
    now = f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%SZ}"
    headers = {"content-type": "application/json", "host": host, "x-amz-date": now}
    if "AWS_SESSION_TOKEN" in os.environ:
        headers["x-amz-security-token"] = os.environ["AWS_SESSION_TOKEN"]
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join([method, path, query, lines, names, hashlib.sha256(body).hexdigest()])
    scope = f"{now[:8]}/{os.environ['AWS_REGION']}/appconfig/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{os.environ['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    )
    return headers
