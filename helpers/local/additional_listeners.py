"""Let the gateway answer on more sockets than its own, such as one in the network of a sandbox."""

import asyncio
import socket
from typing import Any

import uvicorn


class Listening:
    """The gateway on one additional socket, until it is closed."""

    def __init__(self, gateway: "Gateway", listener: socket.socket) -> None:
        self._loop = gateway.loop
        self._gateway = gateway
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._closed = False
        # Not waited for: whoever connects before the gateway accepts is kept by the kernel.
        self._loop.call_soon_threadsafe(self._begin)

    def close(self) -> None:
        """May be called from any thread."""
        self._loop.call_soon_threadsafe(self._end)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._serve())

    async def _serve(self) -> None:
        self._server = await self._loop.create_server(self._gateway.create_protocol, sock=self._listener)
        if self._closed:
            self._server.close()

    def _end(self) -> None:
        self._closed = True
        if self._server is not None:
            self._server.close()


class Gateway(uvicorn.Server):
    """Uvicorn's server, which remembers where it runs."""

    loop: asyncio.AbstractEventLoop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        global _gateway
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        _gateway = self

    def create_protocol(self) -> asyncio.Protocol:
        """One connection, as uvicorn itself makes it."""
        protocol: Any = self.config.http_protocol_class
        made: asyncio.Protocol = protocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made


_gateway: Gateway | None = None


def serve(listener: socket.socket) -> Listening:
    """Answer on `listener`, which listens already, as on the gateway's own port."""
    assert _gateway is not None, "functions run once the gateway does"
    return Listening(_gateway, listener)
