"""One after the other, the batches of a shard, or of its share of partition keys.

AWS documents that failed batches are tried again, and not how soon. Here the first wait is a
second, each next one twice as long up to a minute, all shortened by the same factor as those of
asynchronous invocation (functions/asynchronous.py): the seconds left out count towards the age of
the records.
"""

import logging
import time
from collections import deque
from collections.abc import Callable

from helpers.local.functions.asynchronous import FIRST_BACKOFF_S, retry_speedup
from helpers.local.services.event_sources import discarded_batches, invocation, metrics
from helpers.local.services.event_sources.discarded_batches import DiscardedBatch
from helpers.local.services.event_sources.invocation import Outcome, Status
from helpers.local.services.event_sources.records import Gathering
from helpers.local.services.event_sources.scheduler import Scheduler
from helpers.local.services.event_sources.settings import Settings
from helpers.local.services.event_sources.stream_batches import Batch
from helpers.local.services.event_sources.streams import Stream

logger = logging.getLogger("lambda.event_sources")

LONGEST_BACKOFF_S = 60.0
# Other requests are served between two polls; so much is read, and filtered, in one.
MOST_READ_PER_POLL = 500


class Lane:
    """`is_mine` tells by the order key which records of the shard this lane works on."""

    def __init__(
        self,
        stream: Stream,
        shard_id: str,
        after: str,
        scheduler: Scheduler,
        note: Callable[[Status], None],
        is_mine: Callable[[str], bool],
    ) -> None:
        self._stream = stream
        self._shard_id = shard_id
        self._position = after
        self._scheduler = scheduler
        self._note = note
        self._is_mine = is_mine
        self._gathering = Gathering()
        self._batches: deque[Batch] = deque()
        self._is_running = False
        self._resume_s = 0.0
        self._backoff_s = FIRST_BACKOFF_S
        self._left_out_s = 0.0

    def poll(self, settings: Settings) -> float | None:
        """Start the next batch if it is due. Returns the seconds until one may be."""
        now_s = time.monotonic()
        if self._is_running:
            return None
        if now_s < self._resume_s:
            return self._resume_s - now_s
        if not self._batches:
            has_more = self._read(settings, now_s)
            records = self._gathering.take(settings.batch_size, settings.window_s, now_s)
            if not records:
                if has_more:
                    return 0.0
                return self._gathering.wait_s(settings.batch_size, settings.window_s, now_s)
            self._batches.append(Batch(tuple(records)))
        self._is_running = True
        self._scheduler.start(self._process(settings, self._batches.popleft()))
        return None

    def _read(self, settings: Settings, now_s: float) -> bool:
        """Gather what passes the filters. Returns whether there is more to be read."""
        if self._gathering.is_full(settings.batch_size):
            return False
        missing = settings.batch_size - len(self._gathering)
        read = self._stream.read(self._shard_id, self._position, min(missing, MOST_READ_PER_POLL))
        if read:
            self._position = read[-1].identifier
        mine = [record for record in read if self._is_mine(record.order_key)]
        passed, left_out = settings.filters.divide(mine)
        metrics.count(settings, "PolledEventCount", len(mine))
        if settings.filters:
            metrics.count(settings, "FilteredOutEventCount", len(left_out))
        self._gathering.add(passed, now_s)
        return bool(read) and not self._gathering.is_full(settings.batch_size)

    async def _process(self, settings: Settings, batch: Batch) -> None:
        try:
            left = await self._attempt(settings, batch)
        except Exception:
            left = [batch]
            self._wait()
            raise
        finally:
            self._batches.extendleft(reversed(left))
            self._is_running = False

    async def _attempt(self, settings: Settings, batch: Batch) -> list[Batch]:
        """Process `batch` once. Returns what is left of it to be tried next, in order."""
        batch = await self._without_old_records(settings, batch)
        if not batch.records:
            self._start_afresh()
            return []
        outcome = await self._invoke(settings, batch)
        self._note(outcome.status)
        if outcome.status in (Status.THROTTLED, Status.NOT_INVOKED):
            metrics.count(settings, "FailedInvokeEventCount", len(batch.records))
            self._wait()
            return [batch]
        left = self._left_after(settings, batch.invoked(), outcome)
        failed = sum(len(each.records) for each in left)
        if failed:
            metrics.count(settings, "FailedInvokeEventCount", failed)
        if left and left[0].is_exhausted(settings):
            exhausted = left.pop(0)
            await self._discard(settings, exhausted, discarded_batches.RETRIES_EXHAUSTED, outcome)
        if failed and left:
            self._wait()
        else:
            self._start_afresh()
        return left

    def _left_after(self, settings: Settings, batch: Batch, outcome: Outcome) -> list[Batch]:
        if outcome.has_function_error:
            return batch.after_function_error(settings)
        if settings.reports_item_failures:
            rest = batch.after_item_failures(invocation.failed_items(outcome.response, batch.records))
            return [rest] if rest is not None else []
        return []

    async def _invoke(self, settings: Settings, batch: Batch) -> Outcome:
        metrics.count(settings, "InvokedEventCount", len(batch.records))
        age_s = time.time() - batch.records[-1].arrived_s + self._left_out_s
        metrics.of_function(settings, "IteratorAge", max(0.0, age_s * 1000), "Milliseconds")
        return await self._scheduler.in_thread(invocation.invoke, settings.function_arn, batch.records)

    async def _without_old_records(self, settings: Settings, batch: Batch) -> Batch:
        now_s = time.time() + self._left_out_s
        expired, batch = batch.split_at_age(now_s, self._stream.retention_s)
        if expired.records:
            logger.warning("%s: records left the stream before they were processed", settings.source_arn)
        if settings.record_age_s is None:
            return batch
        old, batch = batch.split_at_age(now_s, settings.record_age_s)
        if old.records:
            await self._discard(settings, old, discarded_batches.TOO_OLD, None)
        return batch

    async def _discard(
        self, settings: Settings, batch: Batch, condition: str, outcome: Outcome | None
    ) -> None:
        if settings.on_failure is not None:
            discarded = DiscardedBatch(
                mapping_uuid=settings.uuid,
                function_arn=settings.function_arn,
                stream_arn=settings.source_arn,
                shard_id=self._shard_id,
                records=batch.records,
                condition=condition,
                invocations=batch.invocations,
                outcome=outcome,
            )
            if await self._tell(settings.on_failure, discarded):
                metrics.count(settings, "OnFailureDestinationDeliveredEventCount", len(batch.records))
                return
            metrics.of_function(settings, "DestinationDeliveryFailures", 1)
        metrics.count(settings, "DroppedEventCount", len(batch.records))

    async def _tell(self, destination_arn: str, discarded: DiscardedBatch) -> bool:
        try:
            await self._scheduler.in_thread(discarded_batches.send, destination_arn, discarded)
        except Exception as error:
            # As on AWS, a metric tells of a delivery that failed, and the batch is gone.
            logger.warning("%s did not take a record: %s", destination_arn, error)
            return False
        return True

    def _start_afresh(self) -> None:
        """The next batch has not waited for anything yet."""
        self._resume_s, self._backoff_s, self._left_out_s = 0.0, FIRST_BACKOFF_S, 0.0

    def _wait(self) -> None:
        """Before the next attempt."""
        shortened_s = self._backoff_s / retry_speedup()
        self._left_out_s += self._backoff_s - shortened_s
        self._resume_s = time.monotonic() + shortened_s
        self._backoff_s = min(2 * self._backoff_s, LONGEST_BACKOFF_S)
