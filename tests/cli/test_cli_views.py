"""Results, findings, lists, timelines and blocks, as people see them."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from cli_samples import START, node_result, result, summary
from rich.console import Console

from lumeflow.cli import block_views, execution_views, numbers
from lumeflow.cli.console import PlainConsole
from lumeflow.cli.findings import print_findings
from lumeflow.cli.markdown import print_markdown
from lumeflow.cli.results import cost_table, headline, print_result
from lumeflow.core.clock import iso
from lumeflow.core.effects import DoubtfulCall
from lumeflow.core.errors import UsageError
from lumeflow.core.events import Event, EventKind
from lumeflow.core.findings import Finding, Report, Severity
from lumeflow.core.journal import Status, Timeline
from lumeflow.core.result import ExecutionCost, FailedRecord
from lumeflow.plugins import load_registry
from lumeflow.reference import page


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=140, color_system=None)


def lines(console: Console) -> list[str]:
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "$0.00"), ("3.5", "$3.50"), ("0.0001140", "$0.000114"), ("12", "$12.00"), ("1E-8", "$0.00000001")],
)
def test_money_keeps_all_its_digits(amount, text):
    assert numbers.money(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 ms"), (0.34, "340 ms"), (4.21, "4.2 s"), (59.9, "59.9 s"), (192, "3 min 12 s"), (7500, "2 h 05 min")],
)
def test_durations(seconds, text):
    assert numbers.duration(seconds) == text


def test_a_result_names_everything_that_matters(console):
    print_result(console, result())
    text = "\n".join(lines(console))
    assert text.startswith("completed  lead-enrichment-v1  run-1  in 4.2 s, 1,201 calls, $25.025\n")
    assert (
        "node           block                     status         in     out   failed   calls      cost    time" in text
    )
    assert (
        "enrichment-1   api/apollo-people-match   completed   1,200   1,190       10   1,201   $25.025   3.2 s" in text
    )
    assert "1 failed record\n  enrichment-1, record 17: NOT_FOUND: no person [matched]\n" in text
    assert (
        "1 call in doubt, possibly paid twice\n  enrichment-1, apollo/people-match: lost 1 answer, $0.025, answered when it was repeated"
        in text
    )
    assert text.endswith('output\n{\n  "contactsCount": 1190\n}')


def test_counts_that_are_zero_everywhere_have_no_column(console):
    print_result(console, result(nodes={"a": node_result("a", failed=0)}))
    assert "failed" not in lines(console)[1]


def test_only_the_first_of_many_failures_are_listed(console):
    failed = [FailedRecord("a", index, "TIMEOUT", f"no answer {index}") for index in range(1000)]
    doubtful = [DoubtfulCall("a", "apollo/people-match", 2, Decimal(1), settled=False)] * 2
    print_result(console, result(failed_records=failed, in_doubt=doubtful))
    text = lines(console)
    assert "1,000 failed records" in text
    assert text.count("  a, record 9: TIMEOUT: no answer 9") == 1
    assert "  and 990 more" in text
    assert "2 calls in doubt, possibly paid twice" in text
    assert "  a, apollo/people-match: lost 2 answers, $1.00, still without an answer (2 of these)" in text


def test_records_that_failed_for_one_reason_take_one_line(console):
    causes = ["no answer", "no answer", "not found", "no answer"]
    failed = [FailedRecord("a", index, "TIMEOUT", cause) for index, cause in enumerate(causes)]
    print_result(console, result(failed_records=failed))
    text = "\n".join(lines(console))
    assert "4 failed records\n  a, record 0 and 2 more: TIMEOUT: no answer\n  a, record 2: TIMEOUT: not found\n" in text


def test_lost_answers_that_cost_nothing_were_not_paid_twice(console):
    print_result(console, result(in_doubt=[DoubtfulCall("a", "hunter/email-finder", 1, Decimal(0), settled=True)]))
    assert "1 call in doubt" in lines(console)


def test_a_narrow_terminal_cuts_no_number_and_no_heading():
    console = Console(file=io.StringIO(), width=80, color_system=None)
    print_result(console, result())
    text = lines(console)
    heading = next(line for line in text if line.startswith("node"))
    assert heading.split() == ["node", "status", "in", "out", "failed", "calls", "cost", "time"]
    row = next(line for line in text if line.startswith("enrichment-1 "))
    assert row.split() == ["enrichment-1", "completed", "1,200", "1,190", "10", "1,201", "$25.025", "3.2", "s"]


def test_a_failure_is_told_once(console):
    nodes = {"a": node_result("a", status=Status.FAILED, error="no row"), "b": node_result("b", error="other")}
    print_result(console, result(status=Status.FAILED, error="node 'a': no row", nodes=nodes, output={}))
    text = "\n".join(lines(console))
    assert text.count("no row") == 1
    assert "  b: other" in text
    assert "output" not in text


def test_a_cancelled_execution_is_no_error(console):
    print_result(console, result(status=Status.CANCELLED, error="cancelled"), nodes=False)
    assert lines(console)[0].startswith("cancelled  lead-enrichment-v1")
    assert "  cancelled" not in lines(console)


def test_an_execution_under_way_has_no_duration():
    running = result(status=Status.RUNNING)
    object.__setattr__(running, "time", type(running.time)(START, None))
    assert str(headline(running)) == "running  lead-enrichment-v1  run-1, 1,201 calls, $25.025"


def test_costs_are_shown_for_blocks_that_called_out(console):
    nodes = {"a": node_result("a"), "b": node_result("b", cost=ExecutionCost())}
    console.print(cost_table(result(nodes=nodes)))
    text = lines(console)
    assert text[2].split() == ["a", "1,201", "$0.020837", "$25.025"]
    assert text[-1].split() == ["total", "1,201", "$25.025"]
    assert not any(line.startswith("b ") for line in text)


def test_findings_are_groups_of_lines_with_counts(console):
    report = Report(
        [
            Finding("unknown-key", "unknown key 'a[b]'.", "/nodes/0", node="n-1"),
            Finding("possible-typo", "look here", "", Severity.WARNING, edge="e-1"),
        ]
    )
    print_findings(console, report)
    assert lines(console) == [
        "error  unknown-key  /nodes/0  node n-1",
        "    unknown key 'a[b]'.",
        "warning  possible-typo  /  edge e-1",
        "    look here",
        "1 error, 1 warning",
    ]


def test_a_name_that_is_no_id_fills_one_line_at_most(console):
    print_findings(
        console, Report((Finding("invalid-value", "no", "/nodes/0/id", Severity.ERROR, node="a\nb" * 9999),))
    )
    assert len(lines(console)) <= 4


def test_text_of_others_does_not_steer_the_terminal(capsys):
    for console in (PlainConsole(), PlainConsole(stderr=True)):
        console.print("a\x1b[2Jb\x9bc\x00d", markup=False)
    printed = capsys.readouterr()
    assert printed.out == printed.err == "a\\x1b[2Jb\\x9bc\\x00d\n"


def test_no_findings_print_nothing(console):
    print_findings(console, Report())
    assert lines(console) == []


def test_the_list_of_executions(console):
    failed = summary(id="run-2", status=Status.FAILED, error="no key", completed_at=None)
    execution_views.print_list(console, [summary(), failed])
    first, second = lines(console)[2:]
    assert first.split() == [
        "run-1",
        "lead-enrichment-v1",
        "v3",
        "demo",
        "completed",
        "2026-01-09",
        "10:00",
        "1",
        "min",
        "15",
        "s",
    ]
    assert second.split() == [
        "run-2",
        "lead-enrichment-v1",
        "v3",
        "demo",
        "failed",
        "2026-01-09",
        "10:00",
        "no",
        "key",
    ]


@pytest.mark.parametrize(
    ("width", "heading"),
    [
        (80, ["execution", "workflow", "status", "started", "(UTC)"]),
        (110, ["execution", "workflow", "status", "started", "(UTC)", "took"]),
        (140, ["execution", "workflow", "status", "started", "(UTC)", "took", "error"]),
    ],
)
def test_a_long_error_leaves_room_for_ids_and_status(width, heading):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    name = "0f6a1c3e-58ab-4b71-9d0a-6f4d2c1b7e90"
    execution_views.print_list(console, [summary(id=name, status=Status.FAILED, error="no key " * 30)])
    assert lines(console)[0].split() == heading
    assert lines(console)[2].startswith(f"{name}   lead-enri")
    assert " failed " in lines(console)[2]
    assert max(map(len, lines(console))) <= width


def test_blocks_are_listed_without_broken_words_on_a_narrow_terminal():
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(block_views.block_table(BRIEF, console.width))
    text = "\n".join(lines(console))
    assert "operation=contact-extraction" in text
    assert "endpoint=/v2/email-verifier" in text
    assert "Anthropic about each" in " ".join(text.split())
    assert max(map(len, lines(console))) <= 80


def test_an_empty_list_says_how_to_begin(console):
    execution_views.print_list(console, [])
    assert lines(console) == ["no executions yet; 'lumeflow demo' makes one"]


def test_an_execution_in_the_list_as_json():
    assert execution_views.summary_json(summary(completed_at=None)) == {
        "executionId": "run-1",
        "workflowId": "lead-enrichment-v1",
        "workflowVersion": 3,
        "mode": "demo",
        "status": "completed",
        "startedAt": iso(START),
        "completedAt": None,
        "error": None,
    }


def event(number: int) -> tuple[int, Event]:
    return number, Event(
        EventKind.CALL_RETRIED, START + timedelta(milliseconds=number), "a", f"try [{number}]", {"n": 1}
    )


class Pages:
    """A journal's timeline of 2,500 events, a page at a time."""

    async def timeline(self, execution_id, *, after, limit):
        return Timeline(tuple(event(number) for number in range(after + 1, min(after + limit, 2500) + 1)))


