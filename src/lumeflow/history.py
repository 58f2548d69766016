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
from lumeflow.storage import Database


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
        execution = await self.stored(execution_id)
        execution = replace(execution, status=await self.standing(execution_id, execution.status))
        journal = self.database.journal
        rows = await journal.nodes(execution_id)
        totals = await self.database.totals(execution_id)
        failed = await failed_records(journal, execution_id, rows)
        return build_result(execution, rows, totals, failed, block_names(execution, self.registry))

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
            raise UsageError(
                f"there is no execution '{execution_id}': `lumeflow executions list` shows those there are"
            )
        return execution

    async def standing(self, execution_id: str, stored: Status) -> Status:
        """The status as it is: one that is stored as running may have lost its process."""
        alive = stored is not Status.RUNNING or await self.database.is_running(execution_id)
        return stored if alive else Status.INTERRUPTED

    async def has_failed_records(self, execution_id: str) -> bool:
        """True if a record of it failed that no error port and no fallback took over."""
        async for _ in self.database.journal.kept(execution_id, RecordKind.FAILED):
            return True
        return False
