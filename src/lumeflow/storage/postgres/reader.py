"""Reads beside the writer, in threads with a connection each."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lumeflow.core.errors import LumeflowError, StorageError
from lumeflow.storage.dialect import POSTGRES
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.postgres.access import Patience, connect, quoted, undo
from lumeflow.storage.postgres.address import Address
from lumeflow.storage.postgres.connection import PgConnection
from lumeflow.storage.postgres.problems import explain, is_own, scope
from lumeflow.storage.session import Scope

T = TypeVar("T")

READERS = 2
"""Threads, and connections, at most."""


class PgReader:
    """See `lumeflow.storage.scoped.Reads`. Sees everything that was reported as written.

    Args:
        address: The database.
        role: SQL that begins every transaction; known once the writer is open.
        patience: Seconds to wait for the server.
    """

    def __init__(self, address: Address, role: Callable[[], str], patience: float) -> None:
        self._address = address
        self._role = role
        self._seconds = patience
        self._closed = False
        self._own = threading.local()
        self._lines: list[_Line] = []
        self._pool = ThreadPoolExecutor(READERS, "lumeflow-reader")

    async def read(self, query: Callable[[Transaction], T], *, tenant: str) -> T:
        """Run `query` in a thread, all its statements on one state of the database.

        Raises:
            StorageError: The database cannot be read.
        """
        if self._closed:
            raise StorageError(f"database {self._address.name} is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, query, tenant)

    async def close(self) -> None:
        """Close the connections. Does nothing the second time."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._close)

    def _run(self, query: Callable[[Transaction], T], tenant: str) -> T:
        line: _Line | None = getattr(self._own, "line", None)
        if line is None:
            line = self._own.line = _Line(self._address, self._seconds)
            self._lines.append(line)
        return line.read(query, tenant, self._role())

    def _close(self) -> None:
        self._pool.shutdown(wait=True)
        for line in self._lines:
            line.close()


class _Line:
    """One thread's connection."""

    def __init__(self, address: Address, seconds: float) -> None:
        self._address = address
        self._patience = Patience(seconds)
        self._loop = asyncio.new_event_loop()
        self._db: PgConnection | None = None

    def read(self, query: Callable[[Transaction], T], tenant: str, role: str) -> T:
        while True:
            try:
                found = self._once(query, tenant, role)
            except LumeflowError:
                raise
            except Exception as error:
                if scope(error) is Scope.AGAIN and self._patience.wait():
                    continue
                if not is_own(error):
                    raise
                raise StorageError(explain(error, self._address.name)) from error
            self._patience.restore()
            return found

    def _once(self, query: Callable[[Transaction], T], tenant: str, role: str) -> T:
        if self._db is None or self._db.is_closed:
            self._db = connect(self._address, self._loop, self._patience)
        db = self._db
        try:
            begin = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {role}"
            db.script(f"{begin} SET LOCAL lumeflow.tenant = {quoted(tenant)}")
            return query(Transaction(db, tenant, POSTGRES))
        finally:
            undo(db)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
        self._loop.close()
