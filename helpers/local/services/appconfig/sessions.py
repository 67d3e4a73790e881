"""Sessions in which a client polls for its configuration, and the tokens that carry them.

AWS: AppConfig user guide, "Retrieving configuration data"; AppConfig Data API reference,
"StartConfigurationSession" and "GetLatestConfiguration": a token is good for one call and for 24 hours; a
client that asked for a minimum between its polls is refused before that. A client that asked for none is
told to come back after 60 s, and not held to it.
"""

import uuid
from dataclasses import dataclass, field, replace

from helpers.local.services.appconfig.refusals import bad_request, invalid_token

DEFAULT_POLL_INTERVAL_S = 60
SHORTEST_POLL_INTERVAL_S, LONGEST_POLL_INTERVAL_S = 15, 86_400
TOKEN_LIFETIME_S = 24 * 3600


@dataclass(frozen=True)
class Session:
    """What a client polls for, and what it has already.

    `session_id` stays the same over all polls: by its hash the client gets a new configuration early or
    late in a deployment. `required_interval_s` is the minimum that the client asked for.
    """

    application_id: str
    environment_id: str
    profile_id: str
    required_interval_s: int | None
    session_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    received_version: str | None = None

    @property
    def next_interval_s(self) -> int:
        return self.required_interval_s or DEFAULT_POLL_INTERVAL_S

    def having(self, version: str) -> "Session":
        return replace(self, received_version=version)


@dataclass
class Token:
    """Good for one poll of its session. Times are seconds since the epoch; `polled_s` is the last poll's."""

    session: Session
    issued_s: float
    polled_s: float | None = None
    spent: bool = False

    def spend(self, now_s: float) -> None:
        """Raises Refused. A poll that comes too early leaves the token as it is."""
        if self.spent:
            raise invalid_token("Expired", "The configuration token has been used: it is good for one call.")
        if now_s - self.issued_s > TOKEN_LIFETIME_S:
            raise invalid_token("Expired", "The configuration token is older than 24 hours.")
        interval_s = self.session.required_interval_s
        if interval_s is not None and self.polled_s is not None and now_s - self.polled_s < interval_s:
            raise invalid_token("PollIntervalNotSatisfied", "Request too early")
        self.spent = True


def required_interval_s(given: object) -> int | None:
    """RequiredMinimumPollIntervalInSeconds of a request. Raises Refused."""
    if given is None:
        return None
    if type(given) is not int or not SHORTEST_POLL_INTERVAL_S <= given <= LONGEST_POLL_INTERVAL_S:
        raise bad_request(
            f"RequiredMinimumPollIntervalInSeconds is a number from {SHORTEST_POLL_INTERVAL_S} to "
            f"{LONGEST_POLL_INTERVAL_S}, not {given}."
        )
    return given
