"""Standing between a block and its context: to delay what it waits for, to refuse it, or to stop everything there."""

import asyncio
import random
from typing import Any

from lumeflow.core.errors import CallError, ErrorClass
from lumeflow.core.secret import Secret

SECRET = "S3CRET-canary-5b1f"
"""The value of every secret in a trial; it must show up nowhere."""


class Hooks:
    """Lets everything happen, and notes what the block asked for.

    Attributes:
        points: How often the block waited for its context, before and after each wait.
        operations: Ids of the operations that it called.
        warnings: The warnings that it gave.
    """

    def __init__(self) -> None:
        self.points = 0
        self.operations: set[str] = set()
        self.warnings: list[str] = []

    async def point(self) -> None:
        """The block waits for its context, here and now."""
        self.points += 1

    def called(self, operation: str) -> None:
        """The block makes a call.

        Raises:
            CallError: It is refused.
        """
        self.operations.add(operation)


class Delays(Hooks):
    """Lets what the block waits for arrive at other times, and in another order, than it was asked for.

    Args:
        seed: Which other times.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)  # noqa: S311 - times of a test, nothing to guess

    async def point(self) -> None:
        """Let others go first."""
        self.points += 1
        for _ in range(self._random.choice((0, 0, 1, 3, 9))):
            await asyncio.sleep(0)


class StopAt(Hooks):
    """Has the execution cancelled at one of the block's waits.

    Args:
        point: Which.
    """

    def __init__(self, point: int) -> None:
        super().__init__()
        self._point = point
        self.cancel = asyncio.Event()

    async def point(self) -> None:
        """Cancel, and wait for the consequences; what is done because of them is not held up."""
        self.points += 1
        if self.points == self._point:
            self.cancel.set()
            await asyncio.Event().wait()


class Refusal(Hooks):
    """Refuses every call.

    Args:
        error_class: Why.
    """

    def __init__(self, error_class: ErrorClass) -> None:
        super().__init__()
        self._error_class = error_class

    def called(self, operation: str) -> None:
        """Refuse it."""
        super().called(operation)
        raise CallError(self._error_class, f"the vendor refuses ({self._error_class})", operation=operation)


class Watched:
    """A `BlockContext` with hooks. Tables are the trial's own, in memory; secrets are all there."""

    def __init__(self, ctx: Any, hooks: Hooks, tables: Any) -> None:
        self._ctx = ctx
        self._hooks = hooks
        self.tables = Waiting(tables, hooks)
        self.files = Waiting(ctx.files, hooks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    def secret(self, name: str) -> Secret:
        """A secret."""
        return Secret(SECRET)

    def warn(self, message: str) -> None:
        """Note a warning."""
        self._hooks.warnings.append(message)
        self._ctx.warn(message)

    async def call(self, operation: str, params: Any) -> Any:
        """Make a call, unless it is refused."""
        await self._hooks.point()
        self._hooks.called(operation)
        response = await self._ctx.call(operation, params)
        await self._hooks.point()
        return response

    async def remember(self, name: str, read: Any) -> Any:
        """Read something once."""
        await self._hooks.point()
        found = await self._ctx.remember(name, read)
        await self._hooks.point()
        return found


class Waiting:
    """Files, a file or tables, whose every wait is a point."""

    def __init__(self, inner: Any, hooks: Hooks) -> None:
        self._inner = inner
        self._hooks = hooks

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._stream if name == "stream" else self._awaited(found)

    def _awaited(self, method: Any) -> Any:
        async def waiting(*arguments: Any, **named: Any) -> Any:
            await self._hooks.point()
            found = await method(*arguments, **named)
            await self._hooks.point()
            return Waiting(found, self._hooks) if hasattr(found, "commit") else found

        return waiting

    async def _stream(self, path: str) -> Any:
        async for piece in self._inner.stream(path):
            await self._hooks.point()
            yield piece
