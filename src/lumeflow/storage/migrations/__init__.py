"""The schema's history: each migration is a module with the statements that lead to its version, and back.

`schema_migrations` names the versions that a database has; `PRAGMA user_version` says it too, so that an SQLite file of
another program is told before anything is read. A migration that has been released is never changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lumeflow.core.errors import UsageError
from lumeflow.storage.migrations import v1, v2, v3, v4, v5, v6, v7
from lumeflow.storage.migrations.step import Step
from lumeflow.storage.migrations.types import Kind, spell

STEPS: Sequence[Step] = (v1.STEP, v2.STEP, v3.STEP, v4.STEP, v5.STEP, v6.STEP, v7.STEP)
"""`STEPS[n]` leads from version n to n + 1."""

LATEST = len(STEPS)

APPLICATION_ID = 0x4C754D65
"""`PRAGMA application_id` of our files, so that another program's database is not taken for one: "LuMe"."""

_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (
  version {int} PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  applied_at {time} NOT NULL
)"""

HISTORY = {kind: spell(_HISTORY, kind) for kind in Kind}
"""Makes the table of the versions that a database has."""

HISTORY_SINCE = 3
"""The first version that has that table."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One step of a way from version to version, in its direction.

    Attributes:
        statements: What to run.
        needs: Queries that must find nothing before, each with what it means if one does.
        made: The step itself, if it leads up.
    """

    statements: Sequence[str]
    needs: Sequence[tuple[str, str]] = ()
    made: Step | None = None


def path(steps: Sequence[Step], kind: Kind, found: int, target: int) -> Sequence[Leg]:
    """The way from one version to another.

    Raises:
        UsageError: There is no such version, or no way back to it.
    """
    if not 0 < target <= len(steps):
        raise UsageError(f"there is no version {target} of the schema: they go from 1 to {len(steps)}")
    if target >= found:
        return [Leg(step.up.get(kind, ()), made=step) for step in steps[found:target]]
    legs = []
    for number in range(found, target, -1):
        step = steps[number - 1]
        if kind not in step.down:
            raise UsageError(
                f"the schema cannot go back to version {target}: version {number} is the first on this kind of database"
            )
        legs.append(Leg(step.down[kind], step.down_needs))
    return legs


__all__ = ["APPLICATION_ID", "HISTORY", "HISTORY_SINCE", "LATEST", "STEPS", "Kind", "Leg", "Step", "path"]
