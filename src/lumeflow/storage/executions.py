"""The SQL of executions, their nodes and their timeline, and rows to and from the core's types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lumeflow.core.clock import derived_id
from lumeflow.core.events import Event, EventKind
from lumeflow.core.journal import AlreadyExists, Execution, Mode, NodeRow, Rerun, Status
from lumeflow.core.records import JsonObject
from lumeflow.storage.codec import (
    decode_json,
    encode_json,
    encode_optional_json,
    optional_unstamp,
    unstamp,
)
from lumeflow.storage.jobs import Transaction, Work
from lumeflow.storage.owners import Owner, clear_owner, require_owner
from lumeflow.storage.record_store import count_records
from lumeflow.storage.repositories.costs import sum_up_costs
from lumeflow.storage.statements import RowStatement, execute_rows
from lumeflow.storage.workflows import remember_definition

# The id of an execution that was deleted is not given again: its costs are kept under it.
_EXISTS = """
SELECT 0 FROM workflow_executions WHERE tenant = ? AND id = ?
UNION ALL SELECT 1 FROM execution_costs WHERE tenant = ? AND execution_id = ?
UNION ALL SELECT 1 FROM execution_purges WHERE tenant = ? AND execution_id = ?"""

_INSERT = """
INSERT INTO workflow_executions
  (tenant, id, workflow_id, workflow_version, workflow_digest, source_audience_id, mode, status, input_data, variables,
   mocks, demo, rerun, now, is_pinned, started_at)
