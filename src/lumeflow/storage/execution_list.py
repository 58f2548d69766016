"""The list of executions: filters, and pages from the newest on, each read from an index."""

from collections.abc import Sequence
from typing import Any

from lumeflow.core.journal import ExecutionFilter, ExecutionSummary, Mode, Status
from lumeflow.storage.codec import optional_unstamp, unstamp
from lumeflow.storage.jobs import Transaction

COLUMNS = """e.id, e.workflow_id, e.workflow_version, e.mode, e.status, e.started_at,
  CASE WHEN e.status <> 'running' THEN e.completed_at END, CASE WHEN e.status <> 'running' THEN e.error_message END,
  coalesce((SELECT k.kind FROM execution_jobs AS k WHERE k.tenant = e.tenant AND k.execution_id = e.id), 'WORKFLOW')"""
WIDTH = 9
"""How many these are."""

_PLACE = "SELECT started_at, id FROM workflow_executions WHERE tenant = ? AND id = ?"


def page(tx: Transaction, chosen: ExecutionFilter, limit: int, before: str | None) -> Sequence[ExecutionSummary]:
    """The newest first; `before` is the id after which the page begins, one that there is not begins none."""
    terms, values = conditions(tx, chosen)
    if before is not None:
        place = tx.db.execute(_PLACE, (tx.tenant, before)).fetchone()
        if place is None:
            return []
        terms.append("(started_at, id) < (?, ?)")
        values += place
    rows = tx.db.execute(statement(terms), [*values, limit])
    return [summary(row) for row in rows]


def conditions(tx: Transaction, chosen: ExecutionFilter) -> tuple[list[str], list[Any]]:
    """SQL of the filters, and what to bind."""
    given = (
        ("workflow_id = ?", chosen.workflow_id),
        ("status = ?", None if chosen.status is None else chosen.status.value),
        ("started_at >= ?", tx.sql.optional_time(chosen.since)),
        ("started_at < ?", tx.sql.optional_time(chosen.until)),
    )
    used = [(term, value) for term, value in given if value is not None]
    return ["tenant = ?", *(term for term, _ in used)], [tx.tenant, *(value for _, value in used)]


def statement(terms: Sequence[str]) -> str:
    """The query of one page."""
    return f"""
SELECT {COLUMNS} FROM workflow_executions AS e
WHERE {" AND ".join(terms)} ORDER BY started_at DESC, id DESC LIMIT ?"""  # noqa: S608 - constants of this module


def summary(row: Sequence[Any]) -> ExecutionSummary:
    """A line of the list from its columns."""
    id_, workflow_id, version, mode, status, started_at, completed_at, error, kind = row
    return ExecutionSummary(
        id_,
        workflow_id,
        version,
        Mode(mode),
        Status(status),
        unstamp(started_at),
        optional_unstamp(completed_at),
        error,
        kind,
    )
