"""Takes jobs from the queue, as many as may run at once, and looks after those of processes that are gone."""

import asyncio
import logging
from contextlib import suppress
from functools import partial

from lumeflow.app import App
from lumeflow.core.clock import Clock
from lumeflow.core.errors import StorageError
from lumeflow.service.run import Run
from lumeflow.service.settings import ServiceSettings
from lumeflow.storage.repositories.queue import QueuedJob

_log = logging.getLogger(__name__)

Place = tuple[str, str]
"""Tenant and execution id."""


class Worker:
    """The part of the service that runs.

    Attributes:
        runs: What it runs at the moment.
        problem: Why nothing is taken from the queue at present; None if all is well.

    Args:
        app: The application.
        settings: How much at once.
        clock: The real time.
    """

    def __init__(self, app: App, settings: ServiceSettings, clock: Clock) -> None:
        self.runs: dict[Place, Run] = {}
        self.problem: str | None = None
        self._app = app
        self._settings = settings
        self._clock = clock
        self._dispatch = app.database.installation.dispatch
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._claiming: asyncio.Task[None] | None = None
        self._left: list[tuple[QueuedJob, bool]] = []
        self._gate = asyncio.Lock()
        self._news = asyncio.Event()

    def start(self) -> None:
        """Begin to take jobs; what was interrupted is queued again first. Does nothing the second time."""
        if self._loop is None:
            self._loop = asyncio.create_task(self._work(), name="queue")

    async def stop(self) -> None:
        """Take nothing more, let calls in flight be stored, and put back what has not ended."""
        if self._loop is None:
            return
        self._loop.cancel()
        with suppress(asyncio.CancelledError):
            await self._loop
        self._loop = None
        if self._claiming is not None:
            await asyncio.gather(self._claiming, return_exceptions=True)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(StorageError):  # the end of this process sets them free as well
            await self._put_back()

    def wake(self) -> None:
        """There may be something to take: look now."""
        self._news.set()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        recover_at = 0.0
        while True:
            self._news.clear()
            try:
                if loop.time() >= recover_at:
                    await self._dispatch.recover()
                    await self._put_back()
                    recover_at = loop.time() + self._settings.recover
                await self._take()
                await self._pass_on_cancels()
                self.problem = None
            except StorageError as error:
                if self.problem is None:
                    _log.error("nothing is taken from the queue: %s", error)
                self.problem = str(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.poll):
                    await self._news.wait()

    async def _take(self) -> None:
        room = self._settings.concurrency - len(self.runs)
        # Shielded: what was claimed must be known here, also if this is cancelled meanwhile.
        if room > 0:
            self._claiming = asyncio.create_task(self._claim(room))
            await asyncio.shield(self._claiming)

    async def _claim(self, room: int) -> None:
        for job in await self._dispatch.claim(room, at=self._clock.now()):
            place = (job.tenant, job.execution_id)
            run = Run(job, self._app.of(job.tenant), self._dispatch, self._clock, self._settings.attempts, self._gate)
            self.runs[place] = run
            task = asyncio.create_task(run.run(), name=f"execution {job.execution_id}")
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, place, run))

    async def _put_back(self) -> None:
        """Queue again what could not be put back when its run ended, since the storage failed."""
        while self._left:
            job, counts = self._left[0]
            await self._dispatch.give_back(job, counts=counts)
            self._left.pop(0)

    async def _pass_on_cancels(self) -> None:
        for place in await self._dispatch.cancel_requests() if self.runs else ():
            if place in self.runs:
                self.runs[place].cancel.set()

    def _ended(self, place: Place, run: Run, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if self.runs.get(place) is run:  # and not the next one of the same execution
            del self.runs[place]
        run.over.set()
        self._news.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("execution '%s' could not be put back into the queue yet: %s", place[1], error)
            self._left.append((run.job, not isinstance(error, StorageError)))
