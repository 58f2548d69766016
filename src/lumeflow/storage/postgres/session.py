"""The writing connection of a PostgreSQL database."""

import asyncio
import time
from contextlib import suppress

from lumeflow.storage.dialect import POSTGRES
from lumeflow.storage.jobs import DEFAULT_TENANT, Transaction
from lumeflow.storage.postgres.access import Patience, Unreachable, connect, quoted, role_clause, undo
from lumeflow.storage.postgres.address import Address
from lumeflow.storage.postgres.connection import PgConnection
from lumeflow.storage.postgres.presence import FAREWELL, FORGET, RENEW, LeasePresence
from lumeflow.storage.postgres.problems import explain, is_lost, is_own, scope
from lumeflow.storage.postgres.schema import migrate
from lumeflow.storage.repositories.tenants import EVERYBODY
from lumeflow.storage.session import CommitFailed, Scope

_OUTCOME = f"SELECT commits FROM processes WHERE tenant = '{EVERYBODY}' AND token = ? FOR UPDATE"  # noqa: S608 - a constant


DOUBT = 20
"""How many times as long as otherwise the server is waited for while it is not known whether a transaction was stored:
without an answer, this process may write nothing any more.
"""

FIRST_PATIENCE = 5.0
"""Seconds to wait for the server at the beginning, at most: whoever misspelt its address must not wait for long."""


class Lost(Exception):
    """A commit whose answer was lost did not take place."""


class PgSession:
    """See `lumeflow.storage.session.Session`.

    A server that goes away is waited for: the transaction under way is run again on a new connection, unless it turns
    out to be stored. Every transaction writes its number beside the lease of the process, so that this can be told even
    after a crash of the server, which may use the numbers of its own transactions twice.

    Args:
        address: The database.
        presence: Of this process, whose lease is renewed here.
        patience: Seconds to wait for the server, once it was there.
    """

    def __init__(self, address: Address, presence: LeasePresence, patience: float) -> None:
        self.role = ""
        self._address = address
        self._presence = presence
        self._patience = Patience(patience)
        self._doubt = Patience(patience * DOUBT)
        self._loop = asyncio.new_event_loop()
        self._renewed = time.monotonic()
        self._number = 0
        self._in_transaction = False
        try:
            self._db = connect(address, self._loop, Patience(min(patience, FIRST_PATIENCE)))
            self._prepare()
        except BaseException:
            self._loop.close()
            raise

    def _prepare(self) -> None:
        try:
            migrate(self._db, self._address)
            self.role = role_clause(self._db, self._address)
        except BaseException:
            self._db.close()
            raise

    @property
    def in_transaction(self) -> bool:
        """True between `begin` and the end of the transaction."""
        return self._in_transaction

    def begin(self) -> Transaction:
        """Begin a transaction, on a new connection if need be."""
        if self._db.is_closed:
            self._db = self._connect()
        self._number += 1
        self._renewed = time.monotonic()
        self._in_transaction = True
        self._db.script(
            f"BEGIN; {self._as(EVERYBODY)}; {self._presence.renewal(self._number)}; {self._as(DEFAULT_TENANT)}"
        )
        return Transaction(self._db, sql=POSTGRES)

    def _as(self, tenant: str) -> str:
        return f"{self.role} SET LOCAL lumeflow.tenant = {quoted(tenant)}"

    def commit(self) -> None:
        """Store it."""
        try:
            tag = self._db.script("COMMIT")
        except Exception as error:
            if not is_lost(error):
                raise
            self._in_transaction = False
            self._ask_outcome(error)
        else:
            self._in_transaction = False
            if tag != "COMMIT":
                raise CommitFailed(f"database {self._address.name}: a transaction ended as {tag}")
        self._patience.restore()

    def roll_back(self) -> None:
        """Undo it."""
        if self._in_transaction:
            undo(self._db)
            self._in_transaction = False

    def scope(self, error: BaseException) -> Scope:
        """How far an error reaches."""
        if isinstance(error, Unreachable):
            return Scope.BATCH
        return Scope.AGAIN if isinstance(error, Lost) else scope(error)

    def explain(self, error: BaseException) -> str:
        """What is wrong, and what to do."""
        return str(error) if isinstance(error, Unreachable) else explain(error, self._address.name)

    def is_own(self, error: BaseException) -> bool:
        """True if it comes from the driver or the server."""
        return is_own(error)

    def mend(self, attempt: int) -> bool:
        """Wait a little; False if that was done for long enough."""
        return self._patience.wait()

    def rest(self) -> float | None:
        """Seconds until the lease is due."""
        return max(0.0, self._renewed + RENEW - time.monotonic())

    def tick(self) -> None:
        """Renew the lease. Should the server be away, the next job, or the next tick, finds out."""
        self._renewed = time.monotonic()
        self._on_my_own()

    def close(self) -> None:
        """End the lease and the connection."""
        if self._number and not self._db.is_closed:
            self._on_my_own(FORGET)
            self._on_my_own(FAREWELL, self._presence.token)
        self._db.close()
        self._loop.close()

    def _on_my_own(self, statement: str | None = None, *values: str) -> None:
        with suppress(Exception):
            try:
                tx = self.begin()
                tx.enter(EVERYBODY)
                if statement:
                    tx.db.execute(statement, values)
                self.commit()
            finally:
                self.roll_back()

    def _connect(self, patience: Patience | None = None) -> PgConnection:
        return connect(self._address, self._loop, patience or self._patience)

    def _ask_outcome(self, error: BaseException) -> None:
        """The connection broke while a commit was under way.

        Raises:
            Lost: It did not take place.
            CommitFailed: Nobody can say whether it did.
        """
        with suppress(Exception):
            self._db.close()
        try:
            self._db = self._connect(self._doubt)
            stored = self._is_stored()
        except Exception as later:
            raise CommitFailed(self.explain(later)) from error
        if not stored:
            raise Lost from error

    def _is_stored(self) -> bool:
        """Whether the last transaction is; waits for the server to end it, should it be at it still."""
        self._db.script(f"BEGIN; {self._as(EVERYBODY)}")
        try:
            row = self._db.execute(_OUTCOME, (self._presence.token,)).fetchone()
        finally:
            undo(self._db)
        return row is not None and row[0] == self._number
