"""A payload's schema is split into records and fields."""

import pytest

from lumeflow.core.schemas import SchemaLibrary, payload_schema, record_properties

ROWS = {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}


def split(schema, *, collection=None, named=None):
    library = SchemaLibrary({"nodes": [{"outputSchema": schema}], "schemas": named or {}})
    assert not library.findings
    return payload_schema(library, library.node_schema(0, "outputSchema"), collection)


def candidates(schema, named=None):
    library = SchemaLibrary({"nodes": [{"outputSchema": schema}], "schemas": named or {}})
    return record_properties(library, library.node_schema(0, "outputSchema"))


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, []),
        ({"rows": ROWS}, ["rows"]),
        ({"rows": ROWS, "more": ROWS}, ["rows", "more"]),
        ({"urls": {"type": "array", "items": {"type": "string"}}}, []),
        ({"rows": {"type": "array"}}, []),
        ({"rows": {"type": ["array", "null"], "items": {"type": ["object", "null"]}}}, ["rows"]),
        ({"rows": {"type": ["array", "string"], "items": {"type": "object"}}}, []),
        ({"rows": {"type": "array", "items": {"properties": {"a": {}}}}}, ["rows"]),
        ({"rows": {"$ref": "#/schemas/rows"}}, ["rows"]),
        ({"rows": {"type": "array", "items": {"allOf": [{"$ref": "#/schemas/row"}, {"required": ["a"]}]}}}, ["rows"]),
    ],
)
def test_the_collection_is_the_one_array_of_objects(properties, expected):
    named = {"rows": ROWS, "row": {"type": "object"}}
    assert candidates({"type": "object", "properties": properties}, named) == expected


def test_it_is_found_through_references_and_all_of():
    page = {"allOf": [{"$ref": "#/schemas/base"}, {"properties": {"rows": ROWS}}]}
    assert candidates(page, {"base": {"type": "object", "properties": {"a": {"type": "string"}}}}) == ["rows"]


def test_records_and_fields_are_checked_apart():
    payload = split(
        {"type": "object", "properties": {"rows": ROWS, "total": {"type": "integer"}}, "required": ["rows", "total"]}
    )
    assert payload.collection == "rows"
    assert payload.required
    assert payload.record.check({"n": "5"}).value == {"n": 5}
    assert payload.record.check({}).problems[0].expected == 'the key "n"'
    assert payload.check_fields({"total": 3}).problems == ()
    assert payload.check_fields({}).problems[0].expected == 'the key "total"'
    checked = payload.check_fields({"total": "3"})
    assert (checked.value, checked.coercions) == ({"total": 3}, 1)


def test_without_a_collection_the_payload_is_one_record():
    payload = split({"type": "object", "properties": {"a": {"type": "integer"}}})
    assert (payload.collection, payload.record, payload.required) == (None, None, False)
    assert payload.check_fields({"a": "1"}).value == {"a": 1}


def test_limits_on_the_number_of_records_are_known():
    payload = split({"properties": {"rows": {"allOf": [{**ROWS, "minItems": 1, "maxItems": 9}, {"minItems": 2}]}}})
    assert (payload.min_records, payload.max_records) == (2, 9)
    assert payload.check_fields({}).problems == ()


def test_configuration_chooses_where_the_schema_does_not():
    schema = {"properties": {"rows": ROWS, "more": {"type": "array", "items": {"type": "object"}}}}
    assert split(schema).collection is None
    payload = split(schema, collection="rows")
    assert payload.record is not None
    assert payload.check_fields({"more": []}).problems == ()
    assert payload.check_fields({"more": 5}).problems
    assert split(schema, collection="unsaid").record is None


def test_closed_payloads_and_those_of_several_layers():
    base = {"type": "object", "properties": {"rows": ROWS, "a": {"type": "string"}}, "additionalProperties": False}
    payload = split({"$ref": "#/schemas/base"}, named={"base": base})
    assert payload.check_fields({"a": "x"}).problems == ()
    assert payload.check_fields({"b": "x"}).problems
    layered = {
        "allOf": [{"$ref": "#/schemas/base"}, {"properties": {"rows": {"minItems": 1}}}],
        "unevaluatedProperties": False,
    }
    open_base = {key: value for key, value in base.items() if key != "additionalProperties"}
    payload = split(layered, named={"base": open_base})
    assert payload.check_fields({"a": "x"}).problems == ()
    assert payload.check_fields({"b": "x"}).problems


def test_what_several_schemas_say_of_a_record_all_holds():
    page = {
        "properties": {
            "rows": {
                "type": "array",
                "items": {"allOf": [{"$ref": "#/schemas/row"}, {"properties": {"b": {"type": "integer"}}}]},
            }
        }
    }
    payload = split(page, named={"row": {"type": "object", "properties": {"a": {"type": "integer"}}}})
    assert payload.record.check({"a": "1", "b": "2"}).value == {"a": 1, "b": 2}
