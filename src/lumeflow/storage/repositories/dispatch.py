"""The other end of the queue: workers take jobs, of all tenants and fairly, and those of dead workers are set free."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from lumeflow.storage.codec import unstamp
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.owners import Presence
from lumeflow.storage.repositories.queue import COLUMNS, JobState, QueuedJob, job_of
from lumeflow.storage.repositories.tenants import limits
from lumeflow.storage.scoped import TenantReader, TenantWriter

_RUNNING = "SELECT tenant, count(*) FROM execution_jobs WHERE state = 'running' GROUP BY tenant"

_WAITING = "SELECT DISTINCT tenant FROM execution_jobs WHERE state = 'queued' AND available_at <= ?"

_ANY_WAITING = "SELECT 1 FROM execution_jobs WHERE state = 'queued' AND available_at <= ? LIMIT 1"

# Whoever counts what a tenant runs must be the only one who adds to it, to this transaction's end.
_RESERVE = "SELECT 1 FROM tenants WHERE tenant = ?"

_LAST = "SELECT max(claimed_at) FROM execution_jobs WHERE tenant = ?"

_NEXT = f"""
SELECT {COLUMNS} FROM execution_jobs
WHERE state = 'queued' AND tenant = ? AND available_at <= ?
ORDER BY priority DESC, created_at, execution_id LIMIT 1"""  # noqa: S608 - constants

_CLAIM = """
UPDATE execution_jobs SET state = 'running', owner = ?, attempts = attempts + 1, claimed_at = ?
WHERE tenant = ? AND execution_id = ? AND state = 'queued'"""

_DONE = """
UPDATE execution_jobs SET state = 'done', owner = NULL, finished_at = ?
WHERE tenant = ? AND execution_id = ? AND state = 'running' AND owner = ?"""

_GIVE_BACK = """
UPDATE execution_jobs
SET state = 'queued', owner = NULL, attempts = attempts - ?, available_at = coalesce(?, available_at)
WHERE tenant = ? AND execution_id = ? AND state = 'running' AND owner = ?"""

_OWNED = "SELECT tenant, execution_id, owner FROM execution_jobs WHERE state = 'running' ORDER BY tenant, execution_id"

_TO_CANCEL = """
SELECT tenant, execution_id FROM execution_jobs WHERE state = 'running' AND owner = ? AND cancel_requested"""


class Dispatch:
    """The queue as a worker sees it.

    Args:
        writer: Of everybody.
        reader: Of everybody.
        presence: Of this process: what it takes is set free when it ends, however it ends.
    """

    def __init__(self, writer: TenantWriter, reader: TenantReader, presence: Presence) -> None:
        self._writer = writer
        self._reader = reader
        self._presence = presence

    async def claim(self, most: int, *, at: datetime) -> Sequence[QueuedJob]:
        """Take up to `most` jobs: each from the tenant that has the fewest running, the longest without one first; of a
        tenant the one of the highest priority that waits longest.
        """

        def action(tx: Transaction) -> Sequence[QueuedJob]:
            self._presence.announce(tx)
            share = _Share.read(tx, at)
            taken: list[QueuedJob] = []
            while len(taken) < most and (tenant := share.next()) is not None:
                job = self._claim_one(tx, tenant, at)
                if job is None:
                    share.exhausted(tenant)
                else:
                    share.took(tenant)
                    taken.append(job)
            return taken

        # Asked far more often than there is one: whenever an execution has ended, and every second.
        if not await self._reader.read(lambda tx: tx.db.execute(_ANY_WAITING, (tx.sql.time(at),)).fetchone()):
            return []
        return await self._writer.call(action)

    async def done(self, job: QueuedJob, *, at: datetime) -> bool:
        """A job has ended; False if it was no longer this process's."""
        place = (job.tenant, job.execution_id, self._presence.token)
        return await self._writer.call(lambda tx: tx.db.execute(_DONE, (tx.sql.time(at), *place)).rowcount) == 1

    async def give_back(self, job: QueuedJob, *, counts: bool = False, until: datetime | None = None) -> bool:
        """Queue a job again that this process cannot finish now; False if it was no longer this process's.

        Args:
            job: The job.
            counts: True if it counts as an attempt; not if this process only ends, or the storage failed.
            until: Not to be taken again before; None for at once.
        """
        place = (job.tenant, job.execution_id, self._presence.token)

        def action(tx: Transaction) -> bool:
            values = (0 if counts else 1, tx.sql.optional_time(until), *place)
            return tx.db.execute(_GIVE_BACK, values).rowcount == 1

        return await self._writer.call(action)

    async def recover(self) -> Sequence[tuple[str, str]]:
        """Queue again what processes had taken that are gone; returns tenants and executions."""

        def action(tx: Transaction) -> Sequence[tuple[str, str]]:
            alive: dict[str, bool] = {self._presence.token: True}
            freed = []
            for tenant, execution_id, owner in tx.db.execute(_OWNED).fetchall():
                if owner not in alive:
                    alive[owner] = self._presence.is_alive(tx, owner)
                if not alive[owner] and tx.db.execute(_GIVE_BACK, (0, None, tenant, execution_id, owner)).rowcount:
                    freed.append((tenant, execution_id))
            return freed

        return await self._writer.call(action)

    async def cancel_requests(self) -> Sequence[tuple[str, str]]:
        """Tenants and executions of this process that somebody wants to be stopped."""
        rows = await self._reader.rows(_TO_CANCEL, (self._presence.token,))
        return [(row[0], row[1]) for row in rows]

    def _claim_one(self, tx: Transaction, tenant: str, at: datetime) -> QueuedJob | None:
        now = tx.sql.time(at)
        while True:
            row = tx.db.execute(_NEXT + tx.sql.for_claim, (tenant, now)).fetchone()
            if row is None:
                return None
            job = job_of(row)
            if tx.db.execute(_CLAIM, (self._presence.token, now, tenant, job.execution_id)).rowcount:
                return replace(job, state=JobState.RUNNING, attempts=job.attempts + 1, claimed_at=at)


