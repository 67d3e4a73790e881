"""The processes that descend from one, found and measured without control groups."""

import contextlib
import sys
import time
from functools import cache
from pathlib import Path

import psutil

# Linux numbers the clock of a process's CPU time by its id: include/linux/posix-timers.h.
_CPUCLOCK_SCHED = 2


class ProcessTree:
    """The process `root`, its descendants, and those of them that lost their parents.

    A process that was seen once is known until it ends. One that loses its parent before it was
    seen is found by `stream_name`, the end of its variable AWS_LAMBDA_LOG_STREAM_NAME; one that
    gets rid of both within the time between two looks is not found.
    """

    def __init__(self, root: int, stream_name: str) -> None:
        self._stream_name = stream_name
        self._processes: dict[int, psutil.Process] = {}
        self._strangers: set[int] = set()
        self._cpu_of_process_s: dict[int, float] = {}
        self._note(root)

    def ids(self) -> list[int]:
        """The processes that were alive at the last look."""
        return list(self._processes)

    def look(self) -> None:
        """Note processes that were started, and forget those that ended."""
        for process_id, process in list(self._processes.items()):
            if not _is_alive(process):
                del self._processes[process_id]
        waiting = list(self._processes)
        while waiting:
            for child in _children(waiting.pop()):
                if child not in self._processes:
                    self._note(child)
                    waiting.append(child)

    def look_for_orphans(self) -> None:
        """Note processes whose parents ended: one of our own ancestors has adopted them."""
        adopted = {child for ancestor in _ancestors() for child in _children(ancestor)}
        for process_id in adopted - self._strangers - set(self._processes):
            name = _log_stream_name(process_id)
            if name is not None and name.endswith(self._stream_name):
                self._note(process_id)
            elif name is not None:
                self._strangers.add(process_id)

    def cpu_seconds(self) -> float:
        """CPU time that all processes have used, of those that ended what was seen of it."""
        for process_id in list(self._processes):
            with contextlib.suppress(OSError, psutil.Error):
                self._cpu_of_process_s[process_id] = _cpu_seconds(process_id)
        return sum(self._cpu_of_process_s.values())

    def uses_more_than(self, limit_bytes: int) -> bool:
        """Whether the processes need more memory together. What they share counts once."""
        if sum(map(_resident_bytes, self._processes)) <= limit_bytes:
            return False
        # Proportional shares take the kernel a while to add up.
        return sum(map(_proportional_bytes, self._processes)) > limit_bytes

    def _note(self, process_id: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(process_id)
            if _is_alive(process):
                self._processes[process_id] = process


def _is_alive(process: psutil.Process) -> bool:
    # A zombie is only waiting for its parent to read its exit status.
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _children(process_id: int) -> list[int]:
    if not _kernel_lists_children():
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child.pid for child in psutil.Process(process_id).children()]
        return []
    children: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{process_id}/task").iterdir():
            children += map(int, (thread / "children").read_text().split())
    return children


@cache
def _kernel_lists_children() -> bool:
    return Path("/proc/thread-self/children").exists()


@cache
def _ancestors() -> tuple[int, ...]:
    return tuple(parent.pid for parent in psutil.Process().parents())


def _log_stream_name(process_id: int) -> str | None:
    """None while it cannot be told, because the process is just becoming another program."""
    try:
        variables = psutil.Process(process_id).environ()
    except (psutil.Error, OSError):
        return ""
    return variables.get("AWS_LAMBDA_LOG_STREAM_NAME", "") if variables else None


def _cpu_seconds(process_id: int) -> float:
    """CPU time of all threads, in nanosecond resolution on Linux. Raises OSError or psutil.Error."""
    if sys.platform == "linux":
        return time.clock_gettime((~process_id << 3) | _CPUCLOCK_SCHED)
    times = psutil.Process(process_id).cpu_times()
    return float(times.user + times.system)


def _resident_bytes(process_id: int) -> int:
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(process_id).memory_info().rss)
    return 0


def _proportional_bytes(process_id: int) -> int:
    with contextlib.suppress(psutil.Error):
        memory = psutil.Process(process_id).memory_full_info()
        return int(getattr(memory, "pss", memory.rss))
    return 0
