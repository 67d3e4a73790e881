"""Java functions: a runtime loop of ours on a JDK of this machine."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from helpers import java
from helpers.local.functions.runtimes.base import Runtime, RuntimeUnavailable
from helpers.local.functions.runtimes.java.build import ARCHIVE, JARS, runtime_directory
from helpers.local.functions.sandbox.isolation import FileSystem, Isolation
from helpers.local.functions.specification import FunctionVersion

NAMES = ("java17", "java21", "java25")

# Seen of AWS's Java runtimes: this part of the memory may become heap.
_HEAP_SHARE = 0.85
# The country is that of en_US.UTF-8, see `environment_variables`.
_GENERAL_OPTIONS = ("-Djava.net.preferIPv4Stack=true", "-XX:+ErrorFileToStderr", "-Duser.country=US")


@dataclass(frozen=True)
class Java(Runtime):
    """Starts `workshop.Main`, which speaks the Runtime API."""

    def command(self, files: Isolation, function: FunctionVersion) -> list[str]:
        seen = files.seen
        chosen = function.variables.get("JAVA_TOOL_OPTIONS", "")
        usual = _usual_options(function.memory_mb)
        if files.isolated and (self.directory / ARCHIVE).is_file():
            usual[f"-XX:SharedArchiveFile={seen.runtime}/{ARCHIVE}"] = r"SharedArchiveFile|-Xshare|AOT"
        options = [
            *_GENERAL_OPTIONS,
            *(ours for ours, theirs in usual.items() if not re.search(theirs, chosen)),
        ]
        class_path = ":".join(f"{seen.runtime}/{jar}" for jar in JARS)
        main = ["-classpath", class_path, "workshop.Main", str(seen.task), str(seen.layers or "/opt")]
        return [f"{seen.language}/bin/java", *options, *main]

    def environment_variables(self, seen: FileSystem) -> dict[str, str]:
        """One more than on Lambda: the locale that LANG names there, en_US.UTF-8, may not be installed here.

        Without a UTF-8 locale the virtual machine could not read its variables, nor name its files.
        """
        return {"LC_ALL": "C.UTF-8"} if sys.platform == "linux" else {}


def _usual_options(memory_mb: int) -> dict[str, str]:
    """What AWS's Java runtimes choose, each with a pattern of what chooses otherwise in JAVA_TOOL_OPTIONS.

    AWS Lambda developer guide, "Customize Java runtime startup behavior for Lambda functions": the serial
    collector, and compilation that stops at level 1 (in java25 not for provisioned environments, which is
    not done here).
    """
    return {
        "-XX:+UseSerialGC": r"-XX:\+Use\w+GC\b",
        "-XX:+TieredCompilation": r"TieredCompilation",
        "-XX:TieredStopAtLevel=1": r"TieredCompilation|TieredStopAtLevel",
        f"-XX:MaxHeapSize={round(memory_mb * 1024 * _HEAP_SHARE)}k": r"-Xmx|MaxHeapSize|MaxRAMPercentage",
        # Without it the heap would begin with a size that suits this machine's memory.
        f"-XX:MaxRAM={memory_mb}m": r"MaxRAM=",
    }


def load(name: str) -> Java:
    """The runtime on the JDK that fits its release best. Raises RuntimeUnavailable without one."""
    try:
        jdk = java.find(int(name.removeprefix("java")))
    except java.JdkMissing as error:
        raise RuntimeUnavailable(f"Functions of runtime {name} cannot run here. {error}") from error
    return Java(name, f"java:{jdk.version}.local", directory=runtime_directory(jdk), language=jdk.home)


def core_library(name: str = "java17") -> Path:
    """The jar of the interfaces in com.amazonaws.services.lambda.runtime, to compile a function against.

    Raises RuntimeUnavailable.
    """
    return load(name).directory / JARS[0]
