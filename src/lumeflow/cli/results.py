"""An execution that ended, for people."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

from lumeflow.cli.json_values import json_default
from lumeflow.cli.numbers import count, duration, money
from lumeflow.core.effects import DoubtfulCall
from lumeflow.core.journal import Status
from lumeflow.core.money import ZERO
from lumeflow.core.result import ExecutionResult, FailedRecord, NodeResult

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

EntryT = TypeVar("EntryT")

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
GAP = 3
"""Columns between two of a table without frames."""
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
        console.print(node_table(result, console.width))
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


def node_table(result: ExecutionResult, width: int) -> "Table":
    """A row for each node. Counts that are zero everywhere have no column.

    Where there is no room for all in full, the blocks go first, then the ends of the nodes' names.
    """
    nodes = list(result.nodes.values())
    numbers = _number_columns(nodes)
    texts = {
        "node": [node.node_id for node in nodes],
        "block": [node.block for node in nodes],
        "status": [str(node.status) for node in nodes],
    }
    widths = {name: width_of(name, cells) for name, cells in {**texts, **numbers}.items()}
    if spare(widths.values(), width) < 0:
        del texts["block"]
    table = plain_table(*texts)
    for column in table.columns:
        column.no_wrap, column.overflow = True, "ellipsis"
    table.columns[-1].min_width = widths["status"]
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True, min_width=widths[name])
    styles = [STATUS_STYLES[node.status] for node in nodes]
    for style, *cells in zip(styles, *texts.values(), *numbers.values(), strict=True):
        table.add_row(*_styled(cells, ["", *["dim"] * ("block" in texts), style]))
    return table


def _number_columns(nodes: Sequence[NodeResult]) -> dict[str, list[str]]:
    counts = {name: [read(node) for node in nodes] for name, read in COUNTS.items()}
    columns = {
        name: [f"{value:,}" if value else "" for value in values] for name, values in counts.items() if any(values)
    }
    costs = [node.cost.total_cost for node in nodes]
    if any(cost != ZERO for cost in costs):
        columns["cost"] = [money(cost) if cost != ZERO else "" for cost in costs]
    columns["time"] = [duration(node.time.duration_ms / 1000) if node.time.completed_at else "" for node in nodes]
    return columns


def width_of(name: str, cells: Sequence[str]) -> int:
    """Columns of the terminal that a column of a table takes in full."""
    from rich.cells import cell_len

    return max(map(cell_len, (name, *cells)))


def spare(widths: Collection[int], width: int) -> int:
    """What is left of a terminal beside the columns of a table; negative if they have no room."""
    return width - sum(widths) - GAP * (len(widths) - 1)


def _styled(cells: Sequence[str], styles: Sequence[str]) -> "list[Text]":
    from rich.text import Text

    return [Text(cell, style) for cell, style in zip_longest(cells, styles, fillvalue="")]


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
    """Name the first failed records, those that failed for one reason in one line, and count the others."""
    _print_some(console, failed, "failed record", _cause, _failed_line)


def print_doubtful(console: "Console", calls: Iterable[DoubtfulCall]) -> None:
    """Name the first calls whose answer was lost, those that are alike in one line, and count the others."""
    found = list(calls)
    tail = " in doubt, possibly paid twice" if any(call.price != ZERO for call in found) else " in doubt"
    _print_some(console, found, "call", lambda call: call, _doubtful_line, tail=tail)


def _print_some(
    console: "Console",
    entries: Iterable[EntryT],
    noun: str,
    likeness: Callable[[EntryT], Hashable],
    line: Callable[[EntryT, int], str],
    *,
    tail: str = "",
) -> None:
    groups: dict[Hashable, list[EntryT]] = {}
    for entry in entries:
        groups.setdefault(likeness(entry), []).append(entry)
    if not groups:
        return
    listed = list(groups.values())
    console.print(f"{count(sum(map(len, listed)), noun)}{tail}", style="yellow")
    for alike in listed[:LISTED]:
        console.print(f"  {line(alike[0], len(alike))}", markup=False)
    if rest := sum(map(len, listed[LISTED:])):
        console.print(f"  and {rest:,} more", style="dim")


def _cause(record: FailedRecord) -> Hashable:
    return record.node_id, record.error_class, record.reason


def _failed_line(record: FailedRecord, number: int) -> str:
    others = f" and {number - 1:,} more" if number > 1 else ""
    return f"{record.node_id}, record {record.position}{others}: {record.error_class}: {record.reason}"


def _doubtful_line(call: DoubtfulCall, number: int) -> str:
    state = "answered when it was repeated" if call.settled else "still without an answer"
    of_these = f" ({number:,} of these)" if number > 1 else ""
    return (
        f"{call.node_id}, {call.operation}: lost {count(call.lost, 'answer')}, {money(call.price)}, {state}{of_these}"
    )


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
