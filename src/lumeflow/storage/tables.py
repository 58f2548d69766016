"""The database as blocks see it."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.storage.catalog import Table, quote, table
from lumeflow.storage.cells import from_cell, to_cell
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.outbox import Urgency
from lumeflow.storage.reader import Reader
from lumeflow.storage.statements import execute_rows
from lumeflow.storage.writer import Writer

Row = Mapping[str, Any]


class SqliteTables:
    """See `lumeflow.core.context.Tables`.

    Names reach SQL only after they were found in the database's own catalogue, and quoted; values are always bound.
    """

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def describe(self, name: str) -> Table:
        """The table's columns.

        Raises:
            UsageError: There is no such table.
        """
        return await self._reader.read(lambda db: table(db, name))

    async def find(self, name: str, where: Row, fields: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Rows whose columns equal `where`, in the order of the primary key, JSON columns decoded."""
        return await self._reader.read(lambda db: _find(db, name, where, fields))

    async def upsert(self, name: str, rows: Sequence[Row], *, key: Sequence[str]) -> None:
        """Insert rows, or overwrite those with the same `key` columns; on disk when it returns."""
        if rows:
            await self._writer.call(_upsert(name, rows, key), Urgency.PACED)

    async def delete(self, name: str, where: Row) -> int:
        """Delete rows whose columns equal `where`; returns how many."""
        return await self._writer.call(lambda tx: _delete(tx.db, name, where))


def _find(db: sqlite3.Connection, name: str, where: Row, fields: Sequence[str] | None) -> list[dict[str, Any]]:
    found = table(db, name)
    names = list(found.columns) if fields is None else list(fields)
    found.check(names)
    condition, values = _condition(found, where)
    selected = ", ".join(map(quote, names)) or "NULL"
    statement = f"SELECT {selected} FROM {found.quoted}{condition}{_order(found)}"  # noqa: S608 - see class
    columns = [found.columns[column] for column in names]
    return [
        {column.name: from_cell(column, cell) for column, cell in zip(columns, row, strict=False)}
        for row in db.execute(statement, values)
    ]


def _order(found: Table) -> str:
    names = ", ".join(map(quote, found.key)) or ("" if found.is_view else "rowid")
    return f" ORDER BY {names}" if names else ""


def _condition(found: Table, where: Row) -> tuple[str, list[Any]]:
    found.check(where)
    terms, values = [], []
    for name, value in where.items():
        if value is None:
            terms.append(f"{quote(name)} IS NULL")
        else:
            terms.append(f"{quote(name)} = ?")
            values.append(to_cell(found.columns[name], value))
    return (" WHERE " + " AND ".join(terms) if terms else ""), values


def _delete(db: sqlite3.Connection, name: str, where: Row) -> int:
    found = table(db, name)
    if not where:
        raise UsageError(f"table '{name}': a condition is needed to delete rows; without one all would go")
    condition, values = _condition(found, where)
    return db.execute(f"DELETE FROM {found.quoted}{condition}", values).rowcount  # noqa: S608 - see class


def _upsert(name: str, rows: Sequence[Row], key: Sequence[str]) -> Callable[[Transaction], None]:
    def action(tx: Transaction) -> None:
        found = table(tx.db, name)
        # Rows that name other columns need another statement; those that they do not name keep their values.
        for names, group in groupby(rows, key=tuple):
            _upsert_alike(tx.db, found, names, list(group), key)

    return action


def _upsert_alike(
    db: sqlite3.Connection, found: Table, names: Sequence[str], rows: Sequence[Row], key: Sequence[str]
) -> None:
    found.check([*names, *key])
    missing = [name for name in key if name not in names]
    if missing or not key:
        raise UsageError(f"table '{found.name}': every row must name its key, {', '.join(key) or 'which is empty'}")
    statement = (
        _braced(f"INSERT INTO {found.quoted} ({', '.join(map(quote, names))}) VALUES ")  # noqa: S608 - see class
        + "{rows}"
        + _braced(f" ON CONFLICT ({', '.join(map(quote, key))}) DO {_overwrite(names, key)}")
    )
    columns = [found.columns[name] for name in names]
    cells = [[to_cell(column, row[column.name]) for column in columns] for row in rows]
    try:
        execute_rows(db, statement, cells)
    except sqlite3.IntegrityError as error:
        raise UsageError(f"table '{found.name}': a row does not fit: {error}") from error
    except sqlite3.OperationalError as error:
        if "ON CONFLICT" not in str(error):
            raise
        raise UsageError(
            f"table '{found.name}': {', '.join(key)} is not a key of it;"
            f" its primary key is {', '.join(found.key) or 'missing'}"
        ) from error


def _overwrite(names: Sequence[str], key: Sequence[str]) -> str:
    others = [name for name in names if name not in key]
    if not others:
        return "NOTHING"
    return "UPDATE SET " + ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in others)


def _braced(sql: str) -> str:
    return sql.replace("{", "{{").replace("}", "}}")
