"""`workshop doctor`: what it finds, what it says is missing, and what it keeps to itself."""

import platform
import re
from pathlib import Path

import pytest
from toy_project import Project, new_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


def line_of(report: str, name: str) -> str:
    (line,) = [line for line in report.splitlines() if re.match(rf"\w+ +{name} ", line)]
    return line


def test_a_machine_with_everything_needed(project: Project) -> None:
    result = project.workshop("doctor")
    assert result.returncode == 0, result.stdout
    assert re.match(rf"ok +Python +{re.escape(platform.python_version())} ", line_of(result.stdout, "Python"))
    assert re.match(r"ok +Node.js +v\d+\.\d+\.\d+ \(bundled\)", line_of(result.stdout, "Node.js"))
    assert re.match(r"ok +CPU limiter +\w+", line_of(result.stdout, "CPU limiter"))
    assert re.match(r"ok +ports +127\.0\.0\.1 ", line_of(result.stdout, "ports"))
    assert str(project.home / "cache") in line_of(result.stdout, "cache directory")
    assert str(project.root / "build") in line_of(result.stdout, "build directory")
    assert re.match(r"absent +AWS credentials +none found", line_of(result.stdout, "AWS credentials"))


def test_the_source_of_credentials_is_named_and_their_content_is_not(project: Project) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI"}
    result = project.workshop("doctor", environment=keys)
    assert result.returncode == 0
    assert re.match(r"ok +AWS credentials +found by: env ", line_of(result.stdout, "AWS credentials"))
    for value in keys.values():
        assert value not in result.stdout + result.stderr


def test_credentials_in_a_file_are_named_by_their_source(project: Project) -> None:
    (project.home / ".aws").mkdir()
    (project.home / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n"
    )
    report = project.workshop("doctor").stdout
    assert "found by: shared-credentials-file" in line_of(report, "AWS credentials")


def test_a_profile_that_does_not_exist_is_said(project: Project) -> None:
    result = project.workshop("doctor", environment={"AWS_PROFILE": "nobody"})
    assert result.returncode == 0
    assert "The config profile (nobody) could not be found" in line_of(result.stdout, "AWS credentials")


def test_a_cache_directory_that_cannot_be_written_is_missing(project: Project) -> None:
    (project.home / "file").touch()
    result = project.workshop("doctor", environment={"XDG_CACHE_HOME": str(project.home / "file")})
    assert result.returncode == 1
    assert re.match(
        r"missing +cache directory .*: Not a directory", line_of(result.stdout, "cache directory")
    )
    assert "Make it writable, or set XDG_CACHE_HOME to a directory that is." in result.stdout


def fake_compiler(directory: Path, version: str) -> Path:
    """A `javac` that says it is of this version."""
    (directory / "bin").mkdir(parents=True)
    compiler = directory / "bin" / "javac"
    compiler.write_text(f"#!/bin/sh\necho 'javac {version}'\n")
    compiler.chmod(0o755)
    return directory


@pytest.mark.parametrize(("version", "status"), [("11.0.2", "absent"), ("17", "ok"), ("21.0.5", "ok")])
def test_a_jdk_is_judged_by_its_release(project: Project, version: str, status: str) -> None:
    home = fake_compiler(project.home / "jdk", version)
    # Another JDK of this machine would be found by the search path.
    environment = {"JAVA_HOME": str(home), "PATH": "/nowhere"}
    result = project.workshop("doctor", environment=environment)
    assert result.returncode == 0, "no notebook of today needs Java"
    assert re.match(rf"{status} +JDK +{re.escape(version)} \(", line_of(result.stdout, "JDK"))
    assert ("need a JDK 17 or newer: " in result.stdout) is (status == "absent")
