"""Promise against requirement, a line each."""

import pytest

from lumeflow.core.schemas import SchemaLibrary
from lumeflow.core.schemas.compatibility import Comparison

NAMED = {
    "n": {"type": "number"},
    "person": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    "tree": {"type": "object", "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/schemas/tree"}}},
}
STRING, INTEGER, NUMBER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "null"}


def object_of(required=(), closed=False, **properties):
    schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return schema | ({"additionalProperties": False} if closed else {})


def array_of(items):
    return {"type": "array", "items": items}


def mismatches(promise, requirement):
    library = SchemaLibrary({"nodes": [{"outputSchema": promise, "inputSchema": requirement}], "schemas": NAMED})
    assert not [finding for finding in library.findings if finding.severity == "error"]
    found = Comparison(library).mismatches(
        library.node_schema(0, "outputSchema"), library.node_schema(0, "inputSchema")
    )
    return [(each.path, each.promised, each.required) for each in found]


SATISFIED = [
    (STRING, STRING),
    (INTEGER, NUMBER),
    ({}, STRING),
    (STRING, {}),
    (STRING, True),
    (False, STRING),
    (STRING, {"type": ["string", "null"]}),
    ({"enum": ["a"]}, {"enum": ["a", "b"]}),
    ({"const": "a"}, {"enum": ["a", "b"]}),
    ({"const": "a"}, STRING),
    ({"enum": [1, 2]}, INTEGER),
    ({"type": "string", "format": "email"}, {"type": "string", "format": "email"}),
    ({"type": "string", "format": "email"}, STRING),
    (object_of(a=STRING), object_of(a=STRING)),
    (object_of(("a",), a=STRING, b=STRING), object_of(("a",), a=STRING)),
    (object_of(b=INTEGER), object_of(a=STRING)),
    (object_of(), object_of(a=STRING, closed=True)),
    (array_of(INTEGER), array_of(NUMBER)),
    ({"type": "array"}, array_of(STRING)),
    ({"$ref": "#/schemas/person"}, object_of(("name",), name=STRING)),
    ({"allOf": [object_of(a=STRING), {"required": ["a"]}]}, object_of(("a",), a=STRING)),
    ({"anyOf": [STRING, NULL]}, {"type": ["string", "null"]}),
    (STRING, {"anyOf": [INTEGER, STRING]}),
    ({"anyOf": [STRING, INTEGER]}, {"oneOf": [INTEGER, STRING]}),
    ({"$ref": "#/schemas/tree"}, {"$ref": "#/schemas/tree"}),
    ({"$ref": "#/schemas/tree"}, object_of(value=NUMBER, next=object_of(next=object_of(value=NUMBER)))),
    ({"type": "string", "minLength": 1}, {"type": "string", "minLength": 5}),
    (object_of(a={"if": STRING}), object_of(a={"not": NULL})),
    (object_of(a=False), object_of(closed=True)),
    ({"type": "object", "additionalProperties": STRING}, {"type": "object", "additionalProperties": STRING}),
]


@pytest.mark.parametrize(("promise", "requirement"), SATISFIED)
def test_satisfied(promise, requirement):
    assert mismatches(promise, requirement) == []


FALLS_SHORT = [
    (STRING, INTEGER, [("", "string", "integer")]),
    (NUMBER, INTEGER, [("", "number", "integer")]),
    ({"type": ["string", "null"]}, STRING, [("", "null or string", "string")]),
    (STRING, False, [("", "a value", "none")]),
    (STRING, {"enum": ["a", "b"]}, [("", "any string", '"a" or "b"')]),
    ({"enum": ["a", "c", "d"]}, {"enum": ["a", "b"]}, [("", '"c" or "d"', '"a" or "b"')]),
    ({"const": 1}, {"const": 2}, [("", "1", "2")]),
    ({"const": True}, {"enum": [1]}, [("", "boolean", "integer")]),
    ({"enum": ["a"]}, INTEGER, [("", "string", "integer")]),
    (
        {"type": "string", "format": "date"},
        {"type": "string", "format": "email"},
        [("", "format date", "format email")],
    ),
    (STRING, {"type": "string", "format": "email"}, [("", "any string", "format email")]),
    (object_of(a=STRING), object_of(a=INTEGER), [("a", "string", "integer")]),
    (object_of(a=STRING), object_of(("a",), a=STRING), [("a", "optional", "required")]),
    (object_of(), object_of(("a",), a=STRING), [("a", "not promised", "required")]),
    (object_of(a=STRING, b=STRING), object_of(a=STRING, closed=True), [("b", "may be there", "not accepted")]),
    (array_of(STRING), array_of(INTEGER), [("[]", "string", "integer")]),
    (STRING, array_of(STRING), [("", "string", "array")]),
    (
        object_of(contacts=array_of(object_of(age=STRING))),
        object_of(contacts=array_of(object_of(("email",), age=INTEGER))),
        [("contacts[].email", "not promised", "required"), ("contacts[].age", "string", "integer")],
    ),
    ({"$ref": "#/schemas/person"}, object_of(name=INTEGER), [("name", "string", "integer")]),
    ({"anyOf": [STRING, INTEGER]}, STRING, [("", "integer", "string")]),
    (STRING, {"anyOf": [INTEGER, NULL]}, [("", "string", "integer")]),
    ({"allOf": [object_of(a=STRING), object_of(b=STRING)]}, object_of(b=INTEGER), [("b", "string", "integer")]),
    ({"$ref": "#/schemas/tree"}, object_of(next=object_of(value=STRING)), [("next.value", "integer", "string")]),
    (
        object_of(a=STRING, b=STRING),
        object_of(a={"anyOf": [{"$ref": "#/schemas/n"}, STRING]}, b={"$ref": "#/schemas/n"}),
        [("b", "string", "number")],
    ),
    (
        array_of(array_of(object_of(a=STRING))),
        array_of(array_of(object_of(a=INTEGER))),
        [("[][].a", "string", "integer")],
    ),
    (
        {"type": "object", "additionalProperties": STRING},
        object_of(a=INTEGER),
        [("a", "string", "integer")],
    ),
]


@pytest.mark.parametrize(("promise", "requirement", "expected"), FALLS_SHORT)
def test_falls_short(promise, requirement, expected):
    assert mismatches(promise, requirement) == expected


def test_a_format_that_is_not_promised_is_not_serious():
    library = SchemaLibrary({"schemas": {"a": STRING, "b": {"type": "string", "format": "email"}}})
    (mismatch,) = Comparison(library).mismatches(library.named("a"), library.named("b"))
    assert not mismatch.serious


def test_choices_upon_choices_end():
    wide = {"allOf": [{"anyOf": [object_of(**{f"p{i}": STRING}), object_of(**{f"q{i}": STRING})]} for i in range(30)]}
    assert mismatches(wide, object_of(x=STRING)) == []
