"""Connections are type-checked."""

import pytest

from .documents import chain, codes, document, findings, node, only

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def page(required=(), name="rows", **properties):
    item = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "object", "properties": {name: {"type": "array", "items": item}}}


def joined(promise, requirement, **changes):
    return chain(node("a", "api", outputSchema=promise), node("b", "api", inputSchema=requirement, **changes))


def test_a_promise_that_satisfies():
    assert codes(joined(page(("email",), email=STRING), page(("email",), email=STRING))) == []


@pytest.mark.parametrize(
    ("promise", "requirement", "part"),
    [
        (page(email=INTEGER), page(email=STRING), "'rows[].email': 'a' promises integer, but 'b' requires string."),
        (page(email=STRING), page(("email",), email=STRING), "'a' promises optional, but 'b' requires required"),
        (page(), page(("email",), email=STRING), "not promised"),
        (page(kind={"enum": ["a", "b"]}), page(kind={"enum": ["a"]}), 'promises "b", but \'b\' requires "a"'),
        (page(a=STRING), page(a=STRING) | {"type": "array"}, "the payload"),
        (
            page(a=STRING, name="people"),
            page(a=STRING),
            "sends its records as 'people', but 'b' takes them from 'rows'",
        ),
    ],
)
def test_one_that_does_not(promise, requirement, part):
    finding = only(joined(promise, requirement))
    assert (finding.code, finding.pointer, finding.edge) == ("incompatible-connection", "/edges/1", "a→b")
    assert part in finding.message
    assert "outputSchema" in finding.message or "transform" in finding.message


def test_a_format_that_is_not_promised_is_a_warning():
    assert codes(joined(page(email=STRING), page(email=STRING | {"format": "email"}))) == [
        ("format-not-promised?", "/edges/1")
    ]


@pytest.mark.parametrize(
    ("promise", "requirement"), [(None, page(("a",), a=STRING)), (page(a=STRING), None), (None, None)]
)
def test_without_a_schema_on_one_side_nothing_is_checked(promise, requirement):
    assert codes(joined(promise, requirement)) == []


def test_filters_and_branches_are_looked_through():
    nodes = [
        node("in", "input", outputSchema=page(email=INTEGER)),
        node("keep", "filter"),
        node("br", "branch", config={"branches": {"true": "b", "false": "out"}}),
        node("b", "api", inputSchema=page(email=STRING)),
        node("out", "output"),
    ]
    finding = only(document(nodes, "in>keep keep>br b>out"))
    assert (finding.code, finding.pointer) == ("incompatible-connection", "/nodes/2/config")
    assert "'in' promises integer" in finding.message


def test_a_filters_own_schema_is_its_own_promise():
    keep = node("keep", "filter", outputSchema=page(email=STRING))
    source = node("in", "input", outputSchema=page(email=INTEGER))
    assert codes(chain(keep, node("b", "api", inputSchema=page(email=STRING)), source=source)) == []


def test_error_ports_and_merges_are_not_compared():
    nodes = [
        node("in", "input", outputSchema=page(a=STRING)),
        node("m", "merge", inputSchema=page(("b",), b=STRING)),
        node("c", "api", inputSchema=page(("error",))),
        node("out", "output"),
    ]
    assert codes(document(nodes, "in>m m>out m.error>c c>out")) == []


def test_every_mismatch_is_named():
    promise, requirement = page(a=STRING, b=STRING), page(("c",), a=INTEGER, b=INTEGER)
    assert [each.message.split(":")[0] for each in findings(joined(promise, requirement))] == [
        "'rows[].c'", "'rows[].a'", "'rows[].b'",
    ]  # fmt: skip


TWO = {
    "type": "object",
    "properties": {name: {"type": "array", "items": {"type": "object"}} for name in ("rows", "people")},
}


class TestCollections:
    def test_two_arrays_of_objects_need_a_choice(self):
        data = chain(node("a", "api", inputSchema=TWO, outputSchema=TWO))
        assert codes(data) == [
            ("ambiguous-collection", "/nodes/1/inputSchema"),
            ("ambiguous-collection", "/nodes/1/outputSchema"),
        ]
        assert "rows or people" in findings(data)[0].message

    def test_the_choice_settles_it(self):
        assert codes(chain(node("a", "api", inputSchema=TWO, config={"collection": "people"}))) == []

    def test_blocks_that_take_whole_payloads_need_none(self):
        assert codes(chain(node("m", "merge", inputSchema=TWO))) == []

    @pytest.mark.parametrize(
        ("chosen", "schema", "wrong"),
        [
            ("more", TWO, False),
            ("rows", TWO | {"additionalProperties": False}, False),
            ("more", TWO | {"additionalProperties": False}, True),
            ("total", {"properties": {"total": {"type": "integer"}}}, True),
            ("rows", {"properties": {"rows": {"type": "array"}}}, False),
        ],
    )
    def test_a_choice_must_be_possible(self, chosen, schema, wrong):
        found = codes(chain(node("a", "api", inputSchema=schema, config={"collection": chosen})))
        assert found == ([("invalid-collection", "/nodes/1/config/collection")] if wrong else [])

    def test_what_cannot_be_checked_record_by_record_is_a_warning(self):
        schema = {"properties": {"rows": {"type": "array", "uniqueItems": True, "items": {"type": "object"}}}}
        assert codes(chain(node("a", "api", inputSchema=schema))) == [("unchecked-keyword?", "/nodes/1/inputSchema")]


def test_a_promise_is_passed_on_through_a_long_chain():
    filters = [node(f"f{number}", "filter") for number in range(1_500)]
    last = node("b", "api", inputSchema=page(email=STRING))
    finding = only(chain(*filters, last, source=node("in", "input", outputSchema=page(email=INTEGER))))
    assert (finding.code, finding.edge) == ("incompatible-connection", "f1499→b")


def test_a_promise_that_comes_by_very_many_ways_is_looked_at_once():
    nodes, edges, last = [node("in", "input", outputSchema=page(email=INTEGER))], [], "in"
    for number in range(40):
        names = [f"{side}{number}" for side in ("l", "r", "m")]
        nodes += [node(name, "filter") for name in names]
        edges += [f"{last}>{names[0]}", f"{last}>{names[1]}", f"{names[0]}>{names[2]}", f"{names[1]}>{names[2]}"]
        last = names[2]
    nodes += [node("b", "api", inputSchema=page(email=STRING)), node("out", "output")]
    finding = only(document(nodes, " ".join([*edges, f"{last}>b", "b>out"])))
    assert (finding.code, finding.edge) == ("incompatible-connection", f"{last}→b")
