"""The tables as they are meant to be. Migrations lead there; `lumeflow db check` compares a database with it.

Every table begins with `tenant text`, and nearly every key does. A `?` allows nulls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lumeflow.storage.migrations.types import Kind


@dataclass(frozen=True, slots=True)
class DeclaredTable:
    """A table.

    Attributes:
        name: Its name.
        columns: Types by name, in order; `?` at the end allows nulls.
        key: Columns of the primary key.
        unique: Columns of each further key.
        refers: Tables that rows refer to, with the columns by which they do.
        indexes: Columns by the index's name.
    """

    name: str
    columns: Mapping[str, str]
    key: Sequence[str]
    unique: Sequence[Sequence[str]] = ()
    refers: Sequence[tuple[str, Sequence[str]]] = ()
    indexes: Mapping[str, Sequence[str]] = field(default_factory=dict)


def _table(
    name: str,
    columns: str,
    key: str,
    *,
    unique: Sequence[str] = (),
    refers: Sequence[tuple[str, str]] = (),
    **indexes: str,
) -> DeclaredTable:
    pairs = [part.split() for part in ("tenant text", *columns.replace("\n", " ").split(","))]
    return DeclaredTable(
        name,
        {pair[0]: pair[1] for pair in pairs},
        key.split(),
        [columns.split() for columns in unique],
        [(table, columns.split()) for table, columns in refers],
        {f"{name}_{short}": columns.split() for short, columns in indexes.items()},
    )


DECLARED: Sequence[DeclaredTable] = (
    _table("tenants", "name text, is_active bool, concurrency int?, created_at time, retention_days int?", "tenant"),
    _table(
        "workflows",
        """id text, workflow_id text, name text, version int, definition json, is_active bool, created_at time,
        updated_at time""",
        "tenant id",
        unique=["tenant workflow_id"],
    ),
    _table(
        "workflow_versions",
        """workflow_id text, version int, digest text, name text, definition json, is_saved bool, created_at time""",
        "tenant workflow_id version digest",
        refers=[("workflows", "tenant workflow_id")],
        saved="tenant workflow_id version",
    ),
    _table(
        "workflow_templates",
        """id text, name text, description text?, category text?, definition json, is_system_template bool,
        created_at time?, version int, updated_at time?""",
        "tenant id",
        category="tenant category id",
    ),
    _table("source_audiences", "id text, name text?, type text?, urls json?, created_at time?", "tenant id"),
    _table(
        "shared_audiences",
        """id text, source_audience_id text?, workflow_execution_id text?, name text?, status text?,
        contacts_count int?, metadata json?, created_at time?, stored_at time?""",
        "tenant id",
        source="tenant source_audience_id",
        execution="tenant workflow_execution_id",
    ),
    _table(
        "shared_audience_contacts",
        "shared_audience_id text, position int, data json, embedding vector?",
        "tenant shared_audience_id position",
    ),
    _table(
        "audience_relations",
        "source_audience_id text, shared_audience_id text",
        "tenant source_audience_id shared_audience_id",
        shared="tenant shared_audience_id",
    ),
    _table(
        "workflow_executions",
        """id text, workflow_id text, workflow_version int, workflow_digest text, source_audience_id text?, mode text,
        status text, input_data json?, variables json?, mocks json?, now time, is_pinned bool, output_data json?,
        error_message text?, started_at time, completed_at time?, execution_time_ms int?, run int, standing text?,
        demo json?, rerun json?""",
        "tenant id",
        refers=[
            ("workflow_versions", "tenant workflow_id workflow_version workflow_digest"),
            ("workflows", "tenant workflow_id"),
        ],
        started="tenant started_at id",
        workflow="tenant workflow_id started_at id",
        status="tenant status started_at id",
        workflow_status="tenant workflow_id status started_at id",
        audience="tenant source_audience_id",
    ),
    _table("execution_purges", "execution_id text, begun_at time", "tenant execution_id"),
    _table("execution_owners", "execution_id text, owner text, process text", "tenant execution_id"),
    _table(
        "block_executions",
        """id text, workflow_execution_id text, ordinal int, node_id text, block_type text, status text, counts json,
        input_data json?, output_data json?, error_message text?, started_at time?, completed_at time?,
        execution_time_ms int?, retry_count int""",
        "tenant id",
        refers=[("workflow_executions", "tenant workflow_execution_id")],
        execution="tenant workflow_execution_id ordinal",
    ),
    _table(
        "execution_events",
        "execution_id text, ordinal int, kind text, at time, node_id text?, message text, data json",
        "tenant execution_id ordinal",
    ),
    _table(
        "execution_records",
        """id counter, execution_id text, kind text, node_id text, first_position int, last_position int,
        record_count int, float_mark text?, records json, floats bytes?, run int""",
        "id",
        order="tenant execution_id kind node_id first_position id",
    ),
    _table(
        "effects",
        """execution_id text, digest bytes, state text, owner text, lost int, refused int, attempts int, amount money,
        lost_amount money, credits money?, price money, basis text?, node_id text, account text, operation text,
        claimed_at time, answered_at time?, duration_ms int?, status int?, params_packed int, body_packed int?,
        headers json?, params bytes, body bytes?""",
        "execution_id digest tenant",
    ),
    _table(
        "effect_attempts",
        """execution_id text, digest bytes, ordinal int, amount money, status int, body_packed int, headers json,
        body bytes""",
        "tenant execution_id digest ordinal",
    ),
    _table(
        "execution_costs",
        """execution_id text, workflow_id text, node_id text, account text, day text, calls int, lost int,
        amount money, possible money, credits money""",
        "tenant execution_id node_id account day",
        day="tenant day",
        workflow="tenant workflow_id day",
    ),
    _table(
        "execution_jobs",
        """execution_id text, kind text, state text, priority int, options json, owner text?, attempts int,
        cancel_requested bool, created_at time, available_at time, claimed_at time?, finished_at time?""",
        "tenant execution_id",
        waiting="state tenant priority created_at execution_id",
        claimed="tenant claimed_at",
    ),
    _table(
        "artifacts",
        """id text, kind text, execution_id text?, node_id text?, name text, path text, media_type text, size int,
        sha256 text, created_at time, expires_at time?""",
        "tenant id",
        execution="tenant execution_id name id",
        expiry="expires_at",
    ),
    _table("secrets", "name text, value bytes, key_id text, created_at time, updated_at time", "tenant name"),
    _table(
        "api_keys",
        """id text, name text, prefix text, key_hash text, scopes json, created_at time, expires_at time?,
        last_used_at time?, revoked_at time?""",
        "tenant id",
        unique=["key_hash"],
    ),
    _table(
        "idempotency_keys",
        """key text, request_digest text, execution_id text?, status int?, response bytes?, created_at time,
        expires_at time""",
        "tenant key",
        expiry="expires_at",
    ),
    _table(
        "processes",
        "token text, process text, host text, started_at time, lease_until time, commits int",
        "tenant token",
    ),
)

TYPES: Mapping[Kind, Mapping[str, Sequence[str]]] = {
    Kind.SQLITE: {
        "bool": ("BOOLEAN",),
        "bytes": ("BLOB",),
        "counter": ("INTEGER",),
        "int": ("INTEGER",),
        "json": ("JSON TEXT",),
        "money": ("DECIMAL TEXT",),
        "text": ("TEXT",),
        "time": ("TIMESTAMP TEXT",),
        "vector": ("FLOAT32 BLOB",),
    },
    Kind.POSTGRES: {
        "bool": ("boolean",),
        "bytes": ("bytea",),
        "counter": ("bigint",),
        "int": ("bigint",),
        "json": ("json",),
        "money": ("numeric",),
        "text": ("text",),
        "time": ("timestamp with time zone",),
        "vector": ("vector(1024)", "extensions.vector(1024)", "bytea"),
    },
}
"""What each database's own catalogue calls the types."""
