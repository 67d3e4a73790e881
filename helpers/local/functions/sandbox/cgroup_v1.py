"""CPU and memory limits by Linux control groups, version 1."""

import contextlib
from functools import cache
from pathlib import Path

from helpers.local.functions.sandbox import control_groups
from helpers.local.functions.sandbox.base import PERIOD_US, Sandbox, vcpu_share

_CONTROLLERS = ("cpu", "cpuacct", "memory")
# The kernel refuses a smaller quota.
_MINIMUM_QUOTA_US = 1000


@cache
def _hierarchy(controller: str) -> control_groups.Hierarchy | None:
    candidates = control_groups.hierarchies()
    return next((each for each in candidates if each.version == 1 and controller in each.controllers), None)


class ControlGroupV1(Sandbox):
    """One group in each of the hierarchies cpu, cpuacct and memory (some may be mounted together)."""

    limiter = "cgroup v1 (cpu.cfs_quota_us)"

    def __init__(self, run_id: str, name: str, memory_mb: int) -> None:
        super().__init__(run_id, name, memory_mb)
        self._groups: dict[str, Path] = {}
        for controller in _CONTROLLERS:
            hierarchy = _hierarchy(controller)
            assert hierarchy is not None, "is_available() is asked first"
            group = control_groups.run_directory(hierarchy, run_id) / name
            group.mkdir(parents=True, exist_ok=True)
            self._groups[controller] = group
        self._write("cpu", "cpu.cfs_period_us", PERIOD_US)
        self._write("memory", "memory.limit_in_bytes", memory_mb * 1024 * 1024)
        with contextlib.suppress(OSError):
            # Absent where the kernel does not account for swap; then there is none to forbid.
            self._write("memory", "memory.memsw.limit_in_bytes", memory_mb * 1024 * 1024)

    @classmethod
    def is_available(cls) -> bool:
        return all(map(_hierarchy, _CONTROLLERS)) and control_groups.can_limit(cls)

    @property
    def join_files(self) -> list[str]:
        return sorted({f"{group}/cgroup.procs" for group in self._groups.values()})

    def limit_cpu(self) -> None:
        quota_us = round(PERIOD_US * vcpu_share(self.memory_mb))
        self._write("cpu", "cpu.cfs_quota_us", max(_MINIMUM_QUOTA_US, quota_us))

    def process_ids(self) -> list[int]:
        return control_groups.process_ids(self._groups["cpu"])

    def cpu_seconds(self) -> float:
        return int(control_groups.read(self._groups["cpuacct"], "cpuacct.usage")) / 1e9

    def memory_exhausted(self) -> bool:
        return control_groups.counter(self._groups["memory"], "memory.oom_control", "oom_kill") > 0

    def remove(self) -> None:
        for group in set(self._groups.values()):
            control_groups.remove_group(group)

    def _write(self, controller: str, name: str, value: int) -> None:
        (self._groups[controller] / name).write_text(str(value))
