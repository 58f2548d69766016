"""What is stored of executions, read back."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from lumeflow.core.errors import UsageError
from lumeflow.core.journal import (
    EVERY_EXECUTION,
    Execution,
    ExecutionFilter,
    ExecutionSummary,
    KeptRecord,
    RecordKind,
    Status,
)
from lumeflow.core.records import JsonObject
from lumeflow.core.registry import Registry
from lumeflow.core.result import ExecutionResult
from lumeflow.results import block_names, build_result, failed_records
from lumeflow.storage import Database, Outcome


class History:
    """Reads executions of one tenant.

    Attributes:
        registry: Blocks, operations and providers.
        database: Executions, ledger and tables.
    """

    registry: Registry
    database: Database

    async def result(self, execution_id: str) -> ExecutionResult:
        """What is stored of an execution, finished or not.

        Raises:
            UsageError: There is no such execution.
        """
        return await self.result_of(await self.outcome(execution_id))

    async def outcome(self, execution_id: str) -> Outcome:
        """What is stored of an execution, as it lies there.

        Raises:
            UsageError: There is no such execution.
        """
        found = await self.database.outcome(execution_id)
        if found is None:
            raise no_execution(execution_id)
        return found

    async def result_of(self, found: Outcome) -> ExecutionResult:
        """The result that this makes."""
        execution = found.execution
        if execution.status is Status.RUNNING and not found.standing.alive:
            execution = replace(execution, status=Status.INTERRUPTED)
        failed = await failed_records(self.database.journal, execution.id) if found.has_failures else []
        names = block_names(execution, self.registry) if found.nodes else {}
        return build_result(execution, found.nodes, found.totals, failed, names)

    async def executions(
        self, *, limit: int = 50, before: str | None = None, chosen: ExecutionFilter = EVERY_EXECUTION
    ) -> Sequence[ExecutionSummary]:
        """The newest executions first; `before` is the id after which the page begins."""
        page = await self.database.journal.list(limit=limit, before=before, chosen=chosen)
        return [replace(entry, status=await self.standing(entry.id, entry.status)) for entry in page]

    async def output_records(self, execution_id: str) -> AsyncIterator[JsonObject]:
        """Every record that reached the output nodes, in order. Embeddings are `array('f')`.

        Raises:
            UsageError: There is no such execution.
        """
        async for record in self.kept_records(execution_id, RecordKind.OUTPUT):
            yield record.data

    async def kept_records(
        self, execution_id: str, kind: RecordKind, node_id: str | None = None
    ) -> AsyncIterator[KeptRecord]:
        """Records that are kept with an execution, by node and position.

        Raises:
            UsageError: There is no such execution.
        """
        await self.stored(execution_id)
        async for record in self.database.journal.kept(execution_id, kind, node_id):
            yield record

    async def stored(self, execution_id: str) -> Execution:
        """An execution as it is written down.

        Raises:
            UsageError: There is none of this id.
        """
        execution = await self.database.journal.get(execution_id)
        if execution is None:
            raise no_execution(execution_id)
        return execution

    async def standing(self, execution_id: str, stored: Status) -> Status:
        """The status as it is: one that is stored as running may have lost its process."""
        alive = stored is not Status.RUNNING or await self.database.is_running(execution_id)
        return stored if alive else Status.INTERRUPTED

    async def queued_limits(self, execution: Execution) -> JsonObject:
        """Limits in place of its document's that an execution was queued with, or the one of which it runs a part."""
        job = await self.database.queue.get(execution.id)
        if job is not None:
            limits: JsonObject = job.options.get("limits", {})
            return limits
        earlier = await self.database.journal.get(execution.rerun.of) if execution.rerun else None
        return {} if earlier is None else await self.queued_limits(earlier)

    async def has_failed_records(self, execution_id: str) -> bool:
        """True if a record of it failed that no error port and no fallback took over."""
        async for _ in self.database.journal.kept(execution_id, RecordKind.FAILED):
            return True
        return False


def no_execution(execution_id: str) -> UsageError:
    """What to say of an id that no execution has."""
    return UsageError(f"there is no execution '{execution_id}': `lumeflow executions list` shows those there are")
