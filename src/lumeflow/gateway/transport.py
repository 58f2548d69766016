"""Real HTTP behind the one `send(request) -> response` seam.

aiohttp is imported when the first request is sent. Nothing is repeated, redirected or remembered here: what happens to
a request that failed is decided by the gateway, which has to know whether the vendor can have seen it. That is told by
one fact and not by guessing from exceptions: whether writing the request had begun.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from lumeflow.core.http import HttpRequest, HttpResponse, Transport

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

    from lumeflow.gateway.http_client import HttpClient

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes, after decompression."""


class NoticingTransport(ABC):
    """A transport that tells when a request is being written, so that rate windows count from that very moment."""

    @abstractmethod
    async def send_noticed(self, request: HttpRequest, *, seconds: float, on_write: Callable[[], None]) -> HttpResponse:
        """Like `Transport.send`; calls `on_write` right before the first byte goes out, never before a `NotSent`."""


class HttpTransport(NoticingTransport):
    """HTTP over a pool of kept connections.

    Args:
        resolver: Resolves host names; the place to refuse addresses that must not be reached. None for the system's.
        largest_answer: Most bytes of an answer.
    """

    def __init__(
        self, *, resolver: "Callable[[], AbstractResolver] | None" = None, largest_answer: int = LARGEST_ANSWER
    ) -> None:
        self._resolver = resolver
        self._largest_answer = largest_answer
        self._client: HttpClient | None = None

    async def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ASYNC109 - the port's name
        """See `Transport.send`."""
        return await self.send_noticed(request, seconds=timeout, on_write=_unnoticed)

    async def send_noticed(self, request: HttpRequest, *, seconds: float, on_write: Callable[[], None]) -> HttpResponse:
        """See `NoticingTransport.send_noticed`."""
        if self._client is None:
            self._client = self._open()
        return await self._client.send(request, seconds, on_write)

    async def close(self) -> None:
        """Close all connections; the transport can be used again."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    def _open(self) -> "HttpClient":
        from lumeflow.gateway.http_client import HttpClient

        resolver = None if self._resolver is None else self._resolver()
        return HttpClient(resolver=resolver, largest_answer=self._largest_answer)


async def send_noticed(
    transport: Transport,
    request: HttpRequest,
    *,
    seconds: float,
    on_write: Callable[[], None],
) -> HttpResponse:
    """Send over any transport; one that doesn't tell when it writes is taken to write at once."""
    if isinstance(transport, NoticingTransport):
        return await transport.send_noticed(request, seconds=seconds, on_write=on_write)
    on_write()
    return await transport.send(request, timeout=seconds)


def _unnoticed() -> None:
    pass
