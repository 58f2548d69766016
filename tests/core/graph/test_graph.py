"""Shapes of graphs, a line each: order, cycles, ancestry, links."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.core.document import Workflow
from lumeflow.core.graph import (
    Ancestry,
    CyclicGraph,
    find_cycles,
    links,
    reachable,
    successors,
    topological_order,
)


def pairs(text):
    """`ab bc` stands for a → b, b → c."""
    return [(each[0], each[1]) for each in text.split()]


@pytest.mark.parametrize(
    ("nodes", "edges", "order"),
    [
        ("", "", ""),
        ("a", "", "a"),
        ("abc", "", "abc"),
        ("abc", "ab bc", "abc"),
        ("cba", "ab bc", "abc"),
        ("abcd", "ab ac bd cd", "abcd"),
        ("acbd", "ab ac bd cd", "acbd"),
        ("abcd", "da", "bcda"),
        ("abc", "ab ab bc", "abc"),
        ("ab", "ab ax xb", "ab"),
    ],
)
def test_sources_come_first_and_the_document_decides_the_rest(nodes, edges, order):
    assert "".join(topological_order(list(nodes), pairs(edges))) == order


@pytest.mark.parametrize(
    ("nodes", "edges", "cycles"),
    [
        ("abc", "ab bc", []),
        ("a", "aa", ["aa"]),
        ("ab", "ab ba", ["aba"]),
        ("abc", "ab bc ca", ["abca"]),
        ("cab", "ab bc ca", ["cabc"]),
        ("abcd", "ab bc ca bd", ["abca"]),
        ("abcd", "ab bc cd da ac", ["acda"]),
        ("abcd", "ab ba cd dc", ["aba", "cdc"]),
        ("abcde", "ab bc cd de eb", ["bcdeb"]),
    ],
)
def test_each_knot_of_cycles_is_shown_once_by_a_shortest_way(nodes, edges, cycles):
    assert ["".join(cycle) for cycle in find_cycles(list(nodes), pairs(edges))] == cycles


def test_a_cyclic_graph_has_no_order_and_says_why():
    with pytest.raises(CyclicGraph, match="b → c → b") as caught:
        topological_order(list("abcd"), pairs("ab bc cb cd"))
    assert caught.value.cycle == ("b", "c", "b")


def test_ancestry_of_a_diamond_with_a_tail():
    ancestry = Ancestry(list("abcde"), pairs("ab ac bd cd de"))
    assert ancestry.upstream("e") == ["a", "b", "c", "d"]
    assert ancestry.upstream("a") == []
    assert ancestry.is_upstream("b", "e")
    assert not ancestry.is_upstream("b", "c")
    assert not ancestry.is_upstream("a", "a")
    assert not ancestry.is_upstream("a", "unknown")


def test_reachable_and_successors():
    onward = successors("abcd", pairs("ab ab ac cx dc"))
    assert onward == {"a": ["b", "c"], "b": [], "c": [], "d": ["c"]}
    assert reachable(["a"], onward) == {"a", "b", "c"}
    assert reachable([], onward) == set()


def test_long_chains_need_no_recursion():
    nodes = [f"n{index}" for index in range(5_000)]
    chain = list(pairwise(nodes))
    assert topological_order(nodes, chain) == nodes
    assert find_cycles(nodes, chain) == []
    (cycle,) = find_cycles(nodes, [*chain, (nodes[-1], nodes[0])])
    assert len(cycle) == 5_001
    assert Ancestry(nodes, chain).is_upstream(nodes[0], nodes[-1])


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=20))
def test_there_is_an_order_exactly_if_there_is_no_cycle(edges):
    nodes = list("abcdefgh")
    cycles = find_cycles(nodes, edges)
    for cycle in cycles:
        assert cycle[0] == cycle[-1]
        assert all(step in edges for step in pairwise(cycle))
    try:
        order = topological_order(nodes, edges)
    except CyclicGraph:
        assert cycles
    else:
        assert not cycles
        assert sorted(order) == nodes
        assert all(order.index(source) < order.index(target) for source, target in edges)


def workflow(nodes, edges):
    return Workflow.load({"workflowId": "w", "name": "W", "nodes": nodes, "edges": edges})


def drawn(workflow, routes):
    return [(link.source, link.port, link.target, link.edge) for link in links(workflow, routes)]


ABCD = [{"id": "a", "type": "branch"}, *({"id": each, "type": "api"} for each in "bcd")]
ROUTES = {"a": {"true": "b", "false": "c"}}


@pytest.mark.parametrize(
    ("edges", "routes", "expected"),
    [
        ([], {}, []),
        ([{"source": "a", "target": "b"}], {}, [("a", "out", "b", 0)]),
        ([{"source": "a", "target": "b"}] * 2, {}, [("a", "out", "b", 0)]),
        ([], ROUTES, [("a", "true", "b", None), ("a", "false", "c", None)]),
        ([{"source": "a", "target": "c"}], ROUTES, [("a", "false", "c", 0), ("a", "true", "b", None)]),
        (
            [{"source": "a", "target": "b", "sourcePort": "true"}, {"source": "a", "target": "c"}],
            ROUTES,
            [("a", "true", "b", 0), ("a", "false", "c", 1)],
        ),
        (
            [{"source": "a", "target": "b"}],
            {"a": {"true": "b", "false": "b"}},
            [("a", "true", "b", 0), ("a", "false", "b", 0)],
        ),
        (
            [{"source": "a", "target": "d", "sourcePort": "error"}],
            ROUTES,
            [("a", "error", "d", 0), ("a", "true", "b", None), ("a", "false", "c", None)],
        ),
    ],
    ids=["none", "edge", "twice", "implied", "bound", "by-port", "both-ways", "error"],
)
def test_links_of_a_branch(edges, routes, expected):
    assert drawn(workflow(ABCD, edges), routes) == expected


def test_a_fallback_node_is_reached_by_the_error_port():
    nodes = [{"id": "a", "type": "api", "fallback": {"node": "b"}}, {"id": "b", "type": "api"}]
    assert drawn(workflow(nodes, []), {}) == [("a", "error", "b", None)]
    edges = [{"source": "a", "target": "b", "sourcePort": "error"}]
    assert drawn(workflow(nodes, edges), {}) == [("a", "error", "b", 0)]
