"""Unpack deployment packages and layers, once for each content."""

import calendar
import hashlib
import io
import os
import shutil
import stat
import threading
import zipfile
from pathlib import Path

_lock = threading.Lock()


class PackageUnreadable(RuntimeError):
    """A deployment package or a layer is not a zip file that can be unpacked."""


def unpack(archives: list[bytes], parent: Path) -> Path:
    """Return a directory below `parent` with the content of `archives`, later ones over earlier ones.

    Lambda merges layers in the order in which the function lists them. Raises PackageUnreadable.
    """
    digest = hashlib.sha256()
    for archive in archives:
        digest.update(hashlib.sha256(archive).digest())
    directory = parent / digest.hexdigest()[:32]
    with _lock:
        if directory.is_dir():
            return directory
        scratch = parent / f".{directory.name}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        for archive in archives:
            _extract(archive, scratch)
        scratch.rename(directory)
    return directory


def _extract(archive: bytes, directory: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as package:
            package.extractall(directory)
            for entry in package.infolist():
                _restore_mode(entry, directory)
            # Folders last: a folder's time changes with every file that is put into it.
            for entry in sorted(package.infolist(), key=zipfile.ZipInfo.is_dir):
                _restore_time(entry, directory)
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise PackageUnreadable(f"The deployment package cannot be unpacked: {error}") from error


def _restore_mode(entry: zipfile.ZipInfo, directory: Path) -> None:
    """Python's zipfile forgets permissions and symbolic links; Lambda keeps them."""
    mode = entry.external_attr >> 16
    target = directory / entry.filename
    if stat.S_ISLNK(mode):
        link = target.read_text()
        target.unlink()
        target.symlink_to(link)
    elif mode and not entry.is_dir() and target.is_file():
        target.chmod(stat.S_IMODE(mode) | stat.S_IRUSR)


def _restore_time(entry: zipfile.ZipInfo, directory: Path) -> None:
    """Python's zipfile forgets modification times; Lambda keeps them, and reads them as UTC."""
    year, month, day, *time = entry.date_time
    # A writer without a clock leaves month and day at zero.
    modified_s = calendar.timegm((year, max(1, month), max(1, day), *time))
    os.utime(directory / entry.filename, (modified_s, modified_s), follow_symlinks=False)
