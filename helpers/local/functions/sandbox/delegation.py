"""Have systemd delegate control groups to the local AWS where it could not make any by itself.

On a machine that runs systemd every control group belongs to systemd, and version 2 lets no group
that has processes of its own give limits to its children. So the gateway is started in a scope that
is delegated to it (systemd, "Control Group APIs and Delegation"), and moves into a leaf of it.

Not run on a machine with systemd yet: only the decisions are tested. Whatever fails leaves the
local AWS with the fallback limiter.
"""

import contextlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from helpers.local.functions.sandbox import OPTION, available, control_groups
from helpers.local.functions.sandbox.duty_cycle import DutyCycle

_PROBE_TIMEOUT_S = 5.0
_NEEDED_CONTROLLERS = {"cpu", "memory"}


@dataclass(frozen=True)
class Machine:
    """What decides whether systemd is asked. `controllers` are those of version 2."""

    runs_systemd: bool
    controllers: frozenset[str]
    limits_by_itself: bool
    wanted_limiter: str


def is_worth_asking(machine: Machine) -> bool:
    """Whether a delegated group could give this machine a better limiter than it has."""
    could_use_it = machine.runs_systemd and machine.controllers >= _NEEDED_CONTROLLERS
    return could_use_it and not machine.limits_by_itself and machine.wanted_limiter in ("", "cgroup-v2")


def scope_command(unit: str, is_root: bool) -> list[str]:
    """The command that starts another one, in its own place, in a delegated scope."""
    manager = [] if is_root else ["--user"]
    return [
        "systemd-run",
        *manager,
        "--scope",
        "--quiet",
        "--collect",
        f"--unit={unit}",
        "-p",
        "Delegate=yes",
    ]


def command_prefix(run_id: str) -> list[str]:
    """What goes before the gateway's command; nothing where that is not needed or not possible."""
    if not is_worth_asking(_this_machine()):
        return []
    is_root = os.geteuid() == 0
    try:
        probe = [*scope_command(f"{_unit(run_id)}-probe", is_root), "true"]
        subprocess.run(probe, capture_output=True, check=True, timeout=_PROBE_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError):
        return []
    return scope_command(_unit(run_id), is_root)


def enter_leaf(run_id: str) -> None:
    """Called by the gateway first of all: leave the delegated group to the groups of functions."""
    for hierarchy in control_groups.hierarchies():
        if hierarchy.version == 2 and hierarchy.path.name == f"{_unit(run_id)}.scope":
            leaf = hierarchy.path / control_groups.LEAF
            with contextlib.suppress(OSError):
                leaf.mkdir()
                (leaf / "cgroup.procs").write_text(str(os.getpid()))
    control_groups.hierarchies.cache_clear()


def _unit(run_id: str) -> str:
    return f"{control_groups.PREFIX}{run_id}"


def _this_machine() -> Machine:
    controllers = Path("/sys/fs/cgroup/cgroup.controllers")
    return Machine(
        # How sd_booted(3) tells.
        runs_systemd=Path("/run/systemd/system").is_dir(),
        controllers=frozenset(controllers.read_text().split() if controllers.is_file() else ()),
        limits_by_itself=available()[0] is not DutyCycle,
        wanted_limiter=os.environ.get(OPTION, ""),
    )
