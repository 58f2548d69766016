"""The shapes that a graph can have, a test each: who runs, who is skipped, what arrives, in which order."""

import pytest

from tests.engine.conftest import collect, numbers, work, workflow

pytestmark = pytest.mark.asyncio

ODD = {"field": "odd", "operator": "equals", "value": True}


def odd_marker() -> dict:
    return {
        "type": "transform",
        "config": {"operations": [{"type": "map", "field": "odd", "transformation": "{{input.n % 2 == 1}}"}]},
    }


def branch(true: str | None, false: str | None, condition: object = ODD) -> dict:
    branches = {key: target for key, target in (("true", true), ("false", false)) if target}
    return {"type": "branch", "config": {"condition": condition, "branches": branches}}


def merge(strategy: str, *sources: str, **config: object) -> dict:
    return {"type": "merge", "config": {"strategy": strategy, "sources": list(sources), **config}}


async def test_chain(run):
    ran = await run(workflow({"in": numbers(5), "a": work(), "b": work(), "out": collect()}, "in>a, a>b, b>out"))
    assert ran.result.status == "completed"
    assert ran.values() == [0, 1, 2, 3, 4]
    assert ran.result.output == {"count": 5}
    assert ran.result.nodes["a"].records_in == ran.result.nodes["a"].records_out == 5


async def test_diamond_appends_in_edge_order(run):
    nodes = {"in": numbers(3), "a": work(add={"via": "a"}), "b": work(add={"via": "b"}), "out": collect()}
    ran = await run(workflow(nodes, "in>a, in>b, b>out, a>out"))
    assert ran.values() == [0, 1, 2, 0, 1, 2]
    assert ran.values("via") == ["b", "b", "b", "a", "a", "a"]


async def test_diamond_larger_than_every_channel_does_not_lock_up(run):
    nodes = {"in": numbers(20_000), "a": work(), "b": work(), "m": merge("append", "b", "a"), "out": collect()}
    ran = await run(workflow(nodes, "in>a, in>b, a>m, b>m, m>out"))
    assert ran.values() == [*range(20_000), *range(20_000)]


async def test_fan_out_gives_every_target_every_record(run):
    nodes = {"in": numbers(4), "x": collect(), "y": collect()}
    ran = await run(workflow(nodes, "in>x, in>y"))
    assert ran.values(node="x") == ran.values(node="y") == [0, 1, 2, 3]
    assert ran.result.output == {"x": {"count": 4}, "y": {"count": 4}}


async def test_branch_routes_record_by_record(run):
    nodes = {"in": numbers(5), "mark": odd_marker(), "br": branch("x", "y"), "x": collect(), "y": collect()}
    ran = await run(workflow(nodes, "in>mark, mark>br, br>x, br>y"))
    assert ran.values(node="x") == [1, 3]
    assert ran.values(node="y") == [0, 2, 4]


async def test_branch_edges_need_not_be_drawn(run):
    nodes = {"in": numbers(4), "mark": odd_marker(), "br": branch("x", "y"), "x": collect(), "y": collect()}
    ran = await run(workflow(nodes, "in>mark, mark>br"))
    assert (ran.values(node="x"), ran.values(node="y")) == ([1, 3], [0, 2])


async def test_arm_that_no_record_takes_is_skipped_and_the_rest_runs(run):
    never = {"field": "n", "operator": "gt", "value": 100}
    nodes = {
        "in": numbers(3),
        "br": branch("a", "b", never),
        "a": work(),
        "after-a": work(),
        "b": work(),
        "m": merge("append", "after-a", "b"),
        "out": collect(),
    }
    ran = await run(workflow(nodes, "in>br, br>a, br>b, a>after-a, after-a>m, b>m, m>out"))
    assert ran.result.status == "completed"
    assert ran.statuses["a"] == ran.statuses["after-a"] == "skipped"
    assert ran.statuses["b"] == ran.statuses["m"] == ran.statuses["out"] == "completed"
    assert ran.values() == [0, 1, 2]


