"""The one clock of a simulator: limits, latencies, runs and long polls all read it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class SimulatorClock(Protocol):
    """Time as the simulated vendors see it."""

    def seconds(self) -> float:
        """Seconds on a scale that never goes back; its zero means nothing."""
        ...

    def date(self) -> datetime:
        """The same moment as an aware time in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class RealClock:
    """Real time. Dates count from the moment the clock was made, so that they never go back either."""

    def __init__(self, started_at: datetime | None = None) -> None:
        self._zero = time.monotonic()
        self._skipped = 0.0
        self._started_at = started_at or datetime.now(UTC)

    def seconds(self) -> float:
        """Seconds of the system's monotonic clock, and those that were skipped."""
        return time.monotonic() + self._skipped

    def date(self) -> datetime:
        """The clock's start plus the time since."""
        return self._started_at + timedelta(seconds=self.seconds() - self._zero)

    def skip(self, seconds: float) -> None:
        """Go forward: whatever was begun has gone on for so much longer."""
        self._skipped += seconds

    async def sleep(self, seconds: float) -> None:
        """Wait; zero lets other tasks run once."""
        await asyncio.sleep(seconds)
