"""What is stored of one execution, read at once: one visit to the reader's thread, one state of the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lumeflow.core.effects import LedgerTotals
from lumeflow.core.journal import Execution, ExecutionSummary, NodeRow, RecordKind, Rerun, Status, may_have_failed
from lumeflow.storage import execution_list, executions
from lumeflow.storage.jobs import Transaction
from lumeflow.storage.owners import Holdings, Owner
from lumeflow.storage.record_store import has_records
from lumeflow.storage.repositories.queue import COLUMNS, QueuedJob, job_of
from lumeflow.storage.totals import sum_up

# In one statement: each one more lets another thread have the interpreter in between. Without document and input, which
# may have megabytes: whoever watches asks several times a second.
_GET = f"""
SELECT {execution_list.COLUMNS}, e.rerun, o.owner, {", ".join("j." + name.strip() for name in COLUMNS.split(","))}
FROM workflow_executions AS e
LEFT JOIN execution_owners AS o ON o.tenant = e.tenant AND o.execution_id = e.id
LEFT JOIN execution_jobs AS j ON j.tenant = e.tenant AND j.execution_id = e.id
WHERE e.tenant = ? AND e.id = ?"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an execution stands.

    Attributes:
        execution: As it is written down, without document and input.
        rerun: Which earlier execution it runs anew, and which part; None for one that stands alone.
        job: Its job; None if it was never queued.
        owner: The living process that has taken it; None if there is none.
    """

    execution: ExecutionSummary
    rerun: Rerun | None
    job: QueuedJob | None
    owner: Owner

    @property
    def alive(self) -> bool:
        """True if it is stored as running, and a process runs it."""
        return self.execution.status is Status.RUNNING and self.owner is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it has come to.

    Attributes:
        execution: As it is written down.
        standing: Where it stands.
        nodes: Its nodes, in the order in which they were written; none while it runs.
        totals: Its calls and their cost.
        has_failures: True if a record of it failed that nothing took over, as far as that is on disk.
    """

    execution: Execution
    standing: Standing
    nodes: Sequence[NodeRow] = ()
    totals: LedgerTotals = field(default_factory=LedgerTotals)
    has_failures: bool = False


def standing(tx: Transaction, holdings: Holdings, execution_id: str) -> Standing | None:
    """Where an execution stands; None if there is none of this id."""
    row = tx.db.execute(_GET, (tx.tenant, execution_id)).fetchone()
    if row is None:
        return None
    rerun, owner, *job = row[execution_list.WIDTH :]
    lives = owner is not None and holdings.lives(tx, execution_id, owner)
    return Standing(
        execution_list.summary(row[: execution_list.WIDTH]),
        executions.rerun_of(rerun),
        job_of(job) if job[0] is not None else None,
        owner if lives else None,
    )


def outcome(tx: Transaction, holdings: Holdings, execution_id: str) -> Outcome | None:
    """What it has come to; None if there is none of this id."""
    found = standing(tx, holdings, execution_id)
    if found is None:
        return None
    execution = executions.execution_of(tx.db.execute(executions.GET, (tx.tenant, execution_id)).fetchone())
    rows = [executions.node_of(row) for row in tx.db.execute(executions.NODES, (tx.tenant, execution_id))]
    if execution.status is Status.QUEUED and not rows and (found.job is None or not found.job.attempts):
        return Outcome(execution, found)  # nothing has been done yet
    totals = sum_up(tx, execution_id, found.owner)
    has_failures = may_have_failed(rows) and has_records(tx, execution_id, RecordKind.FAILED)
    return Outcome(execution, found, rows, totals, has_failures)
