"""Hand the records of a stream to a function, in order within each shard.

AWS Lambda developer guide, "How Lambda processes records from Amazon Kinesis Data Streams", the
same for DynamoDB: a batch has records of one shard, and the next one waits until it is processed or
discarded; with a ParallelizationFactor, records of one partition key stay in order. Records that a
filter leaves out are passed over.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from helpers.local.services.event_sources.access import RECHECKED_IN_S, Access
from helpers.local.services.event_sources.invocation import Status
from helpers.local.services.event_sources.scheduler import Scheduler
from helpers.local.services.event_sources.settings import Settings
from helpers.local.services.event_sources.stream_lanes import Lane
from helpers.local.services.event_sources.streams import TRIM_HORIZON, Stream


class StreamPoller:
    """The poller of one mapping. All methods are called in the mapping's scope, on the API's thread."""

    def __init__(
        self,
        stream: Stream,
        settings: Settings,
        access: Access,
        scheduler: Scheduler,
        configuration: dict[str, Any],
    ) -> None:
        self.settings = settings
        self._stream = stream
        self._access = access
        self._scheduler = scheduler
        self._configuration = configuration
        self._lanes: dict[str, list[Lane]] = {}
        self._is_anchored = False

    def anchor(self) -> None:
        """Take the starting position, unless it was taken before: a mapping that is disabled and enabled
        again goes on where it was."""
        if self._is_anchored:
            return
        self._is_anchored = True
        position = self._configuration["StartingPosition"]
        for shard_id in self._stream.shard_ids():
            if position == "LATEST":
                after = self._stream.latest(shard_id)
            elif position == "AT_TIMESTAMP":
                after = self._stream.at_time(shard_id, self._configuration["StartingPositionTimestamp"])
            else:
                after = TRIM_HORIZON
            self._open(shard_id, after)

    def poll(self) -> float | None:
        """Start the batches that are due. Returns the seconds until more may be."""
        denied = self._access.denied(self.settings)
        if denied is not None:
            self._configuration["LastProcessingResult"] = f"PROBLEM: {denied}"
            return RECHECKED_IN_S
        shard_ids = self._stream.shard_ids()
        for shard_id in shard_ids:
            if shard_id not in self._lanes:
                # It is younger than the starting position, and so is all that it holds.
                self._open(shard_id, TRIM_HORIZON)
        waits = [lane.poll(self.settings) for shard_id in shard_ids for lane in self._lanes[shard_id]]
        return min((each for each in waits if each is not None), default=None)

    def _open(self, shard_id: str, after: str) -> None:
        count = self.settings.parallelization
        self._lanes[shard_id] = [
            Lane(self._stream, shard_id, after, self._scheduler, self._note, _share(number, count))
            for number in range(count)
        ]

    def _note(self, status: Status) -> None:
        succeeded = status is Status.SUCCEEDED
        self._configuration["LastProcessingResult"] = "OK" if succeeded else "PROBLEM: Function call failed"


def _share(number: int, count: int) -> Callable[[str], bool]:
    """Which order keys one of `count` lanes works on."""

    def holds(order_key: str) -> bool:
        digest = hashlib.md5(order_key.encode(), usedforsecurity=False).digest()
        return int.from_bytes(digest[:8], "big") % count == number

    return holds
