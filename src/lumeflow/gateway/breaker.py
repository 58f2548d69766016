"""The circuit breaker of one account: while a vendor is down, calls wait instead of failing one by one.

    closed ──many failures in a row──► open ──pause over──► one probe ──► closed, or open for twice as long

Random faults don't open it: at 30 % of failing calls, twenty in a row happen once in 10^10.
"""

import asyncio
from collections import deque

FAILURES = 20
"""Failures in a row that open the circuit."""
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0


class Breaker:
    """Counts failures in a row (no answer, or an answer of the vendor's server failing) over all calls of an account.

    Args:
        failures: Failures in a row that open it.
        first_pause: Seconds before the first probe; doubled with every probe that fails.
        longest_pause: Most seconds between probes.
    """

    def __init__(
        self, *, failures: int = FAILURES, first_pause: float = FIRST_PAUSE, longest_pause: float = LONGEST_PAUSE
    ) -> None:
        self._limit = failures
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._failed = 0
        self._pause = first_pause
        self._open = False
        self._probe_due = False
        self._waiters: deque[asyncio.Future[None]] = deque()

    @property
    def closed(self) -> bool:
        """True while calls may go."""
        return not self._open

    async def enter(self) -> bool:
        """Wait while the circuit is open.

        Returns:
            True if the caller is the probe: it must report by `succeeded`, `failed` or `abandoned`.
        """
        while self._open:
            if self._probe_due:
                self._probe_due = False
                return True
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(future)
            try:
                await future
            except asyncio.CancelledError:
                if future.done() and not future.cancelled():
                    self._wake_one()
                raise
        return False

    def succeeded(self) -> None:
        """The vendor answered."""
        self._failed = 0
        if self._open:
            self._open = False
            self._probe_due = False
            self._pause = self._first_pause
            while self._waiters:
                self._wake_one()

    def failed(self, *, probe: bool = False) -> float | None:
        """A call failed.

        Returns:
            Seconds until the next probe, if this failure opened the circuit; None otherwise.
        """
        self._failed += 1
        if self._open:
            if probe:
                self._pause = min(self._longest_pause, self._pause * 2)
                self._schedule()
            return None
        if self._failed < self._limit:
            return None
        self._open = True
        self._schedule()
        return self._pause

    def abandoned(self) -> None:
        """The probe ended without asking the vendor; the next in line takes its place."""
        if self._open:
            self._offer_probe()

    def _schedule(self) -> None:
        asyncio.get_running_loop().call_later(self._pause, self._offer_probe)

    def _offer_probe(self) -> None:
        if self._open:
            self._probe_due = True
            self._wake_one()

    def _wake_one(self) -> None:
        while self._waiters:
            future = self._waiters.popleft()
            if not future.done():
                future.set_result(None)
                return
