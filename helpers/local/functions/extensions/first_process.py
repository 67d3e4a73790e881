"""The first process of an execution environment with extensions, inside its sandbox.

`python -I -S first_process.py <control descriptor>`: it is in the environment's namespaces already. It
opens the sockets on which the local AWS listens in there and hands them over, starts processes when told
to, and tells when one has ended. It imports nothing of the workshop, which it may not see.

The control connection carries one line of JSON a message. The first one received is the set-up:
`{"own_network", "ports", "join"}`, where `join` are descriptors of control group files. Afterwards:
`{"start": name, "command", "directory", "environment",
"output"}`, where `output` is a descriptor to write to, and `{"signal": name, "number"}`. Sent are
`{"listening": true}` with the sockets, `{"failed": name, "errno"}` and `{"ended": name, "code"}`.
When the connection ends, every process is killed.
"""

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
from typing import Any

# linux/sockios.h and linux/if.h
_SET_INTERFACE_FLAGS = 0x8914
_INTERFACE_IS_UP = 0x1
_BACKLOG = 512
_READ_BYTES = 256 * 1024


class FirstProcess:
    """Starts and watches the processes of one environment."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._received = b""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._join: list[int] = []

    def run(self) -> None:
        child_ended = _pipe_of_signal(signal.SIGCHLD)
        selector = selectors.DefaultSelector()
        selector.register(child_ended, selectors.EVENT_READ)
        selector.register(self._control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == child_ended:
                    os.read(child_ended, 1024)
                    self._tell_of_the_ended()
                elif not self._read_messages():
                    return

    def _read_messages(self) -> bool:
        """False when the local AWS has closed the connection."""
        data = self._control.recv(_READ_BYTES)
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))
        return bool(data)

    def _obey(self, message: dict[str, Any]) -> None:
        if "start" in message:
            self._start(message)
        elif "signal" in message:
            process = self._processes.get(message["signal"])
            if process is not None:
                process.send_signal(message["number"])
        else:
            self._set_up(message)

    def _set_up(self, message: dict[str, Any]) -> None:
        self._join = message["join"]
        if message["own_network"]:
            _bring_up_loopback()
        listeners = [_listen(port) for port in message["ports"]]
        descriptors = [listener.fileno() for listener in listeners]
        socket.send_fds(self._control, [b'{"listening": true}\n'], descriptors)
        for listener in listeners:
            listener.close()

    def _start(self, message: dict[str, Any]) -> None:
        name = message["start"]
        try:
            self._processes[name] = subprocess.Popen(
                message["command"],
                cwd=message["directory"],
                env=message["environment"],
                stdin=subprocess.DEVNULL,
                stdout=message["output"],
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # This program has one thread only.
                preexec_fn=self._enter_control_groups,
            )
        except OSError as error:
            self._tell({"failed": name, "errno": error.errno})

    def _enter_control_groups(self) -> None:
        for descriptor in self._join:
            os.write(descriptor, b"0")

    def _tell_of_the_ended(self) -> None:
        for name, process in list(self._processes.items()):
            code = process.poll()
            if code is not None:
                del self._processes[name]
                self._tell({"ended": name, "code": code})

    def _tell(self, message: dict[str, Any]) -> None:
        self._control.sendall(json.dumps(message).encode() + b"\n")

    def kill_all(self) -> None:
        for process in self._processes.values():
            process.kill()


def _pipe_of_signal(number: signal.Signals) -> int:
    """A descriptor that becomes readable when the signal has come."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    signal.signal(number, lambda *_: None)
    return read_end


def _bring_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", _INTERFACE_IS_UP)
        fcntl.ioctl(any_socket, _SET_INTERFACE_FLAGS, request)


def _listen(port: int) -> socket.socket:
    """On 127.0.0.1; 0 takes a free port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", port))
    listener.listen(_BACKLOG)
    return listener


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    first = FirstProcess(control)
    # A local AWS that was killed resets the connection.
    with contextlib.suppress(ConnectionError):
        first.run()
    first.kill_all()


if __name__ == "__main__":
    main()
