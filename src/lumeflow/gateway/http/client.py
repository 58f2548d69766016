"""Connections that are kept, and the one exchange at a time that each of them carries.

Written by hand around llhttp, the parser of Node.js, for two reasons. The gateway has to know whether a request had
begun to be written when something went wrong, and must never have one repeated behind its back. And of the processor
time of a paid call, a general client takes more than all the rest together; see ADR 11.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import cache

import aiohappyeyeballs

from lumeflow.core.errors import AnswerLost, AnswerTooLarge, LumeflowError, NotSent
from lumeflow.core.faults import fault_point
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.gateway.guard import Guard
from lumeflow.gateway.http.addresses import Addresses, Resolve
from lumeflow.gateway.http.connection import Connection, NotHttp
from lumeflow.gateway.http.request_head import render_head
from lumeflow.gateway.http.target import Origin, split_url
from lumeflow.gateway.http.unpacking import TooLarge

_CONNECT_SECONDS = 10.0
_NEXT_ADDRESS_SECONDS = 0.25
"""After so long without a connection to one address of a host, the next is tried beside it (RFC 8305)."""
_IDLE_SECONDS = 4.0
"""Connections idle for longer are not used again: servers close theirs after 5 s and more, and a request that crosses
such a close on its way counts as possibly paid."""


class HttpClient:
    """Sends requests. How many connections it opens is up to the gateway's permits.

    Args:
        resolve: Finds the addresses of a host name; None for the system's way.
        largest_answer: Most bytes of an answer.
        guard: Which addresses may be connected to; None for all.
    """

    def __init__(self, *, resolve: Resolve | None, largest_answer: int, guard: Guard | None = None) -> None:
        self._addresses = Addresses(resolve, guard)
        self._largest_answer = largest_answer
        self._guard = guard
        self._idle: dict[Origin, list[tuple[float, Connection]]] = {}
        self._in_use: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    async def send(self, request: HttpRequest, timeout: float, on_write: Callable[[], None]) -> HttpResponse:  # noqa: ASYNC109
        """Send a request; `timeout` covers everything from connecting to the last byte of the answer.

        Raises:
            NotSent: Writing had not begun.
            AnswerLost: It had.
        """
        if self._guard is not None:
            self._guard.check_url(request.url)
        try:
            origin, target = split_url(request.url)
            head = render_head(request, origin, target)
        except ValueError as error:
            raise NotSent(f"the request cannot be sent: {error}") from None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        connection = self._kept(origin) or await self._connect(origin, timeout)
        if connection.is_closed:
            raise NotSent(f"no connection to {origin.place}: the server closed it at once")
        self._in_use.add(connection)
        try:
            on_write()
            most = request.largest or self._largest_answer
            answer = connection.exchange(head, request.body, is_head=request.method == "HEAD", most=most)
            fault_point("gateway.sent")
            alarm = loop.call_at(deadline, _time_out, answer)
            try:
                return await answer
            finally:
                alarm.cancel()
        except TooLarge:
            raise AnswerTooLarge(f"the answer of {origin.host} is larger than {_size(most)}") from None
        except TimeoutError as error:
            raise AnswerLost(f"no answer from {origin.place} in time", timed_out=True) from error
        except (OSError, NotHttp) as error:
            message = f"the connection to {origin.place} broke before the answer was complete: {_reason(error)}"
            raise AnswerLost(message, timed_out=False) from error
        finally:
            self._give_back(origin, connection)

    async def close(self) -> None:
        """Close all connections; the client can be used again."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        idle = [connection for kept in self._idle.values() for _, connection in kept]
        self._idle.clear()
        for connection in (*idle, *self._in_use):
            connection.close()
        await asyncio.sleep(0)  # lets the loop close their sockets

    async def _connect(self, origin: Origin, timeout: float) -> Connection:  # noqa: ASYNC109
        try:
            async with asyncio.timeout(min(timeout, _CONNECT_SECONDS)):
                return await self._open(origin)
        except LumeflowError:
            raise
        except (OSError, ssl.CertificateError, UnicodeError) as error:  # a TimeoutError is an OSError
            raise NotSent(f"no connection to {origin.place}: {_reason(error)}") from error

    async def _open(self, origin: Origin) -> Connection:
        loop = asyncio.get_running_loop()
        addresses = await self._addresses.of(origin)
        if not addresses:
            raise OSError(None, "the host has no address")
        made = await aiohappyeyeballs.start_connection(
            addresses, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1, loop=loop
        )
        try:
            tls = _tls() if origin.is_secure else None
            name = origin.host if origin.is_secure else None
            _, connection = await loop.create_connection(Connection, sock=made, ssl=tls, server_hostname=name)
        except BaseException:
            made.close()
            raise
        return connection

    def _kept(self, origin: Origin) -> Connection | None:
        """The connection that was used last, if one is there that may still be used."""
        kept = self._idle.get(origin)
        oldest = asyncio.get_running_loop().time() - _IDLE_SECONDS
        while kept:
            since, connection = kept.pop()
            if since >= oldest and connection.is_reusable:
                return connection
            connection.close()
        return None

    def _give_back(self, origin: Origin, connection: Connection) -> None:
        self._in_use.discard(connection)
        if not connection.is_reusable:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        self._idle.setdefault(origin, []).append((loop.time(), connection))
        if self._sweeper is None:
            self._sweeper = loop.call_later(_IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Close what has been idle for too long."""
        self._sweeper = None
        loop = asyncio.get_running_loop()
        oldest = loop.time() - _IDLE_SECONDS
        for origin, kept in list(self._idle.items()):
            for since, connection in kept:
                if since < oldest:
                    connection.close()
            self._idle[origin] = [entry for entry in kept if entry[0] >= oldest]
            if not self._idle[origin]:
                del self._idle[origin]
        if self._idle:
            self._sweeper = loop.call_later(_IDLE_SECONDS / 2, self._sweep)


def _time_out(answer: "asyncio.Future[HttpResponse]") -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _size(count: int) -> str:
    return f"{count // 2**20} MB" if count >= 2**20 else f"{count} bytes"


def _reason(error: BaseException) -> str:
    # Never the exception's own text: it may quote the address with its query.
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, NotHttp):
        return str(error)
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.strerror:
        return error.strerror
    return type(error).__name__
