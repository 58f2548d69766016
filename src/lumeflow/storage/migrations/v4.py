"""Version 4: what an API server keeps (tenants, keys, secrets, queue, costs, artifacts), and indexes for its lists."""

from lumeflow.storage.migrations.step import Sight, Step
from lumeflow.storage.migrations.types import Kind, spell

_TENANTS = """
CREATE TABLE tenants (
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  is_active {bool} NOT NULL DEFAULT {true},
  concurrency {int},
  created_at {time} NOT NULL,
  PRIMARY KEY (tenant)
)"""

_API_KEYS = """
CREATE TABLE api_keys (
  tenant TEXT NOT NULL DEFAULT 'default',
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  scopes {json} NOT NULL,
  created_at {time} NOT NULL,
  expires_at {time},
  last_used_at {time},
  revoked_at {time},
  PRIMARY KEY (tenant, id),
  UNIQUE (key_hash)
)"""

_SECRETS = """
CREATE TABLE secrets (
  tenant TEXT NOT NULL DEFAULT 'default',
  name TEXT NOT NULL,
  value {bytes} NOT NULL,
  key_id TEXT NOT NULL,
  created_at {time} NOT NULL,
  updated_at {time} NOT NULL,
  PRIMARY KEY (tenant, name)
)"""

_JOBS = """
CREATE TABLE execution_jobs (
  tenant TEXT NOT NULL DEFAULT 'default',
  execution_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  priority {int} NOT NULL DEFAULT 0,
  options {json} NOT NULL,
  owner TEXT,
  attempts {int} NOT NULL DEFAULT 0,
  cancel_requested {bool} NOT NULL DEFAULT {false},
  created_at {time} NOT NULL,
  available_at {time} NOT NULL,
  claimed_at {time},
  finished_at {time},
  PRIMARY KEY (tenant, execution_id)
)"""

_IDEMPOTENCY = """
CREATE TABLE idempotency_keys (
  tenant TEXT NOT NULL DEFAULT 'default',
  key TEXT NOT NULL,
  request_digest TEXT NOT NULL,
  execution_id TEXT,
  status {int},
  response {bytes},
  created_at {time} NOT NULL,
  expires_at {time} NOT NULL,
  PRIMARY KEY (tenant, key)
)"""

_COSTS = """
CREATE TABLE execution_costs (
  tenant TEXT NOT NULL DEFAULT 'default',
  execution_id TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  account TEXT NOT NULL,
  day TEXT NOT NULL,
  calls {int} NOT NULL,
  lost {int} NOT NULL,
  amount {money} NOT NULL,
  possible {money} NOT NULL,
  credits {money} NOT NULL,
  PRIMARY KEY (tenant, execution_id, node_id, account, day)
)"""

_ARTIFACTS = """
CREATE TABLE artifacts (
  tenant TEXT NOT NULL DEFAULT 'default',
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  execution_id TEXT,
  node_id TEXT,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size {int} NOT NULL,
  sha256 TEXT NOT NULL,
  created_at {time} NOT NULL,
  expires_at {time},
  PRIMARY KEY (tenant, id)
)"""

_TABLES = {
    "tenants": _TENANTS,
    "api_keys": _API_KEYS,
    "secrets": _SECRETS,
    "execution_jobs": _JOBS,
    "idempotency_keys": _IDEMPOTENCY,
    "execution_costs": _COSTS,
    "artifacts": _ARTIFACTS,
}

_TEMPLATE_COLUMNS = (
    "ALTER TABLE workflow_templates ADD COLUMN version {int} NOT NULL DEFAULT 1",
    "ALTER TABLE workflow_templates ADD COLUMN updated_at {time}",
)

_INDEXES = (
    "CREATE INDEX workflow_executions_status ON workflow_executions (tenant, status, started_at, id)",
    "CREATE INDEX workflow_executions_workflow_status"
    " ON workflow_executions (tenant, workflow_id, status, started_at, id)",
    "CREATE INDEX workflow_templates_category ON workflow_templates (tenant, category, id)",
    "CREATE INDEX execution_jobs_waiting ON execution_jobs (state, tenant, priority DESC, created_at, execution_id)",
    "CREATE INDEX execution_jobs_claimed ON execution_jobs (tenant, claimed_at)",
    "CREATE INDEX execution_costs_day ON execution_costs (tenant, day)",
    "CREATE INDEX execution_costs_workflow ON execution_costs (tenant, workflow_id, day)",
    "CREATE INDEX artifacts_execution ON artifacts (tenant, execution_id, name, id)",
    "CREATE INDEX artifacts_expiry ON artifacts (expires_at)",
    "CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at)",
)

_MADE = ("workflow_executions_status", "workflow_executions_workflow_status", "workflow_templates_category")

_UP = (*_TABLES.values(), *_TEMPLATE_COLUMNS, *_INDEXES)

_DOWN = (
    *(f"DROP INDEX {name}" for name in _MADE),
    *(f"DROP TABLE {name}" for name in _TABLES),
    "ALTER TABLE workflow_templates DROP COLUMN updated_at",
    "ALTER TABLE workflow_templates DROP COLUMN version",
)

STEP = Step(
    name="api",
    up={kind: tuple(spell(statement, kind) for statement in _UP) for kind in Kind},
    down=dict.fromkeys(Kind, _DOWN),
    tables=tuple(_TABLES),
    sight=dict.fromkeys(("tenants", "api_keys", "execution_jobs", "idempotency_keys", "artifacts"), Sight.SHARED),
)
