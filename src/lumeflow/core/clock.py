"""Time and ids are given to the engine, never taken from the system by a rule of the product."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4, uuid5

from lumeflow.core.errors import UsageError

NAMESPACE = UUID("6f1d1c2e-5b0a-4c51-9b5e-6c756d65666c")
LONGEST_ID = 200
"""Characters of an execution id."""


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


NewId = Callable[[], str]


def random_id() -> str:
    """A new execution id."""
    return str(uuid4())


def checked_id(execution_id: str) -> str:
    """An execution id from outside, if it can be shown in a list and typed in a command.

    Raises:
        UsageError: It cannot.
    """
    if not execution_id.strip() or not execution_id.isprintable() or len(execution_id) > LONGEST_ID:
        raise UsageError(
            f"the execution id {execution_id[:50]!r} cannot be used: it must have 1 to {LONGEST_ID} printable "
            "characters, such as 'monday-1'; leave it out to get a new one"
        )
    return execution_id


def derived_id(*parts: str) -> str:
    """An id that follows from its parts: the same in every run and after every resume."""
    return str(uuid5(NAMESPACE, "/".join(parts)))


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`: `2026-01-09T10:00:00.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
