"""What expressions refer to."""

import pytest

from .documents import chain, codes, document, findings, node, only

ROW = {
    "type": "object",
    "properties": {
        "email": {"type": "string"},
        "firstName": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}
PAGE = {"type": "object", "properties": {"rows": {"type": "array", "items": ROW}, "total": {"type": "integer"}}}
SOURCE = node("in", "input", outputSchema=PAGE)
CLOSED = {
    "type": "object",
    "properties": {"rows": {"type": "array", "items": ROW | {"additionalProperties": False}}},
    "additionalProperties": False,
}


def call(expression, *, source=SOURCE, provider="acme", **changes):
    config = {"provider": provider, "mapping": {"x": "{{" + expression + "}}"}}
    return chain(node("a", "api", config=config, **changes), source=source)


RIGHT = [
    "input.email",
    "input.tags[0]",
    "input.unheard_of",
    "nodes['in'].output.total",
    "execution.mode",
    "nodes['in'].output",
    "workflow.input.total",
    "workflow.id",
    "execution.id",
    "trigger.anything",
    "variables.anything",
    "uppercase(input.email)",
]


@pytest.mark.parametrize("expression", RIGHT)
def test_right(expression):
    assert codes(call(expression)) == []


WRONG = [
    ("input.emial", "possible-typo?", "Did you mean 'email'?"),
    ("input.first_name", "possible-typo?", "Did you mean 'firstName'?"),
    ("input.email.domain", "impossible-path", "email is string"),
    ("input.tags.first", "impossible-path", "tags is array"),
    ("input.tags[0].x", "impossible-path", "string"),
    ("nodes['inn'].output.x", "unknown-node", "Did you mean 'in'?"),
    ("nodes['out'].output.x", "not-upstream", "no path leads from 'out' to 'a'"),
    ("nodes['a'].output.x", "not-upstream", "no path leads from 'a' to 'a'"),
    ("nodes['in'].total", "impossible-path", "nodes['in'].output"),
    ("nodes['in'].output.total.x", "impossible-path", "integer"),
    ("nodes['in'].output.totla", "possible-typo?", "Did you mean 'total'?"),
    ("workflow.input.totla", "possible-typo?", "Did you mean 'total'?"),
    ("workflow.input.total.x", "impossible-path", "integer"),
    ("workflow.inptu.total", "impossible-path", "Did you mean 'input'?"),
    ("nodes['in'].output.rows", "impossible-path", "holds the records of 'in'"),
    ("workflow.input.rows[0].email", "impossible-path", "holds the records of 'in'"),
    ("workflow.name", "impossible-path", "'workflow' has no 'name'"),
    ("execution.idd", "impossible-path", "Did you mean 'id'?"),
]


@pytest.mark.parametrize(("expression", "code", "part"), WRONG)
def test_wrong(expression, code, part):
    data = call(expression)
    assert codes(data) == [(code, "/nodes/1/config/mapping/x")]
    assert part in only(data).message


def test_a_closed_schema_makes_other_paths_impossible():
    source = node("in", "input", outputSchema=CLOSED)
    finding = only(call("input.phone", source=source))
    assert finding.code == "impossible-path"
    assert "It has: email, firstName, tags." in finding.message
    assert "Did you mean 'email'?" in only(call("input.emial", source=source)).message


def test_the_nodes_own_input_schema_counts_as_well():
    assert codes(call("input.email.x", source=node("in", "input"), inputSchema=PAGE)) == [
        ("impossible-path", "/nodes/1/config/mapping/x")
    ]


def test_a_batch_sees_the_payload_and_a_record_the_record():
    assert codes(call("input.rows[0].email", provider="acme-batch")) == []
    assert codes(call("input.totla", provider="acme-batch")) == [("possible-typo?", "/nodes/1/config/mapping/x")]
    assert codes(call("input.rows.email", provider="acme-batch")) == [("impossible-path", "/nodes/1/config/mapping/x")]


def test_a_payload_without_collection_is_the_record():
    source = node("in", "input", outputSchema={"type": "object", "properties": {"id": {"type": "string"}}})
    assert codes(call("input.id.x", source=source)) == [("impossible-path", "/nodes/1/config/mapping/x")]


def test_what_a_node_further_up_names_is_no_slip():
    first = node(
        "first",
        "api",
        outputSchema={
            "type": "object",
            "properties": {"rows": {"type": "array", "items": {"type": "object", "properties": {"e-mail": {}}}}},
        },
    )
    last = node("last", "api", inputSchema=PAGE, config={"mapping": {"x": "{{input['e-mail']}}"}})
    assert codes(chain(first, last)) == []
    assert codes(chain(last)) == [("possible-typo?", "/nodes/1/config/mapping/x")]


def test_filters_without_schemas_are_looked_through():
    keep = node("keep", "filter", config={"conditions": [{"field": "email", "operator": "exists"}]})
    data = chain(keep, node("a", "api", config={"mapping": {"x": "{{input.email.x}}"}}), source=SOURCE)
    assert codes(data) == [("impossible-path", "/nodes/2/config/mapping/x")]


def test_of_several_sources_one_is_enough():
    nodes = [
        node("in", "input", outputSchema=CLOSED),
        node("in2", "input"),
        node("a", "api", config={"mapping": {"x": "{{input.phone}}"}}),
        node("out", "output"),
    ]
    assert codes(document(nodes, "in>a in2>a a>out")) == []
    assert codes(document(nodes[:1] + nodes[2:], "in>a a>out")) == [("impossible-path", "/nodes/1/config/mapping/x")]


def test_what_comes_by_an_error_port_is_not_known():
    nodes = [
        node("in", "input"),
        node("a", "api", outputSchema=CLOSED),
        node("b", "api", config={"mapping": {"x": "{{input.error.message}}"}}),
        node("out", "output"),
    ]
    assert codes(document(nodes, "in>a a>out a.error>b b>out")) == []


class TestConditions:
    def data(self, *conditions):
        return chain(node("keep", "filter", config={"conditions": list(conditions)}), source=SOURCE)

    def test_fields_are_paths_into_the_record(self):
        group = {
            "operator": "or",
            "conditions": [{"field": "email", "operator": "exists"}, {"field": "emial", "operator": "exists"}],
        }
        assert codes(self.data(group, {"field": "email.x", "operator": "exists"})) == [
            ("possible-typo?", "/nodes/1/config/conditions/0/conditions/1/field"),
            ("impossible-path", "/nodes/1/config/conditions/1/field"),
        ]

    def test_a_branch_may_ask_the_payload(self):
        config = {"condition": {"field": "totla", "operator": "exists"}, "scope": "payload"}
        nodes = [SOURCE, node("br", "branch", config=config), node("out", "output")]
        assert codes(document(nodes, "in>br br.true>out")) == [("possible-typo?", "/nodes/1/config/condition/field")]
        nodes[1]["config"]["scope"] = "record"
        assert codes(document(nodes, "in>br br.true>out")) == []

    def test_values_are_templates(self):
        condition = {"field": "email", "operator": "equals", "value": "{{nodes['inn'].output.x}}"}
        assert codes(self.data(condition)) == [("unknown-node", "/nodes/1/config/conditions/0/value")]


def test_a_message_ends_with_one_mark():
    assert only(call("upercase(input.name)")).message.endswith("did you mean 'uppercase'?")


class TestSecrets:
    def data(self):
        config = {"mapping": {"x": "{{secrets.apiKye}}", "y": "{{secrets.token}}"}}
        return chain(node("a", "api", config=config))

    def test_unknown_ones_are_found_where_the_known_ones_are_given(self):
        assert codes(self.data(), secrets_known=["apiKey", "token"]) == [
            ("unknown-secret", "/nodes/1/config/mapping/x")
        ]
        assert "Did you mean 'apiKey'?" in only(self.data(), secrets_known=["apiKey", "token"]).message
        assert len(findings(self.data(), secrets_known=[])) == 2

    def test_where_one_is_set_is_told(self):
        assert "set LUMEFLOW_SECRET_apiKye in the environment" in only(self.data(), secrets_known=["token"]).message

    def test_they_are_left_alone_where_these_are_not_known(self):
        assert codes(self.data()) == []


def test_references_to_nodes_that_could_not_be_read_are_left_alone():
    data = call("nodes['lost'].output.x")
    data["nodes"].append({"id": "lost", "type": "?"})
    assert codes(data) == [("unknown-value", "/nodes/3/type")]


def test_in_a_cycle_only_the_cycle_is_reported():
    nodes = [
        SOURCE,
        node("a", "api", config={"mapping": {"x": "{{nodes['b'].output.x}}"}}),
        node("b", "api"),
        node("out", "output"),
    ]
    assert codes(document(nodes, "in>a a>b b>a b>out")) == [("cycle", "/edges/2")]