class _Share:
    """Whose turn it is."""

    def __init__(
        self,
        waiting: set[str],
        running: dict[str, int],
        last: dict[str, datetime],
        most: dict[str, int | None],
        at: datetime,
    ) -> None:
        self._waiting = waiting
        self._running = running
        self._last = last
        self._most = most
        self._at = at

    @classmethod
    def read(cls, tx: Transaction, at: datetime) -> "_Share":
        most = {tenant: concurrency if is_active else 0 for tenant, (is_active, concurrency) in limits(tx).items()}
        found = {row[0] for row in tx.db.execute(_WAITING, (tx.sql.time(at),)).fetchall()}
        waiting = {tenant for tenant in found if most.get(tenant) is None or _is_reserved(tx, tenant)}
        running = {row[0]: int(row[1]) for row in tx.db.execute(_RUNNING).fetchall()}
        times = {tenant: tx.db.execute(_LAST, (tenant,)).fetchone()[0] for tenant in waiting}
        last = {tenant: unstamp(at) for tenant, at in times.items() if at is not None}
        return cls(waiting, running, last, most, at)

    def next(self) -> str | None:
        """The tenant whose turn it is; None if nobody's."""
        ready = [tenant for tenant in self._waiting if self._has_room(tenant)]
        return min(ready, key=self._place, default=None)

    def took(self, tenant: str) -> None:
        """A job of this tenant runs now."""
        self._running[tenant] = self._running.get(tenant, 0) + 1
        self._last[tenant] = self._at

    def exhausted(self, tenant: str) -> None:
        """Nothing of this tenant waits any more."""
        self._waiting.discard(tenant)

    def _has_room(self, tenant: str) -> bool:
        most = self._most.get(tenant)
        return most is None or self._running.get(tenant, 0) < most

    def _place(self, tenant: str) -> tuple[int, float, str]:
        last = self._last.get(tenant)
        return self._running.get(tenant, 0), last.timestamp() if last else 0.0, tenant


def _is_reserved(tx: Transaction, tenant: str) -> bool:
    """True if nobody else is taking jobs of this tenant just now; whoever is, is passed over until the next look."""
    return tx.db.execute(_RESERVE + tx.sql.for_claim, (tenant,)).fetchone() is not None
