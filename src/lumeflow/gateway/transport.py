"""Real HTTP behind the one `send(request) -> response` seam.

The client is imported when the first request is sent. Nothing is repeated, redirected or remembered here: what happens
to a request that failed is decided by the gateway, which has to know whether the vendor can have seen it. That is told
by one fact and not by guessing from exceptions: whether writing the request had begun.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from lumeflow.core.http import HttpRequest, HttpResponse, Transport
from lumeflow.gateway.guard import Guard

if TYPE_CHECKING:
    from lumeflow.gateway.http.addresses import Resolve
    from lumeflow.gateway.http.client import HttpClient

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes, after decompression."""


class NoticingTransport(ABC):
    """A transport that tells when a request is being written, so that rate windows count from that very moment."""

    @abstractmethod
    async def send_noticed(self, request: HttpRequest, *, seconds: float, on_write: Callable[[], None]) -> HttpResponse:
        """Like `Transport.send`; calls `on_write` right before the first byte goes out, never before a `NotSent`."""


class HttpTransport(NoticingTransport):
    """HTTP over a pool of kept connections.

    Guarded requests have a pool of their own, so that none of them gets a connection that was made unguarded.

    Args:
        resolve: Finds the addresses of a host name; None for the system's way.
        largest_answer: Most bytes of an answer.
        guard: Which addresses guarded requests may reach; by default public ones.
    """

    def __init__(
        self,
        *,
        resolve: "Resolve | None" = None,
        largest_answer: int = LARGEST_ANSWER,
        guard: Guard | None = None,
    ) -> None:
        self._resolve = resolve
        self._largest_answer = largest_answer
        self._guard = guard or Guard()
        self._clients: dict[bool, HttpClient] = {}

    async def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ASYNC109 - the port's name
        """See `Transport.send`."""
        return await self.send_noticed(request, seconds=timeout, on_write=_unnoticed)

    async def send_noticed(self, request: HttpRequest, *, seconds: float, on_write: Callable[[], None]) -> HttpResponse:
        """See `NoticingTransport.send_noticed`."""
        client = self._clients.get(request.guarded)
        if client is None:
            client = self._clients[request.guarded] = self._open(guarded=request.guarded)
        return await client.send(request, seconds, on_write)

    async def close(self) -> None:
        """Close all connections; the transport can be used again."""
        while self._clients:
            _, client = self._clients.popitem()
            await client.close()

    def _open(self, *, guarded: bool) -> "HttpClient":
        from lumeflow.gateway.http.client import HttpClient

        guard = self._guard if guarded else None
        return HttpClient(resolve=self._resolve, largest_answer=self._largest_answer, guard=guard)


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
