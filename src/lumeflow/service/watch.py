"""Where an execution stands, once or until it ends."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

from lumeflow.app import App
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import Execution
from lumeflow.core.result import ExecutionResult
from lumeflow.service.run import Run
from lumeflow.service.updates import EndUpdate, EventUpdate, ExecutionState, ProgressUpdate, Update, state_of
from lumeflow.service.worker import Place
from lumeflow.storage import Standing

LOOK = 0.25
"""Seconds between two looks at an execution that is watched."""
FIRST_LOOK = 0.01
"""Seconds before the second look at one that waits; each pause is twice the one before, up to `LOOK`."""
PAGE = 500
"""Events that are read at once."""


class Watch:
    """Tells where executions of all tenants stand, whichever process runs them.

    Args:
        app: The application.
        runs: What this process runs at the moment: their ends and their progress are known at once.
    """

    def __init__(self, app: App, runs: Mapping[Place, Run]) -> None:
        self.app = app
        self._runs = runs

    async def status(self, tenant: str, execution_id: str) -> ExecutionState:
        """Where an execution stands; with live progress if this process runs it. `App.result` has the whole result.

        Raises:
            UsageError: There is no such execution.
            StorageError: The database cannot be read.
        """
        found = await self.app.of(tenant).database.standing(execution_id)
        if found is None:
            raise UsageError(f"there is no execution '{execution_id}'")
        return self._state(tenant, found)

    async def whole(self, tenant: str, execution_id: str) -> tuple[ExecutionState, ExecutionResult]:
        """Where an execution stands, and its result so far, both read at once.

        Raises:
            UsageError: There is no such execution.
            StorageError: The database cannot be read.
        """
        app = self.app.of(tenant)
        found = await app.outcome(execution_id)
        return self._state(tenant, found.standing), await app.result_of(found)

    def _state(self, tenant: str, found: Standing) -> ExecutionState:
        run = self._runs.get((tenant, found.execution.id))
        return state_of(found, run.progress if run else None)

    async def wait(self, tenant: str, execution_id: str, seconds: float) -> ExecutionState:
        """Wait until an execution has ended, but not longer than `seconds`; returns where it stands then.

        Raises:
            UsageError: There is no such execution.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        state = await self.status(tenant, execution_id)
        pause = FIRST_LOOK
        while not state.ended and (left := deadline - asyncio.get_running_loop().time()) > 0:
            pause = await self._pause((tenant, execution_id), pause, left)
            state = await self.status(tenant, execution_id)
        return state

    async def watch(self, tenant: str, execution_id: str, *, after: int = 0) -> AsyncIterator[Update]:
        """Follow an execution to its end: events of its timeline, live progress, and last of all how it ended.

        Events are read from the database, so any process can watch, and a watcher that comes back misses nothing;
        progress comes only where this process runs the execution.

        Args:
            tenant: Whose it is.
            execution_id: The execution.
            after: Begin with the events whose number is higher (what `Last-Event-ID` says).

        Raises:
            UsageError: There is no such execution.
            StorageError: The database cannot be read.
        """
        journal = self.app.of(tenant).database.journal
        shown: float | None = None
        pause = FIRST_LOOK
        while True:
            # Before the events: those of an execution that has ended are all there.
            state = await self.status(tenant, execution_id)
            while page := (await journal.timeline(execution_id, after=after, limit=PAGE)).events:
                for ordinal, event in page:
                    yield EventUpdate(ordinal, event)
                    after = ordinal
            if state.ended:
                yield EndUpdate(state)
                return
            if state.progress is not None and state.progress.elapsed != shown:
                shown = state.progress.elapsed
                yield ProgressUpdate(state.progress)
            pause = await self._pause((tenant, execution_id), pause)

    async def _pause(self, place: Place, pause: float, most: float = LOOK) -> float:
        """Wait before the next look, but not longer than until a run of this process ends; returns the next pause."""
        run = self._runs.get(place)
        if run is None:
            await asyncio.sleep(min(pause, most))
            return min(2 * pause, LOOK)
        with suppress(TimeoutError):
            async with asyncio.timeout(most):
                await run.over.wait()
        return FIRST_LOOK

    async def _stored(self, app: App, execution_id: str) -> Execution:
        execution = await app.database.journal.get(execution_id)
        if execution is None:
            raise UsageError(f"there is no execution '{execution_id}'")
        return execution
