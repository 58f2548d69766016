"""Which processes live: each renews a lease in the database; those of one machine also see each other's lock files.

The lease alone would let a resume wait for half a minute after `kill -9`; the lock file, which the system lets go at
once, says so at once. It only counts where both processes look into the same folder of the same machine.
"""

import hashlib
import os
import platform
from pathlib import Path

from lumeflow.storage.jobs import Transaction
from lumeflow.storage.locks import LockFiles
from lumeflow.storage.postgres.access import quoted
from lumeflow.storage.repositories.tenants import EVERYBODY

LEASE = 30
"""Seconds for which a process is taken to live after it last said so."""

RENEW = 5.0
"""Seconds after which a process that writes nothing renews it all the same."""

FAREWELL = f"DELETE FROM processes WHERE tenant = '{EVERYBODY}' AND token = ?"  # noqa: S608 - constants, as below

FORGET = f"""
DELETE FROM processes WHERE tenant = '{EVERYBODY}' AND lease_until < clock_timestamp() - interval '1 day'"""  # noqa: S608

_FIND = f"""
SELECT host, lease_until > clock_timestamp() FROM processes
WHERE tenant = '{EVERYBODY}' AND token = ?"""  # noqa: S608


class LeasePresence:
    """See `lumeflow.storage.owners.Presence`.

    Args:
        token: Name of this presence.
        folder: Folder of the lock files of this machine's processes.
    """

    def __init__(self, token: str, folder: Path) -> None:
        self.token = token
        self._folder = folder
        self._files = LockFiles(folder, token)
        self._host: str | None = None

    def announce(self, tx: Transaction) -> None:
        """Make the lock file; the lease is renewed by every transaction."""
        self._files.announce()

    def renewal(self, number: int) -> str:
        """SQL that begins or renews the lease, and says that this is the process's transaction of this number."""
        words = ", ".join(map(quoted, (EVERYBODY, self.token, str(os.getpid()), self._place())))
        lease = f"clock_timestamp() + interval '{LEASE} seconds'"
        return f"""
INSERT INTO processes (tenant, token, process, host, started_at, lease_until, commits)
VALUES ({words}, clock_timestamp(), {lease}, {number:d})
ON CONFLICT (tenant, token) DO UPDATE SET lease_until = excluded.lease_until, commits = excluded.commits"""  # noqa: S608 - constants and quoted words

    def is_alive(self, tx: Transaction, token: str) -> bool:
        """True if its lease runs and, on this machine, its process does."""
        row = tx.db.execute(_FIND, (token,)).fetchone()
        if row is None or not row[1]:
            return False
        return row[0] != self._place() or self._files.is_alive(token)

    def withdraw(self) -> None:
        """Take the lock file away; the lease is ended by the session that renews it."""
        self._files.withdraw()

    def _place(self) -> str:
        """The same for two processes if and only if they see the same lock files."""
        if self._host is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = self._folder.stat()
            parts = (platform.node(), _boot_id(), folder.st_dev, folder.st_ino)
            self._host = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
        return self._host


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
