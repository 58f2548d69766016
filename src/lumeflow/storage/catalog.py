"""The tables that blocks and users may touch, with their columns, read from the database itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.storage.jobs import DEFAULT_TENANT, Transaction
from lumeflow.storage.migrations.types import Kind

OPEN_TABLES = frozenset(
    {"source_audiences", "shared_audiences", "shared_audience_contacts", "audience_relations", "workflow_templates"}
)
"""Tables of ours that blocks may use; besides them, any table that a user made."""

OWN_TABLES = OPEN_TABLES | {
    "workflows",
    "workflow_versions",
    "workflow_executions",
    "execution_owners",
    "execution_purges",
    "block_executions",
    "execution_events",
    "execution_records",
    "effects",
    "effect_attempts",
    "processes",
    "schema_migrations",
    "tenants",
    "api_keys",
    "secrets",
    "execution_jobs",
    "idempotency_keys",
    "execution_costs",
    "artifacts",
}

FLOATS = "float32"
"""Comment of a column of bytes that holds float arrays, on a PostgreSQL that has no vectors."""

VECTOR_TYPE = """
SELECT quote_ident(n.nspname) || '.vector' FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'vector'"""
"""Finds the name of the type of vectors, if PostgreSQL has it."""

TENANT = "tenant"
"""Column that blocks do not see: it is filled and compared for them."""

_NAMES = (
    "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)

_NAMES_POSTGRES = """
SELECT relname::text, CASE WHEN relkind IN ('r', 'p') THEN 'r' ELSE 'v' END
FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')"""

_COLUMNS_POSTGRES = """
SELECT a.attname::text,
  CASE WHEN col_description(a.attrelid, a.attnum) = 'float32' THEN 'FLOAT32 ' ELSE '' END
    || upper(format_type(a.atttypid, NULL)),
  a.attnotnull AND NOT a.atthasdef AND a.attidentity = '',
  coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0)::int, format_type(a.atttypid, NULL)
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ? AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: Its name.
        declared: Its declared type in upper case; tells JSON, booleans and float arrays from plain text and blobs.
        required: True if it takes no NULL and has no default.
        key: Place in the primary key, from 1; 0 if it is not in it.
        cast: The type as PostgreSQL spells it; empty on SQLite.
    """

    name: str
    declared: str
    required: bool
    key: int
    cast: str = ""

    @property
    def is_json(self) -> bool:
        """True if values are stored as JSON text."""
        return "JSON" in self.declared

    @property
    def is_boolean(self) -> bool:
        """True if values are 0 or 1 and mean false and true."""
        return self.declared.startswith("BOOL")

    @property
    def is_floats(self) -> bool:
        """True if values are float32 arrays."""
        return self.declared.startswith("FLOAT32") or self.is_vector

    @property
    def is_vector(self) -> bool:
        """True if values are vectors of PostgreSQL's extension."""
        return self.declared.endswith("VECTOR") and self.declared != "TSVECTOR"

    @property
    def is_time(self) -> bool:
        """True if values are times."""
        return self.declared.startswith("TIMESTAMP")

    @property
    def is_text(self) -> bool:
        """True if values are texts."""
        return "TEXT" in self.declared or "CHAR" in self.declared

    @property
    def is_whole(self) -> bool:
        """True if values are whole numbers."""
        return "INT" in self.declared and "INTERVAL" not in self.declared and "POINT" not in self.declared


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns by name, in their order, without that of the tenant."""

    name: str
    columns: Mapping[str, Column]
    is_view: bool
    has_tenant: bool = False

    @property
    def quoted(self) -> str:
        """The name as an SQL identifier."""
        return quote(self.name)

    @property
    def key(self) -> Sequence[str]:
        """Names of the primary key's columns; empty if there is none."""
        columns = sorted((column for column in self.columns.values() if column.key), key=lambda column: column.key)
        return [column.name for column in columns]

    def check(self, names: Iterable[str]) -> None:
        """Make sure that all names are columns.

        Raises:
            UsageError: One is not; the message names the nearest.
        """
        for name in names:
            if name not in self.columns:
                raise UsageError(f"table '{self.name}' has no column '{name}'." + did_you_mean(name, self.columns))


def quote(name: str) -> str:
    """A name as an SQL identifier; only names that were found in the database are given."""
    return '"' + name.replace('"', '""') + '"'


def has_table(tx: Transaction, name: str) -> bool:
    """True if there is a table or view of this name, whoever may use it."""
    names = _names_postgres if tx.sql.kind is Kind.POSTGRES else _names
    return any(known == name for known, _ in names(tx))


def table(tx: Transaction, name: str) -> Table:
    """The table, or view, called `name`, if blocks of this tenant may use it.

    A table of the user's own that has a column `tenant` is shared by all tenants, a row each; one that has none belongs
    to the command line's tenant.

    Raises:
        UsageError: There is none; the message names those that there are.
    """
    names, describe = (_names_postgres, _columns_postgres) if tx.sql.kind is Kind.POSTGRES else (_names, _columns)
    kinds = {known: is_view for known, is_view in names(tx) if known in OPEN_TABLES or known not in OWN_TABLES}
    if name not in kinds:
        internal = " (it is lumeflow's own)" if name in OWN_TABLES else ""
        raise UsageError(f"there is no table '{name}' to use{internal}." + did_you_mean(name, kinds))
    columns = {column.name: column for column in describe(tx, name)}
    has_tenant = columns.pop(TENANT, None) is not None
    if not has_tenant and tx.tenant != DEFAULT_TENANT:
        raise UsageError(
            f"table '{name}' has no column 'tenant', so it belongs to the tenant '{DEFAULT_TENANT}': add the column, or"
            " use another table"
        )
    return Table(name, columns, kinds[name], has_tenant)


def _names(tx: Transaction) -> Sequence[tuple[str, bool]]:
    return [(row[0], row[1] == "view") for row in tx.db.execute(_NAMES)]


def _columns(tx: Transaction, name: str) -> Sequence[Column]:
    return [
        Column(column, str(declared).upper(), bool(not_null) and default is None, key)
        for _, column, declared, not_null, default, key in tx.db.execute(f"PRAGMA table_info({quote(name)})")
    ]


def _names_postgres(tx: Transaction) -> Sequence[tuple[str, bool]]:
    return [(row[0], row[1] != "r") for row in tx.db.execute(_NAMES_POSTGRES)]


def _columns_postgres(tx: Transaction, name: str) -> Sequence[Column]:
    return [Column(*row) for row in tx.db.execute(_COLUMNS_POSTGRES, (name,))]
