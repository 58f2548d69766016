"""The guard at the point where aiohttp asks which addresses a name has."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from lumeflow.core.errors import ForbiddenAddress
from lumeflow.gateway.guard import Guard


class GuardedResolver(AbstractResolver):
    """Leaves addresses out that must not be reached. aiohttp connects to what this gives, and looks nothing up again.

    Args:
        guard: Which addresses may be reached.
        inner: Knows the addresses.
    """

    def __init__(self, guard: Guard, inner: AbstractResolver) -> None:
        self._guard = guard
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of a host.

        Raises:
            ForbiddenAddress: None of them may be reached.
        """
        found = await self._inner.resolve(host, port, family)
        allowed = [each for each in found if self._guard.allows(host, each["host"])]
        if found and not allowed:
            self._guard.check(host, found[0]["host"])
            raise ForbiddenAddress(f"{host} must not be called")
        return allowed

    async def close(self) -> None:
        """Let go of the inner one."""
        await self._inner.close()
