"""Who may write to an execution: the one owner that the database names, checked inside each transaction."""

import sqlite3
from collections.abc import Callable

from lumeflow.core.errors import StorageError
from lumeflow.storage.jobs import Transaction

_FIND = "SELECT owner, process FROM execution_owners WHERE execution_id = ?"
_SET = """INSERT INTO execution_owners (execution_id, owner, process) VALUES (?, ?, ?)
          ON CONFLICT (execution_id) DO UPDATE SET owner = excluded.owner, process = excluded.process"""
_CLEAR = "DELETE FROM execution_owners WHERE execution_id = ? AND owner = ?"

Owner = str | None
"""An owner's token; None for a caller who has not taken the execution."""


class Holdings:
    """The executions that this process has taken, with the tokens it took them by."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def add(self, execution_id: str, token: str) -> None:
        """Remember a taken execution."""
        self._tokens[execution_id] = token

    def drop(self, execution_id: str, token: str) -> None:
        """Forget it, unless it was taken anew meanwhile."""
        if self._tokens.get(execution_id) == token:
            del self._tokens[execution_id]

    def token(self, execution_id: str) -> Owner:
        """The token by which this process holds the execution, or None."""
        return self._tokens.get(execution_id)


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


def set_owner(execution_id: str, owner: str, process: str) -> Callable[[Transaction], None]:
    """The action that makes `owner` the owner, whoever it was before."""

    def action(tx: Transaction) -> None:
        tx.memo.clear()
        tx.db.execute(_SET, (execution_id, owner, process))

    return action


def clear_owner(execution_id: str, owner: str) -> Callable[[Transaction], None]:
    """The action that gives the execution up, if `owner` still owns it."""

    def action(tx: Transaction) -> None:
        tx.memo.clear()
        tx.db.execute(_CLEAR, (execution_id, owner))

    return action


def find_owner(db: sqlite3.Connection, execution_id: str) -> Owner:
    """The owner that the database names, dead or alive."""
    row = db.execute(_FIND, (execution_id,)).fetchone()
    return None if row is None else str(row[0])
