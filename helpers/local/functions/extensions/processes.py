"""The processes of an environment with external extensions, behind one that starts and watches them.

Where the machine allows it, they have a network namespace of their own, so that `localhost` means this
environment, as on Lambda, and two environments may listen on the same port. Nothing is in there but the
loopback interface: a function with extensions reaches its Runtime API and the local AWS, whose sockets are
opened inside and handed out to it, and no other program of this machine.
"""

import errno
import fcntl
import json
import os
import selectors
import signal
import socket
from pathlib import Path
from typing import Any

from helpers.local import additional_listeners
from helpers.local.functions.extensions import first_process
from helpers.local.functions.extensions.api import MOST_EXTENSIONS, Extensions
from helpers.local.functions.outcome import Ending
from helpers.local.functions.processes import (
    ENTER_TIMEOUT_S,
    ExtensionsLaunch,
    Launch,
    Processes,
    SandboxFailed,
)
from helpers.local.functions.runtime_api import Request, RuntimeApi
from helpers.local.functions.sandbox import Sandbox
from helpers.local.functions.sandbox.isolation import interpreter

# Developer guide, "Using the Lambda Extensions API to create extensions": variables of the runtime process.
_NOT_FOR_EXTENSIONS = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        # Standard output is for lines here; frames are the runtime's.
        "_LAMBDA_TELEMETRY_LOG_FD",
    }
)
_RUNTIME = "runtime"
_EXTENSION_PREFIX = "extension/"
_STANDARD_OUTPUT = 1
_READ_BYTES = 64 * 1024
# As Go, and so Lambda, words the errors of starting a program.
_LAUNCH_ERRORS = {
    errno.EACCES: ("permission denied", "PermissionDenied"),
    errno.ENOENT: ("no such file or directory", "UnknownError"),
    errno.ENOEXEC: ("exec format error", "UnknownError"),
}


