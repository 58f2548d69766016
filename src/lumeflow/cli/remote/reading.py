"""What a server tells, as the objects that the commands show."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from lumeflow.core.effects import DoubtfulCall
from lumeflow.core.events import Event, EventKind
from lumeflow.core.journal import ExecutionSummary, KeptRecord, Mode, RecordKind, Status
from lumeflow.core.progress import NodeProgress, Progress
from lumeflow.core.result import ExecutionCost, ExecutionResult, ExecutionTime, FailedRecord, NodeResult

# Every function raises KeyError, TypeError or ValueError where the answer has another form: see `answers.understood`.

_ALMOST = timedelta(microseconds=900)
"""What is cut off a time where it is told in milliseconds, at most."""
_KINDS = frozenset(kind.value for kind in EventKind)


def summary_of(told: Mapping[str, Any]) -> ExecutionSummary:
    """A line of the list of executions."""
    return ExecutionSummary(
        id=str(told["executionId"]),
        workflow_id=str(told["workflowId"]),
        workflow_version=int(told["workflowVersion"]),
        mode=Mode(told["mode"]),
        status=Status(told["status"]),
        started_at=datetime.fromisoformat(told["startedAt"]),
        completed_at=_time(told["completedAt"]),
        error=told["error"],
    )


def result_of(told: Mapping[str, Any], output: Mapping[str, Any]) -> ExecutionResult:
    """An execution.

    Args:
        told: The answer with exact amounts.
        output: Its `output` as the records have it, where numbers that are not whole are floats.
    """
    return ExecutionResult(
        execution_id=str(told["executionId"]),
        workflow_id=str(told["workflowId"]),
        status=Status(told["status"]),
        output=dict(output),
        nodes={str(node_id): _node(node) for node_id, node in told["nodes"].items()},
        cost=_cost(told["cost"]),
        time=_times(told["executionTime"]),
        failed_records=tuple(
            FailedRecord(str(entry["node"]), int(entry["position"]), str(entry["class"]), str(entry["reason"]))
            for entry in told["failedRecords"]
        ),
        in_doubt=tuple(
            DoubtfulCall(
                str(entry["node"]),
                str(entry["operation"]),
                int(entry["lost"]),
                _amount(entry["price"]),
                settled=bool(entry["settled"]),
            )
            for entry in told["inDoubt"]
        ),
        error=told["error"],
    )


def progress_of(execution_id: str, told: Mapping[str, Any]) -> Progress:
    """A snapshot of an execution that runs."""
    return Progress(
        execution_id=execution_id,
        status=Status.RUNNING,
        nodes=tuple(_node_progress(node) for node in told["nodes"]),
        elapsed=float(told["elapsedSeconds"]),
        percent=told["percent"],
        remaining=told["remainingSeconds"],
    )


def event_of(told: Mapping[str, Any]) -> tuple[int, Event]:
    """An event of the timeline with its number. A newer server may have kinds that are not known here."""
    kind = str(told["kind"])
    return int(told["number"]), Event(
        kind=EventKind(kind) if kind in _KINDS else cast("EventKind", kind),
        at=datetime.fromisoformat(told["at"]),
        node_id=told["node"],
        message=str(told["message"]),
        data=dict(told["data"]),
    )


def record_of(kind: RecordKind, told: Mapping[str, Any]) -> KeptRecord:
    """A record that was kept."""
    return KeptRecord(
        node_id=str(told["node"]),
        kind=kind,
        position=int(told["position"]),
        lineage=tuple(told["lineage"]),
        data=dict(told["data"]),
        error_class=told["class"],
        reason=told["reason"],
    )


def _node(told: Mapping[str, Any]) -> NodeResult:
    return NodeResult(
        node_id=str(told["blockId"]),
        block=str(told["block"]),
        status=Status(told["status"]),
        records_in=int(told["recordsIn"]),
        records_out=int(told["recordsOut"]),
        failed=int(told["failed"]),
        skipped=int(told["skipped"]),
        retries=int(told["retries"]),
        coercions=int(told["coercions"]),
        replayed=int(told["replayedCalls"]),
        cost=_cost(told["executionCost"]),
        time=_times(told["executionTime"]),
        error=told.get("error"),
    )


def _node_progress(told: Mapping[str, Any]) -> NodeProgress:
    return NodeProgress(
        node_id=str(told["blockId"]),
        name=str(told["name"]),
        block=str(told["block"]),
        status=Status(told["status"]),
        records_in=int(told["recordsIn"]),
        records_out=int(told["recordsOut"]),
        failed=int(told["failed"]),
        skipped=int(told["skipped"]),
        retries=int(told["retries"]),
        calls=int(told["calls"]),
        replayed=int(told["replayedCalls"]),
        cost=_amount(told["cost"]),
        waiting=str(told["waiting"]),
    )


def _cost(told: Mapping[str, Any]) -> ExecutionCost:
    return ExecutionCost(
        api_calls=int(told["apiCalls"]),
        total_cost=_amount(told["totalCost"]),
        possible=_amount(told["possiblyPaidTwice"]),
    )


def _times(told: Mapping[str, Any]) -> ExecutionTime:
    """Start and end, which are told in whole milliseconds, apart by as much as is told of them."""
    start, end = _time(told["startedAt"]), _time(told["completedAt"])
    if start is not None and end is not None:
        cut_off = int(told["durationMs"]) - round((end - start).total_seconds() * 1000)
        start += _ALMOST if cut_off < 0 else timedelta()
        end += _ALMOST if cut_off > 0 else timedelta()
    return ExecutionTime(start, end)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _amount(value: Decimal | int | float) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))
