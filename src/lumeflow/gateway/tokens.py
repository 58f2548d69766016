"""Tokens that calls need besides a key (OAuth 2): fetched when first needed, shared, renewed, never written down."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.operation import Failure, Grant, Token
from lumeflow.core.secret import Secret

_MARGIN, _MARGIN_PART = 60.0, 0.1
"""A token is renewed so many seconds, and at most this part of its life, before it expires."""

Fetch = Callable[[HttpRequest], Awaitable[HttpResponse]]


@dataclass(slots=True)
class _Held:
    """A token in use, and the lock of whoever fetches the next one."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    secret: Secret | None = None
    good_until: float | None = None


class Tokens:
    """All tokens of a process, by the request that they were asked for with."""

    def __init__(self) -> None:
        self._held: dict[bytes, _Held] = {}

    async def get(self, grant: Grant, fetch: Fetch) -> Secret | tuple[Failure, HttpResponse]:
        """The token of a grant: the one that is held if it is still good, else a new one, fetched by one caller.

        Raises:
            NotSent, AnswerLost: From `fetch`.
        """
        held = self._held.setdefault(_identity(grant.request), _Held())
        async with held.lock:
            now = asyncio.get_running_loop().time()
            if held.secret is not None and (held.good_until is None or now < held.good_until):
                return held.secret
            response = await fetch(grant.request)
            found = grant.read(response)
            if isinstance(found, Failure):
                return found, response
            held.secret = found.secret
            held.good_until = None if found.seconds is None else now + _life(found)
            return held.secret

    def drop(self, grant: Grant, refused: Secret) -> None:
        """The vendor does not take this token any more; whoever comes next fetches another."""
        held = self._held.get(_identity(grant.request))
        if held is not None and held.secret is refused:
            held.secret = None


def _life(token: Token) -> float:
    seconds = token.seconds or 0.0
    return seconds - min(_MARGIN, seconds * _MARGIN_PART)


def _identity(request: HttpRequest) -> bytes:
    digest = hashlib.sha256()
    for part in (request.method, request.url, *(text for pair in sorted(request.headers.items()) for text in pair)):
        digest.update(part.encode() + b"\0")
    digest.update(request.body)
    return digest.digest()
