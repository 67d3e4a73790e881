"""The local AWS talks to this machine only: refuse any other address at the socket level.

An audit hook sees every `connect`, `bind`, `sendto` and name look-up that Python code in this
process makes, whichever library makes it, and it cannot be removed again.
"""

import ipaddress
import sys
from typing import Any

_LOCAL_NAMES = {"localhost", "ip6-localhost", "", None}
_SOCKET_EVENTS = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}


class OutboundRefused(ConnectionRefusedError):
    """A connection to, or a listener on, an address other than this machine's loopback."""


def is_loopback(host: Any) -> bool:
    """Whether `host` (a name or an address) can only mean this machine's loopback interface."""
    if host in _LOCAL_NAMES:
        return True
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    if name.endswith(".localhost") or name in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refuse_foreign_address(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _SOCKET_EVENTS:
        address = arguments[1]
        # Unix domain sockets have a path as their address, and send() on a connected socket has none.
        if isinstance(address, tuple) and not (address[0] and is_loopback(address[0])):
            raise OutboundRefused(
                f"The local AWS may only use 127.0.0.1, not {address[0] or 'every interface'}:{address[1]}."
            )
    elif event == "socket.getaddrinfo" and not is_loopback(arguments[0]):
        raise OutboundRefused(f"The local AWS looks up no names outside this machine: {arguments[0]!r}.")


def install() -> None:
    """Guard this process until it ends."""
    sys.addaudithook(_refuse_foreign_address)
