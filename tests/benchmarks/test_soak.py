"""Clients invoke functions for a long time: no error, and the local AWS takes no more than at the start.

Two minutes by default; WORKSHOP_SOAK_MINUTES=30 for the long one.
"""

import json
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import psutil
from figures import show

from helpers.local_aws import LocalAws

MINUTES = float(os.environ.get("WORKSHOP_SOAK_MINUTES", "2"))
CLIENTS = 4
FUNCTIONS = 10
SAMPLES = 12
# Until caches are full.
WARM_UP_SHARE = 0.25
LARGEST_GROWTH = 1.10
SEED = 3

# Handlers of some variety: they log, wait, compute, and one of twenty fails.
SOURCE = """
import json
import time

def handler(event, context):
    print(json.dumps(event))
    time.sleep(event["wait_ms"] / 1000)
    sum(range(event["work"]))
    if event["fail"]:
        raise ValueError("as it was told")
    return event
"""


@dataclass(frozen=True)
class Footprint:
    """What the whole process tree of a local AWS holds at a moment."""

    minute: float
    invocations: int
    processes: int
    file_descriptors: int
    memory_mb: float


def test_nothing_grows_while_functions_are_invoked(
    deploy: Callable[..., str], make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    client = make_client("lambda", max_pool_connections=CLIENTS)
    names = [deploy({"index.py": SOURCE}) for _ in range(FUNCTIONS)]
    load = _Load(client, names)
    load.start_environments()
    footprints = []
    load.start()
    try:
        for number in range(SAMPLES):
            load.wait_until(60 * MINUTES * (number + 1) / SAMPLES)
            footprints.append(_footprint(local_aws, load))
    finally:
        load.stop()
    table = pd.DataFrame([asdict(each) for each in footprints]).set_index("minute")
    first = table.iloc[round(WARM_UP_SHARE * SAMPLES) - 1]
    growth = table.iloc[-1] / first
    show(
        f"{CLIENTS} clients invoke {FUNCTIONS} functions for {MINUTES:g} minutes",
        table.round(1),
        __file__,
        f"Growth after the first quarter, at most {LARGEST_GROWTH}: "
        + ", ".join(f"{name} {growth[name]:.2f}" for name in ("processes", "file_descriptors", "memory_mb")),
        f"Errors: {len(load.errors)}. WORKSHOP_SOAK_MINUTES={MINUTES:g}",
    )
    assert not load.errors, load.errors[:3]
    assert growth["processes"] <= LARGEST_GROWTH
    assert growth["file_descriptors"] <= LARGEST_GROWTH
    assert growth["memory_mb"] <= LARGEST_GROWTH


class _Load:
    """Clients, each of which invokes one function after another."""

    def __init__(self, client: Any, names: list[str]) -> None:
        self._client = client
        self._names = names
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._invoke, args=(number,)) for number in range(CLIENTS)]
        self._counts = [0] * CLIENTS
        self._started_s = 0.0
        self.errors: list[str] = []

    @property
    def minutes(self) -> float:
        return (time.monotonic() - self._started_s) / 60

    @property
    def invocations(self) -> int:
        return sum(self._counts)

    def start_environments(self) -> None:
        """As many of each function as there are clients: there will be no more."""
        event = {"wait_ms": 500, "work": 0, "fail": False}
        with ThreadPoolExecutor(CLIENTS) as clients:
            for name in self._names:
                list(clients.map(lambda _, name=name: self._invoke_once(name, event), range(CLIENTS)))

    def start(self) -> None:
        self._started_s = time.monotonic()
        for thread in self._threads:
            thread.start()

    def wait_until(self, after_start_s: float) -> None:
        time.sleep(max(0.0, self._started_s + after_start_s - time.monotonic()))

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _invoke(self, number: int) -> None:
        choose = random.Random(SEED + number)
        while not self._stopping.is_set():
            fail = choose.random() < 0.05
            event = {"wait_ms": choose.choice([0, 0, 5, 20]), "work": choose.randrange(20_000), "fail": fail}
            try:
                self._invoke_once(choose.choice(self._names), event)
            except Exception as error:
                self.errors.append(repr(error))
            self._counts[number] += 1

    def _invoke_once(self, name: str, event: dict[str, Any]) -> None:
        answer = self._client.invoke(FunctionName=name, Payload=json.dumps(event))
        body = answer["Payload"].read().decode()
        if event["fail"]:
            assert "as it was told" in body, body
        else:
            assert "FunctionError" not in answer, body


def _footprint(local_aws: LocalAws, load: _Load) -> Footprint:
    supervisor = psutil.Process(local_aws.process.pid)
    gateway = supervisor.children()[0]
    # The functions' own memory is theirs; what the local AWS keeps of them is in the gateway.
    return Footprint(
        minute=round(load.minutes, 2),
        invocations=load.invocations,
        processes=1 + len(supervisor.children(recursive=True)),
        file_descriptors=supervisor.num_fds() + gateway.num_fds(),
        memory_mb=(supervisor.memory_info().rss + gateway.memory_info().rss) / 1e6,
    )
