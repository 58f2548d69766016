"""What an execution returns, and how it is written as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from lumeflow.core.clock import iso
from lumeflow.core.effects import DoubtfulCall
from lumeflow.core.journal import Status
from lumeflow.core.money import CURRENCY, ZERO, plain
from lumeflow.core.records import JsonObject


def exact_number(amount: Decimal) -> orjson.Fragment:
    """An amount as a JSON number with all its digits."""
    return orjson.Fragment(plain(amount).encode())


@dataclass(frozen=True, slots=True)
class ExecutionCost:
    """What the calls of a block, or of the workflow, cost.

    Attributes:
        api_calls: Requests sent, retries included; over all resumes.
        total_cost: Money in `CURRENCY`, calls whose answer was lost included.
        possible: Of that, money of calls whose answer was lost: paid only if the vendor did process them.
    """

    api_calls: int = 0
    total_cost: Decimal = ZERO
    possible: Decimal = ZERO

    @property
    def cost_per_call(self) -> Decimal:
        """Average, to six digits after the point."""
        if not self.api_calls:
            return ZERO
        return (self.total_cost / self.api_calls).quantize(Decimal("0.000001"))

    def as_json(self) -> dict[str, Any]:
        """The plan's `executionCost` object; amounts are exact JSON numbers."""
        return {
            "apiCalls": self.api_calls,
            "costPerCall": exact_number(self.cost_per_call),
            "totalCost": exact_number(self.total_cost),
            "possiblyPaidTwice": exact_number(self.possible),
            "currency": CURRENCY,
        }


@dataclass(frozen=True, slots=True)
class ExecutionTime:
    """When something ran; real time."""

    started_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def duration_ms(self) -> int:
        """Milliseconds from start to end; 0 if it did not run."""
        if self.started_at is None or self.completed_at is None:
            return 0
        return round((self.completed_at - self.started_at).total_seconds() * 1000)

    def as_json(self) -> dict[str, Any]:
        """The plan's `executionTime` object."""
        return {
            "startedAt": iso(self.started_at) if self.started_at else None,
            "completedAt": iso(self.completed_at) if self.completed_at else None,
            "durationMs": self.duration_ms,
        }


@dataclass(frozen=True, slots=True)
class NodeResult:
    """How one node ended.

    Attributes:
        node_id: The node.
        block: `type/name` of its block.
        status: completed, failed, cancelled or skipped.
        records_in: Records that reached it.
        records_out: Records that left it by any port but `error`.
        failed: Records that failed in it.
        skipped: Records that it left out on purpose.
        retries: Calls that were tried again.
        coercions: Values that were brought to the schema's type.
        replayed: Calls that were answered by the ledger.
        cost: What its calls cost.
        time: When it ran.
        error: Why it failed.
    """

    node_id: str
    block: str
    status: Status
    records_in: int = 0
    records_out: int = 0
    failed: int = 0
    skipped: int = 0
    retries: int = 0
    coercions: int = 0
    replayed: int = 0
    cost: ExecutionCost = field(default_factory=ExecutionCost)
    time: ExecutionTime = field(default_factory=ExecutionTime)
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The node as a JSON object."""
        entries = {
            "blockId": self.node_id,
            "block": self.block,
            "status": str(self.status),
            "recordsIn": self.records_in,
            "recordsOut": self.records_out,
            "failed": self.failed,
            "skipped": self.skipped,
            "retries": self.retries,
            "coercions": self.coercions,
            "replayedCalls": self.replayed,
            "executionCost": self.cost.as_json(),
            "executionTime": self.time.as_json(),
            "error": self.error,
        }
        return {key: value for key, value in entries.items() if value is not None}


@dataclass(frozen=True, slots=True)
class FailedRecord:
    """A failed record as it is listed: where and why, without its data."""

    node_id: str
    position: int
    error_class: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        """The entry as a JSON object."""
        return {"node": self.node_id, "position": self.position, "class": self.error_class, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class ExecutionResult:
    """How an execution ended.

    Attributes:
        execution_id: Its id.
        workflow_id: The workflow.
        status: completed, failed or cancelled.
        output: The output node's payload; by node id where several output nodes were reached.
        nodes: Per node, in document order.
        cost: Sum over the nodes.
        time: When it ran.
        failed_records: The failed records that no error port took, the first thousand.
        in_doubt: Calls that were possibly paid twice.
        error: Why it failed.
    """

    execution_id: str
    workflow_id: str
    status: Status
    output: JsonObject
    nodes: Mapping[str, NodeResult]
    cost: ExecutionCost
    time: ExecutionTime
    failed_records: Sequence[FailedRecord] = ()
    in_doubt: Sequence[DoubtfulCall] = ()
    error: str | None = None

    @property
    def repeated_calls(self) -> int:
        """Calls that were made again because their answer was lost."""
        return sum(call.lost for call in self.in_doubt if call.settled)

    def as_json(self) -> dict[str, Any]:
        """The result as a JSON object, ready for `orjson`."""
        return {
            "executionId": self.execution_id,
            "workflowId": self.workflow_id,
            "status": str(self.status),
            "output": self.output,
            "nodes": {node_id: node.as_json() for node_id, node in self.nodes.items()},
            "cost": self.cost.as_json(),
            "executionTime": self.time.as_json(),
            "failedRecords": [record.as_json() for record in self.failed_records],
            "inDoubt": [_doubt(call) for call in self.in_doubt],
            "repeatedCalls": self.repeated_calls,
            "error": self.error,
        }


def _doubt(call: DoubtfulCall) -> dict[str, Any]:
    return {
        "node": call.node_id,
        "operation": call.operation,
        "lost": call.lost,
        "price": exact_number(call.price),
        "settled": call.settled,
    }
