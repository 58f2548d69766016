"""How many executions run at once, and how often the queue is looked at."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from lumeflow.core.errors import UsageError

CONCURRENCY = "LUMEFLOW_CONCURRENCY"


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Settings of the execution service of one process.

    Attributes:
        concurrency: Executions that run at once in this process; the others wait in the queue.
        poll: Seconds between two looks for what other processes queued or want to be cancelled; what this process
            queued itself is begun at once.
        recover: Seconds between two looks for executions whose process is gone.
        attempts: How often an execution may end its process before it is given up as failed.
    """

    concurrency: int = 20
    poll: float = 1.0
    recover: float = 5.0
    attempts: int = 5

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] = os.environ, concurrency: int | None = None
    ) -> "ServiceSettings":
        """Read `LUMEFLOW_CONCURRENCY`.

        Args:
            environ: Environment variables.
            concurrency: Takes the variable's place.

        Raises:
            UsageError: The variable holds no number from 1 to 1000.
        """
        given = str(concurrency) if concurrency is not None else environ.get(CONCURRENCY, "").strip()
        if not given:
            return cls()
        if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 1000:
            raise UsageError(f"{CONCURRENCY}: expected a number from 1 to 1000, found '{given[:20]}'")
        return cls(concurrency=int(given))
