"""CPU and memory limits without any privilege: stop the processes when they are ahead of their share.

A watcher compares the CPU time that the processes have used with what their share of the elapsed
time allows, stops them (SIGSTOP) when they are ahead and continues them (SIGCONT) when the debt
is paid. It is coarser than the kernel's own limiter; measurements made on it say so.
"""

import contextlib
import os
import signal
import threading
import time

from helpers.local.functions.sandbox.base import PERIOD_US, Sandbox, vcpu_share
from helpers.local.functions.sandbox.process_tree import ProcessTree

_WATCH_INTERVAL_S = 0.001
# How often the watcher looks for new processes and at the memory of all.
_LOOK_INTERVAL_S = 0.01
_REMOVE_TIMEOUT_S = 5.0
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
        self._tree: ProcessTree | None = None
        # Guards the tree, the budget and every signal that stops or continues.
        self._lock = threading.RLock()
        self._thawed = threading.Event()
        self._removed = threading.Event()
        self._memory_exhausted = False
        self._budget: CpuBudget | None = None

    @classmethod
    def is_available(cls) -> bool:
        return True

    def attach(self, process_id: int) -> None:
        super().attach(process_id)
        self._tree = ProcessTree(process_id, self.name)
        self._thawed.set()
        threading.Thread(target=self._watch, name=f"duty-cycle-{self.name}", daemon=True).start()

    def limit_cpu(self) -> None:
        with self._lock:
            self._renew_budget()

    def freeze(self) -> None:
        with self._lock:
            self._thawed.clear()
            super().freeze()

    def thaw(self) -> None:
        with self._lock:
            if self._budget is not None:
                self._renew_budget()
            self._signal_known(signal.SIGCONT)
            self._thawed.set()

    def process_ids(self) -> list[int]:
        """Descendants of the runtime, and orphans which it has left behind."""
        if self._tree is None:
            return []
        with self._lock:
            self._tree.look_for_orphans()
            self._tree.look()
            return self._tree.ids()

    def cpu_seconds(self) -> float:
        if self._tree is None:
            return 0.0
        with self._lock:
            return self._tree.cpu_seconds()

    def memory_exhausted(self) -> bool:
        return self._memory_exhausted

    def remove(self) -> None:
        self._removed.set()
        # Lets the watcher notice.
        self._thawed.set()
        deadline = time.monotonic() + _REMOVE_TIMEOUT_S
        with self._lock:
            while self._signal_all(signal.SIGKILL) and time.monotonic() < deadline:
                time.sleep(_WATCH_INTERVAL_S)

    def _renew_budget(self) -> None:
        self._budget = CpuBudget(vcpu_share(self.memory_mb), time.perf_counter(), self.cpu_seconds())

    def _watch(self) -> None:
        """Run until the sandbox is removed; nothing is to be watched while it is frozen."""
        next_look_s = 0.0
        while self._thawed.wait() and not self._removed.is_set():
            with self._lock:
                now_s = time.perf_counter()
                if now_s >= next_look_s:
                    next_look_s = now_s + _LOOK_INTERVAL_S
                    self._look()
                pause_s = self._pause_s(now_s)
                if pause_s > 0:
                    self._signal_known(signal.SIGSTOP)
            if pause_s > 0:
                self._removed.wait(pause_s)
                with self._lock:
                    if self._thawed.is_set():
                        self._signal_known(signal.SIGCONT)
            self._removed.wait(_WATCH_INTERVAL_S if self._budget is not None else _LOOK_INTERVAL_S)

    def _look(self) -> None:
        assert self._tree is not None
        self._tree.look()
        if self._tree.uses_more_than(self.memory_mb * 1024 * 1024):
            self._memory_exhausted = True
            self._signal_known(signal.SIGKILL)

    def _pause_s(self, now_s: float) -> float:
        if self._budget is None or not self._thawed.is_set():
            return 0.0
        return self._budget.pause_s(now_s, self.cpu_seconds())

    def _signal_known(self, number: signal.Signals) -> None:
        assert self._tree is not None
        for process_id in self._tree.ids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, number)
