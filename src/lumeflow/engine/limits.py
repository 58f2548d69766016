"""Limits of an execution that the engine itself keeps: records and memory. Calls and cost are the gateway's."""

import resource
import sys
from pathlib import Path

from lumeflow.core.document.policies import Globals, Limits
from lumeflow.core.errors import ErrorClass, NodeError

_STATM = Path("/proc/self/statm")


class RecordLimit:
    """Counts records as they enter an execution, over all of its sources."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.records
        self._entered = 0

    def enter(self) -> None:
        """Count one record in.

        Raises:
            NodeError: (LIMIT) it is one too many.
        """
        if self._most is not None and self._entered >= self._most:
            raise NodeError(
                ErrorClass.LIMIT,
                f"more than {self._most} records enter the workflow: that is its limit. "
                "Resume with `--limit records=N`, N being larger, or narrow its input",
            )
        self._entered += 1


def limit_reached(given: Globals, elapsed: float) -> str | None:
    """The limit on time or memory that an execution has reached, as a sentence.

    Args:
        given: The document's settings.
        elapsed: Seconds since it began.
    """
    if given.timeout is not None and elapsed >= given.timeout:
        return f"the execution's timeout of {given.timeout:g} s ran out. Resume it to go on where it stopped"
    if given.limits.seconds is not None and elapsed >= given.limits.seconds:
        return f"the execution's limit of {given.limits.seconds:g} s ran out. Resume with `--limit seconds=N`"
    if given.limits.memory_mb is not None and (used := memory_mb()) > given.limits.memory_mb:
        most = given.limits.memory_mb
        return (
            f"the process uses {used:.0f} MB of memory; the execution's limit is {most:g} MB. "
            "Resume with `--limit memoryMb=N`, N being larger"
        )
    return None


def memory_mb() -> float:
    """Resident memory of this process in megabytes; its peak, where the system does not tell the present figure."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * resource.getpagesize() / (1 << 20)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
