"""Find, make and remove the Linux control groups of a run, version 1 and version 2 alike.

All groups of a run lie in one directory per hierarchy, `workshop-<run id>`, so that they can be
found and removed by a process that knows nothing but the run id.
"""

import contextlib
import os
import secrets
import signal
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.local.functions.sandbox.base import Sandbox

PREFIX = "workshop-"
# Where the local AWS itself runs when systemd has delegated a group to it, see delegation.py.
LEAF = "workshop-gateway"
REMOVE_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Hierarchy:
    """A mounted control group hierarchy. `controllers` is empty for version 2."""

    path: Path
    version: int
    controllers: frozenset[str]


@cache
def hierarchies() -> tuple[Hierarchy, ...]:
    """The mounted hierarchies, as seen from the group in which this process runs."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        memberships = Path("/proc/self/cgroup").read_text().splitlines()
    except FileNotFoundError:
        return ()
    own_paths = {line.split(":")[1]: line.split(":", 2)[2] for line in memberships}
    found = []
    for line in mounts:
        mount, _, filesystem = line.partition(" - ")
        kind, _, options = filesystem.split(" ", 2)
        mount_point = Path(mount.split(" ")[4])
        if kind == "cgroup2":
            own = own_paths.get("", "/")
            found.append(Hierarchy(_below(mount_point, own), 2, frozenset()))
        elif kind == "cgroup":
            controllers = frozenset(options.split(","))
            names = [names for names in own_paths if names and set(names.split(",")) <= controllers]
            own = own_paths[names[0]] if names else "/"
            found.append(Hierarchy(_below(mount_point, own), 1, controllers))
    return tuple(found)


def _below(mount_point: Path, own: str) -> Path:
    # In a container the path is that of the host and need not exist inside.
    path = mount_point / own.lstrip("/").removesuffix(f"/{LEAF}")
    return path if path.is_dir() else mount_point


def run_directory(hierarchy: Hierarchy, run_id: str) -> Path:
    return hierarchy.path / f"{PREFIX}{run_id}"


def read(group: Path, name: str) -> bytes:
    """What the file `name` of a group says now. Raises OSError when the group is gone."""
    # Read several times for every invocation: pathlib's own open takes three times as long.
    with open(f"{group}/{name}", "rb", buffering=0) as file:  # noqa: PTH123
        return file.read()


def process_ids(group: Path) -> list[int]:
    """Ids of the processes in one group, none when the group is gone."""
    try:
        return [int(line) for line in read(group, "cgroup.procs").split()]
    except OSError:
        return []


def counter(group: Path, file_name: str, name: str) -> int:
    """Value of the line `<name> <value>` in a group's statistics file; 0 when there is none."""
    try:
        lines = read(group, file_name).decode().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.split()[0] == name), 0)


def can_limit(sandbox: type[Sandbox]) -> bool:
    """Whether such a sandbox can be made here: a hierarchy that is mounted need not be writable."""
    run_id = f"0-probe-{secrets.token_hex(4)}"
    try:
        sandbox(run_id, "probe", 128).limit_cpu()
    except OSError:
        return False
    finally:
        remove_run(run_id)
    return True


def remove_group(group: Path) -> None:
    """Kill what runs in `group` and remove it. The kernel needs a moment after the last process died."""
    deadline = time.monotonic() + REMOVE_TIMEOUT_S
    while group.is_dir() and time.monotonic() < deadline:
        for process_id in process_ids(group):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.002)


def remove_run(run_id: str) -> None:
    """Remove every group of a run from every hierarchy, innermost first."""
    for hierarchy in hierarchies():
        # Unlike rglob, this goes on when another process removes a group at the same time.
        for group, _, _ in os.walk(run_directory(hierarchy, run_id), topdown=False):
            remove_group(Path(group))
