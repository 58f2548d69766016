"""The part of the HTTP transport that needs aiohttp; imported when the first request is sent."""

import asyncio
import socket
from collections.abc import Callable
from io import BytesIO
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, AbstractStreamWriter
from aiohttp.client import ClientRequest
from aiohttp.client_middlewares import ClientHandlerType
from multidict import CIMultiDictProxy
from yarl import URL

from lumeflow.core.errors import AnswerLost, NotSent
from lumeflow.core.faults import fault_point
from lumeflow.core.http import HttpRequest, HttpResponse

_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 4.0
"""Connections idle for longer are not used again: servers close theirs after 5 s and more, and a request that crosses
such a close on its way counts as possibly paid."""
_OMITTED = frozenset({"set-cookie", "content-encoding", "content-length", "transfer-encoding", "connection"})


class _Request(ClientRequest):
    """A request that tells when it is written.

    aiohttp keeps the headers of a request that has a body until the body goes out, in a task of its own: in a burst of
    calls that is a tenth of a second later.

    Attributes:
        exchange: Whom to tell.
    """

    exchange: "_Exchange"

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        if not self.exchange.has_body:
            self.exchange.write()
        response = await super().send(conn)
        asyncio.get_running_loop().call_soon(fault_point, "gateway.sent")
        return response

    async def write_bytes(self, writer: AbstractStreamWriter, conn: Any, content_length: int | None = None) -> None:
        self.exchange.write()
        await super().write_bytes(writer, conn, content_length)


class _Exchange:
    """One request and its answer, as the client middleware of that request."""

    __slots__ = ("_on_write", "_place", "has_body", "written")

    def __init__(self, place: str, has_body: bool, on_write: Callable[[], None]) -> None:
        self._place = place
        self._on_write = on_write
        self.has_body = has_body
        self.written = False

    def write(self) -> None:
        if not self.written:
            self.written = True
            self._on_write()

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
        if isinstance(request, _Request):
            request.exchange = self
        try:
            return await handler(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            # aiohttp would send GET, PUT and DELETE a second time by itself if the connection was cut; raised as an
            # error of ours, the cut reaches the gateway, which counts and books it.
            raise self.failure(error) from error

    def failure(self, error: Exception) -> NotSent | AnswerLost:
        """What an exception means, by whether the request had begun to be written."""
        timed_out = isinstance(error, asyncio.TimeoutError)
        place = self._place
        if not self.written:
            return NotSent(f"no connection to {place}: {_reason(error)}")
        if timed_out:
            return AnswerLost(f"no answer from {place} in time", timed_out=True)
        return AnswerLost(
            f"the connection to {place} broke before the answer was complete: {_reason(error)}", timed_out=False
        )


class HttpClient:
    """One aiohttp session. How many connections it opens is up to the gateway's permits.

    Args:
        resolver: Resolves host names; None for the system's.
        largest_answer: Most bytes of an answer.
    """

    def __init__(self, *, resolver: AbstractResolver | None, largest_answer: int) -> None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS, ttl_dns_cache=60, resolver=resolver)
        self._session = aiohttp.ClientSession(
            connector=connector,
            request_class=_Request,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "lumeflow"},
            auto_decompress=True,
        )
        self._largest_answer = largest_answer

    async def send(self, request: HttpRequest, timeout: float, on_write: Callable[[], None]) -> HttpResponse:  # noqa: ASYNC109
        """Send a request; `timeout` covers everything from connecting to the last byte of the answer.

        Raises:
            NotSent: Writing had not begun.
            AnswerLost: It had.
        """
        try:
            url = URL(request.url, encoded=True)
            exchange = _Exchange(f"{url.host}:{url.port}", bool(request.body), on_write)
        except ValueError as error:
            raise NotSent("the request's address is not a URL") from error
        try:
            async with self._session.request(
                request.method,
                url,
                headers=request.headers,
                data=_payload(request.body),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, _CONNECT_SECONDS)),
                middlewares=(exchange,),
            ) as response:
                body = await self._read(response)
                return HttpResponse(response.status, _headers(response.headers), body)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # a TimeoutError is an OSError
            raise exchange.failure(error) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        length = response.content_length
        if length is not None and length <= self._largest_answer and "Content-Encoding" not in response.headers:
            return await response.read()
        chunks = bytearray()
        async for chunk in response.content.iter_any():
            chunks += chunk
            if len(chunks) > self._largest_answer:
                response.close()
                most = self._largest_answer // 2**20
                raise AnswerLost(f"the answer of {response.url.host} is larger than {most} MB", timed_out=False)
        return bytes(chunks)


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


def _reason(error: Exception) -> str:
    # Never the exception's own text: it may quote the address with its query.
    if isinstance(error, asyncio.TimeoutError):
        return "timed out"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) and cause.strerror and cause.errno:
        return cause.strerror
    return type(error).__name__
