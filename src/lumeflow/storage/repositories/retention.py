"""Executions whose time has come: found, taken out of sight in one commit, and then deleted a piece at a time.

What stays are their costs, and what they stored in tables (audiences, contacts). The row in `execution_purges` outlives
a process that dies in between, so that the next one goes on; for everybody else the execution is gone from its first
moment on, and nobody resumes what has lost half of its ledger.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from lumeflow.core.journal import Status
from lumeflow.storage.codec import decode_json
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.outbox import Urgency
from lumeflow.storage.owners import Holdings
from lumeflow.storage.repositories.costs import sum_up_costs
from lumeflow.storage.scoped import TenantReader, TenantWriter

ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

# An execution has ended after it began, so that the index on status and start finds what has ended long ago.
_ENDED_BEFORE = """
SELECT id FROM workflow_executions
WHERE tenant = ? AND status = ? AND started_at < ? AND completed_at < ? ORDER BY started_at, id"""

_BEGUN_BEFORE = """
SELECT id FROM workflow_executions WHERE tenant = ? AND status = 'running' AND started_at < ? ORDER BY started_at, id"""

_IS_DUE = """
SELECT status FROM workflow_executions WHERE tenant = ? AND id = ?
  AND (status IN ('completed', 'failed', 'cancelled') AND completed_at < ? OR status = 'running' AND started_at < ?)"""

# Thousands may wait, and few of them are re-runs; asked before each deletion.
_UNFINISHED = """
SELECT rerun FROM workflow_executions WHERE tenant = ? AND status = ? AND rerun IS NOT NULL"""

_QUEUED = """
SELECT e.id, e.rerun FROM execution_jobs AS j
JOIN workflow_executions AS e ON e.tenant = j.tenant AND e.id = j.execution_id
WHERE j.state = ? AND j.tenant = ?"""

_RERUN = "SELECT rerun FROM workflow_executions WHERE tenant = ? AND id = ?"

_MARK = """
INSERT INTO execution_purges (tenant, execution_id, begun_at) VALUES (?, ?, ?)
ON CONFLICT (tenant, execution_id) DO NOTHING"""

_MARKED = "SELECT execution_id FROM execution_purges WHERE tenant = ? ORDER BY execution_id"

_UNMARK = "DELETE FROM execution_purges WHERE tenant = ? AND execution_id = ?"

_OUT_OF_SIGHT = (
    "DELETE FROM execution_jobs WHERE tenant = ? AND execution_id = ?",
    "DELETE FROM block_executions WHERE tenant = ? AND workflow_execution_id = ?",
    "DELETE FROM workflow_executions WHERE tenant = ? AND id = ?",
)

_PIECES = tuple(
    (
        f"DELETE FROM {table} WHERE tenant = ? AND execution_id = ? AND {column} IN"  # noqa: S608 - constants
        f" (SELECT {column} FROM {table} WHERE tenant = ? AND execution_id = ? LIMIT {most})",
        most,
    )
    for table, column, most in (
        ("execution_records", "id", 20),
        ("execution_events", "ordinal", 1000),
        ("effect_attempts", "digest", 500),
        ("effects", "digest", 500),
        ("artifacts", "id", 1000),
    )
)
"""Statements that delete a piece, and how many rows that is; records lie in rows of up to a megabyte."""


class SqlRetention:
    """Deletes executions of one tenant. `Database.purge` begins; see there.

    Args:
        writer: Of the tenant.
        reader: Of the tenant.
        holdings: Tells which executions run.
    """

    def __init__(self, writer: TenantWriter, reader: TenantReader, holdings: Holdings) -> None:
        self._writer = writer
        self._reader = reader
        self._holdings = holdings

    async def due(self, before: datetime) -> Sequence[str]:
        """Executions that ended before a time, or were interrupted and began before it, and that nobody needs: an
        execution that waits or runs may need those of which it runs a part anew.
        """

        def query(tx: Transaction) -> Sequence[str]:
            at, kept = tx.sql.time(before), needed(tx)
            found = [
                row[0]
                for status in ENDED
                for row in tx.db.execute(_ENDED_BEFORE, (tx.tenant, status.value, at, at)).fetchall()
            ]
            for (execution_id,) in tx.db.execute(_BEGUN_BEFORE, (tx.tenant, at)).fetchall():
                if self._holdings.living_owner(tx, execution_id) is None:
                    found.append(execution_id)
            return [execution_id for execution_id in found if execution_id not in kept]

        return await self._reader.read(query)

    async def begun(self) -> Sequence[str]:
        """Executions that are out of sight, and not yet deleted as a whole."""
        return [row[0] for row in await self._reader.rows(_MARKED, (self._reader.tenant,))]

    async def sweep(self, execution_id: str) -> None:
        """Delete what is left of one that is out of sight, its files apart."""
        place = (self._writer.tenant, execution_id)
        for statement, most in _PIECES:
            while await self._delete(statement, (*place, *place)) >= most:
                pass

    async def end(self, execution_id: str) -> None:
        """Nothing is left of it."""
        await self._delete(_UNMARK, (self._writer.tenant, execution_id))

    async def _delete(self, statement: str, values: Sequence[str]) -> int:
        deleted = await self._writer.call(lambda tx: tx.db.execute(statement, values).rowcount, Urgency.PACED)
        return int(deleted)


def take_out_of_sight(tx: Transaction, execution_id: str, before: datetime, at: datetime) -> bool:
    """Begin to delete an execution that this transaction's process has taken; False if it is not due any more."""
    time, place = tx.sql.time(before), (tx.tenant, execution_id)
    row = tx.db.execute(_IS_DUE, (*place, time, time)).fetchone()
    if row is None or execution_id in needed(tx):
        return False
    if row[0] == Status.RUNNING:
        sum_up_costs(tx, execution_id)
    tx.db.execute(_MARK, (*place, tx.sql.time(at)))
    for statement in _OUT_OF_SIGHT:
        tx.db.execute(statement, place)
    return True


def needed(tx: Transaction) -> set[str]:
    """Executions that are queued (anew), and those of which one that has not ended runs a part anew."""
    reruns = [
        row[0]
        for status in (Status.QUEUED, Status.RUNNING)
        for row in tx.db.execute(_UNFINISHED, (tx.tenant, status.value)).fetchall()
    ]
    queued = [row for state in ("queued", "running") for row in tx.db.execute(_QUEUED, (state, tx.tenant)).fetchall()]
    kept = {row[0] for row in queued}
    for rerun in [*reruns, *(row[1] for row in queued)]:
        kept.update(_chain(tx, rerun, kept))
    return kept


def _chain(tx: Transaction, rerun: str | None, kept: set[str]) -> Iterator[str]:
    while rerun is not None and (earlier := decode_json(rerun)):
        name = earlier["of"]
        if name in kept:
            return
        yield name
        row = tx.db.execute(_RERUN, (tx.tenant, name)).fetchone()
        rerun = row[0] if row else None
