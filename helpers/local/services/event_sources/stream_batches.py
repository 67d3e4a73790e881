"""What becomes of a batch of a stream after each attempt to process it.

AWS Lambda developer guide, "How Lambda processes records from Amazon Kinesis Data Streams" and its
error handling, the same for DynamoDB; API reference, "CreateEventSourceMapping": a batch that fails
is tried again until it succeeds, exhausts MaximumRetryAttempts, or its records exceed
MaximumRecordAgeInSeconds. BisectBatchOnFunctionError halves it, which is no retry. A function that
reports failed items has processed what comes before the first of them.
"""

from dataclasses import dataclass, replace

from helpers.local.services.event_sources.records import Record
from helpers.local.services.event_sources.settings import Settings


@dataclass(frozen=True)
class Batch:
    """`attempts` counts against the limit of retries; `invocations` are all that this batch had."""

    records: tuple[Record, ...]
    attempts: int = 0
    invocations: int = 0

    def invoked(self) -> "Batch":
        return replace(self, invocations=self.invocations + 1)

    def split_at_age(self, now_s: float, limit_s: float) -> tuple["Batch", "Batch"]:
        """The records at its beginning that are older than `limit_s`, and the others."""
        old = 0
        while old < len(self.records) and now_s - self.records[old].arrived_s > limit_s:
            old += 1
        return replace(self, records=self.records[:old]), replace(self, records=self.records[old:])

    def after_function_error(self, settings: Settings) -> list["Batch"]:
        """What is to be tried next, in order."""
        if settings.bisects and len(self.records) > 1:
            middle = len(self.records) // 2
            halves = self.records[:middle], self.records[middle:]
            return [Batch(half, self.attempts) for half in halves]
        return [replace(self, attempts=self.attempts + 1)]

    def after_item_failures(self, failed: set[str]) -> "Batch | None":
        """The rest, from the first failed record on; None when there is none."""
        first = next((i for i, record in enumerate(self.records) if record.identifier in failed), None)
        if first is None:
            return None
        return replace(self, records=self.records[first:], attempts=self.attempts + 1)

    def is_exhausted(self, settings: Settings) -> bool:
        return settings.retry_attempts is not None and self.attempts > settings.retry_attempts
