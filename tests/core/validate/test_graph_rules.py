"""The graph, a line each."""

import pytest

from .documents import chain, codes, document, findings, node, only

IN, OUT = node("in", "input"), node("out", "output")
A, B, C = node("a", "api"), node("b", "api"), node("c", "api")


def branch(**branches):
    return node("br", "branch", config={"branches": branches} if branches else {})


def merge(*sources):
    return node("m", "merge", config={"sources": list(sources)} if sources else {})


def out(identifier, path, **changes):
    return node(identifier, "output", config={"path": path}, **changes)


RIGHT = [
    ("two files", [IN, out("o", "a.csv"), out("p", "b.csv")], "in>o in>p"),
    ("a file for each input", [IN, A, out("o", "{{input.x}}"), out("p", "{{input.x}}")], "in>o in>a a>p"),
    ("a file by either arm", [IN, branch(), out("o", "a.csv"), out("p", "a.csv")], "in>br br.true>o br.false>p"),
    ("a file by who stands in", [IN, out("o", "a.csv", fallback={"node": "p"}), out("p", "a.csv")], "in>o"),
    ("chain", [IN, A, OUT], "in>a a>out"),
    ("diamond", [IN, A, B, merge(), OUT], "in>a in>b a>m b>m m>out"),
    ("merge with ports", [IN, A, B, merge("b", "a"), OUT], "in>a in>b a>m.left b>m.right m>out"),
    ("merge of what both share", [IN, A, merge("in", "a"), OUT], "in>a in>m a>m m>out"),
    ("two inputs", [IN, node("in2", "input"), merge(), OUT], "in>m in2>m m>out"),
    ("fed twice", [IN, A, B, OUT], "in>a in>b a>out b>out"),
    ("error port", [IN, A, OUT, node("bad", "output")], "in>a a>out a.error>bad"),
    ("error port of an output", [IN, OUT, node("bad", "output")], "in>out out.error>bad"),
    ("branch by ports", [IN, branch(), A, OUT], "in>br br.true>a br.false>out a>out"),
    ("branch by routes", [IN, branch(true="a", false="out"), A, OUT], "in>br a>out"),
    ("branch with edges and no ports", [IN, branch(true="a", false="out"), A, OUT], "in>br br>a br>out a>out"),
    ("branch with both", [IN, branch(true="a", false="out"), A, OUT], "in>br br.true>a a>out"),
    ("fallback", [IN, node("a", "api", fallback={"node": "b"}), B, OUT], "in>a a>out b>out"),
]


@pytest.mark.parametrize(("nodes", "edges"), [case[1:] for case in RIGHT], ids=[case[0] for case in RIGHT])
def test_right(nodes, edges):
    assert codes(document(nodes, edges)) == []


