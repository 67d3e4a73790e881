"""CPU and memory limits by Linux control groups, version 2."""

import contextlib
from functools import cache
from pathlib import Path

from helpers.local.functions.sandbox import control_groups
from helpers.local.functions.sandbox.base import PERIOD_US, Sandbox, vcpu_share

_CONTROLLERS = ("cpu", "memory")
_MINIMUM_QUOTA_US = 1000


@cache
def _hierarchy() -> control_groups.Hierarchy | None:
    return next((each for each in control_groups.hierarchies() if each.version == 2), None)


def _enable_controllers(group: Path) -> None:
    """Let the children of `group` have limits. The kernel allows it only where no process runs."""
    (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in _CONTROLLERS))


class ControlGroupV2(Sandbox):
    """One group below the run's own, in the unified hierarchy."""

    limiter = "cgroup v2 (cpu.max)"

    def __init__(self, run_id: str, name: str, memory_mb: int) -> None:
        super().__init__(run_id, name, memory_mb)
        hierarchy = _hierarchy()
        assert hierarchy is not None, "is_available() is asked first"
        run = control_groups.run_directory(hierarchy, run_id)
        if not run.is_dir():
            enabled = (hierarchy.path / "cgroup.subtree_control").read_text().split()
            if not set(_CONTROLLERS) <= set(enabled):
                _enable_controllers(hierarchy.path)
            run.mkdir(exist_ok=True)
            _enable_controllers(run)
        self._group = run / name
        self._group.mkdir()
        self._write("memory.max", str(memory_mb * 1024 * 1024))
        with contextlib.suppress(OSError):
            # Absent where the kernel does not account for swap; then there is none to forbid.
            self._write("memory.swap.max", "0")

    @classmethod
    def is_available(cls) -> bool:
        return _hierarchy() is not None and control_groups.can_limit(cls)

    @property
    def join_files(self) -> list[str]:
        return [f"{self._group}/cgroup.procs"]

    def limit_cpu(self) -> None:
        quota_us = max(_MINIMUM_QUOTA_US, round(PERIOD_US * vcpu_share(self.memory_mb)))
        self._write("cpu.max", f"{quota_us} {PERIOD_US}")

    def process_ids(self) -> list[int]:
        return control_groups.process_ids(self._group)

    def cpu_seconds(self) -> float:
        return control_groups.counter(self._group, "cpu.stat", "usage_usec") / 1e6

    def memory_exhausted(self) -> bool:
        return control_groups.counter(self._group, "memory.events", "oom_kill") > 0

    def remove(self) -> None:
        control_groups.remove_group(self._group)

    def _write(self, name: str, value: str) -> None:
        (self._group / name).write_text(value)
