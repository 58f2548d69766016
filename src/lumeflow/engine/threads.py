"""Where plain functions run: beside the loop, a few at once, and none holds up the others for long.

`concurrent.futures` has no such pool: its threads are a fixed number, so that a few functions that never return hold up
all others for good, and the process waits for them at its end.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

AT_ONCE = 4
"""Functions that run at once, as long as each returns soon."""
PATIENCE = 1.0
"""Seconds after which a function no longer counts: another one may start beside it."""
MOST = 256
"""Threads at most, stuck ones included."""


class Threads:
    """Runs functions in threads of its own, first come, first served. Of the event loop that first uses it.

    Args:
        at_once: Functions that run at once.
        patience: Seconds after which one no longer counts.
    """

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE) -> None:
        self._free = at_once
        self._patience = patience
        self._waiting: deque[_Job] = deque()
        self._idle: list[_Worker] = []
        self._workers = 0
        self._closed = False

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run a function. If the caller goes away it is not begun or, if it was, its outcome is thrown away.

        Raises:
            Exception: What the function raised.
        """
        job = _Job(function, args, asyncio.get_running_loop())
        self._waiting.append(job)
        self._start()
        result: T = await job.future
        return result

    def close(self) -> None:
        """Begin nothing more, and end the threads as they become free."""
        self._closed = True
        for job in self._waiting:
            job.future.cancel()
        self._waiting.clear()
        for worker in self._idle:
            worker.stop()
        self._idle.clear()

    def _start(self) -> None:
        while self._waiting and self._free > 0 and (self._idle or self._workers < MOST):
            job = self._waiting.popleft()
            if job.future.done():
                continue
            self._free -= 1
            job.counts = job.loop.call_later(self._patience, self._discount, job)
            (self._idle.pop() if self._idle else self._new_worker()).give(job)

    def _new_worker(self) -> "_Worker":
        self._workers += 1
        return _Worker(self._done)

    def _discount(self, job: "_Job") -> None:
        """The job does not count any more: it has ended, or takes long."""
        if job.counts is not None:
            job.counts.cancel()
            job.counts = None
            self._free += 1
            self._start()

    def _done(self, worker: "_Worker", job: "_Job", result: Any, error: Exception | None) -> None:
        if self._closed:
            worker.stop()
        else:
            self._idle.append(worker)
        if not job.future.done():
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)
        self._discount(job)


class _Job:
    """A function on its way.

    Attributes:
        counts: Set while it counts as running: the timer that will end that.
    """

    __slots__ = ("args", "counts", "function", "future", "loop")

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], loop: asyncio.AbstractEventLoop) -> None:
        self.function = function
        self.args = args
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.counts: asyncio.TimerHandle | None = None


class _Worker:
    """A thread. The process does not wait for it at its end."""

    def __init__(self, done: Callable[["_Worker", _Job, Any, Exception | None], None]) -> None:
        self._done = done
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        threading.Thread(target=self._run, name="lumeflow-block", daemon=True).start()

    def give(self, job: _Job) -> None:
        """Run a job."""
        self._jobs.put(job)

    def stop(self) -> None:
        """End the thread after what it was given."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            result: Any = None
            error: Exception | None = None
            try:
                result = job.function(*job.args)
            except Exception as raised:
                error = raised
            except BaseException as raised:
                error = RuntimeError(f"{type(raised).__name__} in a worker thread")
            with suppress(RuntimeError):  # the loop is closed, and nobody waits
                job.loop.call_soon_threadsafe(self._done, self, job, result, error)
            del job, result, error
