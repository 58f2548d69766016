"""A running server: an execution service, its API, a listening socket."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lumeflow.core.errors import UsageError
from lumeflow.server.caller import Server
from lumeflow.server.config import ServerConfig
from lumeflow.server.descriptors import affordable, telling_once_a_minute
from lumeflow.service import ExecutionService

_BACKLOG = 2048
"""Connections that may wait to be taken."""
_AT_ONCE = 64
"""Connections that are taken before anything else is done."""
_FAREWELL = 5
"""Seconds that answers under way are given at the end."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers.

    Attributes:
        host: Where it listens.
        port: Where it listens.
    """

    host: str
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@asynccontextmanager
async def serve(service: ExecutionService, config: ServerConfig) -> AsyncIterator[Running]:
    """Serve the API while this is open; signals are the caller's to handle.

    Raises:
        UsageError: The address cannot be used.
    """
    from uvicorn import Config
    from uvicorn import Server as Uvicorn

    from lumeflow.server.api import create_api
    from lumeflow.server.protocol import Bounds, protocol

    listening = _listen(config)
    api = create_api(Server(service, config))
    bounds = Bounds(affordable(config.connections), config.header_timeout, config.send_timeout)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # the gate logs what it says
    uvicorn = Uvicorn(
        Config(
            api,
            http=protocol(bounds),
            backlog=_AT_ONCE,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=_FAREWELL,
        )
    )
    uvicorn.config.load()
    uvicorn.lifespan = uvicorn.config.lifespan_class(uvicorn.config)
    await uvicorn.startup(sockets=[listening])
    listening.listen(_BACKLOG)  # to asyncio one number means both
    ticking = asyncio.create_task(uvicorn.main_loop())
    try:
        host, port = listening.getsockname()[:2]
        with telling_once_a_minute():
            yield Running(host, port)
    finally:
        uvicorn.should_exit = True
        ticking.cancel()
        await asyncio.wait([ticking])
        await uvicorn.shutdown(sockets=[listening])


def _listen(config: ServerConfig) -> socket.socket:
    try:
        found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol, _, address = found[0]
        # The protocol is named, for else asyncio leaves answers to wait for more (Nagle), 40 ms each.
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
            listening.listen(_BACKLOG)
            listening.setblocking(False)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise UsageError(
            f"the server cannot listen at {config.host}:{config.port} ({error.strerror}): choose another --port"
        ) from error
    return listening
