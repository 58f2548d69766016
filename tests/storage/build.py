"""Small builders of what the storage is given. All people are invented."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from lumeflow.core.effects import AnsweredEffect, Claim, EffectKey
from lumeflow.core.http import HttpResponse
from lumeflow.core.journal import Execution, KeptRecord, Mode, NodeRow, RecordKind, Status
from lumeflow.core.money import Basis, Charge

NOON = datetime(2026, 1, 9, 12, 0, 0, 123456, tzinfo=UTC)
EXECUTION = "exec-1"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def key(number: Any = 1, execution_id: str = EXECUTION, operation: str = "apollo/people-match") -> EffectKey:
    account, _, _ = operation.partition("/")
    return EffectKey.of(execution_id, account, operation, {"email": f"ada{number}@example.com"})


def claim(
    effect: EffectKey | None = None, node_id: str = "enrich", params: bytes = b'{"a":1}', price: str = "0"
) -> Claim:
    return Claim(effect or key(), node_id, params, NOON, Decimal(price))


def answered(
    amount: str = "0.02",
    body: bytes = b'{"person":null}',
    *,
    lost: str = "0",
    attempts: int = 1,
    units: str | None = None,
) -> AnsweredEffect:
    charge = Charge(Decimal(amount), None if units is None else Decimal(units), Basis.REPORTED)
    response = HttpResponse(200, {"content-type": "application/json"}, body)
    return AnsweredEffect(response, charge, Decimal(lost), attempts, at(1), 350)


DEFINITION = {
    "workflowId": "leads",
    "name": "Leads",
    "version": 3,
    "nodes": [{"id": "zeta", "type": "input"}, {"id": "alpha", "type": "output"}],
    "edges": [{"source": "zeta", "target": "alpha"}],
}


def execution(execution_id: str = EXECUTION, **changes: Any) -> Execution:
    fields: dict[str, Any] = {
        "id": execution_id,
        "workflow_id": "leads",
        "workflow_version": 3,
        "definition": DEFINITION,
        "mode": Mode.DEMO,
        "input": {"sourceAudienceId": "aud-1", "n": [1, 2.5, None]},
        "variables": {"city": "Genova"},
        "mocks": {"apollo": {"person": None}},
        "now": NOON,
        "pinned": True,
        "status": Status.RUNNING,
        "started_at": NOON,
    }
    return Execution(**{**fields, **changes})


def record(position: int, kind: RecordKind = RecordKind.OUTPUT, node_id: str = "alpha", **data: Any) -> KeptRecord:
    reason = None if kind is RecordKind.OUTPUT else "email is empty"
    return KeptRecord(node_id, kind, position, (0, position), data or {"n": position}, None, reason)


def node_row(node_id: str = "alpha", **changes: Any) -> NodeRow:
    fields: dict[str, Any] = {
        "node_id": node_id,
        "block_type": "api",
        "status": Status.COMPLETED,
        "counts": {"recordsIn": 10, "recordsOut": 9, "failed": 1, "retries": 2},
        "input_preview": [{"email": "ada@example.com"}],
        "output_preview": {"n": 1},
        "error": None,
        "started_at": NOON,
        "completed_at": at(1.5),
    }
    return NodeRow(**{**fields, **changes})
