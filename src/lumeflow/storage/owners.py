"""Who may write to an execution: the one owner that the database names, checked inside each transaction.

An owner's token is that of its process's presence and a number, so whether an owner lives is whether its process does.
"""

import os
from itertools import count
from typing import Protocol

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.storage.jobs import Transaction

_FIND = "SELECT owner, process FROM execution_owners WHERE tenant = ? AND execution_id = ?"
_FIRST = """INSERT INTO execution_owners (tenant, execution_id, owner, process) VALUES (?, ?, ?, ?)
            ON CONFLICT (tenant, execution_id) DO NOTHING"""
_NEXT = "UPDATE execution_owners SET owner = ?, process = ? WHERE tenant = ? AND execution_id = ? AND owner = ?"
_CLEAR = "DELETE FROM execution_owners WHERE tenant = ? AND execution_id = ? AND owner = ?"

Owner = str | None
"""An owner's token; None for a caller who has not taken the execution."""


class Presence(Protocol):
    """Shows to other processes that this one lives, and tells whether they do."""

    @property
    def token(self) -> str:
        """Name of this presence; never used before, here or elsewhere."""
        ...

    def announce(self, tx: Transaction) -> None:
        """Show that this process lives, from this transaction's end on.

        Raises:
            StorageError: It cannot be shown.
        """
        ...

    def is_alive(self, tx: Transaction, token: str) -> bool:
        """True if a process that announced `token` lives and has not withdrawn.

        Raises:
            StorageError: It cannot be told.
        """
        ...

    def withdraw(self) -> None:
        """Show that this process holds nothing any more. Does nothing the second time."""
        ...


class Holdings:
    """The executions of one tenant that this process has taken, with the tokens it took them by.

    Args:
        presence: Of this process.
        numbers: Gives each token of this process its number.
    """

    def __init__(self, presence: Presence, numbers: "count[int]") -> None:
        self._presence = presence
        self._numbers = numbers
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

    def living_owner(self, tx: Transaction, execution_id: str) -> Owner:
        """The owner that the database names, if its process lives and has not given the execution up.

        Raises:
            StorageError: Whether it lives cannot be told.
        """
        row = tx.db.execute(_FIND, (tx.tenant, execution_id)).fetchone()
        return row[0] if row is not None and self.lives(tx, execution_id, row[0]) else None

    def lives(self, tx: Transaction, execution_id: str, owner: str) -> bool:
        """True if this owner, which the database names, lives and has not given the execution up.

        Raises:
            StorageError: It cannot be told.
        """
        process, _, _ = owner.rpartition(".")
        if process == self._presence.token:
            # What this process gave up is free at once, though the row may still wait to be cleared.
            return self._tokens.get(execution_id) == owner
        return self._presence.is_alive(tx, process)

    def take(self, tx: Transaction, execution_id: str, token: str) -> None:
        """Make `token` the owner, unless a living one is.

        Raises:
            UsageError: A living process runs the execution.
            StorageError: This process cannot show that it lives, or whether another does cannot be told.
        """
        self._presence.announce(tx)
        place = (tx.tenant, execution_id)
        row = tx.db.execute(_FIND, place).fetchone()
        if row is not None and self.lives(tx, execution_id, row[0]):
            raise _running(execution_id, row[1])
        tx.memo.clear()
        process = str(os.getpid())
        # Over exactly the owner that was found dead: of two that take over at once, one changes nothing.
        if row is None:
            taken = tx.db.execute(_FIRST, (*place, token, process))
        else:
            taken = tx.db.execute(_NEXT, (token, process, *place, row[0]))
        if taken.rowcount != 1:
            winner = tx.db.execute(_FIND, place).fetchone()
            raise _running(execution_id, winner[1] if winner else "of another machine")


def require_owner(tx: Transaction, execution_id: str, owner: Owner) -> None:
    """Make sure that `owner` owns the execution until this transaction ends.

    Raises:
        StorageError: It was taken over, or `owner` is None and somebody owns it.
    """
    checked = (tx.tenant, execution_id, owner)
    if checked in tx.memo:
        return
    row = tx.db.execute(_FIND + tx.sql.for_share, (tx.tenant, execution_id)).fetchone()
    if (None if row is None else row[0]) != owner:
        by = f"by process {row[1]}" if row else "and has been given up since"
        what = "was taken over" if owner else "is being run"
        raise StorageError(f"execution '{execution_id}' {what} {by}; this process can no longer write to it")
    tx.memo[checked] = True


def clear_owner(tx: Transaction, execution_id: str, owner: Owner) -> None:
    """Give the execution up, if `owner` still owns it."""
    tx.memo.clear()
    tx.db.execute(_CLEAR, (tx.tenant, execution_id, owner))


def find_owner(tx: Transaction, execution_id: str) -> Owner:
    """The owner that the database names, dead or alive."""
    row = tx.db.execute(_FIND, (tx.tenant, execution_id)).fetchone()
    return None if row is None else str(row[0])


def _running(execution_id: str, process: str) -> UsageError:
    return UsageError(
        f"execution '{execution_id}' is still running in process {process}: wait for it, or stop that process"
    )
