"""A snapshot of an execution as a table that is drawn again and again."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lumeflow.cli.numbers import count, duration, rough_money
from lumeflow.core.journal import Status
from lumeflow.core.progress import NodeProgress, Progress

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
ASCII_SPINNER = "|/-\\"
ICONS = {
    Status.QUEUED: ("·", "dim"),
    Status.COMPLETED: ("✓", "green"),
    Status.FAILED: ("✗", "bold red"),
    Status.CANCELLED: ("■", "yellow"),
    Status.SKIPPED: ("–", "dim"),
}
ASCII_ICONS = {
    Status.QUEUED: ".",
    Status.COMPLETED: "+",
    Status.FAILED: "x",
    Status.CANCELLED: "#",
    Status.SKIPPED: "-",
}
BAR_STYLES = {Status.COMPLETED: "green", Status.FAILED: "red", Status.CANCELLED: "yellow"}

FRAME_ROWS = 6
"""Lines around the nodes: title, heads, footer and the space between them."""
FRAMES_PER_SECOND = 8
TELLING = {Status.RUNNING, Status.COMPLETED}
"""An execution that ended early is not told in percent."""
LEAST_PERCENT = 1.0
"""Below it, what remains cannot be told in earnest."""
TRACK = "grey23"
"""Colour of the part of a bar that is still empty."""
BAR_WIDTH = 18
FOOTER_BAR_WIDTH = 30
GAP = 2
"""Columns of the terminal between two columns of the table."""
LEAST_NAME = 10
NUMBERS = {"in": 6, "out": 6, "failed": 6, "skipped": 7, "calls": 6, "cost": 9}
"""Columns of numbers and their least width, so that the table does not jump with every digit."""
ESSENTIAL = ("out", "failed", "cost")
"""What a narrow terminal shows of them."""
WIDE = 100
"""Columns from which on a terminal shows everything."""
NARROW = 72
"""Columns under which only the essential is shown."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """Where the table is drawn.

    Attributes:
        width: Columns of the terminal.
        height: Lines of the terminal.
        fancy: True if the terminal has Unicode.
    """

    width: int
    height: int
    fancy: bool = True


def progress_view(progress: Progress, *, title: str, frame: int, canvas: Canvas, hint: str = "") -> RenderableType:
    """The nodes with their counts, and below them how far the whole is.

    Args:
        progress: The snapshot.
        title: What runs.
        frame: Ordinal of the drawing; moves the spinners.
        canvas: Size and abilities of the terminal.
        hint: What the user may do, at the end of the last line.
    """
    shown, hidden = visible_nodes(progress.nodes, max(3, canvas.height - FRAME_ROWS))
    widest = max((_flow(node) for node in progress.nodes), default=0)
    parts: list[RenderableType] = [_title(title, progress), _table(shown, widest, frame, canvas)]
    if hidden:
        parts.append(Text(f"  and {count(hidden, 'node')} that wait or have finished", "dim"))
    return Group(*parts, Text(), _footer(progress, frame=frame, canvas=canvas, hint=hint))


def visible_nodes(nodes: Sequence[NodeProgress], room: int) -> tuple[Sequence[NodeProgress], int]:
    """The nodes for which there is room, in document order, and how many are left out: those that stand still first."""
    if len(nodes) <= room:
        return nodes, 0
    room -= 1
    urgency = {Status.RUNNING: 0, Status.FAILED: 1, Status.CANCELLED: 2, Status.COMPLETED: 3}
    ranked = sorted(range(len(nodes)), key=lambda index: (urgency.get(nodes[index].status, 4), index))
    chosen = sorted(ranked[:room])
    return [nodes[index] for index in chosen], len(nodes) - room


def _title(title: str, progress: Progress) -> Text:
    line = Text("  ", no_wrap=True, overflow="ellipsis")
    line.append(title, "bold")
    line.append(f"   {progress.execution_id}", "dim")
    return line


def _table(nodes: Sequence[NodeProgress], widest: int, frame: int, canvas: Canvas) -> Table:
    """The nodes. Rich shares room out by its own lights, so the names are told how much the numbers leave them."""
    rows = [_numbers(node, canvas) for node in nodes]
    columns = NUMBERS if canvas.width >= NARROW else {name: NUMBERS[name] for name in ESSENTIAL}
    widths = {name: max([least, *(row[name].cell_len for row in rows)]) for name, least in columns.items()}
    bar = [BAR_WIDTH] if canvas.width >= WIDE else []
    left = canvas.width - sum([1, *bar, *widths.values()]) - GAP * (2 + len(bar) + len(widths))
    longest = max((_name(node).cell_len for node in nodes), default=0)
    table = Table(box=None, padding=(0, GAP // 2), header_style="dim")
    table.add_column("", width=1, no_wrap=True)
    table.add_column("node", width=max(LEAST_NAME, min(longest, left)), no_wrap=True, overflow="ellipsis")
    for width in bar:
        table.add_column("", width=width, no_wrap=True)
    for name, width in widths.items():
        table.add_column(name, justify="right", no_wrap=True, width=width)
    for node, row in zip(nodes, rows, strict=True):
        bars = [_bar(node, widest)] if bar else []
        icon = _icon(node.status, frame, fancy=canvas.fancy)
        table.add_row(icon, _name(node), *bars, *(row[name] for name in widths))
    return table


def _numbers(node: NodeProgress, canvas: Canvas) -> dict[str, Text]:
    """The cells of a node by column."""
    fancy = canvas.fancy
    return {
        "in": _number(node.records_in, fancy=fancy),
        "out": _number(node.records_out, fancy=fancy),
        "failed": _number(node.failed, "red", fancy=fancy),
        "skipped": _number(node.skipped, "yellow", fancy=fancy),
        "calls": _number(node.calls, fancy=fancy),
        "cost": Text(rough_money(node.cost), "cyan") if node.cost else _number(0, fancy=fancy),
    }


def _icon(status: Status, frame: int, *, fancy: bool) -> Text:
    if status is Status.RUNNING:
        frames = SPINNER if fancy else ASCII_SPINNER
        return Text(frames[frame % len(frames)], "bold cyan")
    icon, style = ICONS[status]
    return Text(icon if fancy else ASCII_ICONS[status], style)


def _name(node: NodeProgress) -> Text:
    quiet = node.status in {Status.QUEUED, Status.SKIPPED}
    name = Text(node.name or node.node_id, "dim" if quiet else "")
    if node.waiting and node.status is Status.RUNNING:
        name.append(f"  {node.waiting}", "yellow")
    return name


def _flow(node: NodeProgress) -> int:
    """Records that got through the node; an output keeps what came in."""
    return max(node.records_out, node.records_in) if node.block.startswith("output/") else node.records_out


def _bar(node: NodeProgress, widest: int) -> RenderableType:
    """How many records got so far, beside the node that most came out of: the bars together are the funnel."""
    if node.status is Status.QUEUED or not _flow(node):
        return Text()
    style = BAR_STYLES.get(node.status, "cyan")
    return ProgressBar(
        total=widest, completed=_flow(node), width=BAR_WIDTH, complete_style=style, finished_style=style, style=TRACK
    )


def _number(value: int, style: str = "", *, fancy: bool) -> Text:
    return Text(f"{value:,}", style) if value else Text("·" if fancy else ".", "dim")


def _footer(progress: Progress, *, frame: int, canvas: Canvas, hint: str) -> RenderableType:
    percent = progress.percent if progress.status in TELLING and (progress.percent or 0) >= LEAST_PERCENT else None
    line = Text("  ")
    if percent is not None:
        line.append(f"{percent:3.0f} %  ", "bold")
    line.append(duration(progress.elapsed))
    if percent is not None and progress.remaining is not None and progress.status is Status.RUNNING:
        line.append(f", about {duration(max(1.0, progress.remaining))} left", "dim")
    line.append(f"   {count(progress.calls, 'call')}   ")
    line.append(rough_money(progress.cost), "bold cyan")
    if hint and canvas.width >= WIDE:
        line.append(f"   {hint}", "dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    if canvas.width < NARROW:
        return line
    grid = Table.grid(padding=(0, 0))
    grid.add_row(Text("  "), _whole_bar(progress.status, percent, frame), line)
    return grid


def _whole_bar(status: Status, percent: float | None, frame: int) -> ProgressBar:
    """How far the whole is; a bar that moves without end while that cannot be told."""
    style = BAR_STYLES.get(status, "cyan")
    return ProgressBar(
        total=100,
        completed=percent or 0,
        width=FOOTER_BAR_WIDTH,
        pulse=percent is None and status is Status.RUNNING,
        animation_time=frame / FRAMES_PER_SECOND,
        style=TRACK,
        complete_style=style,
        finished_style=style,
    )
