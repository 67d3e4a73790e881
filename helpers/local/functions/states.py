"""The states of a function that keep it from being invoked or changed.

AWS Lambda developer guide, "Lambda function states".
"""

import contextvars
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from helpers.local.functions.refusal import conflict

SETTLE_TIMEOUT_S = 10.0
_SUBJECT = "The operation cannot be performed at this time."


def check_active(config: dict[str, Any]) -> None:
    """Refuse what cannot be done to a function that is still being created."""
    if config.get("State") == "Pending":
        raise conflict(f"{_SUBJECT} The function is currently in the following state: Pending")


_waiting: contextvars.ContextVar[bool] = contextvars.ContextVar("waiting", default=False)


@contextmanager
def waiting() -> Iterator[None]:
    """Within it, `check_settled` waits for the function before it refuses."""
    token = _waiting.set(True)
    try:
        yield
    finally:
        _waiting.reset(token)


def check_settled(config: dict[str, Any]) -> None:
    """Refuse what cannot be done to a function that is being created or updated."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while _waiting.get() and config.get("LastUpdateStatus") != "Successful" and time.monotonic() < deadline:
        time.sleep(0.02)
    check_active(config)
    if config.get("LastUpdateStatus") == "InProgress":
        raise conflict(f"{_SUBJECT} An update is in progress for resource: {config['FunctionArn']}")


def begin_update(config: dict[str, Any]) -> None:
    """An update leaves the function Active."""
    config.update(
        State="Active",
        LastUpdateStatus="InProgress",
        # AWS gives the same reason for the resources of a new function and of a changed one.
        LastUpdateStatusReason="The function is being created.",
        LastUpdateStatusReasonCode="Creating",
    )
    for name in ("StateReason", "StateReasonCode"):
        config.pop(name, None)


def begin_creation(config: dict[str, Any]) -> None:
    """A function that was never updated has no status of an update."""
    for name in ("LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
        config.pop(name, None)


def settle(config: dict[str, Any], revision_id: str) -> None:
    """Created or updated: a new revision, as on AWS, and no reasons any more."""
    config.update(State="Active", LastUpdateStatus="Successful", RevisionId=revision_id)
    for name in ("StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
        config.pop(name, None)
