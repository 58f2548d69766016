"""The database as blocks see it."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.core.tables import ColumnKind, Page, Selection
from lumeflow.storage.catalog import TENANT, Column, Table, quote, table
from lumeflow.storage.cells import from_cell
from lumeflow.storage.column_sql import bound, cast, compared, is_postgres, ordered, selected
from lumeflow.storage.dialect import Cursor, NoSuchKey, RowRefused
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.named_queries import NamedQuery
from lumeflow.storage.outbox import Urgency
from lumeflow.storage.scoped import TenantReader, TenantWriter
from lumeflow.storage.statements import RowStatement, execute_rows
from lumeflow.storage.table_making import make_table
from lumeflow.storage.table_pages import read_page

Row = Mapping[str, Any]


class SqlTables:
    """See `lumeflow.core.context.Tables`.

    Names reach SQL only after they were found in the database's own catalogue, and quoted; values are always bound.
    Rows are those of the tenant: its column is neither shown nor taken from anybody.
    """

    def __init__(
        self, writer: TenantWriter, reader: TenantReader, queries: Mapping[str, NamedQuery] | None = None
    ) -> None:
        self._queries = queries or {}
        self._writer = writer
        self._reader = reader

    async def describe(self, name: str) -> Table:
        """The table's columns.

        Raises:
            UsageError: There is no such table.
        """
        return await self._reader.read(lambda tx: table(tx, name))

    async def find(self, name: str, where: Row, fields: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Rows whose columns equal `where`, in the order of the primary key, JSON columns decoded."""
        return await self._reader.read(lambda tx: _find(tx, name, where, fields))

    async def page(self, selection: Selection, *, after: Sequence[Any] | None = None, limit: int) -> Page:
        """The next rows of a selection, in the order of its key."""
        return await self._reader.read(lambda tx: read_page(tx, self._queries, selection, after, limit))

    async def make(self, name: str, columns: Mapping[str, ColumnKind], *, key: Sequence[str]) -> None:
        """Make a table, or add the columns that it lacks; on disk when it returns."""
        await self._writer.call(lambda tx: make_table(tx, name, columns, key), Urgency.PACED)

    async def upsert(self, name: str, rows: Sequence[Row], *, key: Sequence[str]) -> None:
        """Insert rows, or overwrite those with the same `key` columns; on disk when it returns."""
        if rows:
            await self._writer.call(_upsert(name, rows, key), Urgency.PACED)

    async def delete(self, name: str, where: Row) -> int:
        """Delete rows whose columns equal `where`; returns how many."""
        return await self._writer.call(lambda tx: _delete(tx, name, where))


def _find(tx: Transaction, name: str, where: Row, fields: Sequence[str] | None) -> list[dict[str, Any]]:
    found = table(tx, name)
    names = list(found.columns) if fields is None else list(fields)
    found.check(names)
    condition, values = _condition(tx, found, where)
    columns = [found.columns[column] for column in names]
    wanted = ", ".join(map(selected, columns)) or "NULL"
    statement = f"SELECT {wanted} FROM {found.quoted}{condition}{_order(tx, found)}"  # noqa: S608 - see class
    return [
        {column.name: from_cell(column, cell) for column, cell in zip(columns, row, strict=False)}
        for row in _run(tx, found, statement, values)
    ]


def _run(tx: Transaction, found: Table, statement: str, values: Sequence[Any]) -> Cursor:
    try:
        return tx.db.execute(statement, values)
    except RowRefused as error:
        raise UsageError(f"table '{found.name}': a value of the condition does not fit its column: {error}") from error


def _order(tx: Transaction, found: Table) -> str:
    terms = [ordered(tx, found.columns[name]) for name in found.key]
    if not terms and not found.is_view:
        terms = ["ctid" if is_postgres(tx) else "rowid"]
    return " ORDER BY " + ", ".join(terms) if terms else ""


