"""Directories that runtimes are made of: built once for an installation and then reused."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from helpers.local.functions.runtimes.base import RuntimeUnavailable


def build_once(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the directory `name` of this installation, made by `fill` when it is not there yet.

    Two processes may build it at the same time: each fills a directory of its own and the first
    to finish wins. Raises RuntimeUnavailable when the installation cannot be written to.
    """
    home = Path(sys.prefix) / "lambda-runtimes"
    directory = home / name
    if directory.is_dir():
        return directory
    try:
        home.mkdir(exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=home))
    except OSError as error:
        raise RuntimeUnavailable(
            f"{home} cannot be written ({error.strerror}): run `tools/set_up.sh` as the user who owns it."
        ) from error
    try:
        fill(scratch)
        scratch.chmod(0o755)
        scratch.rename(directory)
    except OSError:
        if not directory.is_dir():
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return directory


def empty_directory() -> Path:
    """For what a runtime does not have."""
    return build_once("empty", lambda directory: None)
