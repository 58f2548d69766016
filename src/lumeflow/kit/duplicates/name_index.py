"""Which record had nearly the same name first, among those that have the same key."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lumeflow.kit.duplicates.scratch import scratch_database
from lumeflow.kit.normalize.characters import fold
from lumeflow.plugin import ErrorClass, NodeError

if TYPE_CHECKING:
    import sqlite3

MOST_NAMES = 10_000
"""Different names under one key. Each further one is compared with all of them, so that a key which hardly tells
records apart would take hours.
"""

_SCHEMA = """CREATE TABLE names (
    digest BLOB NOT NULL, ordinal INTEGER NOT NULL, name TEXT NOT NULL, sorted TEXT NOT NULL,
    PRIMARY KEY (digest, ordinal)
) WITHOUT ROWID"""
_FIND = "SELECT ordinal, name, sorted FROM names WHERE digest = ? ORDER BY ordinal"


def comparable_name(parts: Sequence[str]) -> str:
    """A name for comparing: its words without accents, capitals and punctuation."""
    return fold(" ".join(parts))


class NameIndex:
    """Names with the ordinal of the record that had them first.

    A name is compared with the first of those that were found to be alike, not with all: otherwise Anna would lead to
    Hanna, Hanna to Hannah, and in the end everybody would be one.

    Args:
        threshold: How alike two names must be, from 0 to 1: the share of letters that are the same in both, in order;
            as the names stand or, if they are more alike so, with their words in alphabetical order.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._database: sqlite3.Connection | None = None

    def first_like(self, digest: bytes, name: str, ordinal: int) -> int:
        """The ordinal of the first record with this key whose name is most alike; `ordinal` if there is none.

        Args:
            digest: Of the key.
            name: See `comparable_name`.
            ordinal: The record's own. It is remembered if there is none.

        Raises:
            NodeError: There are too many names under one key.
        """
        from rapidfuzz import process
        from rapidfuzz.distance import Indel

        if self._database is None:
            self._database = scratch_database(_SCHEMA)
        in_order = " ".join(sorted(name.split()))
        known = self._database.execute(_FIND, (digest,)).fetchall()
        found: list[tuple[float, int]] = []
        for text, column in ((name, 1), (in_order, 2)):
            names = [row[column] for row in known]
            best = process.extractOne(text, names, scorer=Indel.normalized_similarity, score_cutoff=self._threshold)
            if best is not None:
                found.append((-best[1], known[best[2]][0]))
        if found:
            return min(found)[1]
        if len(known) >= MOST_NAMES:
            message = f"more than {MOST_NAMES:,} different names have the same values in 'keys': add a key"
            raise NodeError(ErrorClass.VALIDATION, message, field="keys")
        self._database.execute("INSERT INTO names VALUES (?, ?, ?, ?)", (digest, ordinal, name, in_order))
        return ordinal

    def close(self) -> None:
        """Forget everything and free the disk."""
        if self._database is not None:
            self._database.close()
            self._database = None
