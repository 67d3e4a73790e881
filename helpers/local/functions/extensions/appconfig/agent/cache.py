"""Configurations that the agent has got, and keeps up to date."""

import threading
import time
from dataclasses import dataclass

from .calls import AppConfigData, CallFailed, Name
from .settings import Log, Settings

# User guide, "Retrieving feature flags and configuration data": metadata in headers of the response.
_VERSION_HEADERS = ("Configuration-Version", "Version-Label")


@dataclass
class Configuration:
    """A configuration in the cache. `due_s` is the moment of its next poll, by time.monotonic."""

    content: bytes
    headers: dict[str, str]
    token: str
    due_s: float


class Cache:
    """Configurations, got once and kept up to date."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self._settings = settings
        self._log = log
        self._api = AppConfigData(settings.poll_timeout_s)
        self._lock = threading.Lock()
        self._configurations: dict[Name, Configuration] = {}

    def get(self, name: Name) -> Configuration:
        """From the cache, else from AppConfig. Raises CallFailed."""
        found = self._configurations.get(name)
        if found is not None:
            return found
        with self._lock:
            if name not in self._configurations:
                started_s = time.monotonic()
                try:
                    token = self._api.start_session(name, self._settings.poll_interval_s)
                    self._configurations[name] = self._polled(token, None)
                except CallFailed as failed:
                    self._log.write("ERROR", f"retrieve failure for '{name}': {failed}")
                    raise
                self._tell(name, "retrieved initial data for", started_s)
            return self._configurations[name]

    def poll_what_is_due(self) -> None:
        """A configuration that cannot be got now stays as it is until its next poll."""
        with self._lock:
            for name, known in list(self._configurations.items()):
                if time.monotonic() >= known.due_s:
                    self._poll(name, known)

    def _poll(self, name: Name, known: Configuration) -> None:
        started_s = time.monotonic()
        try:
            polled = self._polled(known.token, known)
        except CallFailed as failed:
            known.due_s = time.monotonic() + self._settings.poll_interval_s
            self._log.write(
                "ERROR",
                f"retrieve failure for '{name}': {failed} (retry in {self._settings.poll_interval_s}s)",
            )
            if failed.status == 400:
                # The token is of no use any more.
                self._restart(name, known)
            return
        self._configurations[name] = polled
        if polled.content is known.content:
            self._log.write("DEBUG", f"no update of '{name}'")
        else:
            self._tell(name, "updated cache data for", started_s)

    def _restart(self, name: Name, known: Configuration) -> None:
        try:
            known.token = self._api.start_session(name, self._settings.poll_interval_s)
        except CallFailed as failed:
            self._log.write("ERROR", f"retrieve failure for '{name}': {failed}")

    def _polled(self, token: str, known: Configuration | None) -> Configuration:
        headers, content = self._api.get_latest(token)
        shortest_s = int(headers.get("Next-Poll-Interval-In-Seconds", "0"))
        due_s = time.monotonic() + max(shortest_s, self._settings.poll_interval_s)
        next_token = headers["Next-Poll-Configuration-Token"]
        # Empty content says that what the caller has is the latest.
        if known is not None and not content:
            return Configuration(known.content, known.headers, next_token, due_s)
        passed_on = {"Content-Type": headers.get("Content-Type", "application/octet-stream")}
        passed_on |= {name: headers[name] for name in _VERSION_HEADERS if headers.get(name)}
        return Configuration(content, passed_on, next_token, due_s)

    def _tell(self, name: Name, what: str, started_s: float) -> None:
        self._log.write("INFO", f"{what} '{name}' in {(time.monotonic() - started_s) * 1000:.3f}ms")
