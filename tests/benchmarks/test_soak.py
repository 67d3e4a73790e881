"""A long load: no invocation fails, and the local AWS does not grow.

Two minutes by default; WORKSHOP_SOAK_MINUTES=30 for the long one.
"""

import itertools
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pandas as pd
import psutil
from figures import show

from helpers.local_aws import LocalAws

CLIENTS = 4
FUNCTIONS = 10
MINUTES = float(os.environ.get("WORKSHOP_SOAK_MINUTES", "2"))
# Until then buffers, caches and thread pools have their size.
WARM_UP_S = 30
SAMPLE_INTERVAL_S = 2.0
LARGEST_GROWTH = 1.10
HANDLER = """
import time
def handler(event, context):
    time.sleep(event.get("wait_s", 0))
    print("event", event["number"])
    return event["number"]
"""


@dataclass(frozen=True)
class Size:
    """What the whole process tree of the local AWS holds. Memory is that of its own processes, which
    grow with what they keep, not that of the functions."""

    processes: int
    file_descriptors: int
    memory_mb: float


class Clients:
    """Invoke functions at random until told to stop, and keep count."""

    def __init__(self, make_client: Callable[..., Any], names: list[str]) -> None:
        self._names = names
        self._stop = threading.Event()
        self._numbers = itertools.count()
        self.invocations = 0
        self.failures: list[str] = []
        clients = [make_client("lambda") for _ in range(CLIENTS)]
        self._threads = [threading.Thread(target=self._invoke, args=(client,)) for client in clients]
        for thread in self._threads:
            thread.start()

    def _invoke(self, client: Any) -> None:
        while not self._stop.is_set():
            number = next(self._numbers)
            try:
                answer = client.invoke(
                    FunctionName=random.choice(self._names), Payload=f'{{"number": {number}}}'
                )
                payload = answer["Payload"].read()
                if payload != str(number).encode():
                    self.failures.append(f"{number}: {payload!r}")
            except Exception as error:
                self.failures.append(f"{number}: {error!r}")
            self.invocations += 1

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_nothing_fails_and_nothing_grows(
    deploy: Callable[..., str], make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    names = [deploy({"index.py": HANDLER}, MemorySize=512) for _ in range(FUNCTIONS)]
    for name in names:
        _start_environments(make_client("lambda"), name)
    clients = Clients(make_client, names)
    try:
        time.sleep(WARM_UP_S)
        before = _largest(local_aws, seconds=10)
        time.sleep(max(0.0, MINUTES * 60 - WARM_UP_S - 20))
        after = _largest(local_aws, seconds=10)
    finally:
        clients.stop()
    table = pd.DataFrame([before, after], index=[f"after {WARM_UP_S} s", f"after {MINUTES:g} min"]).round(1)
    rate = clients.invocations / (MINUTES * 60)
    show(
        f"The local AWS under {CLIENTS} clients that invoke {FUNCTIONS} functions",
        table,
        __file__,
        f"{clients.invocations} invocations, {rate:.0f} a second, {len(clients.failures)} failed.",
        f"Growth allowed: {LARGEST_GROWTH - 1:.0%}.",
    )
    assert clients.failures == []
    growth = table.iloc[1] / table.iloc[0]
    assert (growth <= LARGEST_GROWTH).all(), growth.round(2).to_dict()


def _start_environments(client: Any, name: str) -> None:
    """As many as the clients can ever want of one function, so that their number stays."""
    with ThreadPoolExecutor(CLIENTS) as threads:
        for answer in threads.map(
            lambda number: client.invoke(FunctionName=name, Payload=f'{{"number": {number}, "wait_s": 1}}'),
            range(CLIENTS),
        ):
            assert "FunctionError" not in answer


def _largest(local_aws: LocalAws, seconds: float) -> Size:
    """The largest size seen within some seconds."""
    sizes = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        sizes.append(_size(local_aws))
        time.sleep(SAMPLE_INTERVAL_S)
    return Size(
        max(size.processes for size in sizes),
        max(size.file_descriptors for size in sizes),
        max(size.memory_mb for size in sizes),
    )


def _size(local_aws: LocalAws) -> Size:
    supervisor = psutil.Process(local_aws.process.pid)
    (gateway,) = supervisor.children()
    own = [supervisor, gateway]
    return Size(
        processes=len(supervisor.children(recursive=True)) + 1,
        file_descriptors=sum(process.num_fds() for process in own),
        memory_mb=sum(process.memory_info().rss for process in own) / 1e6,
    )
