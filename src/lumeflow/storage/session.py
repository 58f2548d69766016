"""The one connection that writes, as the writer's thread sees it, whatever the database."""

from enum import Enum, auto
from typing import Protocol

from lumeflow.storage.jobs import Transaction


class Scope(Enum):
    """How far an error reaches."""

    JOB = auto()
    """One job was wrong; the database is fine."""
    AGAIN = auto()
    """Nothing of the transaction was stored; the same transaction may succeed if it is run once more."""
    BATCH = auto()
    """Nothing of the transaction was stored; a later one may succeed."""
    DATABASE = auto()
    """The database cannot be relied on any more; this process must not write to it again."""


class CommitFailed(Exception):
    """Nobody knows whether a transaction was stored."""


class Session(Protocol):
    """A connection that one thread owns. All methods are called in that thread."""

    @property
    def in_transaction(self) -> bool:
        """True between `begin` and the end of the transaction."""
        ...

    def begin(self) -> Transaction:
        """Begin a transaction."""
        ...

    def commit(self) -> None:
        """Store it.

        Raises:
            CommitFailed: Whether it is stored is not known.
        """
        ...

    def roll_back(self) -> None:
        """Undo the transaction, if there is one. Never raises."""
        ...

    def scope(self, error: BaseException) -> Scope:
        """How far an error, raised inside a transaction or on its way there, reaches."""
        ...

    def explain(self, error: BaseException) -> str:
        """One sentence that names the database, what is wrong with it, and what to do."""
        ...

    def is_own(self, error: BaseException) -> bool:
        """True if the error is the database's, and must be explained before anybody sees it."""
        ...

    def mend(self, attempt: int) -> bool:
        """After an error of scope `AGAIN`: wait, connect anew. False if that was tried often enough."""
        ...

    def rest(self) -> float | None:
        """Seconds until `tick` is due; None for never."""
        ...

    def tick(self) -> None:
        """Do what is due in between. Never raises."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...
