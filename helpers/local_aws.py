"""Start and stop the local AWS (`helpers.local`) as a process of its own."""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

DEFAULT_ACCOUNT_ID = "111122223333"
SECRET_ACCESS_KEY = "test"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
LOGS_KEPT = 10


class LocalAwsNotStarted(RuntimeError):
    """The local AWS could not be started; the message says why and what to do."""


class LocalAwsStopped(RuntimeError):
    """The local AWS was running and is not any more; the message names its log."""


def cache_directory() -> Path:
    """Where the workshop keeps logs and ledgers: below XDG_CACHE_HOME, else `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "serverless-patterns-workshop"


@dataclass
class LocalAws:
    """A running local AWS. It ends with this process, or when `stop` is called.

    `limiter` names the mechanism that gives functions their share of the CPU: a measurement made
    on the fallback, the duty cycle, is coarser and has to say so.
    """

    endpoint_url: str
    port: int
    account_id: str
    limiter: str
    log_path: Path
    process: subprocess.Popen[bytes]

    @property
    def credentials(self) -> dict[str, str]:
        """The main account's root user, as keyword arguments of a boto3 session or client."""
        return {"aws_access_key_id": self.account_id, "aws_secret_access_key": SECRET_ACCESS_KEY}

    def check_alive(self) -> None:
        """Raise LocalAwsStopped when the process has ended."""
        if self.process.poll() is not None:
            raise LocalAwsStopped(
                f"The local AWS on port {self.port} has stopped; its log is {self.log_path}. "
                "Restart the kernel to begin again."
            )

    def stop(self) -> None:
        """Stop it and wait until nothing of it is left. Does nothing when it has already ended."""
        with contextlib.suppress(OSError):
            # Closing its standard input asks it to end, also where signals do not reach.
            assert self.process.stdin is not None
            self.process.stdin.close()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def start(
    port: int | None = None, account_id: str = DEFAULT_ACCOUNT_ID, enforce_iam: bool = True
) -> LocalAws:
    """Start a local AWS on 127.0.0.1 and return when it answers.

    `port=None` takes a free port. Raises LocalAwsNotStarted, for example when the port is taken
    or the cache directory for its log cannot be written.
    """
    log_path = _new_log_path()
    command = [sys.executable, "-m", "helpers.local", "--port", str(port or 0), "--account", account_id]
    if not enforce_iam:
        command.append("--no-iam")
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=Path(__file__).parent.parent,
            # An interrupt of the notebook's cell must not reach the local AWS.
            start_new_session=True,
        )
    answer = _first_line(process, log_path)
    if "error" in answer:
        process.wait()
        raise LocalAwsNotStarted(f"{answer['error']} {_last_words(log_path)}")
    actual_port = int(answer["port"])
    return LocalAws(
        endpoint_url=f"http://127.0.0.1:{actual_port}",
        port=actual_port,
        account_id=account_id,
        limiter=answer["limiter"],
        log_path=log_path,
        process=process,
    )


def _new_log_path() -> Path:
    directory = cache_directory() / "logs"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # The process id tells whether whoever writes it may still be at work.
        name = f"local-aws-{time.strftime('%Y%m%dT%H%M%S')}-{time.monotonic_ns()}-{os.getpid()}.log"
        path = directory / name
        path.touch()
    except OSError as error:
        raise LocalAwsNotStarted(
            f"The log of the local AWS cannot be written to {directory}: {error.strerror}. "
            "Make it writable, or set XDG_CACHE_HOME to a directory that is."
        ) from error
    for old in sorted(directory.glob("local-aws-*.log"))[:-LOGS_KEPT]:
        if not _may_be_written(old):
            old.unlink(missing_ok=True)
    return path


def _may_be_written(log_path: Path) -> bool:
    try:
        return bool(psutil.pid_exists(int(log_path.stem.rpartition("-")[2])))
    except (ValueError, OverflowError):
        return False


def _first_line(process: subprocess.Popen[bytes], log_path: Path) -> dict[str, str]:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(START_TIMEOUT_S):
            process.terminate()
            process.wait()
            raise LocalAwsNotStarted(
                f"The local AWS did not answer within {START_TIMEOUT_S:.0f} s; its log is {log_path}"
            )
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise LocalAwsNotStarted(f"The local AWS did not start. {_last_words(log_path)}")
    answer: dict[str, str] = json.loads(line)
    return answer


def _last_words(log_path: Path) -> str:
    """The line that says why, and where the rest is."""
    line = log_path.read_text(errors="replace").strip().rpartition("\n")[2]
    return f"{line} Log: {log_path}".strip()
