"""Which record had a key first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lumeflow.kit.duplicates.scratch import scratch_database

if TYPE_CHECKING:
    import sqlite3

IN_MEMORY = 500_000
"""Keys that are kept in memory, about 130 bytes each; later ones lie on disk, where looking them up takes longer."""

_SCHEMA = "CREATE TABLE keys (digest BLOB PRIMARY KEY, ordinal INTEGER NOT NULL) WITHOUT ROWID"
_AT_ONCE = 500


class KeyIndex:
    """Keys, by their digests, with the ordinal of the record that had them first.

    Args:
        in_memory: How many stay in memory.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._first: dict[bytes, int] = {}
        self._database: sqlite3.Connection | None = None

    def first_with(self, digests: Sequence[bytes], ordinals: Sequence[int]) -> list[int]:
        """For each digest the ordinal it came with first: its own in `ordinals` if it is new; it is then remembered."""
        if self._database is None:
            found = list(map(self._first.setdefault, digests, ordinals))
            if len(self._first) >= self._in_memory:
                self._database = scratch_database(_SCHEMA)
            return found
        known = self._on_disk([digest for digest in digests if digest not in self._first])
        new: dict[bytes, int] = {}
        for digest, ordinal in zip(digests, ordinals, strict=True):
            if digest not in self._first and digest not in known:
                new.setdefault(digest, ordinal)
        self._database.executemany("INSERT INTO keys VALUES (?, ?)", sorted(new.items()))
        known |= new
        return [self._first[digest] if digest in self._first else known[digest] for digest in digests]

    def _on_disk(self, digests: Sequence[bytes]) -> dict[bytes, int]:
        assert self._database is not None
        known: dict[bytes, int] = {}
        for start in range(0, len(digests), _AT_ONCE):
            some = digests[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"SELECT digest, ordinal FROM keys WHERE digest IN ({marks})"  # noqa: S608 - question marks alone
            known.update(self._database.execute(query, some))
        return known

    def close(self) -> None:
        """Forget everything and free the disk."""
        self._first.clear()
        if self._database is not None:
            self._database.close()
            self._database = None