async def test_the_last_events_are_read_page_by_page():
    last = await execution_views.last_events(Pages(), "run-1", 3)
    assert [number for number, _ in last.events] == [2498, 2499, 2500]


def test_events_are_lines(console):
    execution_views.print_events(console, Timeline((event(7),)))
    assert lines(console)[-1].split() == ["7", "10:00:00.007", "a", "call.retried", "try", "[7]"]


def test_no_events_print_nothing(console):
    execution_views.print_events(console, Timeline())
    assert lines(console) == []


def test_events_as_json():
    assert execution_views.timeline_json("run-1", Timeline((event(7),))) == {
        "executionId": "run-1",
        "events": [
            {
                "number": 7,
                "at": "2026-01-09T10:00:00.007Z",
                "kind": "call.retried",
                "node": "a",
                "message": "try [7]",
                "data": {"n": 1},
            }
        ],
    }


REGISTRY, _ = load_registry(entry_points=False)
BRIEF = [block_views.brief(block) for block in REGISTRY.blocks()]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("branch", {"branch/cases", "branch/condition"}),
        ("filter/fields", {"filter/fields"}),
        ("apollo-people-match", {"api/apollo-people-match"}),
    ],
)
def test_blocks_are_found_by_type_by_id_and_by_name(name, found):
    assert {block["id"] for block in block_views.called(name, BRIEF)} == found


def test_an_unknown_block_names_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'filter/fields'"):
        block_views.called("filter/field", BRIEF)


@pytest.mark.parametrize("block", list(REGISTRY.blocks()), ids=lambda block: block.id())
def test_every_block_can_be_shown(console, block):
    full = block_views.full(block, REGISTRY)
    block_views.print_block(console, full)
    text = "\n".join(lines(console))
    for field in block.Config.model_fields.values():
        assert f"  `{field.alias}` " in text
    assert '"config": {' in text
    assert set(full) == set(block_views.FULL)
    assert full["example"] == dict(block.example)
    assert full["reference"] == page(block, REGISTRY)


def test_a_page_is_set_for_the_terminal(console):
    print_markdown(
        console,
        "<!-- mark -->\n\n# x/y\n\n**Cost:** see\n[Case](#case).\n\n| a | b |\n| --- | --- |\n| 1 \\| 2 | `c` |\n\n```json n\n{}\n```",
    )
    assert [line for line in lines(console) if line] == [
        "x/y",
        "  Cost: see Case.",
        "  a       b",
        "  ───────────",
        "  1 | 2   `c`",
        "    {}",
    ]
