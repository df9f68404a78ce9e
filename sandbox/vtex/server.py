"""Runs the application on uvicorn: one process, one event loop, connections that a fault can cut."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.vtex.app import TRANSPORT

if TYPE_CHECKING:
    from sandbox.vtex.app import SandboxApp


class CuttableProtocol(HttpToolsProtocol):
    """Shows the application the connection's transport, which ASGI itself keeps from it."""

    def on_message_begin(self) -> None:
        """Add the transport to the request's scope."""
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


class Server(uvicorn.Server):
    """Says where it listens as soon as it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print one line."""
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        print(f"listening on http://{host}:{port}", flush=True)


def serve(app: SandboxApp, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Port 0 takes any free one."""
    listener = socket.create_server((host, port), backlog=1024)
    config = uvicorn.Config(
        app, http=CuttableProtocol, ws="none", lifespan="off", access_log=False, log_level="warning"
    )
    Server(config).run(sockets=[listener])
