"""Wait for a backend no longer than its integration allows."""

import asyncio
from collections.abc import Awaitable
from typing import Any

# Backends that go on after their time is up, as a function does.
_calls: set[asyncio.Future[Any]] = set()


class TimeIsUp(Exception):
    """The backend has not answered in time. It goes on alone."""


async def within(limit_s: float, call: Awaitable[Any]) -> Any:
    """What `call` comes to, and raises what it raises. Raises TimeIsUp after `limit_s` seconds."""
    task = asyncio.ensure_future(call)
    _calls.add(task)
    task.add_done_callback(_ended)
    done, _ = await asyncio.wait({task}, timeout=limit_s)
    if not done:
        raise TimeIsUp(f"no answer from the integration within {limit_s} s")
    return task.result()


def _ended(task: asyncio.Future[Any]) -> None:
    _calls.discard(task)
    if not task.cancelled():
        # Of a call that nobody waits for any more, nobody else asks for the error.
        task.exception()
