"""How other shells find the local AWS that `workshop local start` runs.

While it runs, a small file says where it listens, and its owner holds a lock on that file. The
operating system drops the lock when the owner ends, however it ends, so a file that can be locked
is a stale one.
"""

import contextlib
import fcntl
import json
import os
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from helpers.local_aws import SECRET_ACCESS_KEY, LocalAws, cache_directory

REGION = "us-east-1"
# Settings that would take precedence over, or be mixed with, those of the local AWS.
OVERRIDING_VARIABLES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


@dataclass(frozen=True)
class Announcement:
    """Where a local AWS listens, and since when (seconds since the epoch)."""

    endpoint_url: str
    account_id: str
    started_at_s: float


def announcements_directory() -> Path:
    """Below XDG_RUNTIME_DIR, which the system empties at log-out; else in the cache directory."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.access(runtime, os.W_OK):
        return Path(runtime) / "serverless-patterns-workshop"
    return cache_directory() / "running"


@contextlib.contextmanager
def announced(local_aws: LocalAws, started_at_s: float) -> Iterator[None]:
    """Let other shells find `local_aws` while the block runs."""
    directory = announcements_directory()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"local-aws-{local_aws.port}.json"
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        json.dump(asdict(Announcement(local_aws.endpoint_url, local_aws.account_id, started_at_s)), file)
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def running() -> list[Announcement]:
    """Every announced local AWS that still runs, the newest first."""
    found = []
    for path in announcements_directory().glob("local-aws-*.json"):
        # One that ends or starts at this moment has no file any more, or an empty one as yet.
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError), path.open() as file:
            if _is_locked(file.fileno()):
                found.append(Announcement(**json.load(file)))
    return sorted(found, key=lambda announcement: announcement.started_at_s, reverse=True)


def export_lines(announcement: Announcement) -> str:
    """Lines for a POSIX shell that point the AWS CLI and every AWS SDK at this local AWS."""
    settings = {
        "AWS_ENDPOINT_URL": announcement.endpoint_url,
        "AWS_ACCESS_KEY_ID": announcement.account_id,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # StartSyncExecution would go to sync-127.0.0.1 otherwise.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "NO_PROXY": _with_loopback(os.environ.get("NO_PROXY", "")),
        "no_proxy": _with_loopback(os.environ.get("no_proxy", "")),
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    return "\n".join([f"unset {' '.join(OVERRIDING_VARIABLES)}", *lines])


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _with_loopback(hosts: str) -> str:
    """A list of hosts that are reached without a proxy, with 127.0.0.1 among them."""
    listed = [host for host in hosts.split(",") if host]
    return ",".join(listed if "127.0.0.1" in listed else [*listed, "127.0.0.1"])
