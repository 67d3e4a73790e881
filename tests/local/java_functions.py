"""Compile Java functions for tests, against the interfaces that the runtime provides."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from helpers import java
from helpers.local.functions.runtimes.java import core_library


def skip_without(release: int) -> None:
    """Skip the test where no JDK of that release or a newer one is installed."""
    try:
        java.find(release)
    except java.JdkMissing as missing:
        pytest.skip(str(missing))


def compiled(sources: Mapping[str, str], directory: Path) -> dict[str, bytes]:
    """The class files of `sources`, which are given by class name without package, as zip entries."""
    skip_without(java.OLDEST_RELEASE)
    shutil.rmtree(directory, ignore_errors=True)
    files = []
    for name, source in sources.items():
        file = directory / "source" / f"{name}.java"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
        files.append(str(file))
    compiler = java.find().tool("javac")
    options = ["--release", str(java.OLDEST_RELEASE), "-encoding", "UTF-8", "-classpath", str(core_library())]
    classes = directory / "classes"
    subprocess.run([compiler, *options, "-d", str(classes), *files], check=True)
    return {
        file.relative_to(classes).as_posix(): file.read_bytes() for file in sorted(classes.rglob("*.class"))
    }
