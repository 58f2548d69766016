"""The queue: executions that wait for a worker, and those that one has taken.

queued ──► running ──► done             its execution says how it ended
  │  ▲        │
  │  └────────┘  the worker is gone
  └──► cancelled
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.core.events import Event, EventKind
from lumeflow.core.journal import Execution
from lumeflow.storage import executions
from lumeflow.storage.codec import decode_json, encode_json, optional_unstamp, unstamp
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.scoped import TenantReader, TenantWriter

COLUMNS = (
    "tenant, execution_id, kind, state, priority, options, attempts, cancel_requested, created_at, available_at,"
    " claimed_at, finished_at"
)

_PUT = """
INSERT INTO execution_jobs (tenant, execution_id, kind, state, priority, options, created_at, available_at)
VALUES (?, ?, ?, 'queued', ?, ?, ?, ?)
ON CONFLICT (tenant, execution_id) DO UPDATE SET kind = excluded.kind, state = 'queued', priority = excluded.priority,
  options = excluded.options, owner = NULL, attempts = 0, cancel_requested = FALSE, created_at = excluded.created_at,
  available_at = excluded.available_at, claimed_at = NULL, finished_at = NULL
WHERE execution_jobs.state <> 'running'"""

_GET = f"SELECT {COLUMNS} FROM execution_jobs WHERE tenant = ? AND execution_id = ?"  # noqa: S608 - constants, as below

_LIST = f"""
SELECT {COLUMNS} FROM execution_jobs
WHERE state = ? AND tenant = ? ORDER BY priority DESC, created_at, execution_id LIMIT ?"""  # noqa: S608

_CANCEL_QUEUED = """
UPDATE execution_jobs SET state = 'cancelled', finished_at = ?
WHERE tenant = ? AND execution_id = ? AND state = 'queued'"""

_CANCEL_EXECUTION = """
UPDATE workflow_executions SET status = 'cancelled', completed_at = ?
WHERE tenant = ? AND id = ? AND status = 'queued'"""

_CANCEL_RUNNING = """
UPDATE execution_jobs SET cancel_requested = TRUE WHERE tenant = ? AND execution_id = ? AND state = 'running'"""


class JobKind(StrEnum):
    """Who does the work."""

    WORKFLOW = "WORKFLOW"
    SEARCH = "SEARCH"
    """The plan's pipeline, written straight in code."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """An execution that somebody wants to be run.

    Attributes:
        tenant: Whose it is.
        execution_id: The execution.
        kind: Who does the work.
        state: Where it stands.
        priority: The higher goes first.
        options: What the worker must know besides the execution, e.g. `{"limits": {…}}`.
        attempts: How often a worker has taken it.
        cancel_requested: True if the worker should stop it.
        created_at: When it was queued.
        available_at: Not to be run before.
        claimed_at: When a worker took it.
        finished_at: When it was done or cancelled.
    """

    tenant: str
    execution_id: str
    kind: JobKind
    state: JobState
    priority: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0
    cancel_requested: bool = False
    created_at: datetime | None = None
    available_at: datetime | None = None
    claimed_at: datetime | None = None
    finished_at: datetime | None = None


class SqlQueue:
    """The queue as one tenant sees it."""

    def __init__(self, writer: TenantWriter, reader: TenantReader) -> None:
        self._writer = writer
        self._reader = reader

    async def enqueue(
        self,
        execution: Execution,
        *,
        kind: JobKind = JobKind.WORKFLOW,
        priority: int = 0,
        options: Mapping[str, Any] | None = None,
        available_at: datetime | None = None,
    ) -> None:
        """Write a new execution down as queued, with its job, in one commit. It is taken and reopened to be run.

        Raises:
            AlreadyExists: The id is taken.
        """
        tenant = self._writer.tenant

        def action(tx: Transaction) -> None:
            executions.begin(tx, execution, None, queued=True)
            at = execution.started_at
            _note_queued(tx, execution.id, at)
            _put(tx, tenant, execution.id, kind, priority, options or {}, at, available_at or at)

        await self._writer.call(action)

    async def requeue(
        self,
        execution_id: str,
        *,
        at: datetime,
        kind: JobKind = JobKind.WORKFLOW,
        priority: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Queue an execution that exists, for a resume.

        Raises:
            UsageError: A worker has it.
            StorageError: A process runs it without the queue.
        """
        tenant = self._writer.tenant

        def action(tx: Transaction) -> bool:
            is_put = _put(tx, tenant, execution_id, kind, priority, options or {}, at, at)
            if is_put:
                _note_queued(tx, execution_id, at)
            return is_put

        if not await self._writer.call(action):
            raise UsageError(f"execution '{execution_id}' is running: wait for it, or cancel it")

    async def cancel(self, execution_id: str, *, at: datetime) -> JobState | None:
        """Cancel what waits at once; ask the worker to stop what runs. The state after it; None if there is no job."""
        place = (self._writer.tenant, execution_id)

        def action(tx: Transaction) -> JobState | None:
            now = tx.sql.time(at)
            if tx.db.execute(_CANCEL_QUEUED, (now, *place)).rowcount:
                tx.db.execute(_CANCEL_EXECUTION, (now, *place))
            else:
                tx.db.execute(_CANCEL_RUNNING, place)
            row = tx.db.execute(_GET, place).fetchone()
            return None if row is None else JobState(row[3])

        return await self._writer.call(action)

    async def get(self, execution_id: str) -> QueuedJob | None:
        """The job of an execution."""
        return await self._reader.read(lambda tx: find_job(tx, execution_id))

    async def list(self, state: JobState, *, limit: int = 100) -> Sequence[QueuedJob]:
        """Jobs in one state, in the order in which they are run."""
        rows = await self._reader.rows(_LIST, (state.value, self._reader.tenant, limit))
        return [job_of(row) for row in rows]


def find_job(tx: Transaction, execution_id: str) -> QueuedJob | None:
    """The job of an execution of the transaction's tenant."""
    row = tx.db.execute(_GET, (tx.tenant, execution_id)).fetchone()
    return None if row is None else job_of(row)


def _note_queued(tx: Transaction, execution_id: str, at: datetime) -> None:
    executions.NOTE.run(tx, [(None, execution_id, [Event(EventKind.EXECUTION_QUEUED, at)])])


def _put(
    tx: Transaction,
    tenant: str,
    execution_id: str,
    kind: JobKind,
    priority: int,
    options: Mapping[str, Any],
    at: datetime,
    available_at: datetime,
) -> bool:
    times = (tx.sql.time(at), tx.sql.time(available_at))
    values = (tenant, execution_id, kind.value, priority, encode_json(options), *times)
    return tx.db.execute(_PUT, values).rowcount == 1


def job_of(row: Sequence[Any]) -> QueuedJob:
    """A job from its columns."""
    tenant, execution_id, kind, state, priority, options, attempts, cancel, created, available, claimed, finished = row
    return QueuedJob(
        tenant,
        execution_id,
        JobKind(kind),
        JobState(state),
        priority,
        decode_json(options),
        attempts,
        bool(cancel),
        unstamp(created),
        unstamp(available),
        optional_unstamp(claimed),
        optional_unstamp(finished),
    )