class WatchedProcesses(Processes):
    """Starts `first_process.py` in the sandbox, and by it the extensions and then the runtime."""

    def __init__(
        self,
        sandbox: Sandbox,
        launch: Launch,
        selector: selectors.BaseSelector,
        extensions: Extensions,
        extensions_launch: ExtensionsLaunch,
    ) -> None:
        super().__init__(sandbox, launch, selector)
        self._extensions = extensions
        self._extensions_launch = extensions_launch
        self._runtime_started = False
        self._received = b""
        self._control, self._other_end = socket.socketpair()
        self._pipes: dict[str, tuple[int, int]] = {}
        self._gateway: additional_listeners.Listening | None = None

    # Start

    def enter(self) -> None:
        launch = self._extensions_launch
        control = _raised(self._other_end.detach())
        program = _raised(os.open(Path(first_process.__file__), os.O_RDONLY))
        join = [_raised(os.open(file, os.O_WRONLY)) for file in self._sandbox.join_files]
        # One for each, lest their lines run into one another.
        for name in launch.names[:MOST_EXTENSIONS]:
            read_end, write_end = os.pipe()
            self._pipes[name] = (read_end, _raised(write_end))
        handed_over = (control, program, *join, *(write_end for _, write_end in self._pipes.values()))
        try:
            command = [str(interpreter()), "-I", "-S", f"/dev/fd/{program}", str(control)]
            variables = {
                name: self._launch.environment_variables[name]
                # By the latter the processes of a local AWS that was killed are found.
                for name in ("PATH", "AWS_LAMBDA_LOG_STREAM_NAME")
            }
            self._spawn(
                launch.isolation.launch_command(command, [], launch.own_network),
                variables,
                handed_over,
            )
        finally:
            for descriptor in handed_over:
                os.close(descriptor)
        ports = [0, launch.gateway_port] if launch.own_network else [0]
        self._tell({"own_network": launch.own_network, "ports": ports, "join": join})
        self._take_listeners(len(ports))
        for read_end, _ in self._pipes.values():
            self._read_from(read_end)
        self._selector.register(self._control, selectors.EVENT_READ, self._read_messages)

    def _take_listeners(self, count: int) -> None:
        self._control.settimeout(ENTER_TIMEOUT_S)
        try:
            received, descriptors, _, _ = socket.recv_fds(self._control, _READ_BYTES, count)
        except TimeoutError:
            received, descriptors = b"", []
        if not received:
            lines = "\n".join(line.message for line in self.take_output())
            raise SandboxFailed(f"the first process of the environment has failed: {lines}")
        self._control.settimeout(None)
        listeners = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        self.api = RuntimeApi(self._selector, listeners[0])
        if count > 1:
            self._gateway = additional_listeners.serve(listeners[1])

    def start_extensions(self) -> None:
        variables = {
            name: value for name, value in self._variables().items() if name not in _NOT_FOR_EXTENSIONS
        }
        launch = self._extensions_launch
        for name, (_, write_end) in self._pipes.items():
            command = [f"{launch.directory}/{name}"]
            self._start(f"{_EXTENSION_PREFIX}{name}", command, "/", variables, write_end)
        for name in launch.names[MOST_EXTENSIONS:]:
            self._extensions.note_launch_failure(name, "TooManyExtensions")
            text = f"{launch.directory}/{name}: the limit of {MOST_EXTENSIONS} extensions is reached"
            self.ending = self.ending or Ending("Extension.LaunchError", text)

    def start_runtime(self) -> None:
        if not self._runtime_started:
            self._runtime_started = True
            task = str(self._extensions_launch.isolation.seen.task)
            self._start(_RUNTIME, self._launch.command, task, self._variables(), _STANDARD_OUTPUT)

    def _start(
        self, name: str, command: list[str], directory: str, variables: dict[str, str], output: int
    ) -> None:
        """`output` is a descriptor as the first process knows it."""
        self._tell(
            {
                "start": name,
                "command": command,
                "directory": directory,
                "environment": variables,
                "output": output,
            }
        )

    def _variables(self) -> dict[str, str]:
        return {**self._launch.environment_variables, "AWS_LAMBDA_RUNTIME_API": self.api.address}

    def _tell(self, message: dict[str, Any]) -> None:
        try:
            self._control.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise SandboxFailed(f"the first process of the environment is gone: {error}") from error

    # Watch

    @property
    def is_alive(self) -> bool:
        if self.ending is not None or not super().is_alive:
            return False
        # What ended while nobody waited for this environment.
        with selectors.DefaultSelector() as look:
            look.register(self._control, selectors.EVENT_READ)
            if look.select(0):
                self._read_messages()
        return self.ending is None

    def _read_messages(self) -> list[Request]:
        data = self._control.recv(_READ_BYTES)
        if not data:
            # Only a process of the function can have killed the one that watches.
            self._selector.unregister(self._control)
            self.runtime_has_ended = True
            self.ending = self.ending or Ending.of_runtime(-signal.SIGKILL)
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self._note(json.loads(line))
        return []

    def _note(self, message: dict[str, Any]) -> None:
        name = str(message.get("ended") or message["failed"])
        extension = name.removeprefix(_EXTENSION_PREFIX) if name.startswith(_EXTENSION_PREFIX) else None
        if "failed" in message:
            ending = self._launch_failure(extension, message["errno"])
        elif extension is not None:
            ending = Ending.of_extension(self._extensions.note_end(extension), message["code"])
        else:
            ending = Ending.of_runtime(message["code"])
        if extension is None:
            self.runtime_has_ended = True
        self.ending = self.ending or ending

    def _launch_failure(self, extension: str | None, number: int) -> Ending:
        text, error_type = _LAUNCH_ERRORS.get(number, (os.strerror(number).lower(), "UnknownError"))
        if extension is None:
            return Ending("Runtime.InvalidEntrypoint", f"fork/exec {self._launch.command[0]}: {text}")
        self._extensions.note_launch_failure(extension, error_type)
        path = f"{self._extensions_launch.directory}/{extension}"
        return Ending("Extension.LaunchError", f"fork/exec {path}: {text}")

    # End

    def signal_runtime(self, number: int) -> None:
        self._tell({"signal": _RUNTIME, "number": number})

    def close(self) -> None:
        super().close()
        for read_end, _ in self._pipes.values():
            os.close(read_end)
        self._control.close()
        self._other_end.close()
        if self._gateway is not None:
            self._gateway.close()
        if hasattr(self, "api"):
            self.api.close()


def _raised(descriptor: int) -> int:
    """The same file under a higher number: the launcher's shell uses the numbers below 10 itself."""
    higher = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return higher
