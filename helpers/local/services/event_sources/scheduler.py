"""Work that pollers start beside the requests to the API.

Pollers run on the thread that serves the API, so that nothing can come between reading a source
and acting on it. What blocks, such as an invocation, gets a thread of its own.
"""

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

logger = logging.getLogger("lambda.event_sources")

Result = TypeVar("Result")


class Scheduler:
    """Calls `wake` whenever something has ended that may let a poller go on."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """What `function` returns. Nobody waits for the thread when the local AWS stops."""
        future: Future[Result] = Future()
        future.set_running_or_notify_cancel()
        context = contextvars.copy_context()

        def run() -> None:
            try:
                future.set_result(context.run(function, *arguments))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=run, name="lambda-event-source", daemon=True).start()
        return await asyncio.wrap_future(future)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        if task.exception() is not None:
            logger.error("a batch was not processed as it should be", exc_info=task.exception())
        self._wake()
