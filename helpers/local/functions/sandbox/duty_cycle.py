"""CPU and memory limits without any privilege: stop the processes when they are ahead of their share.

A watcher compares the CPU time that the processes have used with what their share of the elapsed
time allows, stops them (SIGSTOP) when they are ahead and continues them (SIGCONT) when the debt
is paid. It is coarser than the kernel's own limiter; measurements made on it say so.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil

from helpers.local.functions.sandbox.base import PERIOD_US, Sandbox, vcpu_share

_WATCH_INTERVAL_S = 0.001
_MEMORY_CHECK_INTERVAL_S = 0.02
_PERIOD_S = PERIOD_US / 1e6


class CpuBudget:
    """How far a group of processes is ahead of `share` vCPUs.

    Like the kernel's quota, what is not used within a period is lost.
    """

    def __init__(self, share: float, now_s: float, used_s: float) -> None:
        self._share = share
        self._credit_s = share * _PERIOD_S
        self._now_s = now_s
        self._used_s = used_s

    def pause_s(self, now_s: float, used_s: float) -> float:
        """How long the processes must stop, given their CPU time `used_s` at `now_s`; 0 if not at all."""
        self._credit_s += self._share * (now_s - self._now_s) - (used_s - self._used_s)
        self._credit_s = min(self._credit_s, self._share * _PERIOD_S)
        self._now_s, self._used_s = now_s, used_s
        return max(0.0, -self._credit_s / self._share)


class DutyCycle(Sandbox):
    """The fallback where control groups cannot be used."""

    limiter = "duty cycle (SIGSTOP/SIGCONT)"

    def __init__(self, run_id: str, name: str, memory_mb: int) -> None:
        super().__init__(run_id, name, memory_mb)
        self._lock = threading.Lock()
        self._removed = threading.Event()
        self._frozen = False
        self._memory_exhausted = False
        self._budget: CpuBudget | None = None
        self._cpu_of_process_s: dict[int, float] = {}

    @classmethod
    def is_available(cls) -> bool:
        return True

    def attach(self, process_id: int) -> None:
        super().attach(process_id)
        threading.Thread(target=self._watch, name=f"duty-cycle-{self.name}", daemon=True).start()

    def limit_cpu(self) -> None:
        with self._lock:
            self._budget = self._new_budget()

    def release_cpu(self) -> None:
        with self._lock:
            self._budget = None
            if not self._frozen:
                self._signal_all(signal.SIGCONT)

    def freeze(self) -> None:
        with self._lock:
            self._frozen = True
            super().freeze()

    def thaw(self) -> None:
        with self._lock:
            self._frozen = False
            if self._budget is not None:
                self._budget = self._new_budget()
            super().thaw()

    def process_ids(self) -> list[int]:
        """Descendants of the runtime, and orphans which still carry its environment."""
        try:
            runtime = psutil.Process(self.process_id)
            family = [runtime, *runtime.children(recursive=True)]
        except psutil.NoSuchProcess:
            family = []
        return sorted({process.pid for process in family} | set(self._orphans()))

    def cpu_seconds(self) -> float:
        for process_id in self._fast_tree():
            used_s = _cpu_seconds_of(process_id)
            if used_s is not None:
                self._cpu_of_process_s[process_id] = used_s
        return sum(self._cpu_of_process_s.values())

    def memory_exhausted(self) -> bool:
        return self._memory_exhausted

    def remove(self) -> None:
        self._removed.set()
        if hasattr(self, "process_id"):
            self.kill()

    def _new_budget(self) -> CpuBudget:
        return CpuBudget(vcpu_share(self.memory_mb), time.perf_counter(), self.cpu_seconds())

    def _watch(self) -> None:
        next_memory_check_s = 0.0
        while not self._removed.wait(_WATCH_INTERVAL_S):
            now_s = time.perf_counter()
            if now_s >= next_memory_check_s:
                next_memory_check_s = now_s + _MEMORY_CHECK_INTERVAL_S
                self._kill_above_memory()
            with self._lock:
                pause_s = 0.0
                if self._budget is not None and not self._frozen:
                    pause_s = self._budget.pause_s(now_s, self.cpu_seconds())
                if pause_s > 0:
                    self._signal_tree(signal.SIGSTOP)
            if pause_s > 0:
                self._removed.wait(pause_s)
                with self._lock:
                    if not self._frozen:
                        self._signal_tree(signal.SIGCONT)

    def _kill_above_memory(self) -> None:
        used_bytes = 0
        for process_id in self._fast_tree():
            with contextlib.suppress(psutil.Error):
                used_bytes += psutil.Process(process_id).memory_info().rss
        if used_bytes > self.memory_mb * 1024 * 1024:
            self._memory_exhausted = True
            self.kill()

    def _signal_tree(self, number: signal.Signals) -> None:
        for process_id in self._fast_tree():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, number)

    def _fast_tree(self) -> list[int]:
        """The runtime's process and its descendants, read a thousand times a second."""
        tree = [self.process_id]
        for process_id in tree:
            try:
                children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text()
            except OSError:
                continue
            tree.extend(int(child) for child in children.split())
        return tree

    def _orphans(self) -> list[int]:
        marker = ("AWS_LAMBDA_LOG_STREAM_NAME", self.name)
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(marker[0], "").endswith(marker[1]):
                    found.append(process.pid)
        return found


def _cpu_seconds_of(process_id: int) -> float | None:
    """CPU time of all threads of a process, in nanosecond resolution on Linux; None when it is gone."""
    if sys.platform != "linux":
        try:
            times = psutil.Process(process_id).cpu_times()
        except psutil.Error:
            return None
        return times.user + times.system
    total_ns = 0
    try:
        for thread in Path(f"/proc/{process_id}/task").iterdir():
            with contextlib.suppress(OSError):
                total_ns += int((thread / "schedstat").read_text().split()[0])
    except OSError:
        return None
    return total_ns / 1e9
