"""The rules that every sandbox keeps, whatever mechanism it uses."""

import contextlib
import os
import re
import signal
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

# AWS Lambda developer guide, "Configure Lambda function memory": 1,769 MB buys one vCPU.
MB_PER_VCPU = 1769
# pwrdrvr/lambda-throttling measured on AWS that the share is given out in periods of 20 ms.
PERIOD_US = 20_000


class OptionInvalid(ValueError):
    """A variable that tells the local AWS how to confine functions has a value that cannot be honoured."""


def vcpu_share(memory_mb: int) -> float:
    """How many vCPUs `memory_mb` buys: the share is proportional to memory."""
    return memory_mb / MB_PER_VCPU


class Sandbox(ABC):
    """The limits around the processes of one execution environment.

    `name` is unique among the sandboxes of this machine. Between construction and `remove` the
    sandbox may hold resources outside this process, all of them recognisable by the run id.
    """

    limiter: ClassVar[str]

    def __init__(self, run_id: str, name: str, memory_mb: int) -> None:
        self.run_id = run_id
        self.name = name
        self.memory_mb = memory_mb

    @classmethod
    @abstractmethod
    def is_available(cls) -> bool:
        """Whether this process may use the mechanism, found by trying it."""

    @property
    def join_files(self) -> list[str]:
        """Files into which a process writes its id to enter the sandbox before it executes the runtime."""
        return []

    def attach(self, process_id: int) -> None:
        """Called once with the id of the runtime's process, as soon as it is known."""
        self.process_id = process_id

    @abstractmethod
    def limit_cpu(self) -> None:
        """From now on memory/1769 of a vCPU, in periods of 20 ms; until then full speed, as during INIT."""

    @abstractmethod
    def process_ids(self) -> list[int]:
        """Ids of all living processes in the sandbox, children that left their session included."""

    @abstractmethod
    def cpu_seconds(self) -> float:
        """CPU time used by all processes of the sandbox so far."""

    @abstractmethod
    def memory_exhausted(self) -> bool:
        """Whether a process of the sandbox was killed because it asked for more than `memory_mb`."""

    def peak_memory_mb(self) -> int:
        """Peak resident memory of the processes that live, all of `memory_mb` when that was exhausted."""
        # Looks for processes that are new, so that their CPU time will count too.
        used_kb = sum(_peak_memory_kb(process_id) for process_id in self.process_ids())
        return self.memory_mb if self.memory_exhausted() else used_kb // 1024

    @abstractmethod
    def remove(self) -> None:
        """Kill every process in the sandbox and give back what it holds. May be called twice."""

    def freeze(self) -> None:
        """Stop every process: between invocations a function gets no CPU."""
        stopped: set[int] = set()
        # A process may have started another one while we looked; stopped, it starts no more.
        while running := set(self.process_ids()) - stopped:
            _signal(running, signal.SIGSTOP)
            stopped |= running

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> list[int]:
        """Returns the processes that were alive."""
        process_ids = self.process_ids()
        _signal(process_ids, number)
        return process_ids


def _signal(process_ids: Iterable[int], number: signal.Signals) -> None:
    for process_id in process_ids:
        # It may have ended since we looked.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, number)


def _peak_memory_kb(process_id: int) -> int:
    # Read for every invocation: pathlib's own open takes five times as long.
    try:
        with open(f"/proc/{process_id}/status", "rb", buffering=0) as file:  # noqa: PTH123
            status = file.read()
    except OSError:
        return 0
    found = re.search(rb"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) if found else 0
