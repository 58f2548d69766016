"""The composition of the storage: one open database and what it offers."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from lumeflow.core.clock import NewId, random_id
from lumeflow.core.effects import EffectKey, LedgerTotals, Stored
from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.journal import Execution
from lumeflow.core.operation import Params
from lumeflow.storage import effects, executions, snapshot
from lumeflow.storage.files import LocalFiles
from lumeflow.storage.installation import Installation
from lumeflow.storage.jobs import DEFAULT_TENANT, Transaction
from lumeflow.storage.journal import SqlJournal
from lumeflow.storage.ledger import SqlLedger
from lumeflow.storage.locations import default_data_dir, is_postgres, locate
from lumeflow.storage.named_queries import load_named_queries
from lumeflow.storage.names import file_name
from lumeflow.storage.outbox import Urgency
from lumeflow.storage.owners import Holdings, clear_owner
from lumeflow.storage.repositories.api_keys import SqlApiKeys
from lumeflow.storage.repositories.artifacts import SqlArtifacts
from lumeflow.storage.repositories.costs import SqlCosts
from lumeflow.storage.repositories.idempotency import SqlIdempotency
from lumeflow.storage.repositories.queue import SqlQueue
from lumeflow.storage.repositories.retention import SqlRetention, take_out_of_sight
from lumeflow.storage.repositories.secrets import SqlSecrets
from lumeflow.storage.repositories.templates import SqlTemplates
from lumeflow.storage.repositories.tenants import checked_tenant
from lumeflow.storage.scoped import TenantReader, TenantWriter
from lumeflow.storage.seen import SeenFilter
from lumeflow.storage.snapshot import Outcome, Standing
from lumeflow.storage.store import Store, open_sqlite
from lumeflow.storage.tables import SqlTables
from lumeflow.storage.totals import sum_up
from lumeflow.storage.workflows import SqlWorkflows

CLEAR_AGAIN = 1.0
"""Seconds after which it is written again that an execution was given up, if the database was away."""


@dataclass(slots=True)
class Taken:
    """See `lumeflow.core.journal.ExecutionLock`."""

    ledger: SqlLedger
    _give_back: Callable[[], None] | None = field(repr=False)

    def release(self) -> None:
        """Give the execution up. Does nothing the second time."""
        if self._give_back is not None:
            self._give_back()
            self._give_back = None


class _NotQueued(Exception):
    """An execution has begun, or ended, meanwhile."""


class Database:
    """An open database as one tenant sees it, of the event loop that opened it.

    Attributes:
        tenant: Whose rows these are.
        journal: Executions and what is kept with them.
        tables: The tables that blocks use.
        workflows: Saved workflows.
        templates: Templates of workflows.
        queue: Executions that wait for a worker.
        costs: What executions cost.
        retention: Executions whose time has come.
        artifacts: Files of executions, and uploads.
        secrets: Secrets, encrypted.
        api_keys: Keys of the API, hashed.
        idempotency: Requests that must act once.
        installation: What belongs to no tenant, or to all.
        name: The database's file name, `:memory:`, or its URL without password.
        data_dir: Folder of output files.
    """

    def __init__(self, store: Store, tenant: str = DEFAULT_TENANT, family: "dict[str, Database] | None" = None) -> None:
        self.tenant = tenant
        self.name = store.name
        self.data_dir = store.data_dir
        self._store = store
        self._family = {} if family is None else family
        self._family[tenant] = self
        self._writer = TenantWriter(store.writer, tenant)
        self._reader = TenantReader(store.reads, tenant)
        self._holdings = Holdings(store.presence, store.numbers)
        self._taken: dict[str, Taken] = {}
        self.journal = SqlJournal(self._writer, self._reader, self._holdings)
        self.tables = SqlTables(self._writer, self._reader, store.queries)
        self.workflows = SqlWorkflows(self._writer, self._reader)
        self.templates = SqlTemplates(self._writer, self._reader)
        self.queue = SqlQueue(self._writer, self._reader)
        self.costs = SqlCosts(self._reader, self._holdings)
        self.retention = SqlRetention(self._writer, self._reader, self._holdings)
        self.artifacts = SqlArtifacts(self._writer, self._reader)
        self.secrets = SqlSecrets(self._writer, self._reader)
        self.api_keys = SqlApiKeys(self._writer, self._reader)
        self.idempotency = SqlIdempotency(self._writer)
        self.installation = Installation(store)

    @property
    def is_broken(self) -> bool:
        """True after a commit failed so that nobody knows what is stored: only another process can write again."""
        return self._store.writer.is_broken

    def relax_while(self, is_relaxed: Callable[[], bool]) -> None:
        """Commit less often while `is_relaxed` says that nobody is in a hurry; see `Outbox`."""
        self._store.writer.relax_while(is_relaxed)

    def of(self, tenant: str) -> "Database":
        """The same database as another tenant sees it; it is closed with this one.

        Raises:
            UsageError: It is no tenant's name.
        """
        return self._family.get(tenant) or Database(self._store, checked_tenant(tenant), self._family)

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
            effects.load_digests(tx, execution.id, seen.add)

        return await self._take(execution.id, seen, action)

    async def start(self, execution_id: str, *, at: datetime) -> Taken | None:
        """Become the owner of an execution that was queued and never begun, and set it running, in one commit; None if
        it is not queued any more.

        Raises:
            UsageError: A living process runs it.
            StorageError: It cannot be written.
        """

        def action(tx: Transaction, owner: str) -> None:
            self._holdings.take(tx, execution_id, owner)
            if not executions.start(tx, execution_id, owner, at):
                raise _NotQueued

        try:
            return await self._take(execution_id, SeenFilter(), action)
        except _NotQueued:
            return None

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
            await self._reader.read(lambda tx: effects.load_digests(tx, execution_id, seen.add))
        except BaseException:
            taken.release()
            raise
        return taken

    async def standing(self, execution_id: str) -> Standing | None:
        """Where an execution stands; None if there is none of this id."""
        return await self._reader.read(lambda tx: snapshot.standing(tx, self._holdings, execution_id))

    async def outcome(self, execution_id: str) -> Outcome | None:
        """What an execution has come to so far; None if there is none of this id."""
        return await self._reader.read(lambda tx: snapshot.outcome(tx, self._holdings, execution_id))

    async def purge(self, execution_id: str, *, before: datetime, at: datetime) -> bool:
        """Delete an execution that ended before a time, with its records, timeline, ledger and files; its costs stay.

        False if it is not due (see `SqlRetention.due`), or runs.

        Raises:
            StorageError: The database cannot be written; another purge goes on from there.
            FilesLeft: It is gone, but for a file that cannot be deleted; another sweep tries again.
        """
        begun = False

        def action(tx: Transaction, owner: str) -> None:
            nonlocal begun
            self._holdings.take(tx, execution_id, owner)
            begun = take_out_of_sight(tx, execution_id, before, at)

        try:
            taken = await self._take(execution_id, SeenFilter(), action)
        except UsageError:
            return False
        taken.release()
        if begun:
            await self.sweep(execution_id)
        return begun

    async def sweep(self, execution_id: str) -> None:
        """Delete what is left of an execution that is out of sight already; see `purge`."""
        await self.retention.sweep(execution_id)
        await asyncio.to_thread(self.files(execution_id, anywhere=False).delete)
        await self.retention.end(execution_id)

    async def totals(self, execution_id: str) -> LedgerTotals:
        """Sum up an execution's effects; claims whose process is gone count as lost."""
        return await self._reader.read(
            lambda tx: sum_up(tx, execution_id, self._holdings.living_owner(tx, execution_id))
        )

    async def asked(self, execution_id: str, operation: str) -> Sequence[Params]:
        """The parameters of an execution's answered calls of one operation, the oldest first."""
        return await self._reader.read(lambda tx: effects.asked(tx, execution_id, operation))

    async def answered(self, key: EffectKey) -> Stored | None:
        """The answer of an effect of any execution, if it has one."""
        # By the writer, like all questions of the ledger: it takes many in one statement.
        found = await self._writer.submit(effects.FIND, ("", key), key.digest, urgency=Urgency.NOW).future
        return found if isinstance(found, Stored) else None

    async def is_running(self, execution_id: str) -> bool:
        """True if a living process has taken the execution."""
        return await self._reader.read(lambda tx: self._holdings.living_owner(tx, execution_id)) is not None

    def files(self, execution_id: str, *, anywhere: bool = True) -> LocalFiles:
        """Output and input files of one run of an execution; see `LocalFiles`."""
        folder = self._own_folder()
        return LocalFiles(folder / "artifacts", execution_id, anywhere=anywhere, uploads=folder / "uploads")

    def upload_path(self, upload_id: str) -> Path:
        """Where an upload lies."""
        return self._own_folder() / "uploads" / file_name(upload_id)

    def _own_folder(self) -> Path:
        if self.tenant == DEFAULT_TENANT:
            return self.data_dir
        return self.data_dir / "tenants" / file_name(self.tenant)

    async def close(self) -> None:
        """Give up what was taken, store what was given, then close. Does nothing the second time."""
        for database in self._family.values():
            database.give_up()
        await self._store.close()

    def give_up(self) -> None:
        """Release all that this tenant has taken."""
        for taken in list(self._taken.values()):
            taken.release()

    async def _take(self, execution_id: str, seen: SeenFilter, action: Callable[[Transaction, str], None]) -> Taken:
        owner = self._holdings.add(execution_id)
        ledger = SqlLedger(self._writer, self._reader, execution_id, owner, seen)
        taken = self._taken[owner] = Taken(ledger, lambda: self._release(execution_id, owner))
        try:
            await self._writer.call(lambda tx: action(tx, owner))
        except BaseException:
            taken.release()
            raise
        return taken

    def _release(self, execution_id: str, owner: str) -> None:
        del self._taken[owner]
        if self._holdings.drop(execution_id, owner):
            self._clear(execution_id, owner)

    def _clear(self, execution_id: str, owner: str) -> None:
        """Write that it is given up, as often as that takes: for other processes it is this one's until then."""
        try:
            future = self._writer.call(lambda tx: clear_owner(tx, execution_id, owner))
        except StorageError:
            self._stand_down()
        else:
            future.add_done_callback(partial(self._cleared, execution_id, owner))

    def _cleared(self, execution_id: str, owner: str, future: "asyncio.Future[None]") -> None:
        if future.cancelled() or future.exception() is None:
            return
        if self.is_broken:
            self._stand_down()
        else:
            future.get_loop().call_later(CLEAR_AGAIN, self._clear, execution_id, owner)

    def _stand_down(self) -> None:
        """What can no longer be given up by writing so is given up by withdrawing: all of it, if nothing is written."""
        if self.is_broken:
            self._store.presence.withdraw()


