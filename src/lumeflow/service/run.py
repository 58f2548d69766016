"""One job at work: from the moment this process has taken it to the moment the queue knows what became of it."""

import asyncio
import logging
from datetime import timedelta

from lumeflow.app import App
from lumeflow.core.clock import Clock
from lumeflow.core.errors import LumeflowError, StorageError
from lumeflow.core.journal import Status
from lumeflow.core.progress import Progress
from lumeflow.service.updates import has_run
from lumeflow.storage.repositories.dispatch import Dispatch
from lumeflow.storage.repositories.queue import QueuedJob

LATER = timedelta(seconds=5)
"""How long a job rests that cannot go on now: its execution is run by another process, or the storage failed."""

_log = logging.getLogger(__name__)


class Run:
    """Runs a job that this process has taken.

    Attributes:
        job: The job.
        progress: Live progress; None until the execution has begun.
        over: Set when the queue knows what became of it.
        cancel: Set it to stop the execution for good; what is under way is stored.

    Args:
        app: The application, as the job's tenant sees it.
        dispatch: Where the job came from.
        clock: The real time.
        attempts: How often the execution may end its process before it is given up.
        gate: Lets one execution at a time begin: reading and planning a workflow keeps the loop for tens of
            milliseconds, and twenty at once would keep everybody else waiting.
    """

    def __init__(
        self, job: QueuedJob, app: App, dispatch: Dispatch, clock: Clock, attempts: int, gate: asyncio.Lock
    ) -> None:
        self.job = job
        self.progress: Progress | None = None
        self.over = asyncio.Event()
        self.cancel = asyncio.Event()
        if job.cancel_requested:
            self.cancel.set()
        self._app = app
        self._dispatch = dispatch
        self._clock = clock
        self._attempts = attempts
        self._gate = gate
        self._is_beginning = False

    async def run(self) -> None:
        """Run it. Cancelled, it stores the answers of calls in flight and puts the job back into the queue.

        Raises:
            StorageError: Neither can be written.
        """
        try:
            await self._gate.acquire()
            self._is_beginning = True
            try:
                is_done = await self._work()
            finally:
                self._begun()
        except asyncio.CancelledError:
            await self._dispatch.give_back(self.job)
            raise
        except StorageError as error:
            _log.warning("execution '%s' is put off: %s", self.job.execution_id, error)
            await self._dispatch.give_back(self.job, until=self._clock.now() + LATER)
            return
        if is_done:
            await self._dispatch.done(self.job, at=self._clock.now())
        else:
            await self._dispatch.give_back(self.job, until=self._clock.now() + LATER)

    async def _work(self) -> bool:
        """True if the job has come to its end, whatever that is; False to try again later."""
        job = self.job
        execution = await self._app.database.journal.get(job.execution_id)
        if execution is None or has_run(execution, job):
            return True
        if job.attempts > self._attempts:
            await self._app.give_up(job.execution_id, Status.FAILED, self._too_often())
            return True
        try:
            await self._app.resume(
                job.execution_id, limits=job.options.get("limits"), on_progress=self._note, cancel=self.cancel
            )
        except StorageError:
            raise
        except LumeflowError as error:
            if await self._app.database.is_running(job.execution_id):
                return False
            await self._app.give_up(job.execution_id, Status.FAILED, str(error))
        except Exception as error:
            _log.exception("execution '%s' failed", job.execution_id)
            await self._app.give_up(job.execution_id, Status.FAILED, f"lumeflow has a bug: {type(error).__name__}")
        return True

    def _too_often(self) -> str:
        return (
            f"its process has ended {self._attempts} times while it ran, which is why it is not begun again by itself:"
            " give it more memory or a smaller input, then resume it"
        )

    def _note(self, progress: Progress) -> None:
        self.progress = progress
        self._begun()

    def _begun(self) -> None:
        if self._is_beginning:
            self._is_beginning = False
            self._gate.release()
