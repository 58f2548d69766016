"""Redirects, followed where that is safe; where it is not, the redirect itself is the answer.

- Only what can be read again is asked for again: GET and HEAD, and a POST that was done and points at its result (303).
- Another origin gets none of the request's headers but those that say which answers are understood, so no key.
- Another origin is always guarded, also if the first one was the operator's own.
- From https there is no way to http.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from lumeflow.core.errors import AnswerLost, ForbiddenAddress, NotSent
from lumeflow.core.http import HttpRequest, HttpResponse, Transport
from lumeflow.gateway.transport import send_noticed

_ANY_METHOD_SEES = 303
_FOLLOWED = frozenset({301, 302, 303, 307, 308})
_HARMLESS = frozenset({"accept", "accept-language", "user-agent"})
_PORTS = {"http": 80, "https": 443}


async def send_following(
    transport: Transport, request: HttpRequest, *, seconds: float, on_write: Callable[[], None]
) -> HttpResponse:
    """Send a request and follow up to `request.redirects` redirects, all within `seconds`.

    Raises:
        NotSent: The first request was certainly not seen.
        AnswerLost: An answer did not arrive, or a later request could not be sent.
    """
    if not request.redirects:
        return await send_noticed(transport, request, seconds=seconds, on_write=on_write)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    response = await send_noticed(transport, request, seconds=seconds, on_write=on_write)
    for _ in range(request.redirects):
        onward = next_request(request, response)
        if onward is None:
            break
        request = onward
        try:
            response = await send_noticed(transport, request, seconds=max(end - loop.time(), 0.001), on_write=_unheard)
        except ForbiddenAddress:
            break
        except NotSent as error:
            raise AnswerLost(f"after a redirect there was {error}", timed_out=False) from None
    return response


def next_request(request: HttpRequest, response: HttpResponse) -> HttpRequest | None:
    """The request that a redirect asks for; None if the answer is none, or it must not be followed."""
    location = response.headers.get("location")
    if response.status not in _FOLLOWED or not location:
        return None
    method = "GET" if response.status == _ANY_METHOD_SEES and request.method != "HEAD" else request.method
    if method not in ("GET", "HEAD"):
        return None
    try:
        url = urljoin(request.url, location).partition("#")[0]
        here, there = _origin(request.url), _origin(url)
    except ValueError:
        return None
    if there[0] not in _PORTS or (here[0], there[0]) == ("https", "http"):
        return None
    if here == there:
        kept = {name: value for name, value in request.headers.items() if not name.lower().startswith("content-")}
        return replace(request, method=method, url=url, headers=kept, body=b"")
    kept = {name: value for name, value in request.headers.items() if name.lower() in _HARMLESS}
    return replace(request, method=method, url=url, headers=kept, body=b"", guarded=True)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme.lower())


def _unheard() -> None:
    """Further requests of one call are not counted."""
