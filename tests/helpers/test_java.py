"""Which JDK is found, and what is said when none will do."""

from pathlib import Path

import pytest

from helpers import java
from helpers.local.functions.runtimes import RuntimeUnavailable
from helpers.local.functions.runtimes.java import load


def make_jdk(home: Path, version: str, has_release_file: bool = True) -> Path:
    """A directory like a JDK's, whose compiler says that it is of this version."""
    (home / "bin").mkdir(parents=True)
    compiler = home / "bin" / "javac"
    compiler.write_text(f"#!/bin/sh\necho 'javac {version}'\n")
    compiler.chmod(0o755)
    if has_release_file:
        (home / "release").write_text(f'IMPLEMENTOR="Test"\nJAVA_VERSION="{version}"\n')
    return home


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any JDK; the directory is on its search path."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


def test_java_home_comes_before_the_path_and_what_lies_beside_them_last(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = make_jdk(tmp_path / "jvm" / "java-17", "17.0.15")
    newest = make_jdk(tmp_path / "jvm" / "java-25", "25.0.3")
    oldest = make_jdk(tmp_path / "jvm" / "java-11", "11.0.2")
    home = make_jdk(tmp_path / "elsewhere" / "jdk", "21.0.5")
    (machine / "javac").symlink_to(on_path / "bin" / "javac")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert [jdk.home for jdk in java.installed()] == [home, on_path, newest, oldest]
    assert [jdk.release for jdk in java.installed()] == [21, 17, 25, 11]


def test_the_release_that_fits_best_is_taken(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_jdk(tmp_path / "jvm" / "a", "25")
    make_jdk(tmp_path / "jvm" / "b", "17.0.1")
    make_jdk(tmp_path / "jvm" / "c", "25.0.9")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert java.find(17).version == "17.0.1"
    assert java.find(21).home == home, "of two of the same release the one that JAVA_HOME names"


def test_a_compiler_without_a_release_file_is_asked(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(make_jdk(tmp_path / "jdk", "18.0.2", has_release_file=False)))
    assert java.find().version == "18.0.2"


def test_the_old_way_of_numbering_is_read() -> None:
    assert java.Jdk(Path("/jdk"), "1.8.0_292").release == 8
    assert java.Jdk(Path("/jdk"), "unknown").release == 0


def test_a_machine_without_a_jdk_is_told_how_to_get_one(machine: Path) -> None:
    with pytest.raises(java.JdkMissing, match=r"A JDK 17 or newer is needed, .* has no JDK\. Install one "):
        java.find()


def test_debian_and_ubuntu_have_a_package(machine: Path) -> None:
    (machine / "apt-get").write_text("#!/bin/sh\n")
    (machine / "apt-get").chmod(0o755)
    assert java.how_to_get() == "sudo apt-get install default-jdk-headless"
    assert "openjdk=21" in java.how_to_get(21), "the package may hold an older release"


def test_a_runtime_needs_its_release(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """java21 is not run by an older virtual machine in its name."""
    monkeypatch.setenv("JAVA_HOME", str(make_jdk(tmp_path / "jdk", "17.0.15")))
    with pytest.raises(
        RuntimeUnavailable, match=r"runtime java21 cannot run here\. A JDK 21 or newer is needed, "
    ):
        load("java21")


def test_a_newer_one_beside_an_old_java_home_is_found(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_jdk(tmp_path / "jvm" / "new", "21.0.5")
    monkeypatch.setenv("JAVA_HOME", str(make_jdk(tmp_path / "jvm" / "old", "11.0.2")))
    assert java.find().release == 21
