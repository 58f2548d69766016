"""Declaring schemas inline and pointing at them: what resolves, and what is said where something does not."""

from urllib.parse import quote

import orjson
import pytest

from lumeflow.core.schemas import SchemaLibrary, checker
from lumeflow.core.schemas.compatibility import Comparison
from lumeflow.core.schemas.paths import dead_end
from lumeflow.workflows import source

CONTACT = {"type": "object", "properties": {"email": {"type": "string", "format": "email"}}, "required": ["email"]}


def library(*schemas, named=None):
    nodes = [{"id": f"n{index}", "type": "api", "outputSchema": schema} for index, schema in enumerate(schemas)]
    return SchemaLibrary({"nodes": nodes, "schemas": named or {}})


def found(made):
    return [(finding.code, finding.pointer) for finding in made.findings]


def accepts(made, index, value):
    return checker(made, (made.node_schema(index, "outputSchema"),)).is_valid(value)


def test_the_installed_workflow_is_lifted_without_findings():
    made = SchemaLibrary(orjson.loads(source("lead-enrichment-v1")))
    assert made.findings == ()
    assert list(made.origins) == ["sourceAudience", "scrapedComments", "extractedContacts", "enrichedContacts"]
    assert made.origins["enrichedContacts"] == ("nodes", 3, "outputSchema")


REFERENCES = [
    ("where it was declared", "#/nodes/0/outputSchema"),
    ("where it was declared, from inside", "#/nodes/0/outputSchema/properties/first/items"),
    ("inside a lifted schema", "#/schemas/page/properties/first/items"),
    ("inside the declaration of another", "#/nodes/0/outputSchema/properties/second/$defs/inner"),
    ("with escapes", "#/schemas/page/properties/a~1b%20c"),
]


@pytest.mark.parametrize("reference", [case[1] for case in REFERENCES], ids=[case[0] for case in REFERENCES])
def test_a_reference_finds_its_schema_also_by_the_path_it_was_written_at(reference):
    page = {
        "$id": "#/schemas/page",
        "type": "object",
        "properties": {
            "first": {"type": "array", "items": {"type": "object"}},
            "second": {"$id": "#/schemas/second", "$defs": {"inner": {"type": "object"}}},
            "a/b c": {"type": "object"},
        },
    }
    made = library(page, {"$ref": reference})
    assert found(made) == []
    assert accepts(made, 1, {})
    assert not accepts(made, 1, 5)


@pytest.mark.parametrize("name", ["50%25 off", "naïve ✓", 'a"b', "x#y", "~tilde/slash", "a b"])
def test_names_may_be_written_with_any_letters(name):
    reference = "#/schemas/" + quote(name.replace("~", "~0").replace("/", "~1"))
    made = library({"$ref": reference}, named={name: {"type": "object"}})
    assert found(made) == []
    assert accepts(made, 0, {})
    assert not accepts(made, 0, 5)


def test_nested_declarations_are_lifted_too():
    page = {"type": "object", "properties": {"contact": {"$id": "#/schemas/contact", **CONTACT}}}
    made = library(page, {"$ref": "#/schemas/contact"})
    assert found(made) == []
    assert accepts(made, 1, {"email": "mira@example.com"})
    assert not accepts(made, 0, {"contact": {}})


def test_a_property_called_id_is_no_declaration():
    schema = {"type": "object", "properties": {"$id": {"type": "string"}, "$ref": {"type": "integer"}}}
    made = library(schema)
    assert found(made) == []
    assert not accepts(made, 0, {"$id": 5})
    assert not accepts(made, 0, {"$ref": "x"})


def test_data_in_a_schema_is_no_declaration():
    made = library({"const": {"$id": "#/schemas/x"}, "examples": [{"$ref": "#/nowhere"}]})
    assert found(made) == []
    assert list(made.origins) == []


def test_the_same_body_twice_is_no_conflict_and_formats_are_asserted():
    made = library({"$id": "#/schemas/contact", **CONTACT}, named={"contact": dict(reversed(CONTACT.items()))})
    assert found(made) == []
    assert not accepts(made, 0, {"email": "nobody"})


def test_recursion_through_properties_is_legal():
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/schemas/tree"}}}}
    made = library({"$ref": "#/schemas/tree"}, named={"tree": tree})
    assert found(made) == []
    assert accepts(made, 0, {"children": [{"children": []}]})
    assert not accepts(made, 0, {"children": [{"children": [1]}]})


