"""Find the Java Development Kits (JDK) of this machine."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST_RELEASE = 17
_ANSWER_TIMEOUT_S = 30.0


class JdkMissing(RuntimeError):
    """No JDK of this machine is new enough; the message says how to get one."""


@dataclass(frozen=True)
class Jdk:
    """One JDK: its home directory, and its version such as "17.0.15"."""

    home: Path
    version: str

    @property
    def release(self) -> int:
        """The feature release: 17 for version 17.0.15. 0 for a version that nobody can read."""
        found = re.match(r"(?:1\.)?(\d+)", self.version)
        return int(found[1]) if found else 0

    def tool(self, name: str) -> str:
        """The path of one of its programs, such as "java", "javac" or "jlink"."""
        return str(self.home / "bin" / name)


def installed() -> list[Jdk]:
    """Every JDK, which is more than a runtime environment by its compiler `javac`.

    JAVA_HOME's comes first, then that of the PATH, then those that lie beside either, as in
    /usr/lib/jvm, the newest first.
    """
    named = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    compiler = shutil.which("javac")
    if compiler is not None:
        named.append(Path(compiler).resolve().parent.parent)
    named = [home.resolve() for home in named if _has_compiler(home)]
    beside = {javac.resolve().parent.parent for home in named for javac in home.parent.glob("*/bin/javac")}
    others = sorted((Jdk(home, _version(home)) for home in beside), key=lambda jdk: -jdk.release)
    found = {jdk.home: jdk for jdk in [*(Jdk(home, _version(home)) for home in named), *others]}
    return list(found.values())


def find(release: int = OLDEST_RELEASE) -> Jdk:
    """The JDK that fits a release best: of that release, else of the next newer one.

    Raises JdkMissing when all are older, or there is none.
    """
    everything = installed()
    fitting = [jdk for jdk in everything if jdk.release >= release]
    if fitting:
        # The first of several of the same release: the one that JAVA_HOME or the PATH names.
        return min(fitting, key=lambda jdk: jdk.release)
    there = ", ".join(f"{jdk.version} in {jdk.home}" for jdk in everything) or "no JDK"
    raise JdkMissing(
        f"A JDK {release} or newer is needed, and this machine has {there}. Install one "
        f"({how_to_get(release)}) and let JAVA_HOME or the PATH name it."
    )


def how_to_get(release: int = OLDEST_RELEASE) -> str:
    """A command that installs a JDK of that release."""
    # What Debian calls the default is 17 or newer since Debian 12, and no more is known of it here.
    if release == OLDEST_RELEASE and shutil.which("apt-get"):
        return "sudo apt-get install default-jdk-headless"
    return f"conda install -c conda-forge openjdk={release}"


def _has_compiler(home: Path) -> bool:
    return os.access(home / "bin" / "javac", os.X_OK)


def _version(home: Path) -> str:
    """From the file `release` that JDKs have; the compiler itself is asked where it is missing."""
    try:
        description = (home / "release").read_text()
    except OSError:
        description = ""
    found = re.search(r'^JAVA_VERSION="([^"]+)"', description, re.MULTILINE)
    if found:
        return found[1]
    try:
        answer = subprocess.run(
            [home / "bin" / "javac", "-version"],
            capture_output=True,
            text=True,
            timeout=_ANSWER_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown ({error})"
    return (answer.stdout + answer.stderr).strip().removeprefix("javac ")
