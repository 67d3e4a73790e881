"""Package Lambda functions and layers: the same files always give the same zip, byte by byte."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

# The earliest time that a zip can hold.
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
PLAIN_FILE = 0o644
EXECUTABLE_FILE = 0o755
REGULAR_FILE = 0o100000
LEFT_OUT = frozenset({"__pycache__", ".ipynb_checkpoints", ".DS_Store", ".git"})


class NothingToPackage(ValueError):
    """What was to be packaged is not there, or there twice; the message says what."""


def package(*sources: str | Path, prefix: str = "", texts: Mapping[str, str] | None = None) -> bytes:
    """A zip for `create_function(Code={"ZipFile": ...})` or `publish_layer_version`.

    A file lands at the root of the zip, a directory with what is in it (caches left out). `texts`
    adds files by name and text. `prefix` goes before every name: "python/" for a layer. Names are
    sorted and times fixed, so that the same content has the same CodeSha256. Files that may be
    executed stay so, and `bootstrap` always may.

    Raises NothingToPackage.
    """
    contents: dict[str, tuple[bytes, int]] = {}
    for source in map(Path, sources):
        if not source.exists():
            raise NothingToPackage(f"{source} does not exist (looked in {Path.cwd()}).")
        for name, path in _files(source):
            _add(contents, prefix + name, path.read_bytes(), bool(path.stat().st_mode & 0o100))
    for name, text in (texts or {}).items():
        _add(contents, prefix + name, text.encode(), executable=False)
    if not contents:
        raise NothingToPackage("There is no file to package: give files, directories or texts.")
    return zipped(contents)


def zipped(contents: Mapping[str, tuple[bytes, int]]) -> bytes:
    """A zip of files by name, each with its content and its mode (PLAIN_FILE or EXECUTABLE_FILE).

    Names are sorted and times fixed: the same files always give the same bytes.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, (content, mode) in sorted(contents.items()):
            entry = zipfile.ZipInfo(name, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            # The same on every system; it decides how the mode is read.
            entry.create_system = 3
            entry.external_attr = (REGULAR_FILE | mode) << 16
            target.writestr(entry, content)
    return archive.getvalue()


def _files(source: Path) -> Iterator[tuple[str, Path]]:
    if source.is_file():
        yield source.name, source
        return
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.is_file() and not LEFT_OUT.intersection(relative.parts):
            yield relative.as_posix(), path


def _add(contents: dict[str, tuple[bytes, int]], name: str, content: bytes, executable: bool) -> None:
    if name in contents:
        raise NothingToPackage(f"Two files would be {name} in the zip; rename one or package its directory.")
    executable = executable or name == "bootstrap"
    contents[name] = content, EXECUTABLE_FILE if executable else PLAIN_FILE
