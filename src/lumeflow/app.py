"""The composition root, and the Python API: settings in, a wired application out.

async with open_app(Settings.from_environment()) as app:
result = await app.execute(document, {"sourceAudienceId": "abc-123"}, mode=Mode.DEMO)
result.status, result.output["contactsCount"], result.cost.total_cost
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import Any

from lumeflow.core.clock import NewId, SystemClock, random_id
from lumeflow.core.document import Workflow
from lumeflow.core.errors import UsageError
from lumeflow.core.events import EventKind
from lumeflow.core.findings import Report
from lumeflow.core.journal import (
    AlreadyExists,
    Execution,
    Mode,
    Status,
)
from lumeflow.core.progress import ProgressListener
from lumeflow.core.records import JsonObject
from lumeflow.core.registry import Registry
from lumeflow.core.result import ExecutionResult
from lumeflow.engine.orchestrator import Ended
from lumeflow.engine.plan import Plan, Planner
from lumeflow.engine.tally import Timeline
from lumeflow.engine.threads import Threads
from lumeflow.history import History
from lumeflow.plugins import PluginProblem, load_registry
from lumeflow.preparation import Documents, ExecutionRequest, Preparation, with_limits
from lumeflow.process import tuned
from lumeflow.prompts import PromptLibrary
from lumeflow.reruns import check_node
from lumeflow.runner import Runner
from lumeflow.search import is_search
from lumeflow.settings import Settings
from lumeflow.storage import Database, load_rows, open_database
from lumeflow.vault.tenant_secrets import TenantSecrets
from lumeflow.vault.vault import Vault
from lumeflow.vendors import Vendors
from lumeflow.workflows import PLAN, Example, example


class App(History):
    """lumeflow, wired. Make one with `open_app`.

    Attributes:
        settings: What it was made from.
        registry: Blocks, operations and providers.
        plugin_problems: Plugins that could not be loaded, by name.
        database: Executions, ledger and tables.
        vault: Secrets of the database's tenant.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        plugin_problems: Sequence[PluginProblem],
        database: Database,
        vendors: Vendors,
        *,
        new_id: NewId = random_id,
    ) -> None:
        self.settings = settings
        self.registry = registry
        self.plugin_problems = plugin_problems
        self.database = database
        self.vault = Vault(settings, database)
        self._vaults = {database.tenant: self.vault}
        self._vendors = vendors
        self._documents = Documents(registry)
        self._planner = Planner(registry)
        self._prompts = PromptLibrary(settings.prompt_folders)
        self._threads = Threads()
        self._clock = SystemClock()
        self._new_id = new_id

    def load(self, source: bytes | Mapping[str, Any], *, mode: Mode = Mode.LIVE) -> Workflow:
        """Read a document and check everything that can be checked before a run in this mode.

        Raises:
            InvalidWorkflow: With the whole report.
        """
        return self._documents.load(source, self._known(mode))

    def validate(self, source: bytes | Mapping[str, Any], *, mode: Mode = Mode.LIVE) -> Report:
        """All findings on a document, warnings included; never raises for a bad one.

        Where nothing real is called, in demo mode and with a simulator, secrets need not be configured. Known are those
        that were read last: see `check`.
        """
        return self._documents.check(source, self._known(mode))

    def _known(self, mode: Mode) -> TenantSecrets | None:
        """The secrets that must be there; None if none need be."""
        return self.vault.latest if self._vendors.is_real(mode) else None

    async def check(self, source: bytes | Mapping[str, Any], *, mode: Mode = Mode.LIVE) -> Report:
        """As `validate`, by the secrets that there are now.

        Raises:
            UsageError: A file of secrets or the key of those in the database is not right.
            StorageError: The database cannot be read.
        """
        await self.vault.load()
        return self.validate(source, mode=mode)

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
            limits: Limits for this run in place of the document's of the same name, e.g. `{"costUsd": 20}`.
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
        work = await self._preparation().again(execution, with_limits(execution.definition, limits or {}))
        if has_ended:
            return await self.result(execution_id)
        lock = await self.database.take(execution_id)
        try:
            is_new = execution.status is Status.QUEUED
            await self.database.journal.reopen(execution_id, at=self._clock.now() if is_new else None)
            kind = EventKind.EXECUTION_STARTED if is_new else EventKind.EXECUTION_RESUMED
            return await self._runner().run(work, execution, lock, kind, on_progress, cancel)
        finally:
            lock.release()

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
        has the document, input, time, variables and mocks of the earlier one.

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
        return await self._preparation().rerun(earlier, from_node, new_id)

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
        except AlreadyExists:
            raise UsageError(already_there(execution, given=given_id)) from None
        try:
            return await self._runner().run(plan, execution, lock, EventKind.EXECUTION_STARTED, on_progress, cancel)
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

    def of(self, tenant: str) -> "App":
        """The same application as another tenant sees it; it is closed with this one.

        Raises:
            UsageError: It is no tenant's name.
        """
        if tenant == self.database.tenant:
            return self
        other = copy(self)
        other.database = self.database.of(tenant)
        # Shared by all who see it as this tenant, so that what one has read is known to the next.
        other.vault = self._vaults.setdefault(tenant, Vault(self.settings, other.database))
        return other

    async def load_rows(self, table: str, path: Path) -> int:
        """Load rows from a JSON, JSON Lines or CSV file into a table; all of them or, if one is bad, none.

        Raises:
            UsageError: The table or a row is not right; the message names the row.
        """
        return await load_rows(self.database.tables, table, path)

    async def save_workflow(self, source: Workflow | Mapping[str, Any] | bytes) -> Workflow:
        """Save a version of a workflow; the highest saved version is the one that `execute(workflow_id=…)` runs.

        Raises:
            InvalidWorkflow: The document cannot be run.
            UsageError: The version is already saved with other content.
        """
        await self.vault.load()
        workflow = source if isinstance(source, Workflow) else self.load(source)
        await self.database.workflows.save(workflow.as_json(), at=self._clock.now())
        return workflow

    async def demo_audience(self) -> JsonObject:
        """Store the sample audience of the demo; returns the execution input that names it."""
        return await self.stage(example(PLAN))

    async def stage(self, sample: Example) -> JsonObject:
        """Store the rows that a shipped workflow is to be tried on; returns the execution input.

        Raises:
            UsageError: There is no such table, or a row is not right.
        """
        import orjson

        for table, rows in sample.tables.items():
            await load_rows(self.database.tables, table, orjson.dumps(list(rows)), name=f"{table}.json")
        return sample.input

    async def close(self) -> None:
        """Let go of the database, connections and threads."""
        self._threads.close()
        await self._vendors.close()
        await self.database.close()

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


def already_there(execution: Execution, *, given: str | None) -> str:
    """What to say when an execution's id is taken."""
    if given is None:
        return f"this was received before, and started execution '{execution.id}': resume that one if it has not ended"
    return f"execution '{execution.id}' exists already: resume it, or give another id"


@asynccontextmanager
async def open_app(settings: Settings | None = None, *, new_id: NewId = random_id) -> AsyncIterator[App]:
    """Wire an application, and close it at the end. While it is open, the process is `tuned` (see lumeflow.process).

    Raises:
        StorageError: The database cannot be opened.
        UsageError: The settings are not right.
    """
    settings = settings or Settings.from_environment()
    registry, problems = load_registry(settings.plugin_folders)
    with tuned():
        database = await open_database(settings.db, data_dir=settings.data_dir, queries=settings.queries)
        try:
            vendors = await Vendors.open(settings, registry)
        except BaseException:
            await database.close()
            raise
        database.relax_while(vendors.is_behind)
        app = App(settings, registry, problems, database, vendors, new_id=new_id)
        try:
            await app.vault.load()
            yield app
        finally:
            await app.close()
