"""Jobs for the writer, and how a batch of them is run: in order, but gathered by kind where order does not matter."""

import asyncio
import sqlite3
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class Transaction:
    """What a job gets.

    Attributes:
        db: The connection, inside a transaction.
        memo: What jobs of this transaction found out already (that an owner is still the owner, say).
    """

    db: sqlite3.Connection
    memo: dict[Hashable, Any] = field(default_factory=dict)


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
        key: What it touches; None if that does not matter.
        future: Settled in the loop's thread, after the commit.
        result: What it made.
        error: Why it failed. Set in the writer's thread before any later job is run, so that one can ask.
    """

    work: Work[Any, Any]
    arg: Any
    key: Hashable
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


def run_together(tx: Transaction, jobs: list[Job]) -> None:
    """Run jobs in order, commuting ones gathered by kind until a job comes that must not be overtaken."""
    gathered: dict[Work[Any, Any], list[Job]] = {}
    keys: set[Hashable] = set()
    for job in jobs:
        if not job.work.commutes or job.key in keys:
            _run_gathered(tx, gathered)
            keys.clear()
        gathered.setdefault(job.work, []).append(job)
        if not job.work.commutes:
            _run_gathered(tx, gathered)
        elif job.key is not None:
            keys.add(job.key)
    _run_gathered(tx, gathered)


def _run_gathered(tx: Transaction, gathered: dict[Work[Any, Any], list[Job]]) -> None:
    for work, jobs in gathered.items():
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


def settle_all(jobs: list[Job]) -> None:
    """Tell everybody who waits."""
    for job in jobs:
        settle(job.future, job.result, job.error)
