"""Jobs for the writer, and how a batch of them is run: in order, but gathered by kind where order does not matter."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from lumeflow.storage.dialect import SQLITE, Connection, Dialect

DEFAULT_TENANT = "default"
"""Tenant of the command line."""

ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class Transaction:
    """What a job, or a query, gets.

    Attributes:
        db: The connection, inside a transaction.
        tenant: Whose rows it may touch: every statement names it, and PostgreSQL enforces it.
        sql: How the database spells what differs.
        memo: What jobs of this transaction found out already (that an owner is still the owner, say).
    """

    db: Connection
    tenant: str = DEFAULT_TENANT
    sql: Dialect = SQLITE
    memo: dict[Hashable, Any] = field(default_factory=dict)

    def enter(self, tenant: str) -> None:
        """Go on as `tenant`."""
        if tenant != self.tenant:
            self.sql.enter(self.db, tenant)
            self.tenant = tenant


@dataclass(frozen=True, slots=True, eq=False)
class Work(Generic[ArgT, ResultT]):
    """A kind of job that is done for many arguments at once.

    Attributes:
        run: Does it: one result for each argument, in order. May be run again after a rollback.
        commutes: True if jobs of this kind may change places with jobs of other commuting kinds, unless their keys
            are equal; it lets jobs of one kind be gathered into one statement.
        fault: Name of the fault points around the commit, `<fault>.before-commit` and `<fault>.after-commit`.
    """

    run: Callable[[Transaction, Sequence[ArgT]], Sequence[ResultT]]
    commutes: bool = True
    fault: str | None = None


@dataclass(slots=True, eq=False)
class Job:
    """One argument of a kind of work, and who waits for its result.

    Attributes:
        work: The kind.
        arg: The argument.
        tenant: Whose rows it touches.
        key: What it touches; None if that does not matter.
        future: Settled in the loop's thread, after the commit.
        result: What it made.
        error: Why it failed. Set in the writer's thread before any later job is run, so that one can ask.
    """

    work: Work[Any, Any]
    arg: Any
    tenant: str
    key: Hashable
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


_Gathered = dict[tuple[Work[Any, Any], str], list[Job]]


def run_together(tx: Transaction, jobs: list[Job]) -> None:
    """Run jobs in order, commuting ones gathered by kind until a job comes that must not be overtaken."""
    gathered: _Gathered = {}
    keys: set[Hashable] = set()
    for job in jobs:
        if not job.work.commutes or job.key in keys:
            _run_gathered(tx, gathered)
            keys.clear()
        gathered.setdefault((job.work, job.tenant), []).append(job)
        if not job.work.commutes:
            _run_gathered(tx, gathered)
        elif job.key is not None:
            keys.add(job.key)
    _run_gathered(tx, gathered)


def _run_gathered(tx: Transaction, gathered: _Gathered) -> None:
    for (work, tenant), jobs in gathered.items():
        tx.enter(tenant)
        results = work.run(tx, [job.arg for job in jobs])
        for job, result in zip(jobs, results, strict=True):
            job.result = result
    gathered.clear()


def settle(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    """Give a future its outcome; in the loop's thread."""
    if future.done():  # cancelled by whoever waited
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
