"""How the asynchronous events of a function, version or alias are handled.

API reference, "PutFunctionEventInvokeConfig"; what is not set has Lambda's defaults.
"""

from dataclasses import dataclass
from typing import Any

from helpers.local.functions.routing import LATEST

DEFAULT_RETRY_ATTEMPTS = 2
DEFAULT_EVENT_AGE_S = 21_600


@dataclass(frozen=True)
class EventSettings:
    """`on_success` and `on_failure` are ARNs of destinations."""

    retry_attempts: int = DEFAULT_RETRY_ATTEMPTS
    event_age_s: int = DEFAULT_EVENT_AGE_S
    on_success: str | None = None
    on_failure: str | None = None

    @classmethod
    def of_function(cls, function: dict[str, Any], qualifier: str | None) -> "EventSettings":
        """Of the emulator's record of a function, for the version or alias that was invoked."""
        config = stored(function).get(qualifier or LATEST)
        if config is None:
            return cls()
        destinations = config.get("DestinationConfig") or {}
        return cls(
            retry_attempts=config.get("MaximumRetryAttempts", DEFAULT_RETRY_ATTEMPTS),
            event_age_s=config.get("MaximumEventAgeInSeconds", DEFAULT_EVENT_AGE_S),
            on_success=(destinations.get("OnSuccess") or {}).get("Destination"),
            on_failure=(destinations.get("OnFailure") or {}).get("Destination"),
        )


def stored(function: dict[str, Any]) -> dict[str, Any]:
    """The settings of a function as the API returns them, by qualifier; unqualified means $LATEST."""
    settings: dict[str, Any] = function.setdefault("event_invoke_configs", {})
    return settings