WRONG = [
    ("one file", [IN, A, out("o", "a.csv"), out("p", "a.csv")], "in>o in>a a>p", [("file-taken", "/nodes/3/config/path")], "'p' would write the file that 'o' writes, 'a.csv'"),
    ("one file of an execution", [IN, out("o", "{{execution.id}}"), out("p", "{{execution.id}}")], "in>o in>p", [("file-taken", "/nodes/2/config/path")], "'o'"),
    ("two nodes of one id", [IN, A, A, OUT], "in>a a>out", [("duplicate-id", "/nodes/2/id")], "/nodes/1"),
    ("unknown source", [IN, OUT], "in>out inn>out", [("unknown-node", "/edges/1/source")], "Did you mean 'in'?"),
    ("unknown target", [IN, OUT], "in>out in>outt", [("unknown-node", "/edges/1/target")], "Did you mean 'out'?"),
    ("unknown port", [IN, A, OUT], "in>a a.done>out", [("dead-end?", None), ("unknown-port", "/edges/1/sourcePort")], "It has: out, error."),
    ("port nearly", [IN, A, OUT], "in>a a.eror>out", [("dead-end?", None), ("unknown-port", "/edges/1/sourcePort")], "Did you mean 'error'?"),
    ("unknown target port", [IN, OUT], "in>out.left", [("unknown-port", "/edges/0/targetPort")], "only merge nodes"),
    ("port of a merge taken", [IN, A, merge(), OUT], "in>a in>m.x a>m.x m>out", [("port-taken", "/edges/2/targetPort")], "/edges/1"),
    ("edge twice", [IN, OUT], "in>out in>out", [("duplicate-edge?", "/edges/1")], "/edges/0"),
    ("cycle", [IN, A, B, OUT], "in>a a>b b>a b>out", [("cycle", "/edges/2")], "a → b → a"),
    ("own cycle", [IN, A, OUT], "in>a a>a a>out", [("cycle", "/edges/1")], "a → a"),
    ("into an input", [IN, node("in2", "input"), OUT], "in>in2 in2>out", [("input-with-incoming-edge", "/edges/0")], "'in2'"),
    ("out of an output", [IN, OUT, node("o2", "output")], "in>out out>o2", [("output-with-outgoing-edge", "/edges/1")], "'error' port"),
    ("unreachable", [IN, A, OUT], "in>out", [("unreachable", "/nodes/1")], "'a'"),
    ("unreachable arm", [IN, A, B, OUT], "in>out a>b b>out", [("unreachable", "/nodes/1"), ("unreachable", "/nodes/2")], "draw an edge"),
    ("dead end", [IN, A, OUT], "in>a in>out", [("dead-end?", "/nodes/1")], "counted"),
    ("only errors go on", [IN, A, OUT], "in>a a.error>out", [("dead-end?", "/nodes/1")], "counted"),
    ("no input", [A, OUT], "a>out", [("no-input", "/nodes")], "add one"),
    ("no output", [IN, A], "in>a", [("no-output?", "/nodes"), ("dead-end?", "/nodes/1")], "Add one"),
    ("nothing", [], "", [("no-input", "/nodes"), ("no-output?", "/nodes")], ""),
    ("route to nowhere", [IN, branch(true="a", false="x"), A, OUT], "in>br a>out", [("unknown-node", "/nodes/1/config/branches/false")], "port 'false'"),
    ("route against edge", [IN, branch(true="a", false="out"), A, OUT], "in>br a>out br.true>out", [("undeclared-route", "/edges/2")], "'a'"),
    ("edge beside routes", [IN, branch(true="a"), A, B, OUT], "in>br br>b a>out b>out", [("unknown-port", "/edges/1")], "'br' has no port 'out'"),
    ("branch without port", [IN, branch(), OUT], "in>br br>out", [("unknown-port", "/edges/1")], "It has: true, false, error."),
    ("route to an input", [IN, branch(true="in", false="out"), OUT], "in>br", [("cycle", "/nodes/1"), ("input-with-incoming-edge", "/nodes/1/config/branches/true")], ""),
    ("route in a circle", [IN, A, branch(true="a", false="out"), OUT], "in>a a>br", [("cycle", "/nodes/2")], "a → br → a"),
    ("source unknown", [IN, merge("inn"), OUT], "in>m m>out", [("unknown-source", "/nodes/1/config/sources/0")], "Did you mean 'in'?"),
    ("source not upstream", [IN, A, merge("in", "a"), OUT], "in>m in>a a>out m>out", [("unknown-source", "/nodes/2/config/sources/1")], "draw an edge"),
    ("source named twice", [IN, merge("in", "in"), OUT], "in>m m>out", [("unknown-source", "/nodes/1/config/sources/0")], "once"),
    ("source further up", [IN, A, merge("in", "a"), OUT], "in>a a>m m>out", [("indirect-source?", "/nodes/2/config/sources/0")], "name the node that sends"),
    ("fallback unknown", [IN, node("a", "api", fallback={"node": "bb"}), OUT], "in>a a>out", [("unknown-fallback", "/nodes/1/fallback/node")], "'bb'"),
    ("fallback on itself", [IN, node("a", "api", fallback={"node": "a"}), OUT], "in>a a>out", [("unknown-fallback", "/nodes/1/fallback/node")], "its own"),
    ("fallback on an input", [IN, node("a", "api", fallback={"node": "in"}), OUT], "in>a a>out", [("cycle", "/nodes/1"), ("unknown-fallback", "/nodes/1/fallback/node")], "is an input"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "edges", "expected", "part"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_wrong(nodes, edges, expected, part):
    data = document(nodes, edges)
    wanted = [each for each in expected if each[1] is not None]
    assert [each for each in codes(data) if each[0] != "dead-end?" or each in wanted] == wanted
    assert any(part in each.message for each in findings(data))


def test_two_edges_of_one_id():
    data = chain(A)
    data["edges"] = [each | {"id": "e"} for each in data["edges"]]
    finding = only(data)
    assert (finding.code, finding.pointer, finding.edge) == ("duplicate-id", "/edges/1/id", "e")


def test_each_knot_of_cycles_is_reported_once():
    data = document([IN, A, B, C, node("d", "api"), OUT], "in>a a>b b>a b>c c>d d>c d>out")
    assert [each.code for each in findings(data)] == ["cycle", "cycle"]
