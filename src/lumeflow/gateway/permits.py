"""Most calls in flight at once, first come, first served."""

import asyncio
from collections import deque


class Permits:
    """A semaphore that is cheap while nobody waits.

    Args:
        total: Permits; at least 1.
    """

    __slots__ = ("_free", "_waiters")

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ValueError(f"concurrency must be at least 1, found {total}")
        self._free = total
        self._waiters: deque[asyncio.Future[None]] = deque()

    def try_acquire(self) -> bool:
        """Take a permit at once, if one is free and nobody waits."""
        if self._free == 0 or self._waiters:
            return False
        self._free -= 1
        return True

    async def acquire(self) -> None:
        """Wait for a permit."""
        if self.try_acquire():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Return a permit, or hand it to the next in line."""
        while self._waiters:
            future = self._waiters.popleft()
            if not future.done():
                future.set_result(None)
                return
        self._free += 1
