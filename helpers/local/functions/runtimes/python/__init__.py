"""Python functions: AWS's own runtime interface client on the Python that runs the workshop.

As on Lambda a function finds boto3 and what comes with it, and nothing else that happens to be
installed on this machine: the packages are copied into a directory of their own.
"""

import compileall
import hashlib
import importlib.util
import os
import platform
import py_compile
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from helpers.local.functions.runtimes.base import Runtime, RuntimeUnavailable
from helpers.local.functions.runtimes.directories import build_once, empty_directory
from helpers.local.functions.sandbox.isolation import FileSystem, Isolation, interpreter
from helpers.local.functions.specification import FunctionVersion

NAMES = ("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14")

_CLIENT = ("awslambdaric", "snapshot-restore-py", "simplejson")
_SDK = (
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "python-dateutil",
    "six",
    "urllib3",
)
_OWN_MODULES = (Path(__file__).with_name("bootstrap.py"), Path(__file__).with_name("workshop_loop.py"))


@dataclass(frozen=True)
class Python(Runtime):
    """Starts `bootstrap.py`, which becomes awslambdaric or our own loop."""

    def command(self, files: Isolation, function: FunctionVersion) -> list[str]:
        bootstrap = f"{files.seen.runtime}/bootstrap.py"
        # -S: what is installed for other programs on this machine is not there on Lambda.
        return [str(interpreter()), "-S", bootstrap, function.handler, str(files.seen.layers)]

    def environment_variables(self, seen: FileSystem) -> dict[str, str]:
        return {"PYTHONPATH": str(seen.runtime)}


def load(name: str) -> Python:
    try:
        directory = build_once(f"python-{_fingerprint()}", _fill)
    except metadata.PackageNotFoundError as error:
        raise RuntimeUnavailable(
            f"Python functions need the package {error.name}, which is not installed: run `tools/set_up.sh`."
        ) from error
    running = platform.python_version()
    return Python(name, f"python:{running}.local", directory=directory, language=empty_directory())


def _distributions() -> tuple[str, ...]:
    """The SDK with all that it needs, and the runtime interface client, which exists for Linux only."""
    without_client = os.environ.get("WORKSHOP_PYTHON_CLIENT") == "loop"
    if without_client or importlib.util.find_spec(_CLIENT[0]) is None:
        return _SDK
    return _CLIENT + _SDK


def _fingerprint() -> str:
    parts = [sys.version, *(module.read_text() for module in _OWN_MODULES)]
    parts += [f"{name}={metadata.version(name)}" for name in _distributions()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _fill(directory: Path) -> None:
    for name in _distributions():
        for file in metadata.files(name) or []:
            # Scripts lie outside of the package directory, compiled modules are made below.
            if ".." in file.parts or file.suffix == ".pyc":
                continue
            target = directory / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(str(file.locate())), target)
    for module in _OWN_MODULES:
        shutil.copyfile(module, directory / module.name)
    # On Lambda the runtime's modules are compiled, and /var/runtime is read-only here as there.
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(directory, quiet=2, invalidation_mode=unchecked)
