"""Showing an execution while it runs: redrawn on a terminal, as plain lines elsewhere, or not at all."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from lumeflow.cli.numbers import count, duration, rough_money
from lumeflow.cli.shell import Shell, err, moves, out
from lumeflow.cli.visible import visible
from lumeflow.core.journal import Status
from lumeflow.core.progress import NodeProgress, Progress

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

PLAIN_INTERVAL = 10.0
"""Seconds between two plain lines that tell how far the whole is."""


class Display(ABC):
    """A progress listener with a beginning and an end. Never raises: an execution does not fail for its display.

    Attributes:
        execution_id: Id of what runs; None until the first snapshot.
    """

    execution_id: str | None = None

    def update(self, progress: Progress) -> None:
        """Take a snapshot; the engine calls it as its `ProgressListener`."""
        self.execution_id = progress.execution_id
        with suppress(OSError):
            self._show(progress)

    @abstractmethod
    def announce(self, text: str) -> None:
        """Say something outside the counts."""

    @abstractmethod
    def _show(self, progress: Progress) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:  # noqa: B027 - nothing to stop where nothing was started
        """Leave the last picture and give the terminal back."""


class SilentDisplay(Display):
    """Shows nothing but announcements: for programs."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def announce(self, text: str) -> None:
        """Write a line."""
        _write(self._stream, text)

    def _show(self, progress: Progress) -> None:
        pass


class PlainDisplay(Display):
    """A line when a node starts and ends, and one now and then in between."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._seen: dict[str, Status] = {}
        self._next_line = PLAIN_INTERVAL

    def announce(self, text: str) -> None:
        """Write a line."""
        _write(self._stream, text)

    def _show(self, progress: Progress) -> None:
        for node in progress.nodes:
            if node.status is not self._seen.get(node.node_id, Status.QUEUED):
                self._seen[node.node_id] = node.status
                if node.status is Status.QUEUED:  # its process was replaced by another one
                    continue
                _write(self._stream, f"{duration(progress.elapsed):>10}  {node_line(node)}")
        if progress.elapsed >= self._next_line:
            self._next_line = progress.elapsed + PLAIN_INTERVAL
            _write(self._stream, f"{duration(progress.elapsed):>10}  {total_line(progress)}")


class LiveDisplay(Display):
    """A table that is redrawn a few times a second, from the event loop itself: no thread competes with the run."""

    def __init__(self, console: "Console", title: str, hint: str = "") -> None:
        self._console = console
        self._title = title
        self._hint = hint
        self._frame = 0
        self._progress: Progress | None = None
        self._live: Live | None = None
        self._ticker: asyncio.Task[None] | None = None

    def announce(self, text: str) -> None:
        """Write a line above the table."""
        with suppress(OSError):
            self._console.print(text, style="yellow", markup=False, soft_wrap=True)

    def _show(self, progress: Progress) -> None:
        self._progress = progress

    async def __aenter__(self) -> Self:
        from rich.live import Live

        self._live = Live(
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            get_renderable=self._draw,
        )
        with suppress(OSError):
            self._live.start()
        self._ticker = asyncio.create_task(self._tick())
        return self

    def stop(self) -> None:
        """Draw the last picture and give the terminal back."""
        if self._ticker is not None:
            self._ticker.cancel()
        if self._live is not None:
            with suppress(OSError):
                self._live.refresh()
                self._live.stop()
            self._live = None

    async def _tick(self) -> None:
        with suppress(OSError):
            from lumeflow.cli.progress_view import FRAMES_PER_SECOND

            while self._live is not None:
                self._frame += 1
                self._live.refresh()
                await asyncio.sleep(1 / FRAMES_PER_SECOND)

    def _draw(self) -> "RenderableType":
        from rich.text import Text

        from lumeflow.cli.progress_view import Canvas, progress_view

        if self._progress is None:
            return Text(f"  {self._title}", "bold")
        size = self._console.size
        canvas = Canvas(size.width, size.height, fancy=not self._console.options.ascii_only)
        hint = self._hint if self._progress.status is Status.RUNNING else ""
        return progress_view(self._progress, title=self._title, frame=self._frame, canvas=canvas, hint=hint)


def display_for(shell: Shell, title: str, *, on_stdout: bool = False, hint: str = "Ctrl-C stops cleanly") -> Display:
    """The display that fits where the output goes.

    Args:
        shell: With `--json`, what is not a terminal stays silent.
        title: What runs.
        on_stdout: True to show it on standard output, where nothing else of the command is read by programs.
        hint: What the user may do meanwhile.
    """
    console = out() if on_stdout and not shell.as_json else err()
    if moves(console):
        return LiveDisplay(console, title, hint=hint)
    return SilentDisplay(console.file) if shell.as_json else PlainDisplay(console.file)


def node_line(node: NodeProgress) -> str:
    """`Apollo.io Enrichment: completed, 120 records in, 118 out, 2 failed, 120 calls, $3.0000`."""
    name = node.name or node.node_id
    if node.status is Status.RUNNING:
        return f"{name}: started"
    parts = [f"{name}: {node.status}"]
    if node.status is not Status.SKIPPED:
        parts.append(f"{count(node.records_in, 'record')} in")
        parts.append(f"{node.records_out:,} out")
    parts += [f"{value:,} {noun}" for value, noun in ((node.failed, "failed"), (node.skipped, "skipped")) if value]
    if node.calls:
        parts += [count(node.calls, "call"), rough_money(node.cost)]
    return ", ".join(parts)


def total_line(progress: Progress) -> str:
    """`62 %, 214 calls, $0.4312, about 3.0 s left`."""
    parts = [] if progress.percent is None else [f"{progress.percent:.0f} %"]
    parts += [count(progress.calls, "call"), rough_money(progress.cost)]
    if progress.remaining is not None:
        parts.append(f"about {duration(progress.remaining)} left")
    return ", ".join(parts)


def _write(stream: IO[str], line: str) -> None:
    with suppress(OSError):
        stream.write(f"{visible(line)}\n")
        stream.flush()
