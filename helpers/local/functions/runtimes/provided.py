"""OS-only runtimes: the deployment package, or a layer, brings an executable named `bootstrap`.

AWS Lambda developer guide, "Building a custom runtime for AWS Lambda".
"""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from helpers.local.functions.outcome import LaunchFailure
from helpers.local.functions.runtimes.base import Runtime
from helpers.local.functions.runtimes.directories import empty_directory
from helpers.local.functions.sandbox.isolation import SEEN_ON_LAMBDA, FileSystem, Isolation
from helpers.local.functions.specification import FunctionVersion

NAMES = ("provided.al2", "provided.al2023")


@dataclass(frozen=True)
class Provided(Runtime):
    """The machine's own operating system stands in for Amazon Linux."""

    @property
    def is_managed(self) -> bool:
        return False

    def command(self, files: Isolation, function: FunctionVersion) -> list[str]:
        return [f"{files.seen.layers if _is_in_layers(files) else files.seen.task}/bootstrap"]

    def environment_variables(self, seen: FileSystem) -> dict[str, str]:
        return {}

    def launch_failure(self, files: Isolation) -> LaunchFailure | None:
        bootstraps = _bootstraps(files)
        if bootstraps:
            reason = _why_not_executable(bootstraps[0])
            directory = SEEN_ON_LAMBDA.layers if _is_in_layers(files) else SEEN_ON_LAMBDA.task
            text = f"fork/exec {directory}/bootstrap: {reason}" if reason else None
        else:
            text = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
        return LaunchFailure("Runtime.InvalidEntrypoint", text) if text else None


def _bootstraps(files: Isolation) -> list[Path]:
    """Those that are there, on this machine: Lambda takes the package's before the layers'."""
    directories = [files.machine.task, files.machine.layers]
    candidates = [directory / "bootstrap" for directory in directories if directory is not None]
    return [candidate for candidate in candidates if candidate.is_file()]


def _is_in_layers(files: Isolation) -> bool:
    return _bootstraps(files)[0].parent == files.machine.layers


def _why_not_executable(file: Path) -> str | None:
    """The kernel's words for it. Asked ahead of time because a shell would run more than Lambda does."""
    if not os.access(file, os.X_OK):
        return "permission denied"
    with file.open("rb") as content:
        first_line = content.readline(256)
    if first_line.startswith(b"\x7fELF"):
        return None
    if not first_line.startswith(b"#!"):
        return "exec format error"
    # A line that ends as on Windows names an interpreter that ends in a carriage return.
    interpreter = Path(first_line[2:].strip(b" \t\n").split(b" ")[0].decode(errors="replace"))
    is_brought_along = interpreter.is_relative_to("/opt") or interpreter.is_relative_to("/var")
    return None if is_brought_along or interpreter.is_file() else "no such file or directory"


def load(name: str) -> Provided:
    system = f"{platform.system()} {platform.release()}".lower().replace(" ", "-")
    family, version = name.split(".")
    empty = empty_directory()
    return Provided(name, f"{family}:{version}.local-{system}", directory=empty, language=empty)
