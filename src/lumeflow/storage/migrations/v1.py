"""Version 1: the whole schema, on SQLite alone.

Ids and JSON are text, times ISO 8601 UTC text, money decimal text; the declared types say which is which (`JSON TEXT`
has text affinity in SQLite, `FLOAT32 BLOB` none). The tables that take thousands of rows a second (effects, records,
events) have no foreign keys: they are written under an owner check that already proves that the execution is there.
"""

from lumeflow.storage.migrations.step import Step
from lumeflow.storage.migrations.types import Kind

_WORKFLOWS = """
CREATE TABLE workflows (
  id TEXT PRIMARY KEY NOT NULL,
  workflow_id TEXT UNIQUE NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  definition JSON TEXT NOT NULL,
  is_active BOOLEAN NOT NULL DEFAULT 1,
  created_at TIMESTAMP TEXT NOT NULL,
  updated_at TIMESTAMP TEXT NOT NULL
)"""

# One row for each content that was ever saved or run: a file that is edited and run again under the same version
# number must not change what an earlier execution says it ran.
_WORKFLOW_VERSIONS = """
CREATE TABLE workflow_versions (
  workflow_id TEXT NOT NULL REFERENCES workflows (workflow_id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  digest TEXT NOT NULL,
  name TEXT NOT NULL,
  definition JSON TEXT NOT NULL,
  is_saved BOOLEAN NOT NULL,
  created_at TIMESTAMP TEXT NOT NULL,
  PRIMARY KEY (workflow_id, version, digest)
)"""

_ONE_SAVED_VERSION = """
CREATE UNIQUE INDEX workflow_versions_saved ON workflow_versions (workflow_id, version) WHERE is_saved"""

_TEMPLATES = """
CREATE TABLE workflow_templates (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  category TEXT,
  definition JSON TEXT NOT NULL,
  is_system_template BOOLEAN NOT NULL DEFAULT 0,
  created_at TIMESTAMP TEXT
)"""

_SOURCE_AUDIENCES = """
CREATE TABLE source_audiences (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT,
  type TEXT,
  urls JSON TEXT,
  created_at TIMESTAMP TEXT
)"""

_SHARED_AUDIENCES = """
CREATE TABLE shared_audiences (
  id TEXT PRIMARY KEY NOT NULL,
  source_audience_id TEXT,
  workflow_execution_id TEXT,
  name TEXT,
  status TEXT,
  contacts_count INTEGER,
  metadata JSON TEXT,
  created_at TIMESTAMP TEXT,
  stored_at TIMESTAMP TEXT
)"""

_CONTACTS = """
CREATE TABLE shared_audience_contacts (
  shared_audience_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  data JSON TEXT NOT NULL,
  embedding FLOAT32 BLOB,
  PRIMARY KEY (shared_audience_id, position)
)"""

_RELATIONS = """
CREATE TABLE audience_relations (
  source_audience_id TEXT NOT NULL,
  shared_audience_id TEXT NOT NULL,
  PRIMARY KEY (source_audience_id, shared_audience_id)
)"""

_EXECUTIONS = """
CREATE TABLE workflow_executions (
  id TEXT PRIMARY KEY NOT NULL,
  workflow_id TEXT NOT NULL REFERENCES workflows (workflow_id),
  workflow_version INTEGER NOT NULL,
  workflow_digest TEXT NOT NULL,
  source_audience_id TEXT REFERENCES source_audiences (id) ON DELETE SET NULL,
  mode TEXT NOT NULL,
  status TEXT NOT NULL,
  input_data JSON TEXT,
  variables JSON TEXT,
  mocks JSON TEXT,
  now TIMESTAMP TEXT NOT NULL,
  is_pinned BOOLEAN NOT NULL,
  output_data JSON TEXT,
  error_message TEXT,
  started_at TIMESTAMP TEXT NOT NULL,
  completed_at TIMESTAMP TEXT,
  execution_time_ms INTEGER,
  FOREIGN KEY (workflow_id, workflow_version, workflow_digest)
    REFERENCES workflow_versions (workflow_id, version, digest)
)"""

# Beside the execution, not in it: it may be taken before it is begun, and is looked up at every commit.
_OWNERS = """
CREATE TABLE execution_owners (
  execution_id TEXT PRIMARY KEY NOT NULL,
  owner TEXT NOT NULL,
  process TEXT NOT NULL
)"""

