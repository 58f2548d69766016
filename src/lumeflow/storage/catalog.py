"""The tables that blocks and users may touch, with their columns, read from the database itself."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean

OPEN_TABLES = frozenset(
    {"source_audiences", "shared_audiences", "shared_audience_contacts", "audience_relations", "workflow_templates"}
)
"""Tables of ours that blocks may use; besides them, any table that a user made."""

OWN_TABLES = OPEN_TABLES | {
    "workflows",
    "workflow_versions",
    "workflow_executions",
    "execution_owners",
    "block_executions",
    "execution_events",
    "execution_records",
    "effects",
    "effect_attempts",
}

_NAMES = (
    "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        name: Its name.
        declared: Its declared type in upper case; tells JSON, booleans and float arrays from plain text and blobs.
        required: True if it takes no NULL and has no default.
        key: Place in the primary key, from 1; 0 if it is not in it.
    """

    name: str
    declared: str
    required: bool
    key: int

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
        return self.declared.startswith("FLOAT32")


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns by name, in their order."""

    name: str
    columns: Mapping[str, Column]
    is_view: bool

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


def table(db: sqlite3.Connection, name: str) -> Table:
    """The table, or view, called `name`, if blocks may use it.

    Raises:
        UsageError: There is none; the message names those that there are.
    """
    kinds = {row[0]: row[1] for row in db.execute(_NAMES) if row[0] in OPEN_TABLES or row[0] not in OWN_TABLES}
    if name not in kinds:
        internal = " (it is lumeflow's own)" if name in OWN_TABLES else ""
        raise UsageError(f"there is no table '{name}' to use{internal}." + did_you_mean(name, kinds))
    columns = {}
    for _, column, declared, not_null, default, key in db.execute(f"PRAGMA table_info({quote(name)})"):
        required = bool(not_null) and default is None
        columns[column] = Column(column, str(declared).upper(), required, key)
    return Table(name, columns, kinds[name] == "view")