def _condition(tx: Transaction, found: Table, where: Row) -> tuple[str, list[Any]]:
    found.check(where)
    terms, values = [], []
    if found.has_tenant:
        terms.append(f"{TENANT} = ?")
        values.append(tx.tenant)
    for name, value in where.items():
        column = found.columns[name]
        if value is None:
            terms.append(f"{quote(name)} IS NULL")
        else:
            terms.append(compared(tx, column))
            values.append(bound(tx, column, value))
    return (" WHERE " + " AND ".join(terms) if terms else ""), values


def _delete(tx: Transaction, name: str, where: Row) -> int:
    found = table(tx, name)
    if not where:
        raise UsageError(f"table '{name}': a condition is needed to delete rows; without one all would go")
    condition, values = _condition(tx, found, where)
    return _run(tx, found, f"DELETE FROM {found.quoted}{condition}", values).rowcount  # noqa: S608 - see class


def _upsert(name: str, rows: Sequence[Row], key: Sequence[str]) -> Callable[[Transaction], None]:
    def action(tx: Transaction) -> None:
        found = table(tx, name)
        # Rows that name other columns need another statement; those that they do not name keep their values.
        for names, group in groupby(rows, key=tuple):
            _upsert_alike(tx, found, names, list(group), key)

    return action


def _upsert_alike(tx: Transaction, found: Table, names: Sequence[str], rows: Sequence[Row], key: Sequence[str]) -> None:
    found.check([*names, *key])
    missing = [name for name in key if name not in names]
    if missing or not key:
        raise UsageError(f"table '{found.name}': every row must name its key, {', '.join(key) or 'which is empty'}")
    columns = [found.columns[name] for name in names]
    statement = _statement(tx, found, columns, key)
    cells = [[bound(tx, column, row[column.name]) for column in columns] for row in rows]
    if is_postgres(tx):
        cells = _last_of_each([names.index(name) for name in key], cells)
    if found.has_tenant:
        cells = [[tx.tenant, *row] for row in cells]
    try:
        execute_rows(tx, statement, cells)
    except (sqlite3.IntegrityError, RowRefused) as error:
        raise UsageError(f"table '{found.name}': a row does not fit: {error}") from error
    except (sqlite3.OperationalError, NoSuchKey) as error:
        if "ON CONFLICT" not in str(error):
            raise
        raise UsageError(
            f"table '{found.name}': {', '.join(key)} is not a key of it;"
            f" its primary key is {', '.join(found.key) or 'missing'}"
        ) from error


def _statement(tx: Transaction, found: Table, columns: Sequence[Column], key: Sequence[str]) -> RowStatement:
    names = [column.name for column in columns]
    tenant = [TENANT] if found.has_tenant else []
    rows = "{rows}"
    if is_postgres(tx):
        casts = [f"column{place}" for place in range(1, len(tenant) + 1)]
        casts += [cast(column, f"column{place}") for place, column in enumerate(columns, start=len(tenant) + 1)]
        rows = f"SELECT {_braced(', '.join(casts))} FROM ({{rows}}) AS rows"  # noqa: S608 - names of the catalogue
    text = (
        _braced(f"INSERT INTO {found.quoted} ({', '.join(map(quote, [*tenant, *names]))}) ")
        + rows
        + _braced(f" ON CONFLICT ({', '.join(map(quote, [*tenant, *key]))}) DO {_overwrite(names, key)}")
    )
    return RowStatement(text, tuple("text" for _ in tenant) + tuple(map(_bound, columns)))


def _bound(column: Column) -> str:
    return "bytes" if column.cast == "bytea" else "text"


def _last_of_each(key: Sequence[int], rows: list[list[Any]]) -> list[list[Any]]:
    """Of rows with one key only the last: PostgreSQL does not write one row twice in a statement."""
    kept = {tuple(row[place] for place in key): row for row in rows}
    return rows if len(kept) == len(rows) or any(None in place for place in kept) else list(kept.values())


def _overwrite(names: Sequence[str], key: Sequence[str]) -> str:
    others = [name for name in names if name not in key]
    if not others:
        return "NOTHING"
    return "UPDATE SET " + ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in others)


def _braced(sql: str) -> str:
    return sql.replace("{", "{{").replace("}", "}}")
