"""The execution service: the one port through which servers and commands have executions run."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from lumeflow.app import App, open_app
from lumeflow.core.clock import Clock, SystemClock
from lumeflow.core.document import Workflow
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import AlreadyExists, Execution, Mode, Status
from lumeflow.core.records import JsonObject
from lumeflow.executions import AlreadyThere
from lumeflow.preparation import ExecutionRequest
from lumeflow.service.settings import ServiceSettings
from lumeflow.service.watch import LOOK, Watch
from lumeflow.service.worker import Worker
from lumeflow.settings import Settings
from lumeflow.storage.repositories.queue import JobKind, JobState


class ExecutionService(Watch):
    """Executions of all tenants: queued in the database, run by this process or any other on the same database.

    Everything that is submitted is on disk before its id is returned, and is run even if this process ends at once.
    A service that was not started queues and tells, but runs nothing.

    Args:
        app: The application; the service does not close it.
        settings: How much runs at once.
        clock: The real time.
    """

    def __init__(self, app: App, settings: ServiceSettings | None = None, *, clock: Clock | None = None) -> None:
        self.settings = settings or ServiceSettings()
        self._clock = clock or SystemClock()
        self._worker = Worker(app, self.settings, self._clock)
        super().__init__(app, self._worker.runs)

    async def start(self) -> None:
        """Take up what was interrupted, then what waits. Does nothing the second time."""
        self._worker.start()

    async def stop(self) -> None:
        """Run nothing more. Executions under way are put back into the queue, to be resumed by the next process; the
        answers of calls in flight are stored first. Close the app only afterwards.
        """
        await self._worker.stop()

    @property
    def problem(self) -> str | None:
        """Why nothing is taken from the queue at present (the database cannot be reached); None if all is well."""
        return self._worker.problem

    @property
    def running(self) -> int:
        """How many executions this process runs at the moment."""
        return len(self._runs)

    async def submit(
        self,
        tenant: str,
        workflow: Workflow | Mapping[str, Any] | bytes | None = None,
        input: JsonObject | None = None,  # noqa: A002 - the plan's name
        *,
        workflow_id: str | None = None,
        version: int | None = None,
        kind: JobKind = JobKind.WORKFLOW,
        mode: Mode = Mode.LIVE,
        mocks: JsonObject | None = None,
        variables: JsonObject | None = None,
        now: datetime | None = None,
        execution_id: str | None = None,
        priority: int = 0,
        limits: JsonObject | None = None,
        not_before: datetime | None = None,
    ) -> str:
        """Queue a new execution; returns its id once it is on disk.

        Args:
            tenant: Whose it is.
            workflow: The document; left out where `workflow_id` names it, and for `SEARCH`.
            input: Raw input of the execution, e.g. `{"sourceAudienceId": "abc-123"}`.
            workflow_id: Id of a saved workflow, or of one that is installed with lumeflow.
            version: Version of the saved workflow; None for the current one.
            kind: `WORKFLOW`, or `SEARCH` for the six steps that are written in code.
            mode: `LIVE` or `DEMO`.
            mocks: Answers by provider or node id that take the place of the demo's own.
            variables: Values of `{{variables.x}}`.
            now: The time that the execution sees; the time of submission if left out.
            execution_id: Its id; if left out, a new one or the one that its input asks for.
            priority: The higher goes first among those of the tenant.
            limits: Limits in place of the document's of the same name, e.g. `{"costUsd": 20}`.
            not_before: Not to be run before; None for as soon as there is room.

        Raises:
            InvalidWorkflow: The document cannot be run.
            UsageError: The input is refused, the id is taken, or there is no such workflow or tenant.
            StorageError: The database cannot be written; nothing was queued.
        """
        app = self.app.of(tenant)
        request = ExecutionRequest(
            workflow=workflow,
            workflow_id=workflow_id,
            version=version,
            input=input,
            mode=mode,
            mocks=mocks,
            variables=variables,
            execution_id=execution_id,
            now=now,
        )
        execution = await (app.prepare_search(request) if kind is JobKind.SEARCH else app.prepare(request))
        await self._enqueue(
            app, execution, kind, priority=priority, given=execution_id, limits=limits, not_before=not_before
        )
        return execution.id

    async def rerun_failed(
        self,
        tenant: str,
        execution_id: str,
        *,
        new_id: str | None = None,
        priority: int = 0,
        limits: JsonObject | None = None,
    ) -> str:
        """Queue a new execution that takes the failed records of an earlier one, and them alone, into the nodes where
        they failed and on from there; returns its id. Nothing that was answered before these nodes is paid again.

        Args:
            tenant: Whose it is.
            execution_id: The earlier execution; it must have ended.
            new_id: Id of the new execution; a new one if left out.
            priority: The higher goes first among those of the tenant.
            limits: Limits in place of the document's of the same name.

        Raises:
            InvalidWorkflow: Its document cannot be run any more.
            UsageError: There is no such execution, it has not ended, no record of it failed, or the id is taken.
            StorageError: The database cannot be read or written.
        """
        return await self._rerun(tenant, execution_id, None, new_id, priority, limits)

    async def rerun_from(
        self,
        tenant: str,
        execution_id: str,
        node_id: str,
        *,
        new_id: str | None = None,
        priority: int = 0,
        limits: JsonObject | None = None,
    ) -> str:
        """Queue a new execution that computes a node and all behind it afresh, with new calls; returns its id. The
        nodes before it replay what the earlier execution was answered, and pay nothing.

        Args:
            tenant: Whose it is.
            execution_id: The earlier execution; it must have ended.
            node_id: The first node that is computed afresh.
            new_id: Id of the new execution; a new one if left out.
            priority: The higher goes first among those of the tenant.
            limits: Limits in place of the document's of the same name.

        Raises:
            InvalidWorkflow: Its document cannot be run any more.
            UsageError: There is no such execution or node, it has not ended, or the id is taken.
            StorageError: The database cannot be read or written.
        """
        return await self._rerun(tenant, execution_id, node_id, new_id, priority, limits)

    async def resume(
        self, tenant: str, execution_id: str, *, limits: JsonObject | None = None, priority: int = 0
    ) -> None:
        """Queue an execution again that was interrupted, cancelled or failed, or whose failed records are to be tried
        once more. Calls that were answered are not made again.

        Args:
            tenant: Whose it is.
            execution_id: The execution.
            limits: Limits for this run in place of the document's, and of those that it was queued with.
            priority: The higher goes first among those of the tenant.

        Raises:
            UsageError: There is no such execution, it waits or runs, or it has completed and no record of it failed.
            StorageError: The database cannot be read or written.
        """
        app = self.app.of(tenant)
        state = await self.status(tenant, execution_id)
        if not state.ended:
            raise UsageError(f"execution '{execution_id}' is {state.status}: wait for it, or cancel it")
        if state.status is Status.COMPLETED and not await app.has_failed_records(execution_id):
            raise UsageError(f"execution '{execution_id}' has completed, and no record of it failed: nothing is left")
        options = _options(await app.queued_limits(await self._stored(app, execution_id)), limits)
        await _until_let_go(app, execution_id)
        await app.database.queue.requeue(
            execution_id, at=self._clock.now(), kind=state.kind, priority=priority, options=options
        )
        self._worker.wake()

    async def cancel(self, tenant: str, execution_id: str) -> Status:
        """Stop an execution: at once if it waits, else as soon as the calls in flight are stored.

        Returns:
            The status after it: `CANCELLED`, `RUNNING` for one that is about to stop, or how it had ended before.

        Raises:
            UsageError: There is no such execution, or it is run by a process without the queue (`lumeflow run`).
            StorageError: The database cannot be read or written.
        """
        app = self.app.of(tenant)
        execution = await self._stored(app, execution_id)
        state = await app.database.queue.cancel(execution_id, at=self._clock.now())
        if state is JobState.RUNNING:
            run = self._runs.get((tenant, execution_id))
            if run is not None:
                run.cancel.set()
        elif state is JobState.CANCELLED:
            await app.give_up(execution_id, Status.CANCELLED, "cancelled")
        elif execution.status is Status.RUNNING:
            if await app.database.is_running(execution_id):
                raise UsageError(
                    f"execution '{execution_id}' was not queued: a command runs it. Stop that command (Ctrl-C)"
                )
            await app.give_up(execution_id, Status.CANCELLED, "cancelled")
        return (await self.status(tenant, execution_id)).status

    async def _rerun(
        self,
        tenant: str,
        execution_id: str,
        from_node: str | None,
        new_id: str | None,
        priority: int,
        limits: JsonObject | None,
    ) -> str:
        app = self.app.of(tenant)
        state = await self.status(tenant, execution_id)
        if not state.ended:
            raise UsageError(f"execution '{execution_id}' is {state.status}: wait for it, or cancel it")
        execution = await app.prepare_rerun(execution_id, from_node=from_node, new_id=new_id)
        # Not known to the queue yet, it has the limits of the earlier one.
        chosen = {**await app.queued_limits(execution), **(limits or {})}
        await self._enqueue(app, execution, state.kind, priority=priority, given=new_id, limits=chosen)
        return execution.id

    async def _enqueue(
        self,
        app: App,
        execution: Execution,
        kind: JobKind,
        *,
        priority: int,
        given: str | None,
        limits: JsonObject | None = None,
        not_before: datetime | None = None,
    ) -> None:
        options = _options(limits)
        try:
            await app.database.queue.enqueue(
                execution, kind=kind, priority=priority, options=options, available_at=not_before
            )
        except AlreadyExists as error:
            raise AlreadyThere(execution, given=given, is_gone=error.is_gone) from None
        self._worker.wake()


def _options(*limits: JsonObject | None) -> dict[str, Any]:
    """What a worker must know: limits in place of the document's, the last of each name."""
    chosen = {name: value for given in limits for name, value in (given or {}).items()}
    return {"limits": chosen} if chosen else {}


async def _until_let_go(app: App, execution_id: str) -> None:
    """An execution has ended a moment before its job has: wait for that, but not for long."""
    for _ in range(100):
        job = await app.database.queue.get(execution_id)
        if job is None or job.state is not JobState.RUNNING:
            return
        await asyncio.sleep(LOOK / 10)


@asynccontextmanager
async def open_service(
    settings: Settings | None = None, service: ServiceSettings | None = None
) -> AsyncIterator[ExecutionService]:
    """Open an application with its service and start it; both are stopped at the end.

    Raises:
        StorageError: The database cannot be opened.
        UsageError: The settings are not right.
    """
    async with open_app(settings) as app:
        made = ExecutionService(app, service or ServiceSettings.from_environment())
        await made.start()
        try:
            yield made
        finally:
            await made.stop()
