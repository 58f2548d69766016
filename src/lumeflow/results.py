"""From what is stored of an execution to the result that callers get; the same for one that just ended."""

from collections.abc import Mapping, Sequence

from lumeflow.core.block import BlockType
from lumeflow.core.effects import LedgerTotals, NodeTotals
from lumeflow.core.errors import LumeflowError
from lumeflow.core.journal import Execution, Journal, NodeRow, RecordKind
from lumeflow.core.money import total
from lumeflow.core.registry import Registry
from lumeflow.core.result import ExecutionCost, ExecutionResult, ExecutionTime, FailedRecord, NodeResult

LISTED_RECORDS = 1000
"""Failed records that a result names; all of them can be read from the journal."""


def build_result(
    execution: Execution,
    rows: Sequence[NodeRow],
    totals: LedgerTotals,
    failed: Sequence[FailedRecord],
    blocks: Mapping[str, str],
) -> ExecutionResult:
    """Put a result together. Costs come from the ledger, so they cover every resume.

    Args:
        execution: The execution, as it is stored.
        rows: Its nodes.
        totals: Its calls and their cost.
        failed: Records that the result names.
        blocks: `type/name` of the nodes' blocks by node id, where they are known.
    """
    nodes = {row.node_id: _node(row, totals.nodes.get(row.node_id, NodeTotals()), blocks) for row in rows}
    costs = [ExecutionCost(entry.calls, entry.amount, entry.possible) for entry in totals.nodes.values()]
    return ExecutionResult(
        execution_id=execution.id,
        workflow_id=execution.workflow_id,
        status=execution.status,
        output=execution.output or {},
        nodes=nodes,
        cost=ExecutionCost(
            sum(cost.api_calls for cost in costs),
            total(cost.total_cost for cost in costs),
            total(cost.possible for cost in costs),
        ),
        time=ExecutionTime(execution.started_at, execution.completed_at),
        failed_records=failed,
        in_doubt=totals.doubtful,
        error=execution.error,
    )


def _node(row: NodeRow, totals: NodeTotals, blocks: Mapping[str, str]) -> NodeResult:
    return NodeResult(
        node_id=row.node_id,
        block=blocks.get(row.node_id, row.block_type),
        status=row.status,
        records_in=row.counts.get("recordsIn", 0),
        records_out=row.counts.get("recordsOut", 0),
        failed=row.counts.get("failed", 0),
        skipped=row.counts.get("skipped", 0),
        retries=row.counts.get("retries", 0),
        coercions=row.counts.get("coercions", 0),
        replayed=row.counts.get("replayed", 0),
        cost=ExecutionCost(totals.calls, totals.amount, totals.possible),
        time=ExecutionTime(row.started_at, row.completed_at),
        error=row.error,
    )


def block_names(execution: Execution, registry: Registry) -> Mapping[str, str]:
    """`type/name` of each node's block, as far as the blocks are still installed."""
    names: dict[str, str] = {}
    for node in execution.definition.get("nodes", ()):
        try:
            names[node["id"]] = registry.resolve(BlockType(node["type"]), node.get("config", {})).id()
        except LumeflowError:
            names[node["id"]] = node["type"]
    return names


async def failed_records(journal: Journal, execution_id: str) -> Sequence[FailedRecord]:
    """The first records that failed and were taken over by nothing."""
    listed: list[FailedRecord] = []
    async for record in journal.kept(execution_id, RecordKind.FAILED):
        listed.append(FailedRecord(record.node_id, record.position, record.error_class or "", record.reason or ""))
        if len(listed) == LISTED_RECORDS:
            break
    return listed
