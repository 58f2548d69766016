"""Which processes live, as SQLite's users tell: all on one machine, by lock files."""

from lumeflow.storage.jobs import Transaction
from lumeflow.storage.locks import LockFiles


class FilePresence:
    """See `lumeflow.storage.owners.Presence`."""

    def __init__(self, files: LockFiles) -> None:
        self._files = files

    @property
    def token(self) -> str:
        """Name of this presence."""
        return self._files.token

    def announce(self, tx: Transaction) -> None:
        """Make the lock file. Does nothing the second time."""
        self._files.announce()

    def is_alive(self, tx: Transaction, token: str) -> bool:
        """True if its lock file is locked."""
        return self._files.is_alive(token)

    def withdraw(self) -> None:
        """Take the lock file away."""
        self._files.withdraw()
