"""What each node has to do where a part of an execution is run again, by the shape of the graph."""

import pytest

from lumeflow.core.document import Workflow
from lumeflow.core.records import Record
from lumeflow.engine.parts import combined, parts_from, parts_of_failed
from lumeflow.engine.plan import make_plan
from lumeflow.plugins import load_registry

BLOCKS = {
    "in": ("input", {"source": "static", "data": {"people": [{"n": 1}]}}),
    "out": ("output", {"destination": "json"}),
    "join": ("merge", {"strategy": "deepMerge"}),
}


def plan_of(*edges):
    """A plan from edges such as `in1>a`; the beginning of a name says what a node is, `a` to `d` are transforms."""
    pairs = [edge.split(">") for edge in edges]
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    nodes = []
    for name in names:
        default = ("transform", {"operations": [{"type": "map", "field": "m", "transformation": "{{input.n}}"}]})
        kind, config = next((block for start, block in BLOCKS.items() if name.startswith(start)), default)
        nodes.append({"id": name, "type": kind, "config": config})
    document = {"workflowId": "w", "name": "W", "nodes": nodes, "edges": [{"source": s, "target": t} for s, t in pairs]}
    registry, _ = load_registry([])
    return make_plan(Workflow.load(document), registry, {})


def told(parts):
    """The parts in short: replays (r), calls too (c), fresh (f), idle (-)."""
    words = {}
    for name, part in parts.items():
        words[name] = "-" if part.is_idle else "f" if not part.inherits else "r" if part.only else "c"
    return words


@pytest.mark.parametrize(
    ("edges", "first", "expected"),
    [
        (("in>a", "a>b", "b>out"), "b", {"in": "r", "a": "r", "b": "f", "out": "f"}),
        (("in>a", "a>out"), "in", {"in": "f", "a": "f", "out": "f"}),
        (("in>a", "a>out1", "a>out2"), "out1", {"in": "r", "a": "r", "out1": "f", "out2": "-"}),
        (("in>a", "in>b", "a>out1", "b>out2"), "a", {"in": "r", "a": "f", "out1": "f", "b": "-", "out2": "-"}),
        (
            ("in>a", "in>b", "a>join", "b>join", "join>out"),
            "a",
            {"in": "r", "a": "f", "b": "r", "join": "f", "out": "f"},
        ),
    ],
    ids=["chain", "whole", "two outlets", "two arms", "arms that meet"],
)
def test_from_a_node_on(edges, first, expected):
    assert told(parts_from(plan_of(*edges), first)) == expected


@pytest.mark.parametrize(
    ("edges", "failed", "expected"),
    [
        (("in>a", "a>b", "b>out"), "b", {"in": "r", "a": "r", "b": "f", "out": "f"}),
        (("in>a", "a>b", "b>out"), "ab", {"in": "r", "a": "c", "b": "f", "out": "f"}),
        (("in>a", "a>out1", "a>out2"), "a", {"in": "r", "a": "f", "out1": "f", "out2": "f"}),
        (("in>a", "in>b", "a>out1", "b>out2"), "a", {"in": "r", "a": "f", "out1": "f", "b": "-", "out2": "-"}),
    ],
    ids=["chain", "before and behind", "two outlets", "two arms"],
)
def test_of_failed_records(edges, failed, expected):
    parts = parts_of_failed(plan_of(*edges), {name: [(0, 3)] for name in failed})
    assert told(parts) == expected


def test_a_fresh_node_takes_what_failed_there_or_before_and_what_was_made_of_it():
    parts = parts_of_failed(plan_of("in>a", "a>b", "b>out"), {"a": [(0, 3)], "b": [(0, 5)]})
    assert parts["in"].takes is None
    assert parts["a"].takes is None
    takes = parts["b"].takes
    assert takes is not None
    lineages = [(0, 3), (0, 3, 1), (0, 5), (0, 4), (0, 33), (0,)]
    assert [lineage for lineage in lineages if takes(Record({}, lineage))] == [(0, 3), (0, 3, 1), (0, 5)]


def test_a_rerun_of_a_rerun_takes_what_each_of_them_takes():
    plan = plan_of("in>a", "a>out1", "a>out2")
    earlier = parts_of_failed(plan, {"a": [(0, 3), (0, 4)]})
    newest = parts_of_failed(plan, {"out1": [(0, 4), (0, 9)]})
    both = combined(newest, [earlier])
    takes = both["out1"].takes
    assert takes is not None
    assert [number for number in range(12) if takes(Record({}, (0, number)))] == [4]
    assert both["out2"].is_idle
