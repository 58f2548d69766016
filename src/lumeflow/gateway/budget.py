"""Limits of one execution on the number of its calls and on their cost."""

import asyncio
from collections import deque
from decimal import Decimal
from typing import Protocol

from lumeflow.core.errors import CallError, ErrorClass
from lumeflow.core.money import CURRENCY, ZERO, plain


class Budget(Protocol):
    """Holds back the call that would exceed a limit."""

    def reserve(self, expected: Decimal, operation: str) -> bool:
        """Set a call and its expected price aside.

        Returns:
            False if this depends on calls in flight: wait for one of them to settle, then ask again.

        Raises:
            CallError: (LIMIT) the call would exceed a limit even if those in flight cost nothing.
        """
        ...

    async def settled(self) -> None:
        """Wait until a reserved call settles."""
        ...

    def settle(self, expected: Decimal, actual: Decimal, *, calls: int) -> None:
        """Replace a reservation by what the call cost; `calls` is 0 if nothing was sent, else 1."""
        ...


class Limits:
    """A budget in memory. What is in flight is reserved, so that the limits hold at any concurrency.

    Args:
        calls: Most calls; None for no limit.
        cost: Most money; None for no limit. A call's expected price counts before it, its real one after it.
        spent_calls: Calls that earlier runs of the execution made.
        spent_cost: Money that they spent.
    """

    def __init__(
        self,
        *,
        calls: int | None = None,
        cost: Decimal | None = None,
        spent_calls: int = 0,
        spent_cost: Decimal = ZERO,
    ) -> None:
        self._most_calls = calls
        self._most_cost = cost
        self.calls = spent_calls
        self.cost = spent_cost
        self._reserved_calls = 0
        self._reserved_cost = ZERO
        self._waiters: deque[asyncio.Future[None]] = deque()

    def reserve(self, expected: Decimal, operation: str) -> bool:
        """See `Budget.reserve`."""
        if not self._fits_calls(operation) or not self._fits_cost(expected, operation):
            return False
        self._reserved_calls += 1
        self._reserved_cost += expected
        return True

    async def settled(self) -> None:
        """See `Budget.settled`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(future)
        await future

    def settle(self, expected: Decimal, actual: Decimal, *, calls: int) -> None:
        """See `Budget.settle`."""
        self._reserved_calls -= 1
        self._reserved_cost -= expected
        self.calls += calls
        self.cost += actual
        while self._waiters:
            future = self._waiters.popleft()
            if not future.done():
                future.set_result(None)

    def _fits_calls(self, operation: str) -> bool:
        most = self._most_calls
        if most is None:
            return True
        if self.calls >= most:
            raise CallError(
                ErrorClass.LIMIT,
                f"{operation} was not called: the execution has made {self.calls} calls, and its limit is {most}. "
                "Resume with `--limit calls=N`, N being larger.",
                operation=operation,
            )
        return self.calls + self._reserved_calls < most

    def _fits_cost(self, expected: Decimal, operation: str) -> bool:
        most = self._most_cost
        if most is None:
            return True
        if self.cost + expected > most:
            raise CallError(
                ErrorClass.LIMIT,
                f"{operation} was not called: it would cost about {plain(expected)} {CURRENCY}, the execution has "
                f"spent {plain(self.cost)}, and its limit is {plain(most)}. Resume with `--limit costUsd=N`, "
                "N being larger.",
                operation=operation,
            )
        return self.cost + self._reserved_cost + expected <= most
