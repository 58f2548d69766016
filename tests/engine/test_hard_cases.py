"""Cases that a naive engine gets wrong: nothing may hang, get lost, depend on chance, or end without a word."""

import asyncio

import pytest

from lumeflow.engine.units import LONGEST
from tests.engine import blocks
from tests.engine.conftest import collect, numbers, work, workflow
from tests.engine.test_graph_shapes import merge

pytestmark = pytest.mark.asyncio


def static(**data):
    return {"type": "input", "config": {"source": "static", "data": data}}


def plain(template):
    return {"type": "transform", "config": {"operation": "plain", "set": template}}


def raising(phase, kind="bug"):
    return {"type": "transform", "config": {"operation": "raise", "phase": phase, "kind": kind}}


def odd(returns):
    return {"type": "transform", "config": {"operation": "odd", "returns": returns}}


async def test_a_stopped_feeder_does_not_starve_the_living(run):
    nodes = {"in": numbers(5000), "f": work(), "d": work(diesAt=0), "l": work(), "o1": collect(), "o2": collect()}
    async with asyncio.timeout(20):
        ran = await run(workflow(nodes, "in>f, f>d, d>o1, in>l, l>o2"))
    assert ran.result.status == "failed"
    assert ran.values(node="o2") == list(range(5000))


async def test_feeders_of_a_node_whose_failures_are_taken_over_go_on(run):
    nodes = {
        "s1": numbers(200, pause=0.001),
        "h": work(diesAt=0),
        "saved": collect(),
        "x": collect(),
        "s2": numbers(3),
        "n": work(diesAt=0),
        "y": collect(),
    }
    ran = await run(workflow(nodes, "s1>h, h>x, h.error>saved, s2>n, n>y"))
    assert ran.result.status == "failed"
    assert len(ran.values(node="saved")) == 200


@pytest.mark.parametrize("pause", [0.0, 0.02])
async def test_what_an_expression_sees_does_not_depend_on_who_was_quicker(run, pause):
    source = {"type": "input", "config": {"source": "stages", "count": 6, "pause": pause}}
    seen = "{{nodes['in'].output.stage}} {{workflow.input.metadata.made}} {{nodes['in'].output.metadata.made}}"
    nodes = {"in": source, "w": work(wait=[0.0, 0.01]), "p": plain(seen), "out": collect(metadata=seen)}
    ran = await run(workflow(nodes, "in>w, w>p, p>out"))
    assert ran.values("set") == ["begun 0 0"] * 6
    assert ran.result.output["metadata"] == "ended 6 6"


async def test_a_later_field_wins_however_far_it_travels(run):
    source = {"type": "input", "config": {"source": "stages"}}
    nodes = {
        "in": source,
        "a": work(),
        "b": work(),
        "out": collect(metadata={"stage": "{{input.stage}}", "made": "{{input.metadata.made}}"}),
    }
    ran = await run(workflow(nodes, "in>a, a>b, b>out"))
    assert ran.result.output["metadata"] == {"stage": "ended", "made": 2}


async def test_node_timeout_loses_no_record(run):
    ran = await run(
        workflow({"in": numbers(10), "a": work({"timeout": 0.3}, wait=[0, 30]), "out": collect()}, "in>a, a>out")
    )
    assert ran.result.status == "failed"
    assert len(ran.values()) + len(ran.failed) == 10
    assert {error_class for _, _, error_class in ran.failed} == {"TIMEOUT"}


async def test_node_timeout_sends_what_is_under_way_to_the_error_port(run):
    nodes = {"in": numbers(10), "a": work({"timeout": 0.3}, wait=[0, 30]), "saved": collect(), "out": collect()}
    ran = await run(workflow(nodes, "in>a, a>out, a.error>saved"))
    assert ran.result.status == "completed"
    assert sorted([*ran.values(), *ran.values(node="saved")]) == list(range(10))


async def test_a_broken_source_is_not_handled_by_an_error_port_that_gets_nothing(run):
    nodes = {"in": {"type": "input", "config": {"source": "numbers", "count": 5}}, "out": collect(), "saved": collect()}
    document = workflow(nodes, "in>out, in.error>saved", globals={"limits": {"records": 3}})
    ran = await run(document)
    assert ran.result.status == "failed"
    assert ran.values() == [0, 1, 2]


async def test_records_behind_a_payload_without_a_collection_arrive(run):
    nodes = {
        "cfg": static(campaign="spring"),
        "people": static(contacts=[{"n": 1}, {"n": 2}]),
        "w": plain("{{input.n}}"),
        "out": collect(metadata="{{input.campaign}}"),
    }
    ran = await run(workflow(nodes, "cfg>w, people>w, w>out"))
    assert ran.values() == [1, 2]
    assert ran.result.output["metadata"] == "spring"


@pytest.mark.parametrize("strategy", ["zip", "deepMerge"])
async def test_a_merge_fed_twice_by_one_source_gets_both(run, strategy):
    ran = await run(
        workflow(
            {"in": numbers(4), "a": work(bad=[1]), "m": merge(strategy), "out": collect()},
            "in>a, a>m, a.error>m, m>out",
        )
    )
    assert sorted(ran.values()) == [0, 1, 2, 3]


