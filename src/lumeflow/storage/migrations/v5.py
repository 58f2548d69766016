"""Version 5: a resume finds the vendors of its demonstration as they were."""

from lumeflow.storage.migrations.step import Step
from lumeflow.storage.migrations.types import Kind, spell

STEP = Step(
    name="demo",
    up={kind: (spell("ALTER TABLE workflow_executions ADD COLUMN demo {json}", kind),) for kind in Kind},
    down=dict.fromkeys(Kind, ("ALTER TABLE workflow_executions DROP COLUMN demo",)),
)
