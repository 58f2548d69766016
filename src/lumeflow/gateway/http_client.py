"""The part of the HTTP transport that needs aiohttp; imported when the first request is sent."""

import asyncio
import socket
from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache, partial
from io import BytesIO
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, AbstractStreamWriter
from aiohttp.client import ClientRequest
from multidict import CIMultiDictProxy
from yarl import URL

from lumeflow.core.errors import AnswerLost, AnswerTooLarge, NotSent
from lumeflow.core.faults import fault_point
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.gateway.guard import Guard
from lumeflow.gateway.guarded_resolver import GuardedResolver

_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 4.0
"""Connections idle for longer are not used again: servers close theirs after 5 s and more, and a request that crosses
such a close on its way counts as possibly paid."""
_OMITTED = frozenset({"set-cookie", "content-encoding", "content-length", "transfer-encoding", "connection"})


class _Exchange:
    """One request and its answer.

    Attributes:
        host: Host that the request names.
        has_body: True if the request has one.
        written: True once writing has begun.
    """

    __slots__ = ("_on_write", "_place", "has_body", "host", "written")

    def __init__(self, url: URL, has_body: bool, on_write: Callable[[], None]) -> None:
        self.host = url.host or ""
        self._place = f"{url.host}:{url.port}"
        self._on_write = on_write
        self.has_body = has_body
        self.written = False

    def write(self) -> None:
        if not self.written:
            self.written = True
            self._on_write()

    def failure(self, error: BaseException) -> NotSent | AnswerLost:
        """What an exception means, by whether the request had begun to be written."""
        place = self._place
        if not self.written:
            return NotSent(f"no connection to {place}: {_reason(error)}")
        if isinstance(error, asyncio.TimeoutError):
            return AnswerLost(f"no answer from {place} in time", timed_out=True)
        return AnswerLost(
            f"the connection to {place} broke before the answer was complete: {_reason(error)}", timed_out=False
        )


_exchange: ContextVar[_Exchange] = ContextVar("exchange")
"""Of the request that is being made: aiohttp makes its request objects itself, and has no place for ours in them."""


class _Request(ClientRequest):
    """A request that tells when it is written.

    aiohttp keeps the headers of a request that has a body until the body goes out, in a task of its own: in a burst of
    calls that is a tenth of a second later.
    """

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        exchange = _exchange.get()
        if not exchange.has_body:
            exchange.write()
        response = await super().send(conn)
        if not exchange.has_body:
            fault_point("gateway.sent")
        return response

    async def write_bytes(self, writer: AbstractStreamWriter, conn: Any, content_length: int | None = None) -> None:
        _exchange.get().write()
        await super().write_bytes(writer, conn, content_length)
        fault_point("gateway.sent")


class _Cut(aiohttp.ClientConnectionError):
    """The connection was cut; its cause says how."""


class _Response(aiohttp.ClientResponse):
    """An answer after whose loss nothing is sent again.

    aiohttp repeats GET, PUT and DELETE by itself if a kept connection turns out to be cut. It does not know this error,
    so the cut reaches the gateway, which counts and books it.
    """

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        try:
            return await super().start(connection)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise _Cut from error


class HttpClient:
    """One aiohttp session. How many connections it opens is up to the gateway's permits.

    Args:
        resolver: Resolves host names; None for the system's.
        largest_answer: Most bytes of an answer.
        guard: Which addresses may be connected to; None for all.
    """

    def __init__(self, *, resolver: AbstractResolver | None, largest_answer: int, guard: Guard | None = None) -> None:
        if guard is not None:
            resolver = GuardedResolver(guard, resolver or aiohttp.DefaultResolver())
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_IDLE_SECONDS,
            ttl_dns_cache=60,
            resolver=resolver,
            socket_factory=None if guard is None else partial(_guarded_socket, guard),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            request_class=_Request,
            response_class=_Response,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "lumeflow"},
            auto_decompress=True,
        )
        self._largest_answer = largest_answer
        self._guard = guard

    async def send(self, request: HttpRequest, timeout: float, on_write: Callable[[], None]) -> HttpResponse:  # noqa: ASYNC109
        """Send a request; `timeout` covers everything from connecting to the last byte of the answer.

        Raises:
            NotSent: Writing had not begun.
            AnswerLost: It had.
        """
        if self._guard is not None:
            self._guard.check_url(request.url)
        try:
            url = URL(request.url, encoded=True)
            exchange = _Exchange(url, bool(request.body), on_write)
        except ValueError as error:
            raise NotSent("the request's address is not a URL") from error
        _exchange.set(exchange)
        try:
            async with self._session.request(
                request.method,
                url,
                headers=request.headers,
                data=_payload(request.body),
                allow_redirects=False,
                timeout=_timeout(timeout),
            ) as response:
                body = await self._read(response, request.largest or self._largest_answer)
                return HttpResponse(response.status, _headers(response.headers), body)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # a TimeoutError is an OSError
            cause = error.__cause__ if isinstance(error, _Cut) else None
            raise exchange.failure(cause or error) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _read(self, response: aiohttp.ClientResponse, most: int) -> bytes:
        length = response.content_length
        if length is not None and length <= most and "Content-Encoding" not in response.headers:
            return await response.read()
        chunks = bytearray()
        async for chunk in response.content.iter_any():
            chunks += chunk
            if len(chunks) > most:
                response.close()
                raise AnswerTooLarge(f"the answer of {response.url.host} is larger than {_size(most)}")
        return bytes(chunks)


def _guarded_socket(guard: Guard, address: tuple[Any, ...]) -> socket.socket:
    """Make the socket for one connection: the last point at which its address can be refused."""
    family, kind, protocol, _, target = address
    guard.check(_exchange.get().host, target[0])
    return socket.socket(family, kind, protocol)


def _size(count: int) -> str:
    return f"{count // 2**20} MB" if count >= 2**20 else f"{count} bytes"


@lru_cache(maxsize=64)
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT_SECONDS))


def _payload(body: bytes) -> bytes | BytesIO | None:
    # aiohttp writes bytes in one go, and warns of it from 1 MiB on; a file it writes in pieces.
    return BytesIO(body) if len(body) > 2**20 else body or None


def _headers(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        if key not in _OMITTED:
            found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _reason(error: BaseException) -> str:
    # Never the exception's own text: it may quote the address with its query.
    if isinstance(error, asyncio.TimeoutError):
        return "timed out"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) and cause.strerror and cause.errno:
        return cause.strerror
    return type(error).__name__
