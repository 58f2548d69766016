"""Version 2: an execution that runs again keeps what an earlier run left until the new one has ended."""

from collections.abc import Sequence

STATEMENTS: Sequence[str] = (
    # The run whose records are read; those of a run under way have the next number, those of all runs 0.
    "ALTER TABLE workflow_executions ADD COLUMN run INTEGER NOT NULL DEFAULT 1",
    # While it runs again: how the run ended that is read.
    "ALTER TABLE workflow_executions ADD COLUMN standing TEXT",
    "ALTER TABLE execution_records ADD COLUMN run INTEGER NOT NULL DEFAULT 1",
)