@pytest.mark.parametrize("strategy", ["append", "deepMerge", "zip"])
async def test_merge_leaves_skipped_sources_out(run, strategy):
    never = {"field": "n", "operator": "gt", "value": 100}
    nodes = {
        "in": numbers(3),
        "br": branch("a", "b", never),
        "a": work(),
        "b": work(),
        "m": merge(strategy, "a", "b"),
        "out": collect(),
    }
    ran = await run(workflow(nodes, "in>br, br>a, br>b, a>m, b>m, m>out"))
    assert ran.values() == [0, 1, 2]
    assert ran.statuses["a"] == "skipped"


async def test_branch_straight_to_output(run):
    nodes = {"in": numbers(2), "br": branch("out", None, {"field": "n", "operator": "exists"}), "out": collect()}
    ran = await run(workflow(nodes, "in>br"))
    assert ran.values() == [0, 1]


async def test_records_of_a_missing_arm_are_counted_and_kept(run):
    nodes = {"in": numbers(4), "mark": odd_marker(), "br": branch("out", None), "out": collect()}
    ran = await run(workflow(nodes, "in>mark, mark>br"))
    assert ran.values() == [1, 3]
    assert ran.result.nodes["br"].skipped == 2


async def test_error_port_takes_failed_records_with_their_reason(run):
    nodes = {"in": numbers(4), "a": work(bad=[1, 2]), "saved": collect(), "out": collect()}
    ran = await run(workflow(nodes, "in>a, a>out, a.error>saved"))
    assert ran.result.status == "completed"
    assert ran.values() == [0, 3]
    assert ran.values("error", "saved") == [{"class": "NOT_FOUND", "message": "no such thing", "node": "a"}] * 2
    assert ran.result.nodes["a"].failed == 2
    assert ran.failed == []


async def test_error_port_without_errors_is_skipped(run):
    nodes = {"in": numbers(2), "a": work(), "saved": collect(), "out": collect()}
    ran = await run(workflow(nodes, "in>a, a>out, a.error>saved"))
    assert ran.statuses["saved"] == "skipped"
    assert ran.result.output == {"count": 2}


async def test_fallback_node_takes_over_and_rejoins(run):
    failing = work({"onError": "fallback", "fallback": {"node": "b"}}, bad=[0, 2], add={"via": "a"})
    nodes = {"in": numbers(3), "a": failing, "b": work(add={"via": "b"}), "out": collect()}
    ran = await run(workflow(nodes, "in>a, a>out, b>out"))
    assert ran.values() == [1, 0, 2]
    assert ran.values("via") == ["a", "b", "b"]


async def test_fallback_value_keeps_the_place(run):
    failing = work({"onError": "fallback", "fallback": {"value": {"via": "none"}}}, bad=[1], add={"via": "a"})
    ran = await run(workflow({"in": numbers(3), "a": failing, "out": collect()}, "in>a, a>out"))
    assert ran.values() == [0, 1, 2]
    assert ran.values("via") == ["a", "none", "a"]


async def test_two_input_nodes(run):
    nodes = {"x": numbers(2), "y": numbers(3), "m": merge("append", "y", "x"), "out": collect()}
    ran = await run(workflow(nodes, "x>m, y>m, m>out"))
    assert ran.values() == [0, 1, 2, 0, 1]


async def test_zip_of_unequal_lengths_loses_nothing(run):
    nodes = {
        "x": numbers(2),
        "y": numbers(4),
        "a": work(add={"left": 1}),
        "b": work(add={"right": 1}),
        "m": merge("zip", "a", "b"),
        "out": collect(),
    }
    ran = await run(workflow(nodes, "x>a, y>b, a>m, b>m, m>out"))
    assert ran.values() == [0, 1, 2, 3]
    assert ran.values("left") == [1, 1, None, None]
    assert ran.values("right") == [1, 1, 1, 1]


