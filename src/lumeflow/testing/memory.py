"""The database and the files of a test, in memory."""

import operator
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from lumeflow.core.context import FileSink, Row
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.core.tables import ColumnKind, Comparison, Filter, Page, Selection


class MemoryTables:
    """Tables whose columns are whatever the rows hold.

    Args:
        tables: Rows by table name. Only these tables exist; an empty list makes an empty table. A named query is a
            table here, and its parameters are columns.

    Attributes:
        rows: The rows as they are now.
        made: Columns of the tables that were made, by table.
    """

    def __init__(self, tables: Mapping[str, Sequence[Row]] | None = None) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {
            name: [dict(row) for row in rows] for name, rows in (tables or {}).items()
        }
        self.made: dict[str, dict[str, ColumnKind]] = {}

    async def find(self, table: str, where: Row, fields: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Rows whose columns equal `where`."""
        found = [row for row in self._table(table) if _matches(row, where)]
        return [{name: row.get(name) for name in fields} if fields else dict(row) for row in found]

    async def page(self, selection: Selection, *, after: Sequence[Any] | None = None, limit: int) -> Page:
        """Rows in the order of their key, or as they were given."""
        wanted = [*selection.where, *(Filter(n, Comparison.EQUALS, v) for n, v in selection.params.items())]
        found = [row for row in self._table(selection.source) if all(_meets(row, one) for one in wanted)]
        if selection.key:
            found.sort(key=lambda row: [row[name] for name in selection.key])
        start = int(after[0]) if after else 0
        rows = [{name: row.get(name) for name in selection.fields or row} for row in found[start : start + limit]]
        return Page(rows, [start + limit] if len(found) > start + limit else None)

    async def make(self, table: str, columns: Mapping[str, ColumnKind], *, key: Sequence[str]) -> None:
        """Make a table; columns are whatever the rows hold."""
        self.rows.setdefault(table, [])
        self.made.setdefault(table, {}).update(columns)

    async def upsert(self, table: str, rows: Sequence[Row], *, key: Sequence[str]) -> None:
        """Insert rows, or overwrite those with the same `key` columns."""
        stored = self._table(table)
        for row in rows:
            same = next((old for old in stored if _matches(old, {name: row[name] for name in key})), None)
            if same is None:
                stored.append(dict(row))
            else:
                same.update(row)

    async def delete(self, table: str, where: Row) -> int:
        """Delete rows whose columns equal `where`; returns how many."""
        stored = self._table(table)
        kept = [row for row in stored if not _matches(row, where)]
        count = len(stored) - len(kept)
        stored[:] = kept
        return count

    def _table(self, name: str) -> list[dict[str, Any]]:
        if name not in self.rows:
            raise UsageError(f"there is no table '{name}'." + did_you_mean(name, self.rows))
        return self.rows[name]


def _matches(row: Row, where: Row) -> bool:
    return all(row.get(name) == value for name, value in where.items())


def _meets(row: Row, wanted: Filter) -> bool:
    value, other = row.get(wanted.column), wanted.value
    match wanted.comparison:
        case Comparison.EQUALS:
            return bool(value == other)
        case Comparison.IS_NULL:
            return (value is None) is bool(other)
        case Comparison.NOT_EQUALS if other is None:
            return value is not None
    if value is None:
        return False
    if wanted.comparison in {Comparison.IN, Comparison.NOT_IN}:
        return (value in other) is (wanted.comparison is Comparison.IN)
    return bool(_ORDERED[wanted.comparison](value, other))


_ORDERED: Mapping[Comparison, Callable[[Any, Any], Any]] = {
    Comparison.NOT_EQUALS: operator.ne,
    Comparison.GT: operator.gt,
    Comparison.GTE: operator.ge,
    Comparison.LT: operator.lt,
    Comparison.LTE: operator.le,
}


class MemoryFiles:
    """Files by path.

    Args:
        files: What can be read.
        piece_bytes: Length of the pieces that `stream` gives.

    Attributes:
        written: What was written and committed.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None, *, piece_bytes: int = 1 << 20) -> None:
        self._files = dict(files or {})
        self._piece_bytes = piece_bytes
        self.written: dict[str, bytes] = {}

    async def create(self, name: str) -> FileSink:
        """Open a new file."""
        return _MemorySink(name, self.written)

    async def read(self, path: str) -> bytes:
        """Read a file."""
        if path not in self._files:
            raise UsageError(f"there is no file '{path}'." + did_you_mean(path, self._files))
        return self._files[path]

    async def close(self) -> None:
        """Nothing is open."""

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        """Read a file a piece at a time."""
        data = await self.read(path)
        for start in range(0, len(data), self._piece_bytes):
            yield data[start : start + self._piece_bytes]


class _MemorySink:
    def __init__(self, name: str, written: dict[str, bytes]) -> None:
        self._name = name
        self._written = written
        self._parts: list[bytes] = []

    async def write(self, data: bytes) -> None:
        self._parts.append(data)

    async def commit(self) -> str:
        self._written[self._name] = b"".join(self._parts)
        return self._name

    async def discard(self) -> None:
        self._parts.clear()
