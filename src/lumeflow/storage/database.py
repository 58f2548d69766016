"""The composition of the storage: one open database and what it offers."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lumeflow.core.clock import NewId, random_id
from lumeflow.core.effects import LedgerTotals
from lumeflow.core.errors import UsageError
from lumeflow.storage import effects, locks
from lumeflow.storage.connection import Source, connect_writer
from lumeflow.storage.files import LocalFiles
from lumeflow.storage.journal import SqliteJournal
from lumeflow.storage.ledger import SqliteLedger
from lumeflow.storage.locations import default_data_dir, locate
from lumeflow.storage.owners import Holdings, clear_owner, find_owner, set_owner
from lumeflow.storage.reader import Reader
from lumeflow.storage.seen import SeenFilter
from lumeflow.storage.tables import SqliteTables
from lumeflow.storage.totals import sum_up
from lumeflow.storage.workflows import SqliteWorkflows
from lumeflow.storage.writer import Writer


@dataclass(slots=True)
class Taken:
    """See `lumeflow.core.journal.ExecutionLock`."""

    ledger: SqliteLedger
    _give_back: Callable[[], None] | None = field(repr=False)

    def release(self) -> None:
        """Give the execution up. Does nothing the second time."""
        if self._give_back is not None:
            self._give_back()
            self._give_back = None


class Database:
    """An open database, of the event loop that opened it.

    Attributes:
        journal: Executions and what is kept with them.
        tables: The tables that blocks use.
        workflows: Saved workflows.
        name: The database's file name, or `:memory:`.
        data_dir: Folder of output files.
    """

    def __init__(self, source: Source, writer: Writer, data_dir: Path, new_id: NewId) -> None:
        self.name = source.name
        self.data_dir = data_dir
        self._writer = writer
        self._reader = Reader(source, writer)
        self._holdings = Holdings()
        self._new_id = new_id
        self._taken: dict[str, Taken] = {}
        self._lock_folder = None if source.path is None else source.path.with_name(source.path.name + ".locks")
        self.journal = SqliteJournal(writer, self._reader, self._holdings)
        self.tables = SqliteTables(writer, self._reader)
        self.workflows = SqliteWorkflows(writer, self._reader)

    async def take(self, execution_id: str) -> Taken:
        """Become the one owner of an execution, begun or about to be; the end of this process gives it up.

        Raises:
            UsageError: A living process runs it.
        """
        owner = self._new_id()
        unlock = await self._lock(execution_id)
        self._holdings.add(execution_id, owner)
        try:
            seen = SeenFilter()
            await self._writer.call(set_owner(execution_id, owner, str(os.getpid())))
            await self._reader.read(lambda db: effects.load_digests(db, execution_id, seen.add))
        except BaseException:
            self._holdings.drop(execution_id, owner)
            unlock()
            raise
        ledger = SqliteLedger(self._writer, self._reader, execution_id, owner, seen)
        self._taken[owner] = Taken(ledger, lambda: self._release(execution_id, owner, unlock))
        return self._taken[owner]

    async def totals(self, execution_id: str) -> LedgerTotals:
        """Sum up an execution's effects; claims whose process is gone count as lost."""
        alive = await asyncio.to_thread(self._is_held, execution_id)
        owner = await self._reader.read(lambda db: find_owner(db, execution_id)) if alive else None
        return await self._reader.read(lambda db: sum_up(db, execution_id, owner))

    async def is_running(self, execution_id: str) -> bool:
        """True if a living process has taken the execution."""
        return await asyncio.to_thread(self._is_held, execution_id)

    def files(self, execution_id: str, *, anywhere: bool = True) -> LocalFiles:
        """Output and input files of one run of an execution; see `LocalFiles`."""
        return LocalFiles(self.data_dir / "artifacts", execution_id, anywhere=anywhere)

    async def close(self) -> None:
        """Give up what was taken, store what was given, then close. Does nothing the second time."""
        for taken in list(self._taken.values()):
            taken.release()
        await self._writer.close()
        await self._reader.close()

    async def _lock(self, execution_id: str) -> Callable[[], None]:
        holder = str(os.getpid())
        if self._holdings.token(execution_id) is None:
            if self._lock_folder is None:
                return _nothing
            try:
                return await asyncio.to_thread(locks.acquire, self._lock_folder, execution_id)
            except locks.Held as held:
                holder = held.holder
        raise UsageError(
            f"execution '{execution_id}' is still running in process {holder}: wait for it, or stop that process"
        )

    def _is_held(self, execution_id: str) -> bool:
        if self._holdings.token(execution_id) is not None:
            return True
        return self._lock_folder is not None and locks.is_held(self._lock_folder, execution_id)

    def _release(self, execution_id: str, owner: str, unlock: Callable[[], None]) -> None:
        self._holdings.drop(execution_id, owner)
        del self._taken[owner]
        self._writer.post(clear_owner(execution_id, owner))
        unlock()


def _nothing() -> None:
    """No file stands for a database in memory: no other process can reach it."""


async def open_database(
    url: str | None, *, data_dir: Path | None = None, busy_timeout: float = 30.0, new_id: NewId = random_id
) -> Database:
    """Open a database, or make it, and bring its schema up to date.

    Args:
        url: `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite:///:memory:`, or a plain path; None for
            `lumeflow.db` in the data folder.
        data_dir: Data folder; None for the user's.
        busy_timeout: Seconds to wait for another process that is writing to the same file.
        new_id: Makes the tokens by which owners of executions are told apart; unique ones, also between processes.

    Raises:
        UsageError: The URL is not understood.
        StorageError: The database cannot be used; the message names it and the remedy.
    """
    folder = data_dir or default_data_dir()
    path = await asyncio.to_thread(locate, url, folder)
    source = Source(path, busy_timeout)
    writer = Writer(lambda: connect_writer(source), source.name)
    await writer.open()
    return Database(source, writer, folder, new_id)
