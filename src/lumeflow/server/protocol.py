"""Connections of clients that are slow, or send heads without end: closed, so that they hold up nobody."""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 64_000
"""Bytes of a request's head."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a time and a size for each head.

    Attributes:
        most: At most so many connections at once; more are closed at once.
        patience: Seconds in which a request's head must arrive.
    """

    most: ClassVar[int] = 2000
    patience: ClassVar[float] = 15

    _timer: asyncio.TimerHandle | None = None
    _head = 0

    def connection_made(self, transport: Any) -> None:
        """Take a connection, if there is room."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.close()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what arrives of a head: the parser keeps it until it is complete."""
        if self._timer is not None:
            self._head += len(data)
        super().data_received(data)
        if self._timer is not None and self._head > LONGEST_HEAD:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        if self._timer is None:
            self._wait()

    def on_headers_complete(self) -> None:
        """A head has ended."""
        self._rest()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._head = 0
        self._timer = self.loop.call_later(self.patience, self.transport.abort)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def protocol(connections: int, patience: float) -> type[asyncio.Protocol]:
    """The protocol of one server; see `BoundedProtocol`."""
    return type("Protocol", (BoundedProtocol,), {"most": connections, "patience": patience})
