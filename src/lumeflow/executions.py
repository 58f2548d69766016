"""Executions: begun, gone on with, run again in part, given up."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lumeflow.core.clock import Clock, NewId
from lumeflow.core.document import Globals, Workflow
from lumeflow.core.errors import UsageError
from lumeflow.core.events import EventKind
from lumeflow.core.journal import AlreadyExists, Execution, ExecutionLock, Mode, Status
from lumeflow.core.progress import ProgressListener
from lumeflow.core.records import JsonObject
from lumeflow.core.result import ExecutionResult
from lumeflow.engine.orchestrator import Ended
from lumeflow.engine.plan import Plan, Planner
from lumeflow.engine.tally import Timeline
from lumeflow.engine.threads import Threads
from lumeflow.history import History
from lumeflow.preparation import Documents, ExecutionRequest, Preparation, with_limits
from lumeflow.prompts import PromptLibrary
from lumeflow.reruns import check_node
from lumeflow.runner import Runner
from lumeflow.search import is_search
from lumeflow.settings import Settings
from lumeflow.vault.vault import Vault
from lumeflow.vendors import Vendors

_CONTENT = ("workflow_id", "definition", "mode", "input", "variables", "mocks", "rerun")
"""What two executions must have in common to be taken for one."""


class AlreadyThere(UsageError):
    """The id of an execution is taken.

    Attributes:
        execution: What was to be begun under it.

    Args:
        execution: The same.
        given: The id that the caller chose; None if it follows from the input.
        is_gone: True if what was begun under it has been purged.
    """

    def __init__(self, execution: Execution, *, given: str | None, is_gone: bool) -> None:
        if is_gone:
            what = f"the id '{execution.id}' was used by an execution that was purged: give another id"
        elif given is None:
            what = (
                f"this was received before, and started execution '{execution.id}': resume that one if it has not ended"
            )
        else:
            what = f"execution '{execution.id}' exists already: resume it, or give another id"
        super().__init__(what)
        self.execution = execution

    def is_alike(self, other: Execution) -> bool:
        """True if another execution is of the same document and input, in the same way."""
        return all(getattr(self.execution, name) == getattr(other, name) for name in _CONTENT)


class Executions(History):
    """Runs executions of one tenant, and reads them back.

    Attributes:
        settings: Where everything is.
        vault: The tenant's secrets.
    """

    settings: Settings
    vault: Vault
    _vendors: Vendors
    _documents: Documents
    _planner: Planner
    _prompts: PromptLibrary
    _threads: Threads
    _clock: Clock
    _new_id: NewId

    async def execute(
        self,
        workflow: Workflow | Mapping[str, Any] | bytes | None = None,
        input: JsonObject | None = None,  # noqa: A002 - the plan's name
        *,
        workflow_id: str | None = None,
        mode: Mode = Mode.LIVE,
        mocks: JsonObject | None = None,
        execution_id: str | None = None,
        now: datetime | None = None,
        variables: JsonObject | None = None,
        on_progress: ProgressListener | None = None,
        cancel: asyncio.Event | None = None,
    ) -> ExecutionResult:
        """Run a workflow to its end.

        Args:
            workflow: The document; left out where `workflow_id` names it.
            input: Raw input of the execution, e.g. `{"sourceAudienceId": "abc-123"}`; nothing if left out.
            workflow_id: Id of a workflow that was saved, or else of one that is installed with lumeflow.
            mode: `LIVE` calls the vendors; `DEMO` needs no network and no keys, and costs nothing.
            mocks: Answers by provider or node id that take the place of the demo's own.
            execution_id: Its id; if left out, a new one or the one that its input asks for.
            now: The time that the execution sees; the real one if left out.
            variables: Values of `{{variables.x}}`.
            on_progress: Called several times a second.
            cancel: Set it to stop cleanly.

        Raises:
            InvalidWorkflow: The document cannot be run.
            UsageError: The execution's id is taken or unusable, the input is not an object or is refused by the input
                block (a webhook's signature, a delivery that came before), or there is no such workflow.
            StorageError: The database cannot be written.
        """
        request = ExecutionRequest(
            workflow=workflow,
            workflow_id=workflow_id,
            input=input,
            mode=Mode(mode),
            mocks=mocks,
            variables=variables,
            execution_id=execution_id,
            now=now,
        )
        plan, execution = await self._preparation().new(request)
        return await self._begin(plan, execution, execution_id, on_progress, cancel)

    async def prepare(self, request: ExecutionRequest) -> Execution:
        """Check everything that `execute` checks and make the execution, without writing it down or running it.

        Raises:
            InvalidWorkflow: The document cannot be run.
            UsageError: As `execute`, but for an id that is taken.
        """
        _, execution = await self._preparation().new(request)
        return execution

    async def prepare_search(self, request: ExecutionRequest) -> Execution:
        """Make an execution of the pipeline that is written in code (`SEARCH`), without writing it down or running it.
        It is queued, or begun with the database's `begin` and run by `resume`. Its input names the audience:
        `{"sourceAudienceId": "abc-123"}`.

        Raises:
            UsageError: A workflow is named, the input names no audience, or the id is unusable.
        """
        return self._preparation().search(request)

    async def resume(
        self,
        execution_id: str,
        *,
        limits: JsonObject | None = None,
        on_progress: ProgressListener | None = None,
        cancel: asyncio.Event | None = None,
    ) -> ExecutionResult:
        """Run an execution that was queued, or run one again that was interrupted, cancelled or failed. Calls that
        were answered are not made again; one that completed without failed records is returned as it is.

        Args:
            execution_id: The execution.
            limits: Limits for this run in place of the document's, and of those that it was queued with, of the same
                name, e.g. `{"costUsd": 20}`.
            on_progress: Called several times a second.
            cancel: Set it to stop cleanly.

        Raises:
            InvalidWorkflow: A limit is not one.
            UsageError: There is no such execution, or a process is running it.
            StorageError: The database cannot be read or written.
        """
        execution = await self.stored(execution_id)
        has_ended = execution.status is Status.COMPLETED and not await self.has_failed_records(execution_id)
        if has_ended and not limits:
            return await self.result(execution_id)
        chosen = {**await self.queued_limits(execution), **(limits or {})}
        work = await self._preparation().again(execution, with_limits(execution.definition, chosen))
        if has_ended:
            return await self.result(execution_id)
        if execution.status is Status.QUEUED:
            lock = await self.database.start(execution_id, at=self._clock.now())
            if lock is not None:
                return await self._run(work, execution, lock, EventKind.EXECUTION_STARTED, on_progress, cancel)
        lock = await self.database.take(execution_id)
        try:
            await self.database.journal.reopen(execution_id)
        except BaseException:
            lock.release()
            raise
        return await self._run(work, execution, lock, EventKind.EXECUTION_RESUMED, on_progress, cancel)

    async def rerun(
        self,
        execution_id: str,
        *,
        from_node: str | None = None,
        new_id: str | None = None,
        on_progress: ProgressListener | None = None,
        cancel: asyncio.Event | None = None,
    ) -> ExecutionResult:
        """Run a part of an execution anew, as a new execution: the records that failed, or everything from a node on.

        The nodes before that part replay what the earlier execution was answered, and pay nothing. The new execution
        has the document, input, time, variables, mocks and limits of the earlier one.

        Args:
            execution_id: The earlier execution; it must have ended.
            from_node: The node from which on everything is computed afresh; None for the failed records alone.
            new_id: Id of the new execution; a new one if left out.
            on_progress: Called several times a second.
            cancel: Set it to stop cleanly.

        Raises:
            InvalidWorkflow: Its document cannot be run any more.
            UsageError: There is no such execution or node, it has not ended, no record of it failed, or the id is
                taken.
            StorageError: The database cannot be read or written.
        """
        plan, execution = await self._rerun(execution_id, from_node, new_id)
        return await self._begin(plan, execution, new_id, on_progress, cancel)

    async def prepare_rerun(
        self, execution_id: str, *, from_node: str | None = None, new_id: str | None = None
    ) -> Execution:
        """Check everything that `rerun` checks and make the execution, without writing it down or running it.

        Raises:
            InvalidWorkflow: Its document cannot be run any more.
            UsageError: As `rerun`, but for an id that is taken.
        """
        _, execution = await self._rerun(execution_id, from_node, new_id)
        return execution

    async def _rerun(self, execution_id: str, from_node: str | None, new_id: str | None) -> tuple[Plan, Execution]:
        earlier = await self.stored(execution_id)
        if is_search(earlier.definition):
            raise UsageError(f"execution '{execution_id}' is a SEARCH, which has no nodes: resume it")
        standing = await self.standing(execution_id, earlier.status)
        if standing in {Status.QUEUED, Status.RUNNING}:
            raise UsageError(f"execution '{execution_id}' is {standing}: wait for it, or cancel it")
        if from_node is not None:
            check_node(earlier, from_node)
        elif not await self.has_failed_records(execution_id):
            raise UsageError(f"no record of execution '{execution_id}' has failed: nothing is left to run again")
        return await self._preparation().rerun(earlier, from_node, new_id, await self.queued_limits(earlier))

    async def _begin(
        self,
        plan: Plan,
        execution: Execution,
        given_id: str | None,
        on_progress: ProgressListener | None,
        cancel: asyncio.Event | None,
    ) -> ExecutionResult:
        """Write a new execution down, and run it to its end."""
        try:
            lock = await self.database.begin(execution)
        except AlreadyExists as error:
            raise AlreadyThere(execution, given=given_id, is_gone=error.is_gone) from None
        return await self._run(plan, execution, lock, EventKind.EXECUTION_STARTED, on_progress, cancel)

    async def _run(
        self,
        work: Plan | Globals,
        execution: Execution,
        lock: ExecutionLock,
        kind: EventKind,
        on_progress: ProgressListener | None,
        cancel: asyncio.Event | None,
    ) -> ExecutionResult:
        """Run what was taken to its end, and give it up."""
        try:
            return await self._runner().run(work, execution, lock, kind, on_progress, cancel)
        finally:
            lock.release()

    async def give_up(self, execution_id: str, status: Status, reason: str) -> None:
        """End an execution that cannot be run, or that nobody wants to be run, without running it. What an earlier
        run of it has left stays. Does nothing if it has ended.

        Raises:
            UsageError: There is no such execution, or a process is running it.
            StorageError: The database cannot be written.
        """
        execution = await self.stored(execution_id)
        if execution.status not in {Status.QUEUED, Status.RUNNING}:
            return
        lock = await self.database.take(execution_id)
        try:
            await self.database.journal.reopen(execution_id)
            timeline = Timeline(execution_id, self.database.journal, self._clock)
            await self._runner().finish(execution, Ended(status, {}, reason, ()), timeline, lock.ledger, {})
        finally:
            lock.release()

    def _runner(self) -> Runner:
        return Runner(
            self.settings, self.database, self.vault, self._vendors, self._prompts, self._threads, self._clock
        )

    def _preparation(self) -> Preparation:
        return Preparation(
            self.registry,
            self._documents,
            self._planner,
            self.database.workflows,
            self.vault,
            self._vendors,
            self._clock,
            self._new_id,
        )
