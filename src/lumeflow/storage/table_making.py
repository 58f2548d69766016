"""Tables that blocks make: plain names, known types, a primary key."""

import re
from collections.abc import Mapping, Sequence

from lumeflow.core.errors import UsageError
from lumeflow.core.tables import ColumnKind
from lumeflow.storage.catalog import FLOATS, OWN_TABLES, TENANT, VECTOR_TYPE, Table, has_table, quote, table
from lumeflow.storage.column_sql import is_postgres
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.migrations.types import spell
from lumeflow.storage.row_security import change_as_owner

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
        create = f"CREATE TABLE {quote(name)} ({', '.join(parts)})"
        _change(tx, [create, *_remarks(tx, name, columns)], new_table=quote(name))
        return
    lacking = {column: kind for column, kind in columns.items() if column not in found.columns}
    if lacking and found.is_view:
        raise UsageError(f"'{name}' is a view and has no column '{next(iter(lacking))}'")
    added = [f"ALTER TABLE {quote(name)} ADD COLUMN {_column(tx, column, kind)}" for column, kind in lacking.items()]
    if added:
        _change(tx, [*added, *_remarks(tx, name, lacking)])


def _change(tx: Transaction, statements: Sequence[str], *, new_table: str | None = None) -> None:
    if is_postgres(tx):
        change_as_owner(tx, statements, new_table=new_table)
    else:
        for statement in statements:
            tx.db.execute(statement)


def _remarks(tx: Transaction, name: str, columns: Mapping[str, ColumnKind]) -> Sequence[str]:
    """What tells float arrays from other bytes, where PostgreSQL has no vectors."""
    if not is_postgres(tx) or _vector_type(tx) is not None:
        return ()
    floats = [column for column, kind in columns.items() if kind is ColumnKind.VECTOR]
    return [f"COMMENT ON COLUMN {quote(name)}.{quote(column)} IS '{FLOATS}'" for column in floats]


def _vector_type(tx: Transaction) -> str | None:
    row = tx.db.execute(VECTOR_TYPE).fetchone()
    return None if row is None else str(row[0])


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
    if kind is ColumnKind.VECTOR and is_postgres(tx) and (vector := _vector_type(tx)):
        return f"{quote(name)} {vector}"
    return f"{quote(name)} {spell(_TYPES[kind], tx.sql.kind)}"
