"""What a load is made of, in a form that goes from one process to another."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

START_TIMEOUT_S = 60.0
REMOTE_START_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class HttpRequest:
    """A request to a function URL, an API, or any other http or https address. `body` is sent as UTF-8."""

    url: str
    method: str = "GET"
    # Not shown, because keys and tokens travel in headers.
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = ""


@dataclass(frozen=True)
class InvokeRequest:
    """A synchronous Invoke of a Lambda function; `payload` is JSON text. Credentials are not part of it."""

    function_name: str
    qualifier: str
    payload: str
    region: str
    endpoint_url: str
    proxies: dict[str, str] | None


@dataclass(frozen=True)
class Plan:
    """Requests that are due at a constant rate, whether or not earlier ones have been answered.

    At most `users` of them are open at once. A request without an answer fails after `timeout_s`. With
    workers, the load is divided among `workers` processes of this machine and `remote_workers` of others,
    which find the master on `port`.
    """

    request: HttpRequest | InvokeRequest
    rate_per_s: float
    duration_s: float
    users: int
    timeout_s: float
    workers: int = 0
    remote_workers: int = 0
    port: int = 0

    @property
    def planned(self) -> int:
        """How many requests are due in all."""
        return round(self.rate_per_s * self.duration_s)

    @property
    def all_workers(self) -> int:
        return self.workers + self.remote_workers

    @property
    def start_timeout_s(self) -> float:
        """How long processes may take to start; those of other machines are started by hand."""
        return REMOTE_START_TIMEOUT_S if self.remote_workers else START_TIMEOUT_S

    def to_json(self) -> str:
        return json.dumps({"kind": type(self.request).__name__, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        fields: dict[str, Any] = json.loads(text)
        kind = {"HttpRequest": HttpRequest, "InvokeRequest": InvokeRequest}[fields.pop("kind")]
        return cls(**{**fields, "request": kind(**fields["request"])})
