"""OS-only runtimes: the deployment package, or a layer, brings an executable named `bootstrap`."""

import platform
from dataclasses import dataclass

from helpers.local.functions.runtimes.base import Runtime
from helpers.local.functions.runtimes.directories import empty_directory
from helpers.local.functions.sandbox.isolation import FileSystem

NAMES = ("provided.al2", "provided.al2023")


@dataclass(frozen=True)
class Provided(Runtime):
    """The machine's own operating system stands in for Amazon Linux."""

    def command(self, seen: FileSystem, handler: str) -> list[str]:
        # Lambda looks for it in the package first, then in the layers.
        layers = [f"{seen.layers}/bootstrap"] if seen.layers else []
        candidates = [f"{seen.task}/bootstrap", *layers]
        tests = "; ".join(f'[ -x "{path}" ] && exec "{path}"' for path in candidates)
        missing = f"Error: Couldn't find valid bootstrap(s): [{' '.join(candidates)}]"
        return ["/bin/sh", "-c", f'{tests}; echo "{missing}"; exit 127']

    def environment_variables(self, seen: FileSystem) -> dict[str, str]:
        return {}


def load(name: str) -> Provided:
    system = f"{platform.system()} {platform.release()}".lower().replace(" ", "-")
    family, version = name.split(".")
    empty = empty_directory()
    return Provided(name, f"{family}:{version}.local-{system}", directory=empty, language=empty)
