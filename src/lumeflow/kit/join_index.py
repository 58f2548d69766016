"""Records by a key, for looking up those that belong to others; on disk when they are many."""

import pickle
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING

from lumeflow.kit.duplicates.scratch import scratch_database
from lumeflow.plugin import Record

if TYPE_CHECKING:
    import sqlite3

IN_MEMORY = 5_000
"""Records that are kept in memory; if there are more, all lie on disk."""

_SCHEMA = "CREATE TABLE records (ordinal INTEGER PRIMARY KEY, digest BLOB, record BLOB NOT NULL)"
_INDEX = "CREATE INDEX by_digest ON records (digest, ordinal) WHERE digest IS NOT NULL"
_ADD = "INSERT INTO records VALUES (?, ?, ?)"
_FIND = "SELECT ordinal, record FROM records WHERE digest = ? ORDER BY ordinal LIMIT ?"
_ALL = "SELECT ordinal, record FROM records ORDER BY ordinal"
_NO_LIMIT = -1

Found = tuple[int, Record]
"""A record with its ordinal among those that were added."""


class JoinIndex:
    """Records in the order in which they were added, found by the digest of their key.

    Args:
        in_memory: How many stay in memory.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._records: list[Record] = []
        self._digests: list[bytes | None] = []
        self._ordinals: dict[bytes, list[int]] = {}
        self._matched = bytearray()
        self._database: sqlite3.Connection | None = None
        self._is_sealed = False
        self._lock = Lock()

    def add(self, digest: bytes | None, record: Record) -> None:
        """Add a record; one without a key is never found, but is among the unmatched."""
        with self._lock:
            ordinal = len(self._matched)
            self._matched.append(0)
            if self._database is not None:
                self._database.execute(_ADD, (ordinal, digest, _packed(record)))
                return
            self._records.append(record)
            self._digests.append(digest)
            if digest is not None:
                self._ordinals.setdefault(digest, []).append(ordinal)
            if len(self._records) > self._in_memory:
                self._move_to_disk()

    def forget_matches(self) -> None:
        """Begin a new pass: no record was found yet."""
        with self._lock:
            self._matched = bytearray(len(self._matched))
            if self._database is not None and not self._is_sealed:
                self._database.execute(_INDEX)
                self._is_sealed = True

    def matches(self, digest: bytes, most: int | None = None) -> Iterator[Record]:
        """Records with this key, in order; `most` of them at most."""
        for ordinal, record in self._found(digest, most):
            self._matched[ordinal] = 1
            yield record

    def unmatched(self) -> Iterator[Record]:
        """Records that were not among any matches since the last `forget_matches`, in order."""
        for ordinal, record in enumerate(self._records) if self._database is None else self._rows(_ALL, ()):
            if not self._matched[ordinal]:
                yield record

    def close(self) -> None:
        """Forget everything and free the disk."""
        with self._lock:
            self._records.clear()
            self._ordinals.clear()
            if self._database is not None:
                self._database.close()
                self._database = None

    def _found(self, digest: bytes, most: int | None) -> Iterator[Found]:
        if self._database is not None:
            return self._rows(_FIND, (digest, most or _NO_LIMIT))
        return ((ordinal, self._records[ordinal]) for ordinal in self._ordinals.get(digest, ())[:most])

    def _rows(self, query: str, values: tuple[object, ...]) -> Iterator[Found]:
        assert self._database is not None
        for ordinal, packed in self._database.execute(query, values):
            data, lineage = pickle.loads(packed)  # noqa: S301 - our own unnamed file
            yield ordinal, Record(data, lineage)

    def _move_to_disk(self) -> None:
        self._database = scratch_database(_SCHEMA)
        numbered = enumerate(zip(self._digests, self._records, strict=True))
        self._database.executemany(_ADD, ((at, digest, _packed(record)) for at, (digest, record) in numbered))
        self._records.clear()
        self._digests.clear()
        self._ordinals.clear()


def _packed(record: Record) -> bytes:
    return pickle.dumps((record.data, record.lineage), protocol=pickle.HIGHEST_PROTOCOL)
