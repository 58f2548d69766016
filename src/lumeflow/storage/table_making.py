"""Tables that blocks make: plain names, known types, a primary key."""

import re
from collections.abc import Mapping, Sequence

from lumeflow.core.errors import UsageError
from lumeflow.core.tables import ColumnKind
from lumeflow.storage.catalog import OWN_TABLES, TENANT, Table, has_table, quote, table
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.migrations.types import spell

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_TYPES: Mapping[ColumnKind, str] = {
    ColumnKind.TEXT: "TEXT",
    ColumnKind.INTEGER: "{int}",
    ColumnKind.NUMBER: "DOUBLE PRECISION",
    ColumnKind.BOOLEAN: "{bool}",
    ColumnKind.JSON: "{json}",
    ColumnKind.TIMESTAMP: "{time}",
    ColumnKind.VECTOR: "{floats}",
}


def make_table(tx: Transaction, name: str, columns: Mapping[str, ColumnKind], key: Sequence[str]) -> None:
    """See `lumeflow.core.context.Tables.make`. The table is shared by all tenants, a row each."""
    _check_names(name, columns)
    found = _existing(tx, name)
    if found is None:
        missing = [column for column in key if column not in columns]
        if missing or not key:
            told = f"the key column '{missing[0]}' is not among its columns" if missing else "it needs a key column"
            raise UsageError(f"table '{name}': {told}")
        parts = [f"{quote(TENANT)} {spell('TEXT', tx.sql.kind)} NOT NULL"]
        parts += [
            f"{_column(tx, column, kind)}{' NOT NULL' if column in key else ''}" for column, kind in columns.items()
        ]
        parts.append(f"PRIMARY KEY ({', '.join(map(quote, [TENANT, *key]))})")
        tx.db.execute(f"CREATE TABLE {quote(name)} ({', '.join(parts)})")
        return
    lacking = {column: kind for column, kind in columns.items() if column not in found.columns}
    if lacking and found.is_view:
        raise UsageError(f"'{name}' is a view and has no column '{next(iter(lacking))}'")
    for column, kind in lacking.items():
        tx.db.execute(f"ALTER TABLE {quote(name)} ADD COLUMN {_column(tx, column, kind)}")


def _existing(tx: Transaction, name: str) -> Table | None:
    return table(tx, name) if has_table(tx, name) else None


def _check_names(name: str, columns: Mapping[str, ColumnKind]) -> None:
    if name in OWN_TABLES or name.lower().startswith("sqlite_"):
        raise UsageError(f"a table '{name}' cannot be made: the name is taken")
    for what, given in (("table", name), *(("column", column) for column in columns)):
        if not _NAME.fullmatch(given):
            shown = given[:40]
            message = (
                f"the name of the {what} '{shown}' is not usable: letters, digits and _, at most 63, no digit first"
            )
            raise UsageError(message)
        if given.lower() == TENANT:
            raise UsageError(f"the name '{TENANT}' is taken: it says whose rows these are")
    folded = [column.lower() for column in columns]
    for column in columns:
        if folded.count(column.lower()) > 1:
            raise UsageError(f"table '{name}': two columns are called '{column}', but for upper and lower case")


def _column(tx: Transaction, name: str, kind: ColumnKind) -> str:
    return f"{quote(name)} {spell(_TYPES[kind], tx.sql.kind)}"
