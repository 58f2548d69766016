"""Time and ids are given to the engine, never taken from the system by a rule of the product."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4, uuid5

NAMESPACE = UUID("6f1d1c2e-5b0a-4c51-9b5e-6c756d65666c")


class Clock(Protocol):
    """The time as an execution sees it."""

    def now(self) -> datetime:
        """Aware time in UTC."""
        ...


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """Aware time in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A time that stands still, so that two runs can be compared byte for byte."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """The time it was made with."""
        return self._at


NewId = Callable[[], str]


def random_id() -> str:
    """A new execution id."""
    return str(uuid4())


def derived_id(*parts: str) -> str:
    """An id that follows from its parts: the same in every run and after every resume."""
    return str(uuid5(NAMESPACE, "/".join(parts)))


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`: `2026-01-09T10:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
