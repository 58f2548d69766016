"""What is kept of a group of records that mean the same."""

import pickle
from abc import ABC, abstractmethod
from array import array
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from lumeflow.kit.duplicates.groups import Groups
from lumeflow.kit.duplicates.joining import Lists, Prefer, completeness, join
from lumeflow.kit.duplicates.scratch import scratch_database
from lumeflow.plugin import JsonObject

if TYPE_CHECKING:
    import sqlite3

_SCHEMA = """CREATE TABLE members (
    first INTEGER NOT NULL, rank INTEGER NOT NULL, ordinal INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (first, rank, ordinal)
) WITHOUT ROWID"""
_MEMBERS = "SELECT record FROM members WHERE first = ? ORDER BY rank, ordinal"


class Keeping(ABC):
    """Decides of each record what goes on in its place.

    Attributes:
        looks_first: True if `look` must have seen all records before `kept` is asked.
    """

    looks_first: ClassVar[bool] = True

    def __init__(self, groups: Groups) -> None:
        self.groups = groups

    def look(self, ordinal: int, record: JsonObject) -> None:  # noqa: B027 - not all need to look
        """Take notice of a record of a group of several; called in order."""

    @abstractmethod
    def kept(self, ordinal: int, record: JsonObject) -> JsonObject | None:
        """What goes on in the place of a record of a group of several; None if nothing does."""

    @abstractmethod
    def keeper(self, ordinal: int) -> int:
        """The record that stays of the group that a record is in, by its ordinal."""

    def close(self) -> None:  # noqa: B027 - not all hold something
        """Free the disk."""


class KeepLast(Keeping):
    """The last record of each group, in its place."""

    looks_first = False

    def __init__(self, groups: Groups) -> None:
        super().__init__(groups)
        self._last = array("q", range(len(groups)))
        for ordinal in range(len(groups)):
            self._last[groups.first_of(ordinal)] = ordinal

    def kept(self, ordinal: int, record: JsonObject) -> JsonObject | None:
        """The record itself if it is the last."""
        return record if self.keeper(ordinal) == ordinal else None

    def keeper(self, ordinal: int) -> int:
        """The last one."""
        return self._last[self.groups.first_of(ordinal)]


class KeepMostComplete(Keeping):
    """The record with the most values, in its place; of several, the first."""

    def __init__(self, groups: Groups) -> None:
        super().__init__(groups)
        self._best = array("q", range(len(groups)))
        self._counts = array("q", bytes(8 * len(groups)))

    def look(self, ordinal: int, record: JsonObject) -> None:
        """Count its values."""
        first = self.groups.first_of(ordinal)
        count = completeness(record)
        if count > self._counts[first]:
            self._best[first], self._counts[first] = ordinal, count

    def kept(self, ordinal: int, record: JsonObject) -> JsonObject | None:
        """The record itself if none is more complete."""
        return record if self.keeper(ordinal) == ordinal else None

    def keeper(self, ordinal: int) -> int:
        """The most complete one."""
        return self._best[self.groups.first_of(ordinal)]


class KeepJoined(Keeping):
    """All records of a group as one, in the place of the first. What is to be joined waits on disk."""

    def __init__(self, groups: Groups, prefer: Prefer, lists: Lists) -> None:
        super().__init__(groups)
        self._prefer = prefer
        self._lists = lists
        self._database: sqlite3.Connection | None = None
        self._lock = Lock()

    def look(self, ordinal: int, record: JsonObject) -> None:
        """Put it with the others of its group."""
        packed = pickle.dumps(record, protocol=pickle.HIGHEST_PROTOCOL)
        row = (self.groups.first_of(ordinal), self._rank(ordinal, record), ordinal, packed)
        with self._lock:
            if self._database is None:
                self._database = scratch_database(_SCHEMA)
            self._database.execute("INSERT INTO members VALUES (?, ?, ?, ?)", row)

    def kept(self, ordinal: int, record: JsonObject) -> JsonObject | None:
        """The joined record in the place of the first."""
        if self.groups.first_of(ordinal) != ordinal:
            return None
        with self._lock:
            assert self._database is not None
            rows = self._database.execute(_MEMBERS, (ordinal,))
            return join((pickle.loads(packed) for (packed,) in rows), self._lists)  # noqa: S301 - our own unnamed file

    def keeper(self, ordinal: int) -> int:
        """The first one, in whose place the joined record is."""
        return self.groups.first_of(ordinal)

    def _rank(self, ordinal: int, record: JsonObject) -> int:
        """The smaller, the sooner its values win; of equal ones the first does."""
        if self._prefer == "mostComplete":
            return -completeness(record)
        return 0 if self._prefer == "first" else -ordinal

    def close(self) -> None:
        """Free the disk; waits for another thread that works on a record."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None
