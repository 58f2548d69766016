"""Connections of clients that are slow, in either direction, or send heads without end: closed, so that they hold up
nobody.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 64_000
"""Bytes of a request's head, and of whatever else comes between two pieces of a body: the parser keeps them."""
LINGER = 2.0
"""Seconds in which a client that is still sending can read why nobody listens, before the connection is cut."""
SLOWEST = 1000
"""Bytes a second that a client must take of an answer."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much patience a server has.

    Attributes:
        connections: At most so many at once; more are closed at once.
        head: Seconds in which a request's head must arrive.
        taking: Seconds after which it is looked at how much of an answer was taken.
    """

    connections: int = 2000
    head: float = 15
    taking: float = 60


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a time and a size for each head, and a time for each answer."""

    bounds: ClassVar[Bounds] = Bounds()

    _timer: asyncio.TimerHandle | None = None
    _watch: asyncio.TimerHandle | None = None
    _loose = 0
    _untaken = 0
    _is_lingering = False

    def connection_made(self, transport: Any) -> None:
        """Take a connection, if there is room."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # what the system does not take at once, the client does not take
        if len(self.connections) > self.bounds.connections:
            transport.abort()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._rest()
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrives. What is no body is counted: the parser keeps it until it is complete."""
        if self._is_lingering:
            return
        self._loose += len(data)
        super().data_received(data)
        if self._loose > LONGEST_HEAD:
            self.transport.abort()
        elif self._is_idle:  # blank lines, which the parser skips, have just ended uvicorn's patience
            self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """A head has ended."""
        self._rest()
        self._loose = 0
        super().on_headers_complete()
        self.cycle.transport = _Answering(self)  # type: ignore[assignment]  # all that a cycle uses of one

    def on_chunk_header(self) -> None:
        """A piece of a body begins."""
        self._loose = 0

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._loose = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """An answer has ended; if its request has not, nobody is going to read the rest."""
        if self.cycle.more_body and not self.pipeline:
            self.end()
        super().on_response_complete()

    def end(self) -> None:
        """Close the connection. To a client that is still sending, closing at once would look like a failure, and he
        would never read the answer.
        """
        if self._is_lingering or self.transport.is_closing():
            return
        if not self.cycle.more_body:
            self.transport.close()
            return
        self._is_lingering = True
        self._rest()
        self._timer = self.loop.call_later(LINGER, self.transport.abort)
        self.transport.write_eof()
        self.flow.resume_reading()

    def pause_writing(self) -> None:
        """An answer is not taken as fast as it is made."""
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        """All of it was taken."""
        super().resume_writing()
        self._unwatch()

    @property
    def _is_idle(self) -> bool:
        return self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete)

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.bounds.head, self.transport.abort)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self) -> None:
        self._unwatch()
        self._untaken = self.transport.get_write_buffer_size()
        self._watch = self.loop.call_later(self.bounds.taking, self._look)

    def _look(self) -> None:
        if self.transport.get_write_buffer_size() > self._untaken - SLOWEST * self.bounds.taking:
            self.transport.abort()
        else:
            self._look_later()

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


class _Answering:
    """A connection as an answer sees it."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        self.write: Callable[[bytes], None] = protocol.transport.write
        self.is_closing: Callable[[], bool] = protocol.transport.is_closing
        self.close: Callable[[], None] = protocol.end


def protocol(bounds: Bounds) -> type[asyncio.Protocol]:
    """The protocol of one server; see `BoundedProtocol`."""
    return type("Protocol", (BoundedProtocol,), {"bounds": bounds})