VALUES (?, ?, ?, ?, ?, (SELECT id FROM source_audiences WHERE tenant = ? AND id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

COLUMNS = """e.id, e.workflow_id, e.workflow_version, v.definition, e.mode, e.input_data, e.variables, e.mocks, e.now,
  e.is_pinned, e.status, e.started_at, CASE WHEN e.status <> 'running' THEN e.completed_at END,
  CASE WHEN e.status <> 'running' THEN e.output_data END, CASE WHEN e.status <> 'running' THEN e.error_message END,
  e.demo, e.rerun"""

FROM = """workflow_executions AS e
JOIN workflow_versions AS v
  ON v.tenant = e.tenant AND v.workflow_id = e.workflow_id AND v.version = e.workflow_version
  AND v.digest = e.workflow_digest"""

GET = f"SELECT {COLUMNS} FROM {FROM} WHERE e.tenant = ? AND e.id = ?"  # noqa: S608 - constants of this module

_REOPEN = """
UPDATE workflow_executions
SET started_at = CASE WHEN status = 'queued' THEN coalesce(?, started_at) ELSE started_at END,
  status = 'running', standing = CASE WHEN status IN ('running', 'queued') THEN standing ELSE status END
WHERE tenant = ? AND id = ?"""

_START = """
UPDATE workflow_executions SET status = 'running', started_at = ? WHERE tenant = ? AND id = ? AND status = 'queued'"""

_FINISH = """
UPDATE workflow_executions
SET status = ?, completed_at = ?, execution_time_ms = ?, output_data = ?, error_message = ?, run = ?, standing = NULL
WHERE tenant = ? AND id = ?"""

_RESTORE = "UPDATE workflow_executions SET status = standing, standing = NULL WHERE tenant = ? AND id = ?"

_STARTED = "SELECT started_at, run, standing FROM workflow_executions WHERE tenant = ? AND id = ?"

_IDLE_RUN = "SELECT run FROM workflow_executions WHERE tenant = ? AND id = ? AND status <> 'running'"

_DROP_NODES = "DELETE FROM block_executions WHERE tenant = ? AND workflow_execution_id = ?"

_INSERT_NODES = RowStatement(
    """
INSERT INTO block_executions
  (tenant, id, workflow_execution_id, ordinal, node_id, block_type, status, counts, input_data, output_data,
   error_message, started_at, completed_at, execution_time_ms, retry_count)
{rows}""",
    (
        *("text", "text", "text", "int", "text", "text", "text", "json", "json", "json"),
        *("text", "time", "time", "int", "int"),
    ),
)

NODES = """
SELECT node_id, block_type, status, counts, input_data, output_data, error_message, started_at, completed_at
FROM block_executions WHERE tenant = ? AND workflow_execution_id = ? ORDER BY ordinal"""

_LAST_EVENT = "SELECT coalesce(max(ordinal), 0) FROM execution_events WHERE tenant = ? AND execution_id = ?"

_INSERT_EVENTS = RowStatement(
    """
INSERT INTO execution_events (tenant, execution_id, ordinal, kind, at, node_id, message, data) {rows}""",
    ("text", "text", "int", "text", "time", "text", "text", "json"),
)

TIMELINE = """
SELECT ordinal, kind, at, node_id, message, data
FROM execution_events WHERE tenant = ? AND execution_id = ? AND ordinal > ? ORDER BY ordinal LIMIT ?"""


def begin(tx: Transaction, execution: Execution, owner: Owner, *, queued: bool = False) -> None:
    """Insert an execution, running or queued, and, if it is new, the workflow that it runs.

    Raises:
        AlreadyExists: The id is taken.
        StorageError: Somebody else owns the execution.
    """
    found = tx.db.execute(_EXISTS, (tx.tenant, execution.id) * 3).fetchall()
    if found:
        raise AlreadyExists(f"execution '{execution.id}' exists already", is_gone=all(row[0] for row in found))
    require_owner(tx, execution.id, owner)
    digest = remember_definition(
        tx, execution.workflow_id, execution.workflow_version, execution.definition, execution.started_at
    )
    audience = execution.input.get("sourceAudienceId")
    tx.db.execute(
        _INSERT,
        (
            tx.tenant,
            execution.id,
            execution.workflow_id,
            execution.workflow_version,
            digest,
            tx.tenant,
            audience if isinstance(audience, str) else None,
            execution.mode.value,
            (Status.QUEUED if queued else Status.RUNNING).value,
            encode_json(execution.input),
            encode_json(execution.variables),
            encode_json(execution.mocks),
            encode_json(execution.demo),
            encode_optional_json(execution.rerun.as_json() if execution.rerun else None),
            tx.sql.time(execution.now),
            execution.pinned,
            tx.sql.time(execution.started_at),
        ),
    )


@dataclass(frozen=True, slots=True)
class Reopened:
    """An execution that runs again.

    Attributes:
        run: Number of the new run.
        spared: Number of the ended run whose records are read meanwhile; -1 if none has ended.
    """

    run: int
    spared: int


def reopen(tx: Transaction, execution_id: str, owner: Owner, at: datetime | None = None) -> Reopened | None:
    """Set an execution running again, or for the first time if it was queued; it then starts at `at`.

    What a run left that has ended stays. None if there is no such execution.
    """
    require_owner(tx, execution_id, owner)
    place = (tx.tenant, execution_id)
    tx.db.execute(_REOPEN, (tx.sql.optional_time(at), *place))
    row = tx.db.execute(_STARTED, place).fetchone()
    if row is None:
        return None
    _, read, standing = row
    if standing is not None:
        return Reopened(read + 1, read)
    tx.db.execute(_DROP_NODES, place)
    return Reopened(read, -1)


def start(tx: Transaction, execution_id: str, owner: Owner, at: datetime) -> bool:
    """Set an execution running that is queued and has left nothing yet; False if it is not."""
    require_owner(tx, execution_id, owner)
    return tx.db.execute(_START, (tx.sql.time(at), tx.tenant, execution_id)).rowcount == 1


@dataclass(frozen=True, slots=True)
class Ending:
    """How an execution ended."""

    status: Status
    completed_at: datetime
    output: JsonObject | None
    error: str | None


def finish(tx: Transaction, execution_id: str, owner: Owner, ending: Ending, nodes: Sequence[NodeRow]) -> bool:
    """Write the end and the nodes, and give the execution up; False if there is no such execution.

    What an earlier run left stays in their place if that one came further.
    """
    require_owner(tx, execution_id, owner)
    place = (tx.tenant, execution_id)
    row = tx.db.execute(_STARTED, place).fetchone()
    if row is None:
        return False
    started, read, standing = row
    if standing is not None and _came_less_far(tx, execution_id, read, Status(standing), ending.status):
        tx.db.execute(_RESTORE, place)
    else:
        run = read if standing is None else read + 1
        duration = _milliseconds(unstamp(started), ending.completed_at)
        output = encode_optional_json(ending.output)
        completed = tx.sql.time(ending.completed_at)
        tx.db.execute(
            _FINISH, (ending.status.value, completed, duration, output, tx.sql.optional_text(ending.error), run, *place)
        )
        tx.db.execute(_DROP_NODES, place)
        execute_rows(tx, _INSERT_NODES, [_node_columns(tx, execution_id, i, node) for i, node in enumerate(nodes)])
    sum_up_costs(tx, execution_id)
    clear_owner(tx, execution_id, owner)
    return True


def _came_less_far(tx: Transaction, execution_id: str, read: int, earlier: Status, now: Status) -> bool:
    """True if the run that ends now has less to show than the one before."""
    if Status.COMPLETED in (earlier, now):
        return now is not Status.COMPLETED
    return count_records(tx, execution_id, read + 1) < count_records(tx, execution_id, read)


def idle_run(tx: Transaction, execution_id: str) -> int | None:
    """Number of the run whose records are read; None while the execution runs."""
    row = tx.db.execute(_IDLE_RUN, (tx.tenant, execution_id)).fetchone()
    return None if row is None else int(row[0])


def _milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    return round((end - start).total_seconds() * 1000) if start and end else None


def _node_columns(tx: Transaction, execution_id: str, ordinal: int, node: NodeRow) -> tuple[Any, ...]:
    return (
        tx.tenant,
        derived_id("block-execution", execution_id, node.node_id),
        execution_id,
        ordinal,
        node.node_id,
        node.block_type,
        node.status.value,
        encode_json(node.counts),
        encode_optional_json(node.input_preview),
        encode_optional_json(node.output_preview),
        tx.sql.optional_text(node.error),
        tx.sql.optional_time(node.started_at),
        tx.sql.optional_time(node.completed_at),
        _milliseconds(node.started_at, node.completed_at),
        node.counts.get("retries", 0),
    )


def _note(tx: Transaction, given: Sequence[tuple[Owner, str, Sequence[Event]]]) -> Sequence[None]:
    last: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    for owner, execution_id, events in given:
        require_owner(tx, execution_id, owner)
        if execution_id not in last:
            last[execution_id] = tx.db.execute(_LAST_EVENT, (tx.tenant, execution_id)).fetchone()[0]
        for event in events:
            last[execution_id] += 1
            rows.append((tx.tenant, execution_id, last[execution_id], *_event_columns(tx, event)))
    execute_rows(tx, _INSERT_EVENTS, rows)
    return [None] * len(given)


def _event_columns(tx: Transaction, event: Event) -> tuple[Any, ...]:
    return (event.kind.value, tx.sql.time(event.at), event.node_id, tx.sql.text(event.message), encode_json(event.data))


NOTE: Work[tuple[Owner, str, Sequence[Event]], None] = Work(_note)


def execution_of(row: Sequence[Any]) -> Execution:
    """An execution from the columns of `GET`."""
    definition: Mapping[str, Any] = decode_json(row[3])
    return Execution(
        id=row[0],
        workflow_id=row[1],
        workflow_version=row[2],
        definition=definition,
        mode=Mode(row[4]),
        input=decode_json(row[5]),
        variables=decode_json(row[6]),
        mocks=decode_json(row[7]),
        now=unstamp(row[8]),
        pinned=bool(row[9]),
        status=Status(row[10]),
        started_at=unstamp(row[11]),
        completed_at=optional_unstamp(row[12]),
        output=decode_json(row[13]),
        error=row[14],
        demo=decode_json(row[15]) or {},
        rerun=rerun_of(row[16]),
    )


def rerun_of(column: str | None) -> Rerun | None:
    """Which part of which execution is run anew, from its column."""
    stored = decode_json(column)
    return Rerun(stored["of"], stored.get("fromNode")) if stored else None


def node_of(row: Sequence[Any]) -> NodeRow:
    """A node from the columns of `NODES`."""
    node_id, block_type, status, counts, given, made, error, started_at, completed_at = row
    return NodeRow(
        node_id,
        block_type,
        Status(status),
        decode_json(counts),
        decode_json(given),
        decode_json(made),
        error,
        optional_unstamp(started_at),
        optional_unstamp(completed_at),
    )


def event_of(row: Sequence[Any]) -> tuple[int, Event]:
    """An event and its ordinal from the columns of `TIMELINE`."""
    ordinal, kind, at, node_id, message, data = row
    return ordinal, Event(EventKind(kind), unstamp(at), node_id, message, decode_json(data))
