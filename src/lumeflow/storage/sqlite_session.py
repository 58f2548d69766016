"""The writing connection of an SQLite file."""

import sqlite3
from contextlib import suppress

from lumeflow.storage.connection import Source, connect_writer
from lumeflow.storage.dialect import SQLITE
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.problems import explain, scope
from lumeflow.storage.session import CommitFailed, Scope


class SqliteSession:
    """See `lumeflow.storage.session.Session`."""

    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self._db = db
        self._name = name

    @classmethod
    def open(cls, source: Source) -> "SqliteSession":
        """Open a file, or make it, and bring its schema up to date.

        Raises:
            StorageError: It cannot be used.
        """
        return cls(connect_writer(source), source.name)

    @property
    def in_transaction(self) -> bool:
        """True between `begin` and the end of the transaction."""
        return self._db.in_transaction

    def begin(self) -> Transaction:
        """Begin a transaction; waits for other processes that write."""
        self._db.execute("BEGIN IMMEDIATE")
        return Transaction(self._db, sql=SQLITE)

    def commit(self) -> None:
        """Store it."""
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise CommitFailed(self.explain(error)) from error

    def roll_back(self) -> None:
        """Undo it."""
        # SQLite rolls back by itself after some errors, and on a broken disk not even this works; the error that led
        # here is the one to report.
        with suppress(sqlite3.Error):
            self._db.rollback()

    def scope(self, error: BaseException) -> Scope:
        """How far an error reaches."""
        return scope(error)

    def explain(self, error: BaseException) -> str:
        """What is wrong, and what to do."""
        return explain(error, self._name)

    def is_own(self, error: BaseException) -> bool:
        """True if it is SQLite's."""
        return isinstance(error, sqlite3.Error)

    def mend(self, attempt: int) -> bool:
        """SQLite waits by itself."""
        return False

    def rest(self) -> float | None:
        """Nothing is ever due."""
        return None

    def tick(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Close the file."""
        self._db.close()
