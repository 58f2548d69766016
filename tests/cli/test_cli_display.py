"""Progress: redrawn on a terminal, plain lines elsewhere."""

import asyncio
import io
import sys
from decimal import Decimal

import pytest
from cli_samples import node, progress
from rich.console import Console

from lumeflow.cli import display as displays
from lumeflow.cli.display import LiveDisplay, PlainDisplay, SilentDisplay
from lumeflow.cli.progress_view import Canvas, progress_view, visible_nodes
from lumeflow.cli.shell import Shell, err
from lumeflow.core.journal import Status

CLOSE = "\x1b[?25h"
"""Shows the cursor again."""


def drawn(snapshot, *, width=120, height=40, fancy=True, frame=0) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(
        progress_view(snapshot, title="demo", frame=frame, canvas=Canvas(width, height, fancy), hint="Ctrl-C")
    )
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


RUNNING = progress(
    node("input-1", Status.COMPLETED, name="Audience", records_in=1),
    node("scraper-1", name="Scraper", records_in=1, records_out=2000, calls=12, cost=Decimal("3.8")),
    node("llm-1", name="Extraction", records_in=400, records_out=300, failed=2, skipped=1, waiting="rate limit, 3 s"),
    node("output-1", Status.QUEUED, block="output/database"),
    percent=31.0,
    remaining=4.4,
)


def test_the_table_shows_every_count_of_every_node():
    text = drawn(RUNNING)
    assert text[0] == "  demo   run-1"
    assert text[1].split() == ["node", "in", "out", "failed", "skipped", "calls", "cost"]
    assert text[2].split() == ["✓", "Audience", "1", "·", "·", "·", "·", "·"]
    assert "Scraper" in text[3]
    assert text[3].split()[-6:] == ["1", "2,000", "·", "·", "12", "$3.8000"]
    assert "Extraction  rate limit, 3 s" in text[4]
    assert text[4].split()[-6:] == ["400", "300", "2", "1", "·", "·"]
    assert text[5].split()[:2] == ["·", "output-1"]
    assert "31 %  1.5 s, about 4.4 s left   12 calls   $3.8000   Ctrl-C" in text[-1]


def test_bars_together_show_the_funnel():
    lengths = [line.count("━") for line in drawn(RUNNING)[2:6]]
    assert lengths == [0, 18, 2, 0]


@pytest.mark.parametrize("width", [120, 100, 80])
def test_large_numbers_are_never_cut(width):
    big = node("a", name="A node with quite a long name", records_in=1_000_000, records_out=12_345_678, calls=1_234_567)
    row = drawn(progress(big), width=width)[2]
    assert row.split()[-6:] == ["1,000,000", "12,345,678", "·", "·", "1,234,567", "·"]


def test_spinners_move():
    assert drawn(RUNNING, frame=0) != drawn(RUNNING, frame=1)


def test_a_terminal_without_unicode_gets_ascii_only():
    console = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"), width=120, color_system=None)
    console.print(progress_view(RUNNING, title="demo", frame=3, canvas=Canvas(120, 40, fancy=False)))
    console.file.flush()
    assert b"Scraper" in console.file.buffer.getvalue()


@pytest.mark.parametrize("width", [120, 100, 99, 80, 72, 71, 40])
def test_no_line_is_wider_than_the_terminal_and_no_node_takes_two(width):
    text = drawn(RUNNING, width=width)
    assert max(map(len, text)) <= width
    assert len(text) == 8


@pytest.mark.parametrize(
    ("statuses", "room", "shown", "hidden"),
    [
        ("CRQ", 3, "012", 0),
        ("CCRRQQ", 4, "023", 3),
        ("QQQF", 3, "03", 2),
        ("CCCCQ", 3, "01", 3),
    ],
)
def test_with_little_room_the_nodes_at_work_come_first(statuses, room, shown, hidden):
    by_letter = {"C": Status.COMPLETED, "R": Status.RUNNING, "Q": Status.QUEUED, "F": Status.FAILED}
    nodes = [node(str(index), by_letter[letter]) for index, letter in enumerate(statuses)]
    chosen, left_out = visible_nodes(nodes, room)
    assert "".join(entry.node_id for entry in chosen) == shown
    assert left_out == hidden


def test_many_nodes_fit_on_the_screen():
    many = progress(*(node(str(index), Status.QUEUED) for index in range(500)))
    text = drawn(many, height=24)
    assert len(text) <= 24
    assert any("and 483 nodes that wait or have finished" in line for line in text)


def test_plain_lines_come_when_a_node_starts_and_ends():
    stream = io.StringIO()
    display = PlainDisplay(stream)
    display.update(progress(node("a", Status.QUEUED), node("b", Status.RUNNING, name="Bee"), elapsed=0.1))
    display.update(progress(node("a", Status.RUNNING), node("b", Status.RUNNING, name="Bee"), elapsed=0.2))
    done = node("b", Status.COMPLETED, name="Bee", records_in=1, records_out=9, failed=1, calls=1, cost=Decimal("0.5"))
    display.update(progress(node("a", Status.SKIPPED), done, elapsed=2.0))
    assert stream.getvalue().splitlines() == [
        "    100 ms  Bee: started",
        "    200 ms  a: started",
        "     2.0 s  a: skipped",
        "     2.0 s  Bee: completed, 1 record in, 9 out, 1 failed, 1 call, $0.5000",
    ]


def test_a_long_run_says_now_and_then_how_far_it_is():
    stream = io.StringIO()
    display = PlainDisplay(stream)
    for elapsed in (1.0, 10.5, 11.0, 20.6):
        display.update(progress(elapsed=elapsed, percent=40.0, remaining=15.0))
    assert stream.getvalue().splitlines() == [
        "    10.5 s  40 %, 0 calls, $0.0000, about 15.0 s left",
        "    20.6 s  40 %, 0 calls, $0.0000, about 15.0 s left",
    ]


class Broken(io.StringIO):
    def isatty(self):
        return True

    def write(self, text):
        raise BrokenPipeError


@pytest.mark.parametrize(
    "make", [lambda: PlainDisplay(sys.stderr), lambda: SilentDisplay(sys.stderr), lambda: LiveDisplay(err(), "x")]
)
async def test_an_execution_does_not_fail_for_its_display(make, monkeypatch):
    monkeypatch.setattr("sys.stderr", Broken())
    display = make()
    async with display:
        display.update(progress(node("a")))
        display.announce("hello")
        await asyncio.sleep(0.01)
    assert display.execution_id == "run-1"


async def test_the_live_display_draws_and_gives_the_terminal_back():
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    async with LiveDisplay(console, "demo") as display:
        display.update(RUNNING)
        display.announce("a [word] aside")
        await asyncio.sleep(0.3)
    text = console.file.getvalue()
    assert text.count("Scraper") >= 3
    assert "a [word] aside\n" in text
    assert text.rstrip().endswith(CLOSE)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("terminal", "as_json", "environ", "kind"),
    [
        (True, False, {}, LiveDisplay),
        (True, True, {}, LiveDisplay),
        (True, False, {"NO_COLOR": "1"}, PlainDisplay),
        (True, False, {"TERM": "dumb"}, PlainDisplay),
        (False, False, {}, PlainDisplay),
        (False, False, {"FORCE_COLOR": "1"}, PlainDisplay),
        (False, True, {}, SilentDisplay),
    ],
)
def test_the_display_fits_where_the_output_goes(monkeypatch, terminal, as_json, environ, kind):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stderr", Terminal() if terminal else io.StringIO())
    assert type(displays.display_for(Shell(as_json=as_json), "x")) is kind
