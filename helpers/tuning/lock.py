"""One power tuning run a function at a time on this machine."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from helpers.local_aws import cache_directory


class BeingTuned(RuntimeError):
    """Another run on this machine tunes the function just now."""


@contextlib.contextmanager
def alone(function_arn: str, endpoint_url: str) -> Iterator[None]:
    """Hold the lock on tuning a function. Raises BeingTuned when another run, or thread, holds it.

    The operating system drops the lock when its process ends, however it ends.
    """
    identity = hashlib.sha256(f"{endpoint_url} {function_arn}".encode()).hexdigest()[:16]
    path = cache_directory() / "power-tuning" / f"{identity}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BeingTuned(
                    f"Another run tunes {function_arn} just now, and both would change its memory: wait for "
                    "that run, or stop it."
                ) from None
            # A run that ended between the two lines above has removed the file that is locked here.
            if not _is_still_there(path, file.fileno()):
                continue
            try:
                yield
            finally:
                path.unlink()
        return


def _is_still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
