"""What an execution environment needs to know of a runtime."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from helpers.local.functions.outcome import LaunchFailure
from helpers.local.functions.sandbox.isolation import FileSystem, Isolation
from helpers.local.functions.specification import FunctionVersion


class RuntimeUnavailable(RuntimeError):
    """The local AWS cannot run functions of this runtime; the message says what is missing."""


@dataclass(frozen=True)
class Runtime(ABC):
    """One runtime on this machine.

    `version` is what the INIT_START line says and names what really runs. `directory` becomes
    /var/runtime and `language` /var/lang, as far as the machine can isolate a function.
    """

    name: str
    version: str
    directory: Path
    language: Path

    @property
    def is_managed(self) -> bool:
        """Whether AWS provides more of it than the operating system."""
        return True

    @abstractmethod
    def command(self, files: Isolation, function: FunctionVersion) -> list[str]:
        """The command that starts the runtime, by the directories that the function sees."""

    @abstractmethod
    def environment_variables(self, seen: FileSystem) -> dict[str, str]:
        """The runtime's own variables among those that AWS documents."""

    def launch_failure(self, files: Isolation) -> LaunchFailure | None:
        """Why Lambda could not even start the runtime; None when it can."""
        return None
