"""The one thread that writes: jobs from the event loop, many to a transaction, one disk flush for all of them.

    event loop                         writer thread (owns the connection)
    ----------                         -----------------------------------
    submit ─► outbox ─(at its pace)─►  queue ─► BEGIN … all that wait, up to a cap … COMMIT
    await future ◄─(one wake-up a commit)────── results

Nothing is reported before its commit. A job that fails does not spoil its neighbours: the batch is rolled back and run
again job by job, each in a savepoint. A commit that fails ends all writing: no later job is reported stored.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from lumeflow.core.errors import StorageError
from lumeflow.core.faults import fault_point
from lumeflow.storage.jobs import (
    DEFAULT_TENANT,
    ArgT,
    Job,
    ResultT,
    Transaction,
    Work,
    run_together,
    settle,
)
from lumeflow.storage.outbox import PACE, Outbox, Urgency
from lumeflow.storage.session import CommitFailed, Scope, Session

BATCH = 1000
"""Jobs in one transaction, at most: bounds how long the first of them waits for the last."""

TURN = 0.002
"""Seconds that a turn of the loop should take while results are told. A commit may hold hundreds, and each wakes
somebody up who goes on at once: told all together, they would keep everybody else, such as who asks for a status,
waiting for all of them. How many are told in a turn follows from how long the turn before took.
"""
MOST_AT_ONCE = 256

_Outcome = tuple["asyncio.Future[Any]", Any, BaseException | None]
"""Who waits, the result, the error."""

_CALL: Work[Callable[[Transaction], Any], Any] = Work(
    lambda tx, calls: [call(tx) for call in calls], commutes=False, fault="store"
)


class Writer:
    """Runs jobs in order of submission on a connection of its own, many to a commit.

    Args:
        connect: Opens the connection; called in the writer's thread.
        path: Name of the database, for messages.
        pace: Seconds between two commits under steady load; see `Outbox`.
    """

    def __init__(self, connect: Callable[[], Session], path: str, *, pace: float = PACE) -> None:
        self._connect = connect
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox(self._hand_over, pace=pace)
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._refusal: str | None = None
        self._broken: str | None = None
        self._ended = self._loop.create_future()
        self._told: deque[_Outcome] = deque()
        self._portion = 16
        # A daemon: what was reported is on disk, so a process that ends without `close` loses nothing it was promised.
        self._thread = threading.Thread(target=self._run, name="lumeflow-writer", daemon=True)

    async def open(self) -> None:
        """Open the connection.

        Raises:
            StorageError: It cannot be opened.
        """
        opened = self._loop.create_future()
        self._opened = opened
        self._thread.start()
        await opened

    def relax_while(self, is_relaxed: Callable[[], bool]) -> None:
        """Commit less often while `is_relaxed` says that nobody is in a hurry."""
        self._outbox.is_relaxed = is_relaxed

    @property
    def is_broken(self) -> bool:
        """True after a commit failed: nothing more is written by this process."""
        return self._broken is not None

    def call(
        self,
        action: Callable[[Transaction], ResultT],
        urgency: Urgency = Urgency.NOW,
        *,
        tenant: str = DEFAULT_TENANT,
    ) -> "asyncio.Future[ResultT]":
        """Run one action, after everything submitted before and before everything submitted later.

        Raises:
            StorageError: The database is closed, or can no longer be written.
        """
        return self.submit(_CALL, action, urgency=urgency, tenant=tenant).future

    def bulk(
        self, work: Work[ArgT, ResultT], arg: ArgT, key: Hashable = None, *, tenant: str = DEFAULT_TENANT
    ) -> "asyncio.Future[ResultT]":
        """Do `work` for one argument, together with others of its kind. Jobs with equal `key` stay in order.

        Raises:
            StorageError: The database is closed, or can no longer be written.
        """
        return self.submit(work, arg, key, tenant=tenant).future

    def submit(
        self,
        work: Work[ArgT, ResultT],
        arg: ArgT,
        key: Hashable = None,
        *,
        urgency: Urgency = Urgency.PACED,
        tenant: str = DEFAULT_TENANT,
    ) -> Job:
        """As `bulk`, for those who look at the job itself.

        Raises:
            StorageError: The database is closed, or can no longer be written.
        """
        if self._refusal is not None:
            raise StorageError(self._refusal)
        job = Job(work, arg, tenant, key, self._loop.create_future())
        self._outbox.add(job, urgency)
        return job

    async def close(self) -> None:
        """Do what was submitted, then close the connection. Does nothing the second time."""
        self._outbox.ship()
        if self._refusal is None:
            self._refusal = f"database {self._path} is closed"
        self._queue.put(None)
        await asyncio.shield(self._ended)

    def _hand_over(self, jobs: list[Job]) -> None:
        self._queue.put(jobs)

    def _tell(self, outcomes: list[_Outcome]) -> None:
        """Tell those who wait, in order, some now and the others in the next turns of the loop."""
        is_telling = bool(self._told)
        self._told.extend(outcomes)
        if not is_telling:
            self._tell_some()

    def _tell_some(self) -> None:
        for _ in range(min(self._portion, len(self._told))):
            settle(*self._told.popleft())
        if self._told:
            self._loop.call_soon(self._tell_more, self._loop.time())

    def _tell_more(self, since: float) -> None:
        took = self._loop.time() - since
        if took < TURN / 2:
            self._portion = min(2 * self._portion, MOST_AT_ONCE)
        elif took > TURN:
            self._portion = max(self._portion // 2, 2)
        self._tell_some()

    # From here on: the writer's thread.

    def _run(self) -> None:
        try:
            self._session = self._connect()
        except Exception as error:
            self._report([(self._opened, None, error), (self._ended, None, None)])
            return
        self._report([(self._opened, None, None)])
        try:
            while (jobs := self._next()) is not None:
                for start in range(0, len(jobs), BATCH):
                    self._commit(jobs[start : start + BATCH])
        finally:
            self._session.close()
            self._report([(self._ended, None, None)])

    def _next(self) -> list[Job] | None:
        """All jobs that wait, at least one; None at the end."""
        jobs = self._wait()
        while jobs is not None and len(jobs) < BATCH:
            try:
                more = self._queue.get_nowait()
            except Empty:
                break
            if more is None:
                self._queue.put(None)
                break
            jobs += more
        return jobs

    def _wait(self) -> list[Job] | None:
        while True:
            rest = self._session.rest()
            try:
                return self._queue.get(timeout=rest) if rest is None or rest > 0 else self._queue.get_nowait()
            except Empty:
                self._session.tick()

    def _commit(self, jobs: list[Job]) -> None:
        self._transact(jobs)
        if self._broken is not None:
            self._refuse(jobs, self._broken)
        self._report([(job.future, job.result, job.error) for job in jobs])

    def _transact(self, jobs: list[Job]) -> None:
        singly, attempt = False, 0
        while self._broken is None:
            try:
                tx = self._session.begin()
                if singly:
                    for job in jobs:
                        self._run_alone(tx, job)
                else:
                    run_together(tx, jobs)
                self._finish(jobs)
                return
            except Exception as error:
                began, scope = self._session.in_transaction, self._session.scope(error)
                self._session.roll_back()
                if scope is Scope.AGAIN and self._session.mend(attempt):
                    attempt += 1
                elif began and not singly and scope is Scope.JOB:
                    singly = True
                else:
                    self._fail(jobs, error, scope)
                    return

    def _fail(self, jobs: list[Job], error: Exception, scope: Scope) -> None:
        if scope in {Scope.BATCH, Scope.AGAIN}:
            self._refuse(jobs, self._session.explain(error))
        else:
            self._give_up(error)

    def _run_alone(self, tx: Transaction, job: Job) -> None:
        # Afresh for each: what an undone job found out does not hold for the next.
        tx.memo.clear()
        tx.enter(job.tenant)
        tx.db.execute("SAVEPOINT job")
        job.result = job.error = None
        try:
            job.result = job.work.run(tx, (job.arg,))[0]
        except Exception as error:
            if self._session.scope(error) is not Scope.JOB or not self._session.in_transaction:
                raise
            job.error = self._presentable(error)
            tx.db.execute("ROLLBACK TO job")
            # Back to the savepoint goes, on PostgreSQL, the tenant too: a job never changes it for those that follow.
            tx.tenant = job.tenant
        tx.db.execute("RELEASE job")

    def _finish(self, jobs: list[Job]) -> None:
        names = {job.work.fault for job in jobs if job.work.fault}
        for name in sorted(names):
            fault_point(f"{name}.before-commit")
        self._session.commit()
        for name in sorted(names):
            fault_point(f"{name}.after-commit")

    def _give_up(self, error: Exception) -> None:
        """After a failed flush nobody knows what reached the disk: only a new process can read it afresh."""
        what = str(error) if isinstance(error, CommitFailed) else self._session.explain(error)
        self._broken = f"{what}. Nothing more is written by this process; mend it and resume"
        self._refusal = self._refusal or self._broken

    def _refuse(self, jobs: list[Job], reason: str) -> None:
        for job in jobs:
            job.result, job.error = None, StorageError(reason)

    def _presentable(self, error: Exception) -> Exception:
        return StorageError(self._session.explain(error)) if self._session.is_own(error) else error

    def _report(self, outcomes: list[_Outcome]) -> None:
        # A loop that has ended has nobody waiting any more; what was committed stays committed.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, outcomes)
