"""Hand the messages of a queue to a function.

AWS Lambda developer guide, "Using Lambda with Amazon SQS": what was processed is deleted, and so is
what a filter leaves out; what failed is left to become visible again. A batch whose invocation is
throttled is tried again for as long as its messages stay invisible (ibid., "Creating and
configuring an Amazon SQS event source mapping").
"""

import asyncio
import time
from collections.abc import Sequence

from helpers.local.functions.asynchronous import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, retry_speedup
from helpers.local.services.event_sources import invocation, metrics
from helpers.local.services.event_sources.access import RECHECKED_IN_S, Access
from helpers.local.services.event_sources.invocation import Outcome, Status
from helpers.local.services.event_sources.queues import Queue
from helpers.local.services.event_sources.records import Gathering, Record
from helpers.local.services.event_sources.scheduler import Scheduler
from helpers.local.services.event_sources.settings import Settings

# Other requests are served between two polls; so often a queue is asked in one.
MOST_REQUESTS_PER_POLL = 50


class QueuePoller:
    """The poller of one mapping. All methods are called in the mapping's scope, on the API's thread."""

    def __init__(self, queue: Queue, settings: Settings, access: Access, scheduler: Scheduler) -> None:
        self.settings = settings
        self._queue = queue
        self._access = access
        self._scheduler = scheduler
        self._gathering = Gathering()
        self._running = 0

    def anchor(self) -> None:
        """A queue has no position."""

    def poll(self) -> float | None:
        """Start the batches that are due. Returns the seconds until more may be."""
        settings = self.settings
        if self._access.denied(settings) is not None:
            return RECHECKED_IN_S
        while self._running < settings.concurrency:
            now_s = time.monotonic()
            self._receive(now_s)
            batch = self._gathering.take(settings.batch_size, settings.window_s, now_s)
            if not batch:
                return self._next_in_s(now_s)
            self._running += 1
            self._scheduler.start(self._process(settings, batch))
        return None

    def _receive(self, now_s: float) -> None:
        settings = self.settings
        for _ in range(MOST_REQUESTS_PER_POLL):
            missing = settings.batch_size - len(self._gathering)
            received = [] if self._gathering.is_full(settings.batch_size) else self._queue.receive(missing)
            metrics.count(settings, "PolledEventCount", len(received))
            if not received:
                return
            passed, left_out = settings.filters.divide(received)
            if settings.filters:
                metrics.count(settings, "FilteredOutEventCount", len(left_out))
                self._queue.delete(left_out)
            self._gathering.add(passed, now_s)

    def _next_in_s(self, now_s: float) -> float | None:
        settings = self.settings
        batch_in_s = self._gathering.wait_s(settings.batch_size, settings.window_s, now_s)
        waits = [each for each in (batch_in_s, self._queue.next_message_in_s()) if each is not None]
        return min(waits, default=None)

    async def _process(self, settings: Settings, batch: Sequence[Record]) -> None:
        try:
            outcome = await self._invoke(settings, batch)
            failed = _failed(settings, outcome, batch)
            if failed:
                metrics.count(settings, "FailedInvokeEventCount", len(failed))
            processed = [record for record in batch if record.identifier not in failed]
            if processed:
                metrics.count(settings, "DeletedEventCount", self._queue.delete(processed))
        finally:
            self._running -= 1

    async def _invoke(self, settings: Settings, batch: Sequence[Record]) -> Outcome:
        visible_again_s = time.monotonic() + self._queue.visibility_timeout_s
        backoff_s = FIRST_BACKOFF_S
        while True:
            metrics.count(settings, "InvokedEventCount", len(batch))
            outcome = await self._scheduler.in_thread(invocation.invoke, settings.function_arn, batch)
            wait_s = backoff_s / retry_speedup()
            if outcome.status is not Status.THROTTLED or time.monotonic() + wait_s > visible_again_s:
                return outcome
            metrics.count(settings, "FailedInvokeEventCount", len(batch))
            await asyncio.sleep(wait_s)
            backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)


def _failed(settings: Settings, outcome: Outcome, batch: Sequence[Record]) -> set[str]:
    if outcome.status is not Status.SUCCEEDED:
        return {record.identifier for record in batch}
    if settings.reports_item_failures:
        return invocation.failed_items(outcome.response, batch)
    return set()
