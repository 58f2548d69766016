"""Version 6: an execution names the one of which it runs a part anew."""

from lumeflow.storage.migrations.step import Step
from lumeflow.storage.migrations.types import Kind, spell

STEP = Step(
    name="rerun",
    up={kind: (spell("ALTER TABLE workflow_executions ADD COLUMN rerun {json}", kind),) for kind in Kind},
    down=dict.fromkeys(Kind, ("ALTER TABLE workflow_executions DROP COLUMN rerun",)),
)
