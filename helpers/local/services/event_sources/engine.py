"""Polls the sources of all mappings, on the thread that serves the API.

A source that gets a record wakes it, so that records are handed on at once and nothing is done while
there are none. Between two rounds it pauses for some milliseconds, however often it is woken.
"""

import asyncio
import contextlib
import logging
from functools import cache

from ministack import app
from ministack.core import concurrency
from ministack.core.responses import request_scope
from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.services.event_sources.mappings import Mapping
from helpers.local.services.event_sources.scheduler import Scheduler

logger = logging.getLogger("lambda.event_sources")

SHORTEST_PAUSE_S = 0.005
# Lambda's long polling of queues (developer guide, "Configuring scaling behavior for SQS event source
# mappings"); empty polls are counted that often.
LONGEST_PAUSE_S = 20.0

# (account id, Region, UUID)
Key = tuple[str, str, str]
_stored = contract.expect(lambda_svc, "_esms")
_wake = contract.expect(concurrency, "esm_wake")
contract.expect(app, "_MAIN_LOOP")


class Engine:
    """The mappings of this local AWS, beside the emulator's own record of each."""

    def __init__(self) -> None:
        self.scheduler = Scheduler(self.wake)
        self._mappings: dict[Key, Mapping] = {}
        self._woken = asyncio.Event()
        self._loop = app._MAIN_LOOP
        self.scheduler.start(self._run())

    def add(self, key: Key, mapping: Mapping) -> None:
        self._mappings[key] = mapping
        _stored.set_scoped(*key, mapping.configuration)
        self.wake()

    def find(self, key: Key) -> Mapping | None:
        """In its present state; None when it does not exist, or no longer."""
        self._drop_gone()
        return self._mappings.get(key)

    def all_in(self, account_id: str, region: str) -> list[Mapping]:
        self._drop_gone()
        return [mapping for key, mapping in self._mappings.items() if key[:2] == (account_id, region)]

    def wake(self) -> None:
        """May be called from any thread."""
        self._loop.call_soon_threadsafe(self._woken.set)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            wait_s = self._poll_all()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait_s)
            await asyncio.sleep(SHORTEST_PAUSE_S)

    def _poll_all(self) -> float:
        """Returns the seconds until there may be something to do."""
        self._drop_gone()
        waits = [LONGEST_PAUSE_S]
        for (account_id, region, uuid), mapping in list(self._mappings.items()):
            settles_in_s = mapping.settle()
            if settles_in_s is not None:
                waits.append(settles_in_s)
            if not mapping.is_polled:
                continue
            try:
                with request_scope(account_id, region):
                    next_in_s = mapping.poller.poll()
            except Exception:
                # One mapping must not stop the others.
                logger.exception("event source mapping %s was not polled", uuid)
                continue
            if next_in_s is not None:
                waits.append(next_in_s)
        return min(waits)

    def _drop_gone(self) -> None:
        """What was deleted half a second ago, and what the emulator was told to forget."""
        for key, mapping in list(self._mappings.items()):
            mapping.settle()
            if mapping.is_gone or _stored.get_scoped(*key) is not mapping.configuration:
                del self._mappings[key]
            if mapping.is_gone:
                _stored.pop_scoped(*key, None)


@cache
def engine() -> Engine:
    """The engine of this local AWS; first called on the thread that serves the API."""
    started = Engine()
    # An attribute of the instance, because every service has a name of its own for it.
    _wake.set = started.wake
    return started
