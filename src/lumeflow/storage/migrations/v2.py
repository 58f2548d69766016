"""Version 2: an execution that runs again keeps what an earlier run left until the new one has ended. SQLite alone."""

from lumeflow.storage.migrations.step import Step
from lumeflow.storage.migrations.types import Kind

ADDED = {
    "workflow_executions": (
        # The run whose records are read; those of a run under way have the next number, those of all runs 0.
        "ALTER TABLE workflow_executions ADD COLUMN run INTEGER NOT NULL DEFAULT 1",
        # While it runs again: how the run ended that is read.
        "ALTER TABLE workflow_executions ADD COLUMN standing TEXT",
    ),
    "execution_records": ("ALTER TABLE execution_records ADD COLUMN run INTEGER NOT NULL DEFAULT 1",),
}
"""Columns by table."""

STEP = Step(
    name="runs",
    up={Kind.SQLITE: tuple(statement for statements in ADDED.values() for statement in statements)},
    down={
        Kind.SQLITE: (
            # Version 1 knows one run: the one that is read.
            "DELETE FROM execution_records WHERE run NOT IN (0, coalesce("
            "(SELECT e.run FROM workflow_executions AS e WHERE e.id = execution_records.execution_id), 1))",
            "ALTER TABLE execution_records DROP COLUMN run",
            "ALTER TABLE workflow_executions DROP COLUMN standing",
            "ALTER TABLE workflow_executions DROP COLUMN run",
        )
    },
)
