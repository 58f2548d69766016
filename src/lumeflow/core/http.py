"""The one shape of a request and its answer, shared by the gateway's transport and the simulator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lumeflow.core.secret import Secret


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An outgoing request, complete and ready to send.

    Attributes:
        method: Upper-case HTTP method.
        url: Absolute URL including the query string.
        headers: Header names as the vendor documents them.
        body: Raw body; empty for none.
        guarded: True if a user gave the address, or a part of it before the path: it is called only on the public
            internet, or where the operator's configuration allows it.
        redirects: Most redirects that may be followed; 0 for none. Every hop is checked; see `gateway/redirects.py`.
        largest: Most bytes of the answer; None for the transport's own limit.
        secrets: The secrets that stand in it; should the vendor repeat one, it is taken out of the answer.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    guarded: bool = False
    redirects: int = 0
    largest: int | None = None
    secrets: tuple[Secret, ...] = ()

    def __repr__(self) -> str:
        """Without what may hold secrets: query, headers and body."""
        return f"<HttpRequest {self.method} {self.url.partition('?')[0]}>"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer as received, before anybody has judged it.

    Attributes:
        status: HTTP status code.
        headers: Header values by lower-case name.
        body: Raw body.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __repr__(self) -> str:
        """Without what may hold records: headers and body."""
        return f"<HttpResponse {self.status}, {len(self.body)} bytes>"


class Transport(Protocol):
    """Sends one request and returns its answer: real HTTP, or the simulator in process."""

    async def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ASYNC109
        """Send `request`; `timeout` is in seconds.

        Raises:
            NotSent: The vendor certainly never saw the request (connect, DNS, TLS).
            AnswerLost: It may have: the connection was cut or no answer came in time.
        """
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
