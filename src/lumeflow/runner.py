"""Running one planned execution: from what it needs of the application to its stored result."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from lumeflow.calls import ExecutionCalls
from lumeflow.core.clock import Clock
from lumeflow.core.concealing import SecretsInUse
from lumeflow.core.document import Globals
from lumeflow.core.document.policies import Limits as DocumentLimits
from lumeflow.core.effects import Ledger
from lumeflow.core.errors import LumeflowError, StorageError
from lumeflow.core.events import EventKind
from lumeflow.core.journal import (
    Execution,
    ExecutionLock,
    Status,
    may_have_failed,
)
from lumeflow.core.progress import ProgressListener
from lumeflow.core.result import ExecutionResult
from lumeflow.engine.orchestrator import Ended, Orchestrator
from lumeflow.engine.plan import Plan
from lumeflow.engine.services import Services
from lumeflow.engine.tally import Tally, Timeline
from lumeflow.engine.threads import Threads
from lumeflow.gateway import Limits
from lumeflow.prompts import PromptLibrary
from lumeflow.reruns import inherited
from lumeflow.results import build_result, failed_records
from lumeflow.search import SearchRun, search_tally
from lumeflow.settings import Settings
from lumeflow.storage import Database
from lumeflow.vault.vault import Vault
from lumeflow.vendors import Vendors


class Runner:
    """Runs executions of one tenant, each of which somebody has locked.

    Args:
        settings: The application's settings.
        database: Where everything is written down.
        vault: The tenant's secrets.
        vendors: How vendors are reached.
        prompts: The installed prompts.
        threads: Where plain blocks work.
        clock: The real time.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        vault: Vault,
        vendors: Vendors,
        prompts: PromptLibrary,
        threads: Threads,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._database = database
        self._vault = vault
        self._vendors = vendors
        self._prompts = prompts
        self._threads = threads
        self._clock = clock

    async def run(
        self,
        work: Plan | Globals,
        execution: Execution,
        lock: ExecutionLock,
        kind: EventKind,
        listener: ProgressListener | None,
        cancel: asyncio.Event | None,
    ) -> ExecutionResult:
        """Run it to its end, and store how it ended.

        Args:
            work: The plan; of a `SEARCH`, which has none, its global settings.
            execution: The execution.
            lock: Proof that this process alone runs it.
            kind: Whether it starts or is resumed.
            listener: Told of its progress.
            cancel: Set to stop it cleanly.

        Raises:
            StorageError: The database cannot be read or written.
            LumeflowError: It cannot begin; it is stored as failed.
        """
        timeline = Timeline(execution.id, self._database.journal, self._clock)
        plan = work if isinstance(work, Plan) else None
        tally = Tally.of(plan.nodes, timeline) if plan else search_tally(timeline)
        try:
            services = await self._services(work, execution, lock, tally, resumed=kind is EventKind.EXECUTION_RESUMED)
            run = Orchestrator(work, services, tally) if isinstance(work, Plan) else SearchRun(work, services, tally)
        except StorageError:
            raise
        except Exception as error:
            # Begun, and no node ever will be: nobody must take it for one that runs.
            reason = str(error) if isinstance(error, LumeflowError) else f"lumeflow has a bug: {type(error).__name__}"
            await self.finish(execution, Ended(Status.FAILED, {}, reason, ()), timeline, lock.ledger, {})
            raise
        timeline.note(kind, None, str(execution.mode))
        try:
            ended = await run.run(listener=listener, cancel=cancel)
        finally:
            await services.files.close()
        names = {name: node.block for name, node in tally.nodes.items()}
        return await self.finish(execution, ended, timeline, lock.ledger, names)

    async def _services(
        self, work: Plan | Globals, execution: Execution, lock: ExecutionLock, tally: Tally, *, resumed: bool
    ) -> Services:
        plan = work if isinstance(work, Plan) else None
        taken_over = await inherited(self._database, plan, execution) if plan else None
        before = taken_over.executions if taken_over else ()
        known = resumed or bool(before)
        earlier = await self._vendors.earlier(execution, self._database.asked, before) if known else ()
        settings = work.workflow.globals if isinstance(work, Plan) else work
        budget = await _budget(settings.limits, execution, lock.ledger)
        secrets = self._vault.latest
        session = self._vendors.session(execution, lock.ledger, tally, budget, secrets, earlier, taken_over)
        return Services(
            execution=execution,
            calls=ExecutionCalls(session, lock.ledger, execution.id),
            journal=self._database.journal,
            tables=self._database.tables,
            files=self._database.files(execution.id, anywhere=not await self._is_confined(execution, resumed=resumed)),
            prompts=self._prompts,
            secrets=SecretsInUse(self._vendors.secrets(execution.mode, secrets)),
            threads=self._threads,
            clock=self._clock,
            time=time.monotonic,
            resumed=resumed,
            previews=self._settings.previews,
            parts=taken_over.parts if taken_over else {},
            inherited=before,
        )

    async def _is_confined(self, execution: Execution, *, resumed: bool) -> bool:
        """True if it is not for the one who runs it to say where it reads and writes: others have queued it."""
        if self._settings.confined:
            return True
        # One that has just been made here was never in the queue.
        was_there = resumed or execution.status is Status.QUEUED
        return was_there and await self._database.queue.get(execution.id) is not None

    async def finish(
        self, execution: Execution, ended: Ended, timeline: Timeline, ledger: Ledger, names: Mapping[str, str]
    ) -> ExecutionResult:
        """Store how it ended, and say so.

        Args:
            execution: The execution.
            ended: Its status, output and nodes.
            timeline: Where its end is noted.
            ledger: Knows what it cost.
            names: Ids of its nodes' blocks, by node id.

        Raises:
            StorageError: The database cannot be written.
        """
        journal = self._database.journal
        completed = self._clock.now()
        timeline.note(EventKind.EXECUTION_FINISHED, None, str(ended.status))
        await journal.finish(
            execution.id, ended.status, ended.rows, completed_at=completed, output=ended.output, error=ended.error
        )
        stored = replace(execution, status=ended.status, output=ended.output, error=ended.error, completed_at=completed)
        totals = await ledger.totals(execution.id)
        failed = await failed_records(journal, execution.id) if may_have_failed(ended.rows) else []
        return build_result(stored, ended.rows, totals, failed, names)


async def _budget(limits: DocumentLimits, execution: Execution, ledger: Ledger) -> Limits | None:
    """What the document's limits leave, after what the execution's earlier runs spent."""
    if limits.calls is None and limits.cost_usd is None:
        return None
    spent = (await ledger.totals(execution.id)).nodes.values()
    return Limits(
        calls=limits.calls,
        cost=limits.cost_usd,
        spent_calls=sum(node.calls for node in spent),
        spent_cost=sum((node.amount for node in spent), Decimal(0)),
    )