async def open_database(
    url: str | None,
    *,
    data_dir: Path | None = None,
    busy_timeout: float = 30.0,
    new_id: NewId = random_id,
    tenant: str = DEFAULT_TENANT,
    queries: Path | None = None,
) -> Database:
    """Open a database, or make it, and bring its schema up to date.

    Args:
        url: `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite:///:memory:`, or a plain path; None for
            `lumeflow.db` in the data folder; or `postgresql://user:password@host:port/database`.
        data_dir: Data folder; None for the user's.
        busy_timeout: Seconds to wait for another process that is writing to the same file, or for a server that is
            away.
        new_id: Makes the token by which this process is told apart from all others.
        tenant: Whose rows; `Database.of` gives others.
        queries: Folder of named queries; None for none.

    Raises:
        UsageError: The URL is not understood, it is no tenant's name, or a named query is none.
        StorageError: The database cannot be used; the message names it and the remedy.
    """
    folder = data_dir or default_data_dir()
    checked_tenant(tenant)
    if is_postgres(url):
        from lumeflow.storage.postgres import open_postgres

        store = await open_postgres(str(url), folder, busy_timeout, new_id())
    else:
        path = await asyncio.to_thread(locate, url, folder)
        store = await open_sqlite(path, folder, busy_timeout, new_id())
    store.queries = await asyncio.to_thread(load_named_queries, queries)
    return Database(store, tenant)
