"""The database and the files of a test, in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from lumeflow.core.context import FileSink, Row
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean


class MemoryTables:
    """Tables whose columns are whatever the rows hold.

    Args:
        tables: Rows by table name. Only these tables exist; an empty list makes an empty table.

    Attributes:
        rows: The rows as they are now.
    """

    def __init__(self, tables: Mapping[str, Sequence[Row]] | None = None) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {
            name: [dict(row) for row in rows] for name, rows in (tables or {}).items()
        }

    async def find(self, table: str, where: Row, fields: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Rows whose columns equal `where`."""
        found = [row for row in self._table(table) if _matches(row, where)]
        return [{name: row.get(name) for name in fields} if fields else dict(row) for row in found]

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
