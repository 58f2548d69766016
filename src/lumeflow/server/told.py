"""What is told of an execution, as JSON."""

from typing import Any

from lumeflow.core.clock import iso
from lumeflow.core.events import Event
from lumeflow.core.journal import ExecutionSummary, KeptRecord
from lumeflow.core.progress import NodeProgress, Progress
from lumeflow.core.result import ExecutionResult, exact_number
from lumeflow.service import ExecutionState


def state(found: ExecutionState) -> dict[str, Any]:
    """Where it stands."""
    return {
        "executionId": found.execution_id,
        "workflowId": found.workflow_id,
        "workflowVersion": found.workflow_version,
        "mode": found.mode,
        "status": found.status,
        "startedAt": found.started_at,
        "completedAt": found.completed_at,
        "error": found.error,
        "kind": found.kind,
        "cancelling": found.cancelling,
        "priority": found.priority,
        "attempts": found.attempts,
        "queuedAt": found.queued_at,
        "notBefore": found.not_before,
    }


def summary(found: ExecutionSummary) -> dict[str, Any]:
    """A line of the list."""
    return {
        "executionId": found.id,
        "workflowId": found.workflow_id,
        "workflowVersion": found.workflow_version,
        "mode": found.mode,
        "status": found.status,
        "startedAt": found.started_at,
        "completedAt": found.completed_at,
        "error": found.error,
        "kind": found.kind,
    }


def whole(found: ExecutionState, result: ExecutionResult) -> dict[str, Any]:
    """All of it but its records."""
    told = result.as_json()
    taken = ("nodes", "cost", "executionTime", "failedRecords", "inDoubt", "repeatedCalls")
    return {
        **state(found),
        "progress": None if found.progress is None else progress(found.progress),
        **{key: told[key] for key in taken},
        "output": told["output"] or {},
    }


def progress(found: Progress) -> dict[str, Any]:
    """Live progress."""
    return {
        "percent": found.percent,
        "elapsedSeconds": round(found.elapsed, 3),
        "remainingSeconds": None if found.remaining is None else round(found.remaining, 1),
        "calls": found.calls,
        "cost": exact_number(found.cost),
        "nodes": [_node(node) for node in found.nodes],
    }


def _node(node: NodeProgress) -> dict[str, Any]:
    return {
        "blockId": node.node_id,
        "name": node.name or node.node_id,
        "block": node.block,
        "status": node.status,
        "recordsIn": node.records_in,
        "recordsOut": node.records_out,
        "failed": node.failed,
        "skipped": node.skipped,
        "calls": node.calls,
        "replayedCalls": node.replayed,
        "retries": node.retries,
        "cost": exact_number(node.cost),
        "waiting": node.waiting,
    }


def event(number: int, found: Event) -> dict[str, Any]:
    """An event of the timeline."""
    return {
        "number": number,
        "at": iso(found.at),
        "kind": found.kind,
        "node": found.node_id,
        "message": found.message,
        "data": found.data,
    }


def record(found: KeptRecord) -> dict[str, Any]:
    """A record that was kept."""
    return {
        "node": found.node_id,
        "position": found.position,
        "lineage": list(found.lineage),
        "class": found.error_class,
        "reason": found.reason,
        "data": found.data,
    }
