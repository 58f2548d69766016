"""Executions, their nodes, their timeline and the records kept with them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from lumeflow.core.errors import StorageError, UsageError
from lumeflow.core.events import Event
from lumeflow.core.journal import (
    EVERY_EXECUTION,
    Execution,
    ExecutionFilter,
    ExecutionSummary,
    KeptRecord,
    NodeRow,
    RecordKind,
    RecordPlace,
    Status,
    Timeline,
)
from lumeflow.core.records import JsonObject
from lumeflow.storage import executions
from lumeflow.storage.execution_list import page
from lumeflow.storage.jobs import Job, Transaction, Work
from lumeflow.storage.outbox import Urgency
from lumeflow.storage.owners import Holdings, require_owner
from lumeflow.storage.record_codec import estimated_bytes
from lumeflow.storage.record_store import KEEP, drop_some, kept_at, nodes_with_records
from lumeflow.storage.scoped import TenantReader, TenantWriter

WAITING_BYTES = 16 << 20
"""Kept records that may wait for the disk, estimated; above it `keep` holds its caller back."""

LAZY_BYTES = 1 << 20
"""Kept records, estimated, that may wait for another commit to take them along."""


class SqlJournal:
    """See `lumeflow.core.journal.Journal`.

    What is given to `note` and `keep` is not waited for; if it could not be stored, the execution's `finish` (and any
    `flush`) raises, so that no execution ends well with records missing.
    """

    def __init__(self, writer: TenantWriter, reader: TenantReader, holdings: Holdings) -> None:
        self._writer = writer
        self._reader = reader
        self._holdings = holdings
        self._waiting: dict[str, set[Job]] = {}
        self._waiting_bytes = 0
        self._lost: dict[str, str] = {}
        self._runs: dict[str, int] = {}

    async def begin(self, execution: Execution) -> None:
        """Write a new execution down, with status running."""
        owner = self._holdings.token(execution.id)
        await self._writer.call(lambda tx: executions.begin(tx, execution, owner))

    async def reopen(self, execution_id: str, *, at: datetime | None = None) -> None:
        """Prepare a resume: status running, what an unfinished run has kept dropped."""
        self._lost.pop(execution_id, None)
        owner = self._holdings.token(execution_id)
        reopened = await self._writer.call(lambda tx: executions.reopen(tx, execution_id, owner, at))
        if reopened is None:
            raise _unknown(execution_id)
        self._runs[execution_id] = reopened.run

        def drop(tx: Transaction) -> int:
            require_owner(tx, execution_id, owner)
            return drop_some(tx, execution_id, reopened.spared)

        # In small transactions, so that other executions are not held up.
        while await self._writer.call(drop):
            pass

    async def get(self, execution_id: str) -> Execution | None:
        """Read an execution."""
        rows = await self._reader.rows(executions.GET, (self._reader.tenant, execution_id))
        return executions.execution_of(rows[0]) if rows else None

    async def list(
        self, *, limit: int, before: str | None = None, chosen: ExecutionFilter = EVERY_EXECUTION
    ) -> Sequence[ExecutionSummary]:
        """The newest executions first; `before` is the id after which the page begins."""
        return await self._reader.read(lambda tx: page(tx, chosen, limit, before))

    async def nodes(self, execution_id: str) -> Sequence[NodeRow]:
        """The node rows, in the order in which they were written."""
        return [
            executions.node_of(row)
            for row in await self._reader.rows(executions.NODES, (self._reader.tenant, execution_id))
        ]

    def note(self, execution_id: str, events: Sequence[Event]) -> None:
        """Put events on the timeline; they are on disk with the next commit."""
        if not events:
            return
        owner = self._holdings.token(execution_id)
        try:
            self._submit(executions.NOTE, (owner, execution_id, events), execution_id)
        except StorageError as error:
            # Noted in passing, by callers that cannot wait nor fail; the end of the execution will.
            self._lost.setdefault(execution_id, str(error))

    async def timeline(self, execution_id: str, *, after: int = 0, limit: int = 1000) -> Timeline:
        """Read events back, in order, those with an ordinal above `after`."""
        await self._settled()
        rows = await self._reader.rows(executions.TIMELINE, (self._reader.tenant, execution_id, after, limit))
        return Timeline([executions.event_of(row) for row in rows])

    async def keep(self, execution_id: str, records: Sequence[KeptRecord]) -> None:
        """Keep records; returns before they are on disk unless many are waiting."""
        if not records:
            return
        size = estimated_bytes(records)
        owner = self._holdings.token(execution_id)
        job = self._submit(KEEP, (owner, execution_id, self._runs.get(execution_id, 1), records), execution_id, size)
        if self._waiting_bytes > WAITING_BYTES:
            # Shielded: whoever stops waiting must not take the records back.
            await asyncio.shield(job.future)

    def kept(
        self, execution_id: str, kind: RecordKind, node_id: str | None = None, *, after: RecordPlace | None = None
    ) -> AsyncIterator[KeptRecord]:
        """Read kept records, nodes in the document's order, records by position, a page at a time."""
        return self._kept(execution_id, kind, node_id, after)

    async def flush(self) -> None:
        """Wait until everything given so far is on disk."""
        await self._writer.call(_nothing)
        if self._lost:
            raise StorageError(next(iter(self._lost.values())))

    async def finish(
        self,
        execution_id: str,
        status: Status,
        nodes: Sequence[NodeRow],
        *,
        completed_at: datetime,
        output: JsonObject | None,
        error: str | None,
    ) -> None:
        """Write down how the execution ended, with its nodes, and give it up: all in one commit with what waits."""
        owner = self._holdings.token(execution_id)
        ending = executions.Ending(status, completed_at, output, error)
        lost = self._lost.get(execution_id)
        waiting = list(self._waiting.get(execution_id, ()))

        def action(tx: Transaction) -> bool:
            # Those that wait are run before this one, and their errors are known by then.
            errors = [lost, *(str(job.error) for job in waiting if job.error)]
            for reason in filter(None, errors):
                raise StorageError(reason)
            return executions.finish(tx, execution_id, owner, ending, nodes)

        if not await self._writer.call(action):
            raise _unknown(execution_id)
        if owner is not None:
            self._holdings.drop(execution_id, owner)
        if self._runs.pop(execution_id, 1) > 1:
            await self._drop_other_run(execution_id)

    async def _drop_other_run(self, execution_id: str) -> None:
        """Drop the records of the run that is not read any more; should that be cut short, the next resume does it."""

        def drop(tx: Transaction) -> int:
            run = executions.idle_run(tx, execution_id)
            return 0 if run is None else drop_some(tx, execution_id, run)

        while await self._writer.call(drop):
            pass

    async def _kept(
        self, execution_id: str, kind: RecordKind, node_id: str | None, after: RecordPlace | None
    ) -> AsyncIterator[KeptRecord]:
        await self._settled()
        names = [node_id] if node_id is not None else await self._nodes_in_order(execution_id, kind)
        if after is not None and after.node_id in names:
            names = names[names.index(after.node_id) :]
        for name in names:
            place = after if after is not None and after.node_id == name else None
            async for record in kept_at(self._reader, execution_id, kind, name, place):
                yield record

    async def _nodes_in_order(self, execution_id: str, kind: RecordKind) -> Sequence[str]:
        present = await nodes_with_records(self._reader, execution_id, kind)
        execution = await self.get(execution_id)
        document = execution.definition.get("nodes", ()) if execution else ()
        order = {node["id"]: place for place, node in enumerate(document)}
        return sorted(present, key=lambda name: (order.get(name, len(order)), name))

    async def _settled(self) -> None:
        """Wait for what `note` and `keep` did not wait for."""
        if self._waiting:
            await self._writer.call(_nothing)

    def _submit(self, work: Work[Any, None], arg: Any, execution_id: str, size: int = 0) -> Job:
        """Hand in what is not waited for."""
        urgency = Urgency.LAZY if self._waiting_bytes + size <= LAZY_BYTES else Urgency.PACED
        job = self._writer.submit(work, arg, urgency=urgency)
        self._waiting.setdefault(execution_id, set()).add(job)
        self._waiting_bytes += size
        job.future.add_done_callback(partial(self._done, job, execution_id, size))
        return job

    def _done(self, job: Job, execution_id: str, size: int, future: "asyncio.Future[None]") -> None:
        waiting = self._waiting[execution_id]
        waiting.discard(job)
        if not waiting:
            del self._waiting[execution_id]
        self._waiting_bytes -= size
        if not future.cancelled() and (error := future.exception()):
            self._lost.setdefault(execution_id, str(error))


def _nothing(tx: Transaction) -> None:
    """An action that only waits its turn."""


def _unknown(execution_id: str) -> UsageError:
    return UsageError(f"there is no execution '{execution_id}'")
