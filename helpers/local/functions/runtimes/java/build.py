"""Compile the runtime loop with the JDK that will run it."""

import hashlib
import shutil
import subprocess
import tempfile
import threading
import zipfile
from pathlib import Path

from helpers.java import Jdk
from helpers.local.functions.runtimes.base import RuntimeUnavailable
from helpers.local.functions.runtimes.directories import build_once, empty_directory
from helpers.local.functions.sandbox.isolation import FileSystem, Isolation, unshare_command

# The interfaces that functions implement, and the loop.
JARS = ("lib/aws-lambda-java-core.jar", "lib/runtime.jar")
ARCHIVE = "lib/runtime.jsa"
_HERE = Path(__file__).parent
_CORE, _LOOP, _TRAINING = _SOURCES = (_HERE / "core", _HERE / "loop", _HERE / "training")
_OLDEST_RELEASE = "17"
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_lock = threading.Lock()


def runtime_directory(jdk: Jdk) -> Path:
    """What becomes /var/runtime. Raises RuntimeUnavailable when it cannot be made."""
    # The first burst of invocations would compile it once for each of them.
    with _lock:
        return build_once(f"java-{_fingerprint(jdk)}", lambda directory: _fill(directory, jdk))


def _fingerprint(jdk: Jdk) -> str:
    # With isolated functions comes an archive.
    parts = [str(jdk.home), jdk.version, str(bool(unshare_command())), Path(__file__).read_text()]
    parts += [source.read_text() for directory in _SOURCES for source in _java_files(directory)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _java_files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.java"))


def _fill(directory: Path, jdk: Jdk) -> None:
    (directory / "lib").mkdir()
    core, runtime = (directory / name for name in JARS)
    with tempfile.TemporaryDirectory() as classes:
        _compile(jdk, _CORE, Path(classes))
        _pack(Path(classes), core)
    with tempfile.TemporaryDirectory() as classes:
        _compile(jdk, _LOOP, Path(classes), core)
        _pack(Path(classes), runtime)
    _archive_classes(directory, jdk)


def _compile(jdk: Jdk, sources: Path, classes: Path, class_path: Path | None = None) -> None:
    # Concatenation by method calls: the other way has its code made anew at every start.
    options = ["--release", _OLDEST_RELEASE, "-encoding", "UTF-8", "-XDstringConcat=inline", "-Xlint:none"]
    libraries = ["-classpath", str(class_path)] if class_path else []
    _run([jdk.tool("javac"), *options, *libraries, "-d", str(classes), *map(str, _java_files(sources))])


def _pack(classes: Path, jar: Path) -> None:
    """Not compressed: what is read at every start need not be inflated at every start."""
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(classes.rglob("*.class")):
            entry = zipfile.ZipInfo(file.relative_to(classes).as_posix(), _FIXED_TIME)
            archive.writestr(entry, file.read_bytes())


def _archive_classes(directory: Path, jdk: Jdk) -> None:
    """Archive the loop's classes as they lie in memory (class data sharing), as AWS's runtimes have it.

    The archive holds the paths under which functions see the runtime. Where those differ between
    functions, because no function is isolated, there is none.
    """
    with tempfile.TemporaryDirectory() as tmp:
        empty = empty_directory()
        machine = FileSystem(task=empty, runtime=directory, language=jdk.home, tmp=Path(tmp), layers=None)
        files = Isolation.best(machine)
        if not files.isolated:
            return
        seen = files.seen
        _compile(jdk, _TRAINING, Path(tmp) / "task", directory / JARS[0])
        class_path = ":".join(f"{seen.runtime}/{jar}" for jar in JARS)
        options = [
            "-XX:+UseSerialGC",
            f"-XX:ArchiveClassesAtExit={seen.tmp}/archive",
            "-classpath",
            class_path,
        ]
        program = ["workshop.Training", "Example", f"{seen.tmp}/task"]
        _run(files.launch_command([f"{seen.language}/bin/java", *options, *program], []))
        shutil.copyfile(Path(tmp) / "archive", directory / ARCHIVE)


def _run(command: list[str]) -> None:
    """Raises RuntimeUnavailable with the program's own words when it fails."""
    result = subprocess.run(
        command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False
    )
    if result.returncode != 0:
        words = (result.stdout + result.stderr).strip()
        raise RuntimeUnavailable(f"The runtime for Java functions cannot be built: {words}")
