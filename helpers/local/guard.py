"""The local AWS talks to this machine only: refuse any other address at the socket level.

An audit hook sees every connection, listener, datagram and name look-up that Python code in this
process makes, whichever library makes it, and it cannot be removed again. What it does not see is
code in other languages, and other processes.
"""

import errno
import ipaddress
import logging
import socket
import sys
from typing import Any

# Other names, also those below .localhost, may be asked of a name server in the network.
_LOCAL_NAMES = {None, "", "localhost", "ip6-localhost"}
_SOCKET_EVENTS = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
_NAME_EVENTS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
# These take the name of a host too, and look it up before the audit hook is called.
_METHODS_THAT_LOOK_UP = ("connect", "connect_ex", "bind", "sendto")

_logger = logging.getLogger(__name__)


class OutboundRefused(ConnectionRefusedError):
    """A connection to, or a listener on, an address other than this machine's loopback."""


def is_loopback(host: Any) -> bool:
    """Whether `host` (a name or an address) can only mean this machine's loopback interface."""
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    if name in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


def install() -> None:
    """Guard this process until it ends."""
    sys.addaudithook(_audit)
    for name in _METHODS_THAT_LOOK_UP:
        setattr(socket.socket, name, _checked_first(getattr(socket.socket, name)))


def _checked_first(method: Any) -> Any:
    def checked(self: socket.socket, *arguments: Any) -> Any:
        # The address is the last argument of each of these methods.
        _check_address(arguments[-1])
        return method(self, *arguments)

    return checked


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _SOCKET_EVENTS:
        _check_address(arguments[1])
    elif event in _NAME_EVENTS:
        _check_name(arguments[0])
    elif event == "socket.getnameinfo":
        _check_name(arguments[0][0])


def _check_address(address: Any) -> None:
    # Unix domain sockets have a path as their address, and a connected socket sends to none.
    if isinstance(address, tuple) and not (address[0] and is_loopback(address[0])):
        raise _refused(f"{address[0] or 'every interface'}:{address[1]}")


def _check_name(host: Any) -> None:
    if not is_loopback(host):
        raise _refused(repr(host))


def _refused(where: str) -> OutboundRefused:
    message = f"The local AWS may only use 127.0.0.1: {where} is refused."
    _logger.warning(message)
    return OutboundRefused(errno.ECONNREFUSED, message)
