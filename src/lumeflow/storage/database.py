"""The composition of the storage: one open database and what it offers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lumeflow.core.clock import NewId, random_id
from lumeflow.core.effects import LedgerTotals
from lumeflow.core.errors import StorageError
from lumeflow.core.journal import Execution
from lumeflow.storage import effects, executions
from lumeflow.storage.connection import Source, connect_writer
from lumeflow.storage.files import LocalFiles
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.journal import SqliteJournal
from lumeflow.storage.ledger import SqliteLedger
from lumeflow.storage.locations import default_data_dir, locate
from lumeflow.storage.locks import Presence
from lumeflow.storage.outbox import PACE
from lumeflow.storage.owners import Holdings, clear_owner
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

    def __init__(self, source: Source, writer: Writer, data_dir: Path, token: str) -> None:
        self.name = source.name
        self.data_dir = data_dir
        self._writer = writer
        self._reader = Reader(source, writer)
        folder = None if source.path is None else source.path.with_name(source.path.name + ".locks")
        self._presence = Presence(folder, token)
        self._holdings = Holdings(self._presence)
        self._taken: dict[str, Taken] = {}
        self.journal = SqliteJournal(writer, self._reader, self._holdings)
        self.tables = SqliteTables(writer, self._reader)
        self.workflows = SqliteWorkflows(writer, self._reader)

    async def begin(self, execution: Execution) -> Taken:
        """Write a new execution down and become its owner, in one commit.

        Raises:
            AlreadyExists: The id is taken.
            UsageError: A living process is about to begin it.
            StorageError: It cannot be written.
        """
        seen = SeenFilter()

        def action(tx: Transaction, owner: str) -> None:
            self._holdings.take(tx, execution.id, owner)
            executions.begin(tx, execution, owner)
            effects.load_digests(tx.db, execution.id, seen.add)

        return await self._take(execution.id, seen, action)

    async def take(self, execution_id: str) -> Taken:
        """Become the one owner of an execution, begun or about to be; the end of this process gives it up.

        Raises:
            UsageError: A living process runs it.
            StorageError: The lock file cannot be made, or the database cannot be written.
        """
        seen = SeenFilter()
        taken = await self._take(execution_id, seen, lambda tx, owner: self._holdings.take(tx, execution_id, owner))
        try:
            # Not while it is taken: of many effects, that would hold up the writer.
            await self._reader.read(lambda db: effects.load_digests(db, execution_id, seen.add))
        except BaseException:
            taken.release()
            raise
        return taken

    async def totals(self, execution_id: str) -> LedgerTotals:
        """Sum up an execution's effects; claims whose process is gone count as lost."""
        return await self._reader.read(
            lambda db: sum_up(db, execution_id, self._holdings.living_owner(db, execution_id))
        )

    async def is_running(self, execution_id: str) -> bool:
        """True if a living process has taken the execution."""
        return await self._reader.read(lambda db: self._holdings.living_owner(db, execution_id)) is not None

    def files(self, execution_id: str, *, anywhere: bool = True) -> LocalFiles:
        """Output and input files of one run of an execution; see `LocalFiles`."""
        return LocalFiles(self.data_dir / "artifacts", execution_id, anywhere=anywhere)

    async def close(self) -> None:
        """Give up what was taken, store what was given, then close. Does nothing the second time."""
        for taken in list(self._taken.values()):
            taken.release()
        await self._writer.close()
        await self._reader.close()
        self._presence.withdraw()

    async def _take(self, execution_id: str, seen: SeenFilter, action: Callable[[Transaction, str], None]) -> Taken:
        owner = self._holdings.add(execution_id)
        ledger = SqliteLedger(self._writer, self._reader, execution_id, owner, seen)
        taken = self._taken[owner] = Taken(ledger, lambda: self._release(execution_id, owner))
        try:
            await self._writer.call(lambda tx: action(tx, owner))
        except BaseException:
            taken.release()
            raise
        return taken

    def _release(self, execution_id: str, owner: str) -> None:
        del self._taken[owner]
        if not self._holdings.drop(execution_id, owner):
            return
        try:
            future = self._writer.call(lambda tx: clear_owner(tx, execution_id, owner))
        except StorageError:
            self._stand_down()
        else:
            future.add_done_callback(self._cleared)

    def _cleared(self, future: "asyncio.Future[None]") -> None:
        if not future.cancelled() and future.exception() is not None:
            self._stand_down()

    def _stand_down(self) -> None:
        """What can no longer be given up by writing so is given up by withdrawing: all of it, if nothing is written."""
        if self._writer.is_broken:
            self._presence.withdraw()


async def open_database(
    url: str | None, *, data_dir: Path | None = None, busy_timeout: float = 30.0, new_id: NewId = random_id
) -> Database:
    """Open a database, or make it, and bring its schema up to date.

    Args:
        url: `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite:///:memory:`, or a plain path; None for
            `lumeflow.db` in the data folder.
        data_dir: Data folder; None for the user's.
        busy_timeout: Seconds to wait for another process that is writing to the same file.
        new_id: Makes the token by which this process is told apart from all others.

    Raises:
        UsageError: The URL is not understood.
        StorageError: The database cannot be used; the message names it and the remedy.
    """
    folder = data_dir or default_data_dir()
    path = await asyncio.to_thread(locate, url, folder)
    source = Source(path, busy_timeout)
    # In memory there is no disk to spare.
    writer = Writer(lambda: connect_writer(source), source.name, pace=PACE if path else 0.0)
    await writer.open()
    return Database(source, writer, folder, new_id())
