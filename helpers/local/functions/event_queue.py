"""A queue of events, each processed by a thread, and put back for as long as its processing asks."""

import heapq
import itertools
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

logger = logging.getLogger("lambda.asynchronous")

# Events of one function that are processed at the same time. Lambda would start hundreds of
# execution environments in a burst; a laptop would not survive it. The others wait in the queue,
# as they do on AWS when concurrency is short.
WORKERS_PER_FUNCTION = 32


class Queued(Protocol):
    """What can be queued: `function_key` tells which events share workers."""

    @property
    def function_key(self) -> str: ...


Event = TypeVar("Event", bound=Queued)


@dataclass
class _Lane(Generic[Event]):
    """The events of one function that are due, and the threads that work on them."""

    ready: deque[Event] = field(default_factory=deque)
    workers: int = 0


class EventQueue(Generic[Event]):
    """Calls `process` for each event, again after as many seconds as it returns, until it returns None."""

    def __init__(self, process: Callable[[Event], float | None]) -> None:
        self._process = process
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, Event]] = []
        self._lanes: defaultdict[str, _Lane[Event]] = defaultdict(_Lane)
        threading.Thread(target=self._release_due, name="lambda-events", daemon=True).start()

    def put(self, event: Event, wait_s: float = 0.0) -> None:
        """Process `event` when `wait_s` have passed."""
        with self._changed:
            if wait_s <= 0:
                self._make_ready(event)
            else:
                due_s = time.monotonic() + wait_s
                heapq.heappush(self._waiting, (due_s, next(self._numbers), event))
                self._changed.notify()

    def _release_due(self) -> None:
        with self._changed:
            while True:
                now_s = time.monotonic()
                while self._waiting and self._waiting[0][0] <= now_s:
                    self._make_ready(heapq.heappop(self._waiting)[2])
                self._changed.wait(self._waiting[0][0] - now_s if self._waiting else None)

    def _make_ready(self, event: Event) -> None:
        """The caller holds the lock."""
        lane = self._lanes[event.function_key]
        lane.ready.append(event)
        if lane.workers < WORKERS_PER_FUNCTION:
            lane.workers += 1
            threading.Thread(target=self._work, args=(event.function_key,), daemon=True).start()

    def _work(self, function_key: str) -> None:
        while True:
            with self._changed:
                lane = self._lanes[function_key]
                if not lane.ready:
                    lane.workers -= 1
                    if not lane.workers:
                        del self._lanes[function_key]
                    return
                event = lane.ready.popleft()
            try:
                wait_s = self._process(event)
            except Exception:
                # One event must not take the others' worker with it.
                logger.exception("an event of %s was dropped", function_key)
                continue
            if wait_s is not None:
                self.put(event, wait_s)
