"""Version 7: executions are deleted when their time has come, each tenant's after days of its own."""

from lumeflow.storage.migrations.step import Step
from lumeflow.storage.migrations.types import Kind, spell

_PURGES = """
CREATE TABLE execution_purges (
  tenant TEXT NOT NULL DEFAULT 'default',
  execution_id TEXT NOT NULL,
  begun_at {time} NOT NULL,
  PRIMARY KEY (tenant, execution_id)
)"""

_UP = (_PURGES, "ALTER TABLE tenants ADD COLUMN retention_days {int}")

_DOWN = ("DROP TABLE execution_purges", "ALTER TABLE tenants DROP COLUMN retention_days")

STEP = Step(
    name="retention",
    up={kind: tuple(spell(statement, kind) for statement in _UP) for kind in Kind},
    down=dict.fromkeys(Kind, _DOWN),
    tables=("execution_purges",),
    down_needs=(
        (
            "SELECT 1 FROM execution_purges LIMIT 1",
            "executions are being deleted: run `lumeflow db purge` to the end first",
        ),
    ),
)
