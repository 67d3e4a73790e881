"""The file system that a function sees: /var/task, /opt, /var/runtime and a /tmp of its own.

As on Lambda, code and layers are read-only and only /tmp can be written. It takes a private mount
namespace, which root has, and others where the kernel allows unprivileged user namespaces. Elsewhere
the function sees the machine's own file system and is told the real directories instead, as it also
does when the variable WORKSHOP_ISOLATION says `off`.
"""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.local.functions.sandbox.base import OptionInvalid

OPTION = "WORKSHOP_ISOLATION"

# The launcher writes this line to standard output just before it becomes the runtime.
READY_LINE = b"sandbox ready\n"
_ALWAYS_COVERED = ("/tmp", "/var")
_CONTROL_GROUPS = "/sys/fs/cgroup"


@dataclass(frozen=True)
class FileSystem:
    """Directories of one execution environment, on the machine or as the function sees them.

    `language` holds an interpreter that is brought along, such as Node.js; `layers` is None for a
    function without layers.
    """

    task: Path
    runtime: Path
    language: Path
    tmp: Path
    layers: Path | None


SEEN_ON_LAMBDA = FileSystem(
    task=Path("/var/task"),
    runtime=Path("/var/runtime"),
    language=Path("/var/lang"),
    tmp=Path("/tmp"),
    layers=Path("/opt"),
)


@dataclass(frozen=True)
class Isolation:
    """How the processes of one execution environment are started."""

    machine: FileSystem
    isolated: bool

    @classmethod
    def best(cls, machine: FileSystem) -> "Isolation":
        """Isolated where this machine can do it."""
        covered = [*_ALWAYS_COVERED, *(["/opt"] if machine.layers else [])]
        # Where the interpreter itself lies in a covered directory, it would disappear.
        hidden = any(Path(sys.base_prefix).is_relative_to(directory) for directory in covered)
        return cls(machine, isolated=bool(unshare_command()) and not hidden)

    @property
    def seen(self) -> FileSystem:
        """The directories under the names by which the function knows them."""
        return SEEN_ON_LAMBDA if self.isolated else self.machine

    @property
    def can_own_network(self) -> bool:
        """Whether an environment can have a network of its own, which is nothing but loopback."""
        return self.isolated and _can_unshare_network()

    def launch_command(
        self, command: list[str], join_files: list[str], own_network: bool = False
    ) -> list[str]:
        """A command that enters the sandbox, prints READY_LINE and becomes `command`.

        The process id stays the same from the first moment on.
        """
        lines = ["set -e"]
        lines += [f"echo $$ > {shlex.quote(join_file)}" for join_file in join_files]
        if self.isolated:
            lines += self._mounts()
        lines.append(f"cd {shlex.quote(str(self.seen.task))}")
        # The shell's own traces of that change are no variables of Lambda's.
        lines.append("unset OLDPWD PWD")
        lines.append(f"echo {READY_LINE.decode().strip()}")
        lines.append(f"exec {shlex.join(command)}")
        shell = ["/bin/sh", "-c", "\n".join(lines)]
        network = ["--net"] if own_network else []
        return [*unshare_command(), *network, *shell] if self.isolated else shell

    def _mounts(self) -> list[str]:
        mount = shutil.which("mount")
        pairs = [
            (self.machine.task, SEEN_ON_LAMBDA.task),
            (self.machine.runtime, SEEN_ON_LAMBDA.runtime),
            (self.machine.language, SEEN_ON_LAMBDA.language),
            (self.machine.tmp, SEEN_ON_LAMBDA.tmp),
        ]
        if self.machine.layers is not None:
            pairs.append((self.machine.layers, Path("/opt")))
        opened, bound = [], []
        for descriptor, (source, target) in enumerate(pairs, start=4):
            # A source may lie below a directory that is about to be covered, so it is opened first
            # and mounted through its file descriptor.
            opened.append(f"exec {descriptor}<{shlex.quote(str(source))}")
            options = "bind" if target == SEEN_ON_LAMBDA.tmp else "bind,ro"
            bound.append(f"{mount} -c -o {options} /proc/self/fd/{descriptor} {target}")
            bound.append(f"exec {descriptor}<&-")
        return [
            *opened,
            f"{mount} -t tmpfs -o size=64k,mode=755 tmpfs /var",
            "mkdir /var/task /var/runtime /var/lang /var/tmp",
            *bound,
            # The function's limits are not for it to see, nor, where it runs as root, to change.
            f"[ ! -d {_CONTROL_GROUPS} ] || {mount} -t tmpfs -o ro,size=4k tmpfs {_CONTROL_GROUPS}",
            f"{mount} -o remount,bind,ro /",
        ]


@cache
def unshare_command() -> tuple[str, ...]:
    """The command that starts another one in a private mount namespace; empty where none works.

    Raises OptionInvalid.
    """
    option = os.environ.get(OPTION) or "on"
    if option not in ("on", "off"):
        raise OptionInvalid(f"{OPTION}={option}: expected on or off; on is what it is without.")
    if option == "off":
        return ()
    unshare, mount = shutil.which("unshare"), shutil.which("mount")
    if unshare is None or mount is None:
        return ()
    as_root = () if os.geteuid() == 0 else ("--map-root-user",)
    command = (unshare, *as_root, "--mount", "--propagation", "private")
    probe = f"{mount} -t tmpfs -o size=64k tmpfs /var && mkdir /var/task && {mount} -o remount,bind,ro /"
    result = subprocess.run([*command, "/bin/sh", "-c", probe], capture_output=True, check=False)
    return command if result.returncode == 0 else ()


@cache
def _can_unshare_network() -> bool:
    command = [*unshare_command(), "--net", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def interpreter() -> Path:
    """The Python behind the virtual environment, which every sandbox can see."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()
