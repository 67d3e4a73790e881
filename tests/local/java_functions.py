"""Java functions for tests, compiled against the interfaces that the runtime provides."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from deployed import DeployedFunction, zipped
from java_sources import SOURCES

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


@pytest.fixture(scope="session")
def java_package(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One deployment package with all classes of java_sources.py."""
    return zipped(compiled(SOURCES, tmp_path_factory.mktemp("java") / "functions"))


@pytest.fixture
def deploy_java(deploy: Any, java_package: bytes) -> Callable[..., DeployedFunction]:
    """`deploy_java("Json::any")`: a function of that handler in package example; java17."""

    def create(handler: str, **parameters: Any) -> DeployedFunction:
        full_name = handler if "." in handler or not handler[:1].isupper() else f"example.{handler}"
        defaults = {"Runtime": "java17", "Code": {"ZipFile": java_package}, "Handler": full_name}
        function: DeployedFunction = deploy(**{**defaults, **parameters})
        return function

    return create


def own_lines(make_client: Any, function: DeployedFunction) -> list[str]:
    """The function's log events without those of the platform."""
    events = make_client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
    platform = ("INIT_", "START ", "END ", "REPORT ", '{"time"')
    return [event["message"] for event in events if not event["message"].startswith(platform)]
