"""Lists of executions and timelines, for people and for programs."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lumeflow.cli.backend import Backend, StoredFile
from lumeflow.cli.numbers import duration
from lumeflow.cli.results import STATUS_STYLES, plain_table, spare, width_of
from lumeflow.core.clock import iso
from lumeflow.core.events import Event
from lumeflow.core.journal import ExecutionSummary, Status, Timeline

if TYPE_CHECKING:
    from rich.console import Console

PAGE = 1000
MOST = {"workflow": 30, "error": 30}
"""Columns of the list whose end may be hidden, and the room that they ask for."""
LESS_NEEDED = ("mode", "error", "took")
"""Columns of the list that give way on a narrow terminal, in this order. Ids are copied, so they are never cut."""


def summary_json(summary: ExecutionSummary) -> dict[str, Any]:
    """A line of the list as JSON."""
    return {
        "executionId": summary.id,
        "workflowId": summary.workflow_id,
        "workflowVersion": summary.workflow_version,
        "mode": str(summary.mode),
        "status": str(summary.status),
        "startedAt": iso(summary.started_at),
        "completedAt": iso(summary.completed_at) if summary.completed_at else None,
        "error": summary.error,
    }


def print_list(console: "Console", summaries: Sequence[ExecutionSummary]) -> None:
    """Print a row for each execution."""
    from rich.text import Text

    if not summaries:
        console.print("no executions yet; 'lumeflow demo' makes one")
        return
    columns = _list_columns(summaries)
    widths = {name: min(width_of(name, cells), MOST.get(name, console.width)) for name, cells in columns.items()}
    for name in LESS_NEEDED:
        if spare(widths.values(), console.width) < 0:
            del columns[name], widths[name]
    room = spare(widths.values(), console.width)
    flexible = "error" if "error" in widths and room > 0 else "workflow"
    widths[flexible] = max(widths[flexible] + room, len(flexible))
    table = plain_table()
    for name in columns:
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=widths[name])
    for summary, *cells in zip(summaries, *columns.values(), strict=True):
        styles = {"status": STATUS_STYLES[summary.status], "error": "red"}
        table.add_row(*(Text(cell, styles.get(name, "")) for name, cell in zip(columns, cells, strict=True)))
    console.print(table)


def _list_columns(summaries: Sequence[ExecutionSummary]) -> dict[str, list[str]]:
    return {
        "execution": [summary.id for summary in summaries],
        "workflow": [f"{summary.workflow_id} v{summary.workflow_version}" for summary in summaries],
        "mode": [str(summary.mode) for summary in summaries],
        "status": [str(summary.status) for summary in summaries],
        "started (UTC)": [f"{summary.started_at:%Y-%m-%d %H:%M}" for summary in summaries],
        "took": [_took(summary) for summary in summaries],
        "error": [(summary.error or "") if summary.status is Status.FAILED else "" for summary in summaries],
    }


def _took(summary: ExecutionSummary) -> str:
    """How long it took, by its times as they are told everywhere: in whole milliseconds."""
    if summary.completed_at is None:
        return ""
    start, end = (
        at.replace(microsecond=at.microsecond // 1000 * 1000) for at in (summary.started_at, summary.completed_at)
    )
    return duration((end - start).total_seconds())


async def last_events(backend: Backend, execution_id: str, number: int) -> Timeline:
    """The last events of an execution."""
    last: deque[tuple[int, Event]] = deque(maxlen=number)
    after = 0
    while events := (await backend.timeline(execution_id, after=after, limit=PAGE)).events:
        last.extend(events)
        after = events[-1][0]
        if len(events) < PAGE:
            break
    return Timeline(tuple(last))


def timeline_json(execution_id: str, timeline: Timeline) -> dict[str, Any]:
    """A timeline as JSON; `number` is what `--after` takes."""
    return {
        "executionId": execution_id,
        "events": [
            {
                "number": number,
                "at": iso(event.at),
                "kind": str(event.kind),
                "node": event.node_id,
                "message": event.message,
                "data": event.data,
            }
            for number, event in timeline.events
        ],
    }


def print_events(console: "Console", timeline: Timeline) -> None:
    """Print a line for each event."""
    if not timeline.events:
        return
    table = plain_table("#", "time (UTC)", "node", "event", "")
    table.columns[0].justify = "right"
    for column in table.columns[:-1]:
        column.no_wrap = True
    for number, event in timeline.events:
        clock = f"{event.at:%H:%M:%S}.{event.at.microsecond // 1000:03d}"
        table.add_row(str(number), clock, event.node_id or "", str(event.kind), event.message)
    console.print(table)


def print_files(console: "Console", files: Sequence[StoredFile]) -> None:
    """Print a line for each file."""
    if not files:
        console.print("no files")
        return
    table = plain_table("file", "bytes", "written (UTC)")
    table.columns[1].justify = "right"
    for file in files:
        table.add_row(file.name, f"{file.size:,}", f"{file.created_at:%Y-%m-%d %H:%M}")
    console.print(table)
