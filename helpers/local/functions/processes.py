"""The processes of one execution environment, as the environment starts, watches and ends them."""

import os
import select
import selectors
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

from helpers.local.functions.outcome import Ending, LaunchFailure
from helpers.local.functions.output import LogLine, Output
from helpers.local.functions.runtime_api import Request, RuntimeApi
from helpers.local.functions.sandbox import Sandbox
from helpers.local.functions.sandbox.isolation import READY_LINE, Isolation
from helpers.local.functions.specification import FunctionVersion

# Entering the sandbox is not part of INIT; it takes some 20 ms.
ENTER_TIMEOUT_S = 10.0


class SandboxFailed(RuntimeError):
    """The machine could not start the processes of an execution environment."""


@dataclass(frozen=True)
class ExtensionsLaunch:
    """How external extensions are started: `directory` is /opt/extensions as the function sees it.

    With a network of its own the environment reaches the local AWS at `gateway_port` all the same.
    """

    names: tuple[str, ...]
    directory: str
    isolation: Isolation
    own_network: bool
    gateway_port: int


@dataclass(frozen=True)
class Launch:
    """What is started: the command becomes the runtime, by entering the sandbox if it has no extensions.

    `environment_variables` lacks only AWS_LAMBDA_RUNTIME_API, which the environment adds. With a
    `failure` nothing is started, and every INIT ends with it.
    """

    command: list[str]
    environment_variables: dict[str, str]
    log_stream_name: str
    runtime_version: str
    function: FunctionVersion
    failure: LaunchFailure | None = None
    extensions: ExtensionsLaunch | None = None


class Processes(ABC):
    """First `enter` the sandbox, then start what runs in it. `close` ends all of it.

    `ending` tells of the first process whose end ends the environment. `api` exists once the sandbox
    was entered.
    """

    api: RuntimeApi

    def __init__(self, sandbox: Sandbox, launch: Launch, selector: selectors.BaseSelector) -> None:
        self._sandbox = sandbox
        self._launch = launch
        self._selector = selector
        self._process: subprocess.Popen[bytes] | None = None
        self._outputs: list[Output] = []
        self.ending: Ending | None = None
        self.runtime_has_ended = False

    @abstractmethod
    def enter(self) -> None:
        """Raises SandboxFailed."""

    @abstractmethod
    def start_extensions(self) -> None:
        """The first moment of INIT."""

    @abstractmethod
    def start_runtime(self) -> None:
        """Does nothing when it was started already."""

    @property
    def has_entered(self) -> bool:
        return bool(self._outputs)

    def take_output(self) -> list[LogLine]:
        """What the processes have written since the last call, in the order in which it was read."""
        if len(self._outputs) == 1:
            return self._outputs[0].take()
        lines = [line for output in self._outputs for line in output.take()]
        return sorted(lines, key=lambda line: line.timestamp_ms)

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @abstractmethod
    def signal_runtime(self, number: int) -> None: ...

    def close(self) -> None:
        """Give back what the processes held; the sandbox has killed them."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()

    def _spawn(
        self, command: list[str], variables: dict[str, str], descriptors: tuple[int, ...] = ()
    ) -> None:
        """Start the process that enters the sandbox, and wait until it has."""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,
                pass_fds=descriptors,
            )
        except OSError as error:
            raise SandboxFailed(f"{command[0]} could not be started: {error}") from error
        self._sandbox.attach(self._process.pid)
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        _wait_until_entered(descriptor)
        self._read_from(descriptor)

    def _read_from(self, descriptor: int) -> None:
        """Take what comes out of a pipe for the log."""
        output = Output(descriptor)
        self._outputs.append(output)

        def read() -> list[Request]:
            if not output.read():
                # Readable with nothing to read: every process has closed its end.
                self._selector.unregister(descriptor)
            return []

        self._selector.register(descriptor, selectors.EVENT_READ, read)


class RuntimeProcess(Processes):
    """An environment without external extensions: its one process becomes the runtime."""

    def __init__(self, sandbox: Sandbox, launch: Launch, selector: selectors.BaseSelector) -> None:
        super().__init__(sandbox, launch, selector)
        self.api = RuntimeApi(selector)
        self._descriptor_of_end: int | None = None

    def enter(self) -> None:
        variables = {**self._launch.environment_variables, "AWS_LAMBDA_RUNTIME_API": self.api.address}
        self._spawn(self._launch.command, variables)
        assert self._process is not None
        self._descriptor_of_end = _descriptor_of_end(self._process)
        self._selector.register(self._descriptor_of_end, selectors.EVENT_READ, self._note_end)

    def start_extensions(self) -> None:
        """There are none."""

    def start_runtime(self) -> None:
        """Entering the sandbox has started it."""

    def signal_runtime(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def close(self) -> None:
        super().close()
        if self._descriptor_of_end is not None:
            os.close(self._descriptor_of_end)
        self.api.close()

    def _note_end(self) -> list[Request]:
        assert self._process is not None
        assert self._descriptor_of_end is not None
        self.ending = Ending.of_runtime(self._process.wait())
        self.runtime_has_ended = True
        self._selector.unregister(self._descriptor_of_end)
        return []


def _wait_until_entered(descriptor: int) -> None:
    """Wait for the launcher's line, which comes just before it becomes another program."""
    received = b""
    deadline = time.monotonic() + ENTER_TIMEOUT_S
    # Byte by byte: what follows the line belongs to the runtime.
    while not received.endswith(READY_LINE):
        readable, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        byte = os.read(descriptor, 1) if readable else b""
        if not byte:
            raise SandboxFailed(f"the sandbox could not be entered: {received.decode(errors='replace')}")
        received += byte


def _descriptor_of_end(process: subprocess.Popen[bytes]) -> int:
    """A file descriptor that becomes readable when the process ends."""
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(process.pid)
    read_end, write_end = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(write_end)

    threading.Thread(target=wait, daemon=True).start()
    return read_end
