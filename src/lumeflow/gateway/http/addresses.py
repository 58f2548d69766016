"""From the name of a host to the addresses that may be connected to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from lumeflow.core.errors import ForbiddenAddress
from lumeflow.gateway.guard import Guard
from lumeflow.gateway.http.target import Origin

Address = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]
"""As `socket.getaddrinfo` gives them."""
Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Finds the numeric addresses of a host name.

Raises:
    OSError: It has none.
"""

_KNOWN_SECONDS = 60.0


class Addresses:
    """Looks names up, each once a minute however many ask, and leaves out what must not be reached.

    Args:
        resolve: Finds the addresses of a name; None for the system's way.
        guard: Which addresses may be connected to; None for all.
    """

    def __init__(self, resolve: Resolve | None, guard: Guard | None) -> None:
        self._resolve = resolve or _system
        self._guard = guard
        self._known: dict[str, tuple[float, asyncio.Task[Sequence[str]]]] = {}

    async def of(self, origin: Origin) -> list[Address]:
        """The addresses of a host, in the order in which they are to be tried.

        What this gives is what is connected to: nothing is looked up again between the check and the connection.

        Raises:
            ForbiddenAddress: None of them may be reached.
            OSError: It has none.
        """
        literal = _numeric(origin.host, origin.port)
        if literal:
            return self._allowed(origin.host, literal)
        found = [address for each in await self._look_up(origin.host) for address in _numeric(each, origin.port)]
        return self._allowed(origin.host, found)

    def _allowed(self, host: str, found: list[Address]) -> list[Address]:
        guard = self._guard
        if guard is None:
            return found
        allowed = [address for address in found if guard.allows(host, address[4][0])]
        if found and not allowed:
            guard.check(host, found[0][4][0])
            raise ForbiddenAddress(f"{host} must not be called")
        return allowed

    async def _look_up(self, host: str) -> Sequence[str]:
        now = asyncio.get_running_loop().time()
        until, task = self._known.get(host, (0.0, None))
        if task is None or until <= now or (task.done() and (task.cancelled() or task.exception() is not None)):
            self._known = {name: known for name, known in self._known.items() if known[0] > now}
            task = asyncio.ensure_future(self._resolve_once(host))
            self._known[host] = now + _KNOWN_SECONDS, task
        # Shielded, since others may wait for it as well.
        return await asyncio.shield(task)

    async def _resolve_once(self, host: str) -> Sequence[str]:
        return await self._resolve(host)


def _numeric(host: str, port: int) -> list[Address]:
    """A numeric address, in whatever form the system understands; nothing for a name."""
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_NUMERICHOST
        )
    except (OSError, UnicodeError):
        return []
    return cast("list[Address]", found)


async def _system(host: str) -> Sequence[str]:
    infos = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in infos))