async def test_deep_merge_pairs_versions_of_one_record(run):
    nodes = {
        "in": numbers(4),
        "a": work(add={"from": {"a": 1}}, skip=[1]),
        "b": work(add={"from": {"b": 2}}, skip=[2]),
        "m": merge("deepMerge", "a", "b"),
        "out": collect(),
    }
    ran = await run(workflow(nodes, "in>a, in>b, a>m, b>m, m>out"))
    assert dict(zip(ran.values(), ran.values("from"), strict=True)) == {
        0: {"a": 1, "b": 2},
        1: {"b": 2},
        2: {"a": 1},
        3: {"a": 1, "b": 2},
    }


async def test_empty_collection_runs_through(run):
    nodes = {
        "in": numbers(0),
        "a": work(),
        "b": {"type": "transform", "config": {"operation": "batches"}},
        "out": collect(),
    }
    ran = await run(workflow(nodes, "in>a, a>b, b>out"))
    assert set(ran.statuses.values()) == {"completed"}
    assert ran.result.output == {"count": 0}


async def test_one_record(run):
    ran = await run(workflow({"in": numbers(1), "a": work(), "out": collect()}, "in>a, a>out"))
    assert ran.values() == [0]


async def test_node_fed_twice_by_the_same_source(run):
    ran = await run(workflow({"in": numbers(2), "a": work(bad=[1]), "out": collect()}, "in>a, a>out, a.error>out"))
    assert ran.values() == [0, 1]


async def test_payload_without_a_collection_is_one_record(run):
    nodes = {
        "in": {"type": "input", "config": {"source": "static", "data": {"n": 7}}},
        "a": work(add={"x": 1}),
        "out": collect(),
    }
    ran = await run(workflow(nodes, "in>a, a>out"))
    assert ran.outputs["out"] == [{"n": 7, "x": 1}]


async def test_payload_branch_routes_the_whole(run):
    condition = {"field": "n", "operator": "gt", "value": 5}
    nodes = {
        "in": {"type": "input", "config": {"source": "static", "data": {"n": 7}}},
        "br": branch("x", "y", condition),
        "x": collect(),
        "y": collect(),
    }
    ran = await run(workflow(nodes, "in>br, br>x, br>y"))
    assert ran.statuses == {"in": "completed", "br": "completed", "x": "completed", "y": "skipped"}


async def test_one_record_to_many(run):
    ran = await run(workflow({"in": numbers(3), "a": work(double=[1]), "out": collect()}, "in>a, a>out"))
    assert ran.values() == [0, 1, 1, 2]
    assert ran.values("copy") == [None, 0, 1, None]


async def test_fields_of_several_blocks_stand_side_by_side(run):
    nodes = {"in": numbers(2), "a": work(), "out": collect(metadata="{{input.metadata}}")}
    ran = await run(workflow(nodes, "in>a, a>out"))
    assert ran.result.output == {"count": 2, "metadata": {"made": 2}}


async def test_expressions_see_fields_of_nodes_before(run):
    shown = "{{nodes['in'].output.metadata.made}} of {{workflow.id}}, {{trigger.who}}"
    ran = await run(
        workflow({"in": numbers(2), "a": work(), "out": collect(metadata=shown)}, "in>a, a>out"), {"who": "me"}
    )
    assert ran.result.output["metadata"] == "2 of test, me"


async def test_a_way_without_an_edge_skips_with_the_reason(run):
    lonely = {"type": "branch", "config": {"condition": ODD}}
    nodes = {"in": numbers(4), "mark": odd_marker(), "br": lonely, "out": collect()}
    ran = await run(workflow(nodes, "in>mark, mark>br, br.true>out"))
    assert ran.values() == [1, 3]
    assert ran.result.nodes["br"].skipped == 2


async def test_deep_merge_keeps_records_of_unrelated_sources_apart(run):
    nodes = {"a": numbers(3), "b": numbers(2), "m": merge("deepMerge"), "out": collect()}
    ran = await run(workflow(nodes, "a>m, b>m, m>out"))
    assert ran.values() == [0, 1, 2, 0, 1]
