"""An execution that ended, for people."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lumeflow.cli.numbers import count, duration, money
from lumeflow.cli.shell import json_default
from lumeflow.core.effects import DoubtfulCall
from lumeflow.core.journal import Status
from lumeflow.core.money import ZERO
from lumeflow.core.result import ExecutionResult, FailedRecord, NodeResult

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

STATUS_STYLES: Mapping[str, str] = {
    Status.COMPLETED: "green",
    Status.FAILED: "bold red",
    Status.CANCELLED: "yellow",
    Status.INTERRUPTED: "yellow",
    Status.RUNNING: "cyan",
    Status.SKIPPED: "dim",
    Status.QUEUED: "dim",
}
COUNTS: Mapping[str, Callable[[NodeResult], int]] = {
    "in": lambda node: node.records_in,
    "out": lambda node: node.records_out,
    "failed": lambda node: node.failed,
    "skipped": lambda node: node.skipped,
    "coerced": lambda node: node.coercions,
    "retries": lambda node: node.retries,
    "calls": lambda node: node.cost.api_calls,
}
"""Columns of the table of nodes; calls and costs cover all resumes."""
LISTED = 10
"""Failed records and calls in doubt that a summary names; the rest is counted."""


def print_result(console: "Console", result: ExecutionResult, *, nodes: bool = True) -> None:
    """Print status, nodes, cost, what failed and what is in doubt.

    Args:
        console: Where to.
        result: What to print.
        nodes: False if the nodes were shown already.
    """
    console.print(headline(result))
    if result.error and result.status is Status.FAILED:
        console.print(f"  {result.error}", style="red", markup=False)
    if nodes:
        console.print(node_table(result))
    for node in result.nodes.values():
        if node.error and node.error not in (result.error or ""):
            console.print(f"  {node.node_id}: {node.error}", style="red", markup=False)
    print_failed(console, result.failed_records)
    print_doubtful(console, result.in_doubt)
    if result.output:
        console.print("output", style="bold")
        print_json(console, result.output)


def headline(result: ExecutionResult) -> "Text":
    """`completed  lead-enrichment-v1  5f3a…  in 3.2 s, 214 calls, $0.4275`."""
    from rich.text import Text

    line = Text(str(result.status), STATUS_STYLES[result.status])
    line.append(f"  {result.workflow_id}  ", "bold")
    line.append(result.execution_id, "dim")
    if result.time.completed_at is not None:
        line.append(f"  in {duration(result.time.duration_ms / 1000)}")
    line.append(f", {count(result.cost.api_calls, 'call')}, ")
    line.append(money(result.cost.total_cost), "cyan")
    return line


def node_table(result: ExecutionResult) -> "Table":
    """A row for each node. Counts that are zero everywhere have no column."""
    from rich.text import Text

    nodes = list(result.nodes.values())
    counts = [name for name, read in COUNTS.items() if any(read(node) for node in nodes)]
    table = plain_table("node", "block", "status")
    for column in table.columns:
        column.no_wrap, column.overflow = True, "ellipsis"
    table.columns[1].min_width = max((len(node.block) for node in nodes), default=0)
    for name in (*counts, "cost", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for node in nodes:
        table.add_row(
            node.node_id,
            Text(node.block, "dim"),
            Text(str(node.status), STATUS_STYLES[node.status]),
            *(f"{COUNTS[name](node):,}" if COUNTS[name](node) else "" for name in counts),
            money(node.cost.total_cost) if node.cost.total_cost != ZERO else "",
            duration(node.time.duration_ms / 1000) if node.time.completed_at else "",
        )
    return table


def cost_table(result: ExecutionResult) -> "Table":
    """What each block that called out cost, and the sum."""
    table = plain_table("block")
    for name in ("calls", "average", "cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for node in result.nodes.values():
        cost = node.cost
        if cost.api_calls:
            table.add_row(node.node_id, f"{cost.api_calls:,}", money(cost.cost_per_call), money(cost.total_cost))
    table.add_section()
    table.add_row("total", f"{result.cost.api_calls:,}", "", money(result.cost.total_cost), style="bold")
    return table


def print_failed(console: "Console", failed: Iterable[FailedRecord]) -> None:
    """Name the first failed records, and count the others."""
    _print_some(console, failed, "failed record", _failed_line)


def print_doubtful(console: "Console", calls: Iterable[DoubtfulCall]) -> None:
    """Name the first calls that were possibly paid twice, and count the others."""
    _print_some(console, calls, "call in doubt", _doubtful_line, plural="calls in doubt, possibly paid twice")


def _print_some(
    console: "Console", entries: Iterable[Any], noun: str, line: Callable[[Any], str], *, plural: str = ""
) -> None:
    found = list(entries)
    if not found:
        return
    console.print(f"{len(found):,} {plural or noun + 's'}" if len(found) != 1 else f"1 {noun}", style="yellow")
    for entry in found[:LISTED]:
        console.print(f"  {line(entry)}", markup=False)
    if len(found) > LISTED:
        console.print(f"  and {len(found) - LISTED:,} more", style="dim")


def _failed_line(record: FailedRecord) -> str:
    return f"{record.node_id}, record {record.position}: {record.error_class}: {record.reason}"


def _doubtful_line(call: DoubtfulCall) -> str:
    state = "answered when it was repeated" if call.settled else "still without an answer"
    return f"{call.node_id}, {call.operation}: lost {count(call.lost, 'answer')}, {money(call.price)}, {state}"


def print_json(console: "Console", value: Any) -> None:
    """Print JSON, indented and coloured."""
    import orjson
    from rich.json import JSON

    console.print(JSON(orjson.dumps(value, default=json_default).decode(), indent=2).text, soft_wrap=True)


def plain_table(*columns: str) -> "Table":
    """A table without frames, whose text columns fold rather than hide their end."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, header_style="dim", pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
