"""Version 3: every table has a tenant, first in its key; processes show that they live.

What stood in the file before belongs to the tenant `default`. PostgreSQL begins with this version.
"""

from lumeflow.storage.migrations import v1, v2
from lumeflow.storage.migrations.step import Sight, Step
from lumeflow.storage.migrations.types import Kind, spell

_WORKFLOWS = """
CREATE TABLE workflows (
  tenant TEXT NOT NULL DEFAULT 'default',
  id TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  name TEXT NOT NULL,
  version {int} NOT NULL,
  definition {json} NOT NULL,
  is_active {bool} NOT NULL DEFAULT {true},
  created_at {time} NOT NULL,
  updated_at {time} NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, workflow_id)
)"""

_VERSIONS = """
CREATE TABLE workflow_versions (
  tenant TEXT NOT NULL DEFAULT 'default',
  workflow_id TEXT NOT NULL,
  version {int} NOT NULL,
  digest TEXT NOT NULL,
  name TEXT NOT NULL,
  definition {json} NOT NULL,
  is_saved {bool} NOT NULL,
  created_at {time} NOT NULL,
  PRIMARY KEY (tenant, workflow_id, version, digest),
  FOREIGN KEY (tenant, workflow_id) REFERENCES workflows (tenant, workflow_id) ON DELETE CASCADE
)"""

_TEMPLATES = """
CREATE TABLE workflow_templates (
  tenant TEXT NOT NULL DEFAULT 'default',
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  category TEXT,
  definition {json} NOT NULL,
  is_system_template {bool} NOT NULL DEFAULT {false},
  created_at {time},
  PRIMARY KEY (tenant, id)
)"""

_SOURCE_AUDIENCES = """
CREATE TABLE source_audiences (
  tenant TEXT NOT NULL DEFAULT 'default',
  id TEXT NOT NULL,
  name TEXT,
  type TEXT,
  urls {json},
  created_at {time},
  PRIMARY KEY (tenant, id)
)"""

_SHARED_AUDIENCES = """
CREATE TABLE shared_audiences (
  tenant TEXT NOT NULL DEFAULT 'default',
  id TEXT NOT NULL,
  source_audience_id TEXT,
  workflow_execution_id TEXT,
  name TEXT,
  status TEXT,
  contacts_count {int},
  metadata {json},
  created_at {time},
  stored_at {time},
  PRIMARY KEY (tenant, id)
)"""

_CONTACTS = """
CREATE TABLE shared_audience_contacts (
  tenant TEXT NOT NULL DEFAULT 'default',
  shared_audience_id TEXT NOT NULL,
  position {int} NOT NULL,
  data {json} NOT NULL,
  embedding {floats},
  PRIMARY KEY (tenant, shared_audience_id, position)
)"""

_RELATIONS = """
CREATE TABLE audience_relations (
  tenant TEXT NOT NULL DEFAULT 'default',
  source_audience_id TEXT NOT NULL,
  shared_audience_id TEXT NOT NULL,
  PRIMARY KEY (tenant, source_audience_id, shared_audience_id)
)"""

# The audience has no foreign key: it may be deleted, and the execution then still says what it ran on.
_EXECUTIONS = """
CREATE TABLE workflow_executions (
  tenant TEXT NOT NULL DEFAULT 'default',
  id TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  workflow_version {int} NOT NULL,
  workflow_digest TEXT NOT NULL,
  source_audience_id TEXT,
  mode TEXT NOT NULL,
  status TEXT NOT NULL,
  input_data {json},
  variables {json},
  mocks {json},
  now {time} NOT NULL,
  is_pinned {bool} NOT NULL,
  output_data {json},
  error_message TEXT,
  started_at {time} NOT NULL,
  completed_at {time},
  execution_time_ms {int},
  run {int} NOT NULL DEFAULT 1,
  standing TEXT,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, workflow_id) REFERENCES workflows (tenant, workflow_id),
  FOREIGN KEY (tenant, workflow_id, workflow_version, workflow_digest)
    REFERENCES workflow_versions (tenant, workflow_id, version, digest)
)"""

