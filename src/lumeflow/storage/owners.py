"""Who may write to an execution: the one owner that the database names, checked inside each transaction.

An owner's token is that of its process's presence and a number, so whether an owner lives is whether its process does.
"""

import os
import sqlite3
from itertools import count

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.locks import Presence

_FIND = "SELECT owner, process FROM execution_owners WHERE execution_id = ?"
_SET = """INSERT INTO execution_owners (execution_id, owner, process) VALUES (?, ?, ?)
          ON CONFLICT (execution_id) DO UPDATE SET owner = excluded.owner, process = excluded.process"""
_CLEAR = "DELETE FROM execution_owners WHERE execution_id = ? AND owner = ?"

Owner = str | None
"""An owner's token; None for a caller who has not taken the execution."""


class Holdings:
    """The executions that this process has taken, with the tokens it took them by."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._numbers = count(1)
        self._tokens: dict[str, str] = {}

    def add(self, execution_id: str) -> str:
        """Make the token by which an execution is about to be taken.

        Raises:
            UsageError: This process holds the execution.
        """
        if execution_id in self._tokens:
            raise _running(execution_id, str(os.getpid()))
        token = f"{self._presence.token}.{next(self._numbers)}"
        self._tokens[execution_id] = token
        return token

    def drop(self, execution_id: str, token: str) -> bool:
        """Forget an execution, unless it was taken anew meanwhile; True if it was held by `token`."""
        if self._tokens.get(execution_id) != token:
            return False
        del self._tokens[execution_id]
        return True

    def token(self, execution_id: str) -> Owner:
        """The token by which this process holds the execution, or None."""
        return self._tokens.get(execution_id)

    def living_owner(self, db: sqlite3.Connection, execution_id: str) -> Owner:
        """The owner that the database names, if its process lives and has not given the execution up.

        Raises:
            StorageError: Whether it lives cannot be told.
        """
        row = db.execute(_FIND, (execution_id,)).fetchone()
        return row[0] if row is not None and self._is_alive(execution_id, row[0]) else None

    def take(self, tx: Transaction, execution_id: str, token: str) -> None:
        """Make `token` the owner, unless a living one is.

        Raises:
            UsageError: A living process runs the execution.
            StorageError: The lock file cannot be made or read.
        """
        self._presence.announce()
        row = tx.db.execute(_FIND, (execution_id,)).fetchone()
        if row is not None and self._is_alive(execution_id, row[0]):
            raise _running(execution_id, row[1])
        tx.memo.clear()
        tx.db.execute(_SET, (execution_id, token, str(os.getpid())))

    def _is_alive(self, execution_id: str, owner: str) -> bool:
        process, _, _ = owner.rpartition(".")
        if process == self._presence.token:
            # What this process gave up is free at once, though the row may still wait to be cleared.
            return self._tokens.get(execution_id) == owner
        return self._presence.is_alive(process)


def require_owner(tx: Transaction, execution_id: str, owner: Owner) -> None:
    """Make sure that `owner` owns the execution until this transaction ends.

    Raises:
        StorageError: It was taken over, or `owner` is None and somebody owns it.
    """
    checked = (execution_id, owner)
    if checked in tx.memo:
        return
    row = tx.db.execute(_FIND, (execution_id,)).fetchone()
    if (None if row is None else row[0]) != owner:
        by = f"by process {row[1]}" if row else "and has been given up since"
        what = "was taken over" if owner else "is being run"
        raise StorageError(f"execution '{execution_id}' {what} {by}; this process can no longer write to it")
    tx.memo[checked] = True


def clear_owner(tx: Transaction, execution_id: str, owner: Owner) -> None:
    """Give the execution up, if `owner` still owns it."""
    tx.memo.clear()
    tx.db.execute(_CLEAR, (execution_id, owner))


def find_owner(db: sqlite3.Connection, execution_id: str) -> Owner:
    """The owner that the database names, dead or alive."""
    row = db.execute(_FIND, (execution_id,)).fetchone()
    return None if row is None else str(row[0])


def _running(execution_id: str, process: str) -> UsageError:
    return UsageError(
        f"execution '{execution_id}' is still running in process {process}: wait for it, or stop that process"
    )
