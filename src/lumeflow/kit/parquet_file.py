"""A Parquet file as it grows, row group by row group."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from lumeflow.kit.arrow import load_arrow
from lumeflow.kit.kinds import Kind
from lumeflow.kit.parquet_columns import arrow_column, arrow_type
from lumeflow.plugin import JsonObject

GROUP_ROWS = 20_000
GROUP_BYTES = 16 << 20
_VALUE_BYTES = 64


class ParquetFile:
    """Turns rows into the bytes of a Parquet file; holds one row group at most.

    Args:
        kinds: The columns, in order, and what they hold.
        compression: `snappy`, `zstd`, `gzip` or `none`.
    """

    def __init__(self, kinds: Mapping[str, Kind], compression: str) -> None:
        arrow, parquet = load_arrow()
        self._arrow = arrow
        self._kinds = kinds
        self._schema = arrow.schema([(name, arrow_type(kind)) for name, kind in kinds.items()])
        self._pipe = _Pipe()
        self._writer = parquet.ParquetWriter(self._pipe, self._schema, compression=compression)
        self._rows: list[JsonObject] = []
        self._bytes = 0

    def add(self, rows: Sequence[JsonObject]) -> bytes:
        """Take rows, each by column; returns the bytes that are ready. How rows are cut into calls does not show."""
        for row in rows:
            self._rows.append(row)
            self._bytes += sum(map(_bytes_of, row.values()))
            if len(self._rows) >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
                self._write()
        return self._pipe.take()

    def finish(self) -> bytes:
        """Returns the rest of the file."""
        if self._rows:
            self._write()
        self._writer.close()
        return self._pipe.take()

    def _write(self) -> None:
        """Write a row group."""
        rows, self._rows, self._bytes = self._rows, [], 0
        columns = [arrow_column(kind, [row.get(name) for row in rows]) for name, kind in self._kinds.items()]
        table = self._arrow.Table.from_arrays(columns, schema=self._schema)
        self._writer.write_table(table, row_group_size=len(rows))


def _bytes_of(value: Any) -> int:
    """About what a value takes in memory."""
    if isinstance(value, str):
        return _VALUE_BYTES + len(value)
    if isinstance(value, array):
        return _VALUE_BYTES + value.itemsize * len(value)
    if isinstance(value, Mapping):
        return _VALUE_BYTES + sum(map(_bytes_of, value.values()))
    if isinstance(value, list | tuple):
        return _VALUE_BYTES + sum(map(_bytes_of, value))
    return _VALUE_BYTES


class _Pipe:
    """A file for writing that keeps what was written until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data
