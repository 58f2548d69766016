"""Results, snapshots and events that the views are tested with."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from lumeflow.core.effects import DoubtfulCall
from lumeflow.core.journal import ExecutionSummary, Mode, Status
from lumeflow.core.progress import NodeProgress, Progress
from lumeflow.core.result import ExecutionCost, ExecutionResult, ExecutionTime, FailedRecord, NodeResult

START = datetime(2026, 1, 9, 10, 0, tzinfo=UTC)


def time(milliseconds: int) -> ExecutionTime:
    return ExecutionTime(START, START + timedelta(milliseconds=milliseconds))


def node_result(node_id: str = "enrichment-1", **changes) -> NodeResult:
    values = {
        "node_id": node_id,
        "block": "api/apollo-people-match",
        "status": Status.COMPLETED,
        "records_in": 1200,
        "records_out": 1190,
        "failed": 10,
        "cost": ExecutionCost(1201, Decimal("25.025"), Decimal("0.025")),
        "time": time(3200),
    }
    return NodeResult(**{**values, **changes})


def result(**changes) -> ExecutionResult:
    values = {
        "execution_id": "run-1",
        "workflow_id": "lead-enrichment-v1",
        "status": Status.COMPLETED,
        "output": {"contactsCount": 1190},
        "nodes": {"enrichment-1": node_result()},
        "cost": ExecutionCost(1201, Decimal("25.025"), Decimal("0.025")),
        "time": time(4200),
        "failed_records": [FailedRecord("enrichment-1", 17, "NOT_FOUND", "no person [matched]")],
        "in_doubt": [DoubtfulCall("enrichment-1", "apollo/people-match", 1, Decimal("0.025"), settled=True)],
    }
    return ExecutionResult(**{**values, **changes})


def node(node_id: str, status: Status = Status.RUNNING, **changes) -> NodeProgress:
    return NodeProgress(**{"node_id": node_id, "name": "", "block": "api/x", "status": status, **changes})


def progress(*nodes: NodeProgress, elapsed: float = 1.5, **changes) -> Progress:
    return Progress(
        **{"execution_id": "run-1", "status": Status.RUNNING, "nodes": nodes, "elapsed": elapsed, **changes}
    )


def summary(**changes) -> ExecutionSummary:
    values = {
        "id": "run-1",
        "workflow_id": "lead-enrichment-v1",
        "workflow_version": 3,
        "mode": Mode.DEMO,
        "status": Status.COMPLETED,
        "started_at": START,
        "completed_at": START + timedelta(seconds=75),
        "error": None,
    }
    return ExecutionSummary(**{**values, **changes})