FAULTS = [
    (
        "conflict",
        [{"$id": "#/schemas/a", "type": "object"}, {"$id": "#/schemas/a", "type": "array"}],
        {},
        [("schema-conflict", "/nodes/1/outputSchema", "/nodes/0/outputSchema")],
    ),
    ("foreign id", [{"$id": "https://example.com/x"}], {}, [("invalid-schema-id", "/nodes/0/outputSchema/$id", "#/schemas/NAME")]),
    ("nowhere", [{"$ref": "#/schemas/contakt"}], {"contact": CONTACT}, [("unresolved-ref", "/nodes/0/outputSchema/$ref", "Did you mean 'contact'?")]),
    ("deep nowhere", [{"$ref": "#/schemas/contact/properties/emial"}], {"contact": CONTACT}, [("unresolved-ref", "/nodes/0/outputSchema/$ref", "Did you mean 'email'?")]),
    ("not a schema", [{"$ref": "#/schemas/contact/properties/email/type"}], {"contact": CONTACT}, [("unresolved-ref", "/nodes/0/outputSchema/$ref", "no schema")]),
    ("the whole", [{"$ref": "#"}], {}, [("unresolved-ref", "/nodes/0/outputSchema/$ref", "#/schemas/NAME")]),
    ("a node", [{"$ref": "#/nodes/0"}], {}, [("unresolved-ref", "/nodes/0/outputSchema/$ref", "no schema")]),
    ("elsewhere", [{"$ref": "https://example.com/s.json"}], {}, [("unresolved-ref", "/nodes/0/outputSchema/$ref", "Nothing is fetched")]),
    ("no text", [{"$ref": ["#/schemas/contact"]}], {}, [("unresolved-ref", "/nodes/0/outputSchema/$ref", "no text")]),
    ("anchor", [{"$ref": "#contact"}], {}, [("unresolved-ref", "/nodes/0/outputSchema/$ref", "only places in this document")]),
    ("loop of one", [{"$ref": "#/schemas/a"}], {"a": {"$ref": "#/schemas/a"}}, [("ref-loop", "/schemas/a/$ref", "back to itself")]),
    ("loop of two", [], {"a": {"allOf": [{"$ref": "#/schemas/b"}]}, "b": {"$ref": "#/schemas/a"}}, [("ref-loop", "/schemas/b/$ref", "back to itself")]),
    ("type", [{"type": "strin"}], {}, [("invalid-schema", "/nodes/0/outputSchema/type", "Did you mean 'string'?")]),
    ("type list", [{"type": ["string", "nul"]}], {}, [("invalid-schema", "/nodes/0/outputSchema/type", "array, boolean, integer")]),
    ("required", [{"required": "email"}], {}, [("invalid-schema", "/nodes/0/outputSchema/required", "expected array, found a string of 5")]),
    ("deep", [{"properties": {"a": {"minimum": "1"}}}], {}, [("invalid-schema", "/nodes/0/outputSchema/properties/a/minimum", "expected number")]),
    ("pattern", [{"pattern": "("}], {}, [("invalid-schema", "/nodes/0/outputSchema/pattern", "regular expression")]),
    ("look-ahead", [{"pattern": "(?=a)a"}], {}, [("invalid-schema", "/nodes/0/outputSchema/pattern", "look-around")]),
    ("pattern of names", [{"patternProperties": {"(a)\\1": {}}}], {}, [("invalid-schema", "/nodes/0/outputSchema/patternProperties/(a)\\1", "back-references")]),
    ("dialect", [{"$schema": "http://json-schema.org/draft-07/schema#"}], {}, [("invalid-schema", "/nodes/0/outputSchema/$schema", "2020-12")]),
    ("dynamic", [{"$dynamicRef": "#a"}], {}, [("invalid-schema", "/nodes/0/outputSchema/$dynamicRef", "use '$ref'")]),
    ("keyword", [{"requird": ["a"]}], {}, [("unknown-keyword", "/nodes/0/outputSchema/requird", "Did you mean 'required'?")]),
    ("format", [{"format": "emial"}], {}, [("unknown-format", "/nodes/0/outputSchema/format", "Did you mean 'email'?")]),
    ("not an object", [{"properties": []}], {}, [("invalid-schema", "/nodes/0/outputSchema/properties", "expected object")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("schemas", "named", "expected"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_faults(schemas, named, expected):
    made = library(*schemas, named=named)
    assert found(made) == [(code, pointer) for code, pointer, _ in expected]
    for finding, (_, _, part) in zip(made.findings, expected, strict=True):
        assert part in finding.message


def test_findings_inside_a_lifted_schema_point_at_where_it_was_written():
    page = {"properties": {"a": {"$id": "#/schemas/inner", "properties": {"b": {"type": "strin"}}}}}
    assert found(library(page)) == [("invalid-schema", "/nodes/0/outputSchema/properties/a/properties/b/type")]


def test_all_faults_come_at_once():
    made = library({"type": "strin", "$ref": "#/x"}, {"$id": "x", "format": "emial"})
    assert sorted(code for code, _ in found(made)) == [
        "invalid-schema", "invalid-schema-id", "unknown-format", "unresolved-ref",
    ]  # fmt: skip


def test_annotations_of_other_dialects_are_no_slips():
    assert found(library({"example": 1, "nullable": True, "x-own": 2, "title": "t"})) == []


@pytest.mark.parametrize("length", [190, 3_000])
def test_chains_of_references_have_an_end(length):
    named = {f"s{index}": {"$ref": f"#/schemas/s{index + 1}"} for index in range(length)}
    made = library({"$ref": "#/schemas/s0"}, named=named | {f"s{length}": {"type": "object"}})
    assert {code for code, _ in found(made)} == (set() if length < 200 else {"too-deep"})
    assert accepts(made, 0, {})
    assert length > 200 or not accepts(made, 0, 5)


def test_deep_schemas_need_no_deep_recursion():
    named = {
        f"s{index}": {"type": "object", "properties": {"x": {"$ref": f"#/schemas/s{index + 1}"}}}
        for index in range(3_000)
    }
    made = library({"$ref": "#/schemas/s0"}, named=named | {"s3000": {"type": "integer"}})
    assert found(made) == []
    assert accepts(made, 0, {"x": {"x": {}}})
    assert Comparison(made).mismatches(made.named("s0"), made.named("s1")) == ()
    assert dead_end(made, (made.named("s0"),), ["x"] * 3_000) is None


@pytest.mark.parametrize(
    "strange", [{"nodes": 5, "schemas": []}, {}, {"nodes": [1, {"outputSchema": 3}]}, {"schemas": {"a": 1}}]
)
def test_documents_of_another_shape_do_no_harm(strange):
    assert SchemaLibrary(strange).findings == ()