_OWNERS = """
CREATE TABLE execution_owners (
  tenant TEXT NOT NULL DEFAULT 'default',
  execution_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  process TEXT NOT NULL,
  PRIMARY KEY (tenant, execution_id)
)"""

_BLOCKS = """
CREATE TABLE block_executions (
  tenant TEXT NOT NULL DEFAULT 'default',
  id TEXT NOT NULL,
  workflow_execution_id TEXT NOT NULL,
  ordinal {int} NOT NULL,
  node_id TEXT NOT NULL,
  block_type TEXT NOT NULL,
  status TEXT NOT NULL,
  counts {json} NOT NULL,
  input_data {json},
  output_data {json},
  error_message TEXT,
  started_at {time},
  completed_at {time},
  execution_time_ms {int},
  retry_count {int} NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, workflow_execution_id) REFERENCES workflow_executions (tenant, id) ON DELETE CASCADE
)"""

_EVENTS = """
CREATE TABLE execution_events (
  tenant TEXT NOT NULL DEFAULT 'default',
  execution_id TEXT NOT NULL,
  ordinal {int} NOT NULL,
  kind TEXT NOT NULL,
  at {time} NOT NULL,
  node_id TEXT,
  message TEXT NOT NULL,
  data {json} NOT NULL,
  PRIMARY KEY (tenant, execution_id, ordinal)
){unrowed}"""

_RECORDS = """
CREATE TABLE execution_records (
  id {counter},
  tenant TEXT NOT NULL DEFAULT 'default',
  execution_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  node_id TEXT NOT NULL,
  first_position {int} NOT NULL,
  last_position {int} NOT NULL,
  record_count {int} NOT NULL,
  float_mark TEXT,
  records {json} NOT NULL,
  floats {bytes},
  run {int} NOT NULL DEFAULT 1
)"""

# What tells rows apart soonest comes first in the key: it is compared some fifteen times for each call.
_EFFECTS = """
CREATE TABLE effects (
  tenant TEXT NOT NULL DEFAULT 'default',
  execution_id TEXT NOT NULL,
  digest {bytes} NOT NULL,
  state TEXT NOT NULL,
  owner TEXT NOT NULL,
  lost {int} NOT NULL DEFAULT 0,
  refused {int} NOT NULL DEFAULT 0,
  attempts {int} NOT NULL DEFAULT 0,
  amount {money} NOT NULL DEFAULT {zero},
  lost_amount {money} NOT NULL DEFAULT {zero},
  credits {money},
  price {money} NOT NULL,
  basis TEXT,
  node_id TEXT NOT NULL,
  account TEXT NOT NULL,
  operation TEXT NOT NULL,
  claimed_at {time} NOT NULL,
  answered_at {time},
  duration_ms {int},
  status {int},
  params_packed {int} NOT NULL,
  body_packed {int},
  headers {json},
  params {bytes} NOT NULL,
  body {bytes},
  PRIMARY KEY (execution_id, digest, tenant)
)"""

_ATTEMPTS = """
CREATE TABLE effect_attempts (
  tenant TEXT NOT NULL DEFAULT 'default',
  execution_id TEXT NOT NULL,
  digest {bytes} NOT NULL,
  ordinal {int} NOT NULL,
  amount {money} NOT NULL,
  status {int} NOT NULL,
  body_packed {int} NOT NULL,
  headers {json} NOT NULL,
  body {bytes} NOT NULL,
  PRIMARY KEY (tenant, execution_id, digest, ordinal)
)"""

# Of the installation, not of a tenant: whether the process behind an owner's token lives.
_PROCESSES = """
CREATE TABLE processes (
  tenant TEXT NOT NULL DEFAULT '*',
  token TEXT NOT NULL,
  process TEXT NOT NULL,
  host TEXT NOT NULL,
  started_at {time} NOT NULL,
  lease_until {time} NOT NULL,
  commits {int} NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, token)
)"""

