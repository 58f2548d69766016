"""The one shape of a request and its answer, shared by the gateway's transport and the simulator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An outgoing request, complete and ready to send.

    Attributes:
        method: Upper-case HTTP method.
        url: Absolute URL including the query string.
        headers: Header names as the vendor documents them.
        body: Raw body; empty for none.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


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
