"""Single flight: one piece of work that several callers wait for, and that none of them can cancel alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """Runs `work` in a task of its own, on behalf of everybody who joined.

    When the last caller is gone the work is cancelled, but only while it may be: between a claim and the end of its
    call it goes on in the background, since a paid answer must be stored. Then it finds `abandoned` set and stops.
    """

    __slots__ = ("_cancellable", "_error", "_outcome", "_task", "_waiters", "abandoned", "dead")

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._cancellable = True
        self._outcome: T | None = None
        self._error: BaseException | None = None
        self.abandoned = False
        self.dead = False
        """True once it was cancelled or is over: it cannot be joined any more."""

    def start(self, work: Callable[[], Awaitable[T]], done: Callable[[], None]) -> None:
        """Begin; `done` is called at the end, before the callers go on."""
        self._task = asyncio.get_running_loop().create_task(self._run(work, done))

    async def join(self) -> T:
        """Wait for the outcome.

        Raises:
            BaseException: What the work raised.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(future)
        self.abandoned = False
        try:
            await future
        except asyncio.CancelledError:
            self._leave(future)
            raise
        if self._error is not None:
            raise self._error
        return self._outcome  # type: ignore[return-value]  # set whenever there is no error

    def hold(self) -> None:
        """From now on the work must not be cut off."""
        self._cancellable = False

    def let_go(self) -> None:
        """From now on the work may be cut off.

        Raises:
            CancelledError: Nobody waits for it any more.
        """
        self._cancellable = True
        if self.abandoned:
            self.dead = True
            raise asyncio.CancelledError

    def quit(self) -> None:
        """Stop as soon as nothing is lost by it, whoever waits: at once, or after the call that is under way."""
        self.abandoned = True
        if self._cancellable and not self.dead:
            self._cancel()

    async def end(self, grace: float) -> bool:
        """Wait for the end without joining; after `grace` seconds cut the work off. Returns whether it ended itself."""
        if self._task is None:
            return True
        await asyncio.wait({self._task}, timeout=grace)
        ended = self._task.done()
        if not ended:
            self._cancel()
            await asyncio.wait({self._task})
        return ended

    async def _run(self, work: Callable[[], Awaitable[T]], done: Callable[[], None]) -> None:
        try:
            self._outcome = await work()
        except (Exception, asyncio.CancelledError) as error:
            self._error = error
        self.dead = True
        done()
        for future in self._waiters:
            if future.done():
                continue
            if isinstance(self._error, asyncio.CancelledError):
                future.cancel()
            else:
                future.set_result(None)

    def _leave(self, future: asyncio.Future[None]) -> None:
        if future in self._waiters:
            self._waiters.remove(future)
        if self._waiters or self.dead:
            return
        self.abandoned = True
        if self._cancellable:
            self._cancel()

    def _cancel(self) -> None:
        self.dead = True
        if self._task is not None:
            self._task.cancel()
