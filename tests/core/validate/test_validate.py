"""One call finds everything, in the order of the document, and a right document gives nothing."""

import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.core.document import Workflow
from lumeflow.core.validate import validate

from .blocks import registry
from .documents import chain, codes, document, edge, findings, node


def test_a_right_document_gives_nothing():
    assert findings(chain(node("call", "api"))) == []


@pytest.mark.parametrize("form", [lambda d: d, orjson.dumps, lambda d: orjson.dumps(d).decode(), Workflow.load])
def test_all_forms_of_a_document_are_taken(form):
    report = validate(form(chain(node("call", "api", config={"size": 0}))), registry())
    assert not report.ok
    assert [(each.code, each.pointer) for each in report.findings] == [("invalid-value", "/nodes/1/config/size")]


def test_text_that_cannot_be_read_is_a_report_too():
    report = validate(b"{", registry())
    assert [each.code for each in report.errors] == ["invalid-json"]


def test_everything_is_found_in_one_pass_and_in_document_order():
    data = document(
        [
            node("in", "input", confg={}),
            node("a", "api", config={"provider": "acmee"}),
            node("b", "api", config={"size": 0, "mapping": {"x": "{{inptu.a}}"}}),
            node(
                "c",
                "filter",
                config={"conditions": [{"field": "a", "operator": "exist"}]},
                outputSchema={"type": "strin"},
            ),
            node("out", "output", inputSchema={"$ref": "#/schemas/nope"}),
        ],
        "in>a a>b b>c c>out out>in c>nowhere",
        name=3,
    )
    assert codes(data) == [
        ("wrong-type", "/name"),
        ("unknown-key", "/nodes/0/confg"),
        ("unknown-block", "/nodes/1/config/provider"),
        ("invalid-value", "/nodes/2/config/size"),
        ("invalid-template", "/nodes/2/config/mapping/x"),
        ("invalid-condition", "/nodes/3/config/conditions/0/operator"),
        ("invalid-schema", "/nodes/3/outputSchema/type"),
        ("unresolved-ref", "/nodes/4/inputSchema/$ref"),
        ("output-with-outgoing-edge", "/edges/4"),
        ("input-with-incoming-edge", "/edges/4"),
        ("cycle", "/edges/4"),
        ("unknown-node", "/edges/5/target"),
    ]


def test_errors_and_warnings_are_kept_apart():
    data = chain(node("call", "api"), node("idle", "api"))
    data["edges"] = [edge("in>call"), edge("call>out"), edge("in>idle")]
    report = validate(data, registry())
    assert report.ok
    assert report.errors == []
    assert [each.code for each in report.warnings] == ["dead-end"]
    assert report.as_json()["findings"][0]["severity"] == "warning"


def test_findings_name_node_and_edge():
    found = findings(
        document([node("in", "input"), node("out", "output", config={"destination": "csv"})], "in>out in>x")
    )
    assert [(each.node, each.edge) for each in found] == [("out", None), (None, "in→x")]


def test_a_document_with_broken_nodes_is_checked_for_everything_else():
    data = document(
        [node("in", "input"), {"id": "lost", "type": "nothing"}, node("b", "api", config={"size": 0}), 7],
        "in>lost lost>b b>gone",
    )
    assert codes(data) == [
        ("unknown-value", "/nodes/1/type"),
        ("invalid-value", "/nodes/2/config/size"),
        ("wrong-type", "/nodes/3"),
        ("unknown-node", "/edges/2/target"),
    ]  # fmt: skip


def test_the_same_document_gives_the_same_report():
    data = chain(node("a", "api", config={"x": 1, "y": 2}), node("b", "api", config={"provider": "?"}), zz=1)
    assert len({orjson.dumps(validate(data, registry()).as_json()) for _ in range(5)}) == 1


def test_large_documents_are_validated_quickly():
    schema = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}}},
    }
    nodes = [
        node(
            f"n{index}",
            "api",
            config={"mapping": {"x": "{{input.a}}"}},
            inputSchema={"$ref": "#/schemas/rows"},
            outputSchema={"$ref": "#/schemas/rows"},
        )
        for index in range(2_000)
    ]
    data = chain(*nodes, schemas={"rows": schema})
    started = time.process_time()
    assert findings(data) == []
    assert time.process_time() - started < 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=4) | st.sampled_from(["in", "out", "api", "{{input.a}}", "{{x", "#/schemas/a"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["workflowId", "name", "nodes", "edges", "schemas", "id", "type", "config", "source", "target", "$ref", "$id",
             "outputSchema", "inputSchema", "properties", "items", "allOf", "mapping", "provider", "conditions", "a"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(JSON)
def test_nothing_that_is_json_makes_it_raise(value):
    validate(orjson.dumps(value) if not isinstance(value, dict) else value, registry())


@given(JSON, JSON)
def test_no_config_and_no_schema_makes_it_raise(config, schema):
    validate(
        chain(node("a", "api", config={"mapping": config, "condition": config, "options": config}, inputSchema=schema)),
        registry(),
    )
    validate(chain(node("a", "api") | {"config": config}, schemas={"a": schema, "b": config}), registry())
