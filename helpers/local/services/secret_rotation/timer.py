"""Starts the rotations whose time has come, in one thread that sleeps while no secret has a schedule."""

import logging
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import secretsmanager

from helpers.local import contract
from helpers.local.services.secret_rotation.rotation import CURRENT, Rotation, pending_version
from helpers.local.services.secret_rotation.schedule import Window, next_window

# The emulator's record of a secret keeps here, in s since 1970, from when on its schedule counts.
SCHEDULED_FROM = "_RotationScheduledFrom"
# A sleep is no longer than this, because the machine's clock may be set.
LONGEST_SLEEP_S = 3600.0

logger = logging.getLogger("secretsmanager.rotation")

_secrets = contract.expect(secretsmanager, "_secrets")
_version_of_stage = contract.expect(secretsmanager, "_find_stage_version", ("secret", "stage"))


def window_of(secret: dict[str, Any]) -> Window | None:
    """When the secret is rotated next. An interval counts from when its value was last changed."""
    rules = secret.get("RotationRules") or {}
    if not secret.get("RotationEnabled") or secret.get("DeletedDate"):
        return None
    if not {"AutomaticallyAfterDays", "ScheduleExpression"} & set(rules):
        return None
    from_s = secret.get(SCHEDULED_FROM, secret["CreatedDate"])
    _, current = _version_of_stage(secret, CURRENT)
    if current is not None and "AutomaticallyAfterDays" in rules:
        from_s = max(from_s, current["CreatedDate"])
    return next_window(rules, datetime.fromtimestamp(from_s, UTC))


class RotationTimer:
    """Of the secrets of all accounts and Regions."""

    def __init__(self) -> None:
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def look_again(self) -> None:
        """A schedule has changed. Called on the thread that serves requests."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="secret-rotations", daemon=True)
            self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait(self._start_due())
            self._wake.clear()

    def _start_due(self) -> float | None:
        """Returns the seconds to the next rotation, None while none is scheduled."""
        now, starts = datetime.now(UTC), []
        for (account_id, region, _), secret in list(_secrets.all_items()):
            window = window_of(secret)
            if window is not None and window.start <= now:
                with request_scope(account_id, region):
                    _start(secret)
                window = window_of(secret)
            if window is not None:
                starts.append(window.start)
        if not starts:
            return None
        return min(LONGEST_SLEEP_S, max(0.0, (min(starts) - now).total_seconds()))


def _start(secret: dict[str, Any]) -> None:
    logger.info("%s is rotated as scheduled", secret["Name"])
    secret[SCHEDULED_FROM] = time.time()
    Rotation(secret, pending_version(secret) or str(uuid.uuid4())).start()
