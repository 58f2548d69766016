"""Rate limits as the vendors count them: sliding windows, and fixed windows that open with the first call."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in `seconds`.

    Attributes:
        calls: Calls that a window holds.
        seconds: Length of the window.
        fixed: True for windows that open with the first call and start from zero when they are over; False for
            "in any stretch of so many seconds".
    """

    calls: int
    seconds: float
    fixed: bool = False

    def as_json(self) -> dict[str, Any]:
        """As `GET /_simulator/settings` shows it."""
        return {"calls": self.calls, "seconds": self.seconds, "window": "fixed" if self.fixed else "sliding"}


class Window:
    """The calls that one limit has let through.

    It keeps the times of the calls in the last `seconds`, also for a fixed window: so that what really went through
    can be told apart from what the vendor counts.
    """

    __slots__ = ("_count", "_opened_at", "_times", "limit", "most", "most_sliding")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.most = 0
        self.most_sliding = 0
        self._times: deque[float] = deque()
        self._opened_at = float("-inf")
        self._count = 0

    def full(self, now: float) -> bool:
        """True if one more call would be refused."""
        return self.used(now) >= self.limit.calls

    def wait(self, now: float) -> float:
        """Seconds until a full window lets one more call through."""
        opened_at = self._opened_at if self.limit.fixed else self._times[0]
        return max(0.0, opened_at + self.limit.seconds - now)

    def used(self, now: float) -> int:
        """Calls that count at `now`."""
        if self.limit.fixed:
            return self._count if now < self._opened_at + self.limit.seconds else 0
        self._forget(now)
        return len(self._times)

    def take(self, now: float) -> None:
        """Let one call through."""
        if now >= self._opened_at + self.limit.seconds:
            self._opened_at, self._count = now, 0
        self._count += 1
        self._forget(now)
        self._times.append(now)
        self.most_sliding = max(self.most_sliding, len(self._times))
        self.most = max(self.most, self._count) if self.limit.fixed else self.most_sliding

    def _forget(self, now: float) -> None:
        times, oldest = self._times, now - self.limit.seconds
        while times and times[0] <= oldest:
            times.popleft()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call was not let through.

    Attributes:
        limit: The limit that is used up.
        wait: Seconds until a call would pass.
        injected: True if the fault plan says so, not the limit.
    """

    limit: Limit
    wait: float
    injected: bool = False


class Limiter:
    """All windows of one simulated account, by operation and, where a vendor counts so, by resource."""

    def __init__(self, limits: Mapping[str, tuple[Limit, ...]]) -> None:
        """Start with empty windows.

        Args:
            limits: Limits by operation id, already scaled.
        """
        self._limits = limits
        self._windows: dict[tuple[str, str], tuple[Window, ...]] = {}

    def acquire(self, operation: str, resource: str, now: float) -> Refusal | None:
        """Let a call through, or say which limit refuses it; a refused call counts nowhere."""
        windows = self._of(operation, resource)
        for window in windows:
            if window.full(now):
                return Refusal(window.limit, window.wait(now))
        for window in windows:
            window.take(now)
        return None

    def usage(self, operation: str, resource: str, now: float) -> list[tuple[Limit, int]]:
        """Each limit of an operation with the calls that count at `now`."""
        return [(window.limit, window.used(now)) for window in self._of(operation, resource)]

    def report(self, operations: Iterable[str]) -> list[dict[str, Any]]:
        """For each limit the most calls that any window of it has held, over all resources."""
        most: dict[tuple[str, Limit], tuple[int, int]] = {}
        for (operation, _), windows in self._windows.items():
            for window in windows:
                so_far = most.get((operation, window.limit), (0, 0))
                most[operation, window.limit] = (max(so_far[0], window.most), max(so_far[1], window.most_sliding))
        lines = []
        for operation in operations:
            for limit in self._limits.get(operation, ()):
                counted, sliding = most.get((operation, limit), (0, 0))
                line = {"operation": operation, **limit.as_json()}
                lines.append({**line, "maxInWindow": counted, "maxInSlidingWindow": sliding})
        return lines

    def _of(self, operation: str, resource: str) -> tuple[Window, ...]:
        windows = self._windows.get((operation, resource))
        if windows is None:
            windows = tuple(Window(limit) for limit in self._limits.get(operation, ()))
            self._windows[operation, resource] = windows
        return windows
