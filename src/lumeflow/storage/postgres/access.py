"""Connecting, patiently, and as a role that row level security binds."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from lumeflow.core.errors import StorageError
from lumeflow.storage.dialect import Connection
from lumeflow.storage.postgres.address import Address
from lumeflow.storage.postgres.connection import PgConnection
from lumeflow.storage.postgres.problems import explain, scope
from lumeflow.storage.row_security import APPLICATION_ROLE
from lumeflow.storage.session import Scope

OLDEST_SERVER = 14

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0

_RIGHTS = """
SELECT r.rolsuper OR r.rolbypassrls,
  EXISTS (SELECT 1 FROM pg_roles WHERE rolname = ?)
FROM pg_roles AS r WHERE r.rolname = current_user"""

_MAY = "SELECT pg_has_role(current_user, ?, ?)"


class Unreachable(StorageError):
    """The server is away, or will not have us, for longer than was waited for; later it may."""


@dataclass(slots=True)
class Patience:
    """How long a server that is away is waited for.

    Attributes:
        seconds: In all, from the first failure on.
    """

    seconds: float
    _since: float | None = None
    _pause: float = _FIRST_PAUSE

    def wait(self) -> bool:
        """Wait a little, longer each time; False if it has lasted too long."""
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since + self._pause > self.seconds:
            return False
        time.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        return True

    def restore(self) -> None:
        """It went well."""
        self._since, self._pause = None, _FIRST_PAUSE


def connect(address: Address, loop: asyncio.AbstractEventLoop, patience: Patience) -> PgConnection:
    """Connect, and again while the server is only starting, restarting or full.

    Raises:
        Unreachable: It cannot be reached or will not have us; the message says what to do.
        StorageError: It is too old.
    """
    while True:
        try:
            db = PgConnection.open(address, loop)
        except Exception as error:
            if scope(error) is Scope.AGAIN and patience.wait():
                continue
            raise Unreachable(explain(error, address.name)) from error
        patience.restore()
        if db.server < OLDEST_SERVER:
            db.close()
            raise StorageError(
                f"database {address.name}: PostgreSQL {db.server} is too old: {OLDEST_SERVER} or newer is needed"
            )
        return db


def role_clause(db: PgConnection, address: Address) -> str:
    """SQL that makes a transaction one of a role that row level security binds; empty if the user is such a role.

    Raises:
        StorageError: The user is bound by nothing, and cannot become one who is.
    """
    # In a transaction, as everything: behind a pooler two statements may meet two connections.
    db.script("BEGIN")
    bypasses, exists = _fetch(db, _RIGHTS, APPLICATION_ROLE)
    privilege = "SET" if db.server >= 16 else "MEMBER"
    may = exists and _fetch(db, _MAY, APPLICATION_ROLE, privilege)[0]
    db.script("COMMIT")
    if may:
        return f"SET LOCAL ROLE {APPLICATION_ROLE};"
    if bypasses:
        raise StorageError(
            f"database {address.name}: this user bypasses row level security and cannot take on the role"
            f" {APPLICATION_ROLE}: grant it to the user, or connect as another"
        )
    return ""


def _fetch(db: Connection, statement: str, *values: str) -> tuple[bool, ...]:
    row = db.execute(statement, values).fetchone()
    return tuple(map(bool, row))


def quoted(text: str) -> str:
    """A text as an SQL literal; only for what was checked before."""
    return "'" + text.replace("'", "''") + "'"


def undo(db: PgConnection) -> None:
    """Roll back, and give the connection up if not even that works."""
    if db.is_closed:
        return
    try:
        db.script("ROLLBACK")
    except Exception:
        with suppress(Exception):
            db.close()
