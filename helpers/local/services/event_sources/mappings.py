"""An event source mapping and its states.

AWS Lambda API reference, "CreateEventSourceMapping", State: Creating, Enabling, Enabled, Disabling,
Disabled, Updating or Deleting. AWS needs up to minutes from one to the next, this half a second.
"""

import time
from dataclasses import dataclass
from typing import Any, Protocol

from helpers.local.functions.refusal import Refused
from helpers.local.services.event_sources.settings import Settings

SETTLES_IN_S = 0.5
GONE = "Gone"
# What the emulator keeps with a mapping and the API does not show.
PRIVATE = ("FunctionName", "Qualifier", "Enabled", "Tags")


class Poller(Protocol):
    settings: Settings

    def anchor(self) -> None:
        """Called when the mapping is about to be enabled: a position LATEST is that of now."""
        ...

    def poll(self) -> float | None:
        """Start the batches that are due. Returns the seconds until more may be."""
        ...


@dataclass
class Mapping:
    """`configuration` is the emulator's record: what the API shows, and PRIVATE."""

    configuration: dict[str, Any]
    poller: Poller
    _next_state: str = ""
    _settled_s: float = 0.0

    @property
    def is_in_transition(self) -> bool:
        return bool(self._next_state)

    @property
    def is_gone(self) -> bool:
        return self.configuration["State"] == GONE

    @property
    def is_polled(self) -> bool:
        state = self.configuration["State"]
        return state == "Enabled" or (state == "Updating" and self._next_state == "Enabled")

    def begin(self, state: str, then: str) -> None:
        """Enter a state that `then` follows on its own."""
        self.configuration["State"] = state
        self._next_state = then
        self._settled_s = time.monotonic() + SETTLES_IN_S
        if then == "Enabled":
            self.poller.anchor()

    def settle(self) -> float | None:
        """Enter the next state if it is time. Returns the seconds until then, None when there is none."""
        if not self._next_state:
            return None
        wait_s = self._settled_s - time.monotonic()
        if wait_s > 0:
            return wait_s
        self.configuration["State"], self._next_state = self._next_state, ""
        return None

    def check_settled(self, action: str) -> None:
        """Refuse what cannot be done in a state that another one is about to follow."""
        if self.is_in_transition:
            raise Refused(
                "ResourceInUseException",
                f"Cannot {action} the event source mapping because it is in use.",
                400,
            )

    def shown(self) -> dict[str, Any]:
        """As the API returns it."""
        return {name: value for name, value in self.configuration.items() if name not in PRIVATE}