@pytest.mark.parametrize("phase", ["open", "close"])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [("bug", "ZeroDivisionError"), ("timeout", "TimeoutError"), ("auth", "set TEST_KEY"), ("record", "not there")],
)
async def test_whatever_a_phase_raises_fails_the_node_with_its_name(run, phase, kind, expected):
    nodes = {"in": numbers(3), "a": raising(phase, kind), "out": collect(), "other": collect()}
    ran = await run(workflow(nodes, "in>a, a>out, in>other"))
    assert ran.result.status == "failed"
    assert ran.result.error.startswith("node 'a': ")
    assert expected in ran.result.error
    assert "private text" not in ran.result.error
    assert ran.result.nodes["a"].error
    assert ran.values(node="other") == [0, 1, 2]


@pytest.mark.parametrize(("returns", "expected"), [("nothing", "NoneType"), ("number", "int"), ("children", "str")])
async def test_what_is_no_outcome_fails_its_record_once(run, returns, expected):
    ran = await run(workflow({"in": numbers(2), "a": odd(returns), "out": collect()}, "in>a, a>out"))
    assert ran.result.status == "completed"
    assert ran.result.nodes["a"].failed == 2
    assert ran.values() == []
    assert [expected in record.reason for record in ran.result.failed_records] == [True, True]


@pytest.mark.parametrize("returns", ["nothing", "number"])
async def test_what_is_no_outcome_fails_a_payload_without_a_collection(run, returns):
    ran = await run(workflow({"in": static(n=1), "a": odd(returns), "out": collect()}, "in>a, a>out"))
    assert ran.result.status == "failed"
    assert ran.result.error.startswith("node 'a': the block returned")


async def test_what_cannot_be_stored_fails_its_record_and_blocks_nothing(run):
    ran = await run(workflow({"in": numbers(2), "a": odd("set"), "out": collect()}, "in>a, a>out"))
    assert ran.result.status == "completed"
    assert ran.result.nodes["out"].failed == 2
    assert "no JSON" in ran.result.failed_records[0].reason


async def test_schema_refusal_of_a_single_payload_goes_to_the_error_port(run):
    schema = {"type": "object", "required": ["id"]}
    nodes = {"in": static(n=1), "a": work({"inputSchema": schema}), "saved": collect(), "out": collect()}
    ran = await run(workflow(nodes, "in>a, a>out, a.error>saved"))
    assert ran.result.status == "completed"
    assert ran.values("n", "saved") == [1]
    assert ran.result.nodes["a"].failed == 1


async def test_stop_names_the_node_and_keeps_the_record(run):
    document = workflow(
        {"in": numbers(4), "a": work(bad=[2]), "out": collect()}, "in>a, a>out", globals={"errorHandling": "stop"}
    )
    ran = await run(document)
    assert ran.failed == [("a", 2, "NOT_FOUND")]
    assert ran.result.nodes["a"].error == "no such thing"


async def test_records_that_a_batch_block_does_not_apply_to_do_not_wait_for_the_end(run):
    arrived = []
    batches = {"type": "transform", "config": {"operation": "batches", "onlyEven": True}}
    odd_only = plain("{{input.n}}")
    nodes = {"in": numbers(40, pause=0.01), "mark": work(add={"n": 1}), "b": batches, "p": odd_only, "out": collect()}
    await run(
        workflow(nodes, "in>mark, mark>b, b>p, p>out"),
        on_progress=lambda progress: arrived.append(progress.nodes[4].records_in),
    )
    assert any(0 < count < 40 for count in arrived)


async def test_a_listener_that_fails_does_not_end_the_execution(run):
    def broken(progress):
        raise RuntimeError("no terminal")

    ran = await run(workflow({"in": numbers(3), "out": collect()}, "in>out"), on_progress=broken)
    assert ran.result.status == "completed"


async def test_cancel_after_everything_is_done_changes_nothing(run):
    cancel = asyncio.Event()
    ran = await run(
        workflow({"in": numbers(1), "out": collect()}, "in>out"),
        on_progress=lambda p: p.nodes[1].status == "completed" and cancel.set(),
        cancel=cancel,
    )
    assert ran.result.status == "completed"


async def test_a_batch_does_not_wait_for_ever_for_records_that_it_applies_to(run):
    cut = {"type": "transform", "config": {"operation": "batches", "only": [0, 1, LONGEST + 1]}}
    ran = await run(workflow({"in": numbers(LONGEST * 2), "b": cut, "out": collect()}, "in>b, b>out"))
    assert ran.values() == list(range(LONGEST * 2))
    assert [batch for batch in ran.values("batch") if batch] == [[0, 1], [0, 1], [LONGEST + 1]]


async def test_plain_blocks_that_are_stuck_hold_up_no_others(run):
    nodes = {"in": numbers(3), "p": plain("{{input.n}}"), "out": collect()}
    edges = ["in>p", "p>out"]
    for number in range(5):
        nodes[f"stuck{number}"] = {"type": "transform", "config": {"operation": "stuck"}, "timeout": 0.2}
        edges.append(f"in>stuck{number}")
    ran = await run(workflow(nodes, ", ".join(edges)))
    blocks.Stuck.go.set()
    assert ran.values("set") == [0, 1, 2]
    assert ran.result.status == "failed"
    assert "timeout of 0.2 s" in ran.result.error