_TABLES = {
    "workflows": _WORKFLOWS,
    "workflow_versions": _VERSIONS,
    "workflow_templates": _TEMPLATES,
    "source_audiences": _SOURCE_AUDIENCES,
    "shared_audiences": _SHARED_AUDIENCES,
    "shared_audience_contacts": _CONTACTS,
    "audience_relations": _RELATIONS,
    "workflow_executions": _EXECUTIONS,
    "execution_owners": _OWNERS,
    "block_executions": _BLOCKS,
    "execution_events": _EVENTS,
    "execution_records": _RECORDS,
    "effects": _EFFECTS,
    "effect_attempts": _ATTEMPTS,
}
"""By name, those that others refer to first."""

_INDEXES = (
    "CREATE UNIQUE INDEX workflow_versions_saved ON workflow_versions (tenant, workflow_id, version) WHERE is_saved",
    "CREATE INDEX workflow_executions_started ON workflow_executions (tenant, started_at, id)",
    "CREATE INDEX workflow_executions_workflow ON workflow_executions (tenant, workflow_id, started_at, id)",
    "CREATE INDEX workflow_executions_audience ON workflow_executions (tenant, source_audience_id)",
    "CREATE UNIQUE INDEX block_executions_execution ON block_executions (tenant, workflow_execution_id, ordinal)",
    "CREATE INDEX execution_records_order"
    " ON execution_records (tenant, execution_id, kind, node_id, first_position, id)",
    "CREATE INDEX shared_audiences_source ON shared_audiences (tenant, source_audience_id)",
    "CREATE INDEX shared_audiences_execution ON shared_audiences (tenant, workflow_execution_id)",
    "CREATE INDEX audience_relations_shared ON audience_relations (tenant, shared_audience_id)",
)

_BEFORE = {name: (create, *v2.ADDED.get(name, ())) for name, create in zip([*_TABLES], v1.TABLES, strict=True)}
"""What makes each table as version 2 has it."""


def _columns(create: str, *added: str) -> str:
    """Names of the columns of a version 2 table: one stands on each line, the constraints stand last."""
    lines = [line.split() for line in create.strip().splitlines()[1:-1]]
    names = [words[0] for words in lines if words[0] not in {"PRIMARY", "FOREIGN", "REFERENCES"}]
    return ", ".join([*names, *(statement.split()[5] for statement in added)])


def _rebuilt(name: str, *create: str) -> list[str]:
    columns = _columns(*_BEFORE[name])
    return [
        f"ALTER TABLE {name} RENAME TO {name}_before",
        *create,
        f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {name}_before",  # noqa: S608 - names of this module
        f"DROP TABLE {name}_before",
    ]


_TABLES_SQLITE = {name: spell(create, Kind.SQLITE) for name, create in _TABLES.items()}

STEP = Step(
    name="tenants",
    up={
        Kind.SQLITE: (
            *(statement for name, create in _TABLES_SQLITE.items() for statement in _rebuilt(name, create)),
            spell(_PROCESSES, Kind.SQLITE),
            *_INDEXES,
        ),
        Kind.POSTGRES: (
            *(spell(create, Kind.POSTGRES) for create in (*_TABLES.values(), _PROCESSES)),
            *_INDEXES,
        ),
    },
    down={
        Kind.SQLITE: (
            *(statement for name, create in _BEFORE.items() for statement in _rebuilt(name, *create)),
            *v1.INDEXES,
            "DROP TABLE processes",
        ),
    },
    tables=(*_TABLES, "processes"),
    sight={"processes": Sight.PUBLIC},
    vectors=(("shared_audience_contacts", "embedding", 1024),),
    down_needs=tuple(
        (
            f"SELECT 1 FROM {name} WHERE tenant <> 'default' LIMIT 1",  # noqa: S608 - names of this module
            f"{name} has rows of other tenants than 'default', which version 2 cannot tell apart",
        )
        for name in _TABLES
    ),
)
