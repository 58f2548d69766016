"""Records that wait on disk: for merges, which need everything, and for inputs that are read after another one."""

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from lumeflow.core.records import Record

RECORDS_IN_MEMORY = 5_000


@dataclass(frozen=True, slots=True)
class Packed:
    """Where some records lie in a `PackedStore`."""

    offset: int
    size: int


class PackedStore:
    """A temporary file without a name, made when it is first needed."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None

    def pack(self, records: Sequence[Record]) -> Packed:
        """Write records down."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="lumeflow-")  # noqa: SIM115 - lives as long as the store
        data = pickle.dumps(list(records), protocol=pickle.HIGHEST_PROTOCOL)
        offset = self._file.seek(0, 2)
        self._file.write(data)
        return Packed(offset, len(data))

    def unpack(self, packed: Packed) -> Sequence[Record]:
        """Read records back."""
        assert self._file is not None
        self._file.seek(packed.offset)
        records: Sequence[Record] = pickle.loads(self._file.read(packed.size))  # noqa: S301 - our own unnamed file
        return records

    def close(self) -> None:
        """Free the disk."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Spool:
    """A list of records that moves to disk when it grows. It may be read any number of times.

    Args:
        in_memory: How many records stay in memory.
    """

    def __init__(self, in_memory: int = RECORDS_IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._first: list[Record] = []
        self._packed: list[Packed] = []
        self._store = PackedStore()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def extend(self, records: Sequence[Record]) -> None:
        """Add records at the end."""
        self._length += len(records)
        if not self._packed and len(self._first) + len(records) <= self._in_memory:
            self._first.extend(records)
        else:
            self._packed.append(self._store.pack(records))

    def __iter__(self) -> Iterator[Record]:
        yield from self._first
        for packed in self._packed:
            yield from self._store.unpack(packed)

    def close(self) -> None:
        """Forget everything and free the disk."""
        self._first.clear()
        self._packed.clear()
        self._store.close()