_BLOCK_EXECUTIONS = """
CREATE TABLE block_executions (
  id TEXT PRIMARY KEY NOT NULL,
  workflow_execution_id TEXT NOT NULL REFERENCES workflow_executions (id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  node_id TEXT NOT NULL,
  block_type TEXT NOT NULL,
  status TEXT NOT NULL,
  counts JSON TEXT NOT NULL,
  input_data JSON TEXT,
  output_data JSON TEXT,
  error_message TEXT,
  started_at TIMESTAMP TEXT,
  completed_at TIMESTAMP TEXT,
  execution_time_ms INTEGER,
  retry_count INTEGER NOT NULL DEFAULT 0
)"""

_EVENTS = """
CREATE TABLE execution_events (
  execution_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at TIMESTAMP TEXT NOT NULL,
  node_id TEXT,
  message TEXT NOT NULL,
  data JSON TEXT NOT NULL,
  PRIMARY KEY (execution_id, ordinal)
) WITHOUT ROWID"""

# A row holds a run of records in order of position, not one: see the record store.
_RECORDS = """
CREATE TABLE execution_records (
  id INTEGER PRIMARY KEY,
  execution_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  node_id TEXT NOT NULL,
  first_position INTEGER NOT NULL,
  last_position INTEGER NOT NULL,
  record_count INTEGER NOT NULL,
  float_mark TEXT,
  records JSON TEXT NOT NULL,
  floats FLOAT32 BLOB
)"""

# Large columns last: SQLite then reads sums and states without touching a body's overflow pages.
_EFFECTS = """
CREATE TABLE effects (
  execution_id TEXT NOT NULL,
  digest BLOB NOT NULL,
  state TEXT NOT NULL,
  owner TEXT NOT NULL,
  lost INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  amount DECIMAL TEXT NOT NULL DEFAULT '0',
  lost_amount DECIMAL TEXT NOT NULL DEFAULT '0',
  credits DECIMAL TEXT,
  price DECIMAL TEXT NOT NULL,
  basis TEXT,
  node_id TEXT NOT NULL,
  account TEXT NOT NULL,
  operation TEXT NOT NULL,
  claimed_at TIMESTAMP TEXT NOT NULL,
  answered_at TIMESTAMP TEXT,
  duration_ms INTEGER,
  status INTEGER,
  params_packed INTEGER NOT NULL,
  body_packed INTEGER,
  headers JSON TEXT,
  params BLOB NOT NULL,
  body BLOB,
  PRIMARY KEY (execution_id, digest)
)"""

_ATTEMPTS = """
CREATE TABLE effect_attempts (
  execution_id TEXT NOT NULL,
  digest BLOB NOT NULL,
  ordinal INTEGER NOT NULL,
  amount DECIMAL TEXT NOT NULL,
  status INTEGER NOT NULL,
  body_packed INTEGER NOT NULL,
  headers JSON TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (execution_id, digest, ordinal)
)"""

INDEXES = (
    _ONE_SAVED_VERSION,
    "CREATE INDEX workflow_executions_started ON workflow_executions (started_at, id)",
    "CREATE INDEX workflow_executions_workflow ON workflow_executions (workflow_id, started_at, id)",
    "CREATE INDEX workflow_executions_audience ON workflow_executions (source_audience_id)",
    "CREATE UNIQUE INDEX block_executions_execution ON block_executions (workflow_execution_id, ordinal)",
    "CREATE INDEX execution_records_order ON execution_records (execution_id, kind, node_id, first_position, id)",
    "CREATE INDEX shared_audiences_source ON shared_audiences (source_audience_id)",
    "CREATE INDEX shared_audiences_execution ON shared_audiences (workflow_execution_id)",
    "CREATE INDEX audience_relations_shared ON audience_relations (shared_audience_id)",
)

TABLES = (
    _WORKFLOWS,
    _WORKFLOW_VERSIONS,
    _TEMPLATES,
    _SOURCE_AUDIENCES,
    _SHARED_AUDIENCES,
    _CONTACTS,
    _RELATIONS,
    _EXECUTIONS,
    _OWNERS,
    _BLOCK_EXECUTIONS,
    _EVENTS,
    _RECORDS,
    _EFFECTS,
    _ATTEMPTS,
)

STEP = Step(name="executions", up={Kind.SQLITE: (*TABLES, *INDEXES)}, down={})
