"""Typed placeholders of templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.core.placeholders import DECLARED, LARGEST, PlaceholderError, declared, filled

MOST = {"most": {"type": "integer", "minimum": 1, "default": 100}}


def template(schemas, **content):
    return {DECLARED: schemas, **content}


@pytest.mark.parametrize(
    ("text", "value", "made"),
    [
        ("${x}", 5, 5),
        ("${x}", [1, {"a": None}], [1, {"a": None}]),
        ("${x}", None, None),
        ("up to ${x} of ${x}", 5, "up to 5 of 5"),
        ("is ${x}", True, "is true"),
        ("is ${x}", ["a"], 'is ["a"]'),
        ("is '${x}'", None, "is ''"),
        ("$${x} is ${x}", "a", "${x} is a"),
        ("$${x}", "a", "${x}"),
        ("{{input.x}} $5 ${x}", "{{input.y}}", "{{input.x}} $5 {{input.y}}"),
        ("${x}", "${x}", "${x}"),
    ],
)
def test_values_take_the_place_of_placeholders(text, value, made):
    document = template({"x": {}}, nodes=[{"id": "a", "config": {"most": text, "${x}": 1}}])
    assert filled(document, {"x": value}) == {"nodes": [{"id": "a", "config": {"most": made, "${x}": 1}}]}


def test_defaults_stand_for_what_is_left_out():
    document = template(MOST, globals={"limits": {"records": "${most}"}})
    assert filled(document, {}) == {"globals": {"limits": {"records": 100}}}
    assert filled(document, {"most": 5}) == {"globals": {"limits": {"records": 5}}}


def test_a_document_that_declares_none_stays_as_it_is():
    document = {"nodes": [{"config": {"code": "`${record.name}` $${x}"}}]}
    assert filled(document, {}) == document


@pytest.mark.parametrize(
    ("schemas", "values", "name", "reason"),
    [
        ({"x": {"type": "integer"}}, {}, "x", "a value is needed"),
        ({"x": {"type": "integer"}}, {"x": "s3cret"}, "x", "the value is not as 'type' asks for"),
        ({"x": {"enum": ["a"]}}, {"x": "s3cret"}, "x", "'enum'"),
        ({"x": {"items": {"type": "string"}}}, {"x": ["a", 3]}, "x", "1 is not as 'items/type' asks for"),
        ({"x": {"format": "email", "type": "string"}}, {"x": "s3cret"}, "x", "'format'"),
        (MOST, {"mots": 3}, "mots", "most"),
    ],
)
def test_values_that_do_not_fit_are_told_without_the_value(schemas, values, name, reason):
    with pytest.raises(PlaceholderError) as caught:
        filled(template(schemas), values)
    (problem,) = caught.value.problems
    assert problem.name == name
    assert reason in problem.message
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({DECLARED: []}, ""),
        ({DECLARED: {"a b": {}}}, "a b"),
        ({DECLARED: {"x": 1}}, "x"),
        ({DECLARED: {"x": {"type": "whole"}}}, "x"),
        ({DECLARED: {"x": {"$ref": "https://example.com/"}}}, "x"),
        ({DECLARED: {"x": {"type": "integer", "default": "a"}}}, "x"),
        ({DECLARED: MOST, "name": "${mots}"}, "mots"),
        ({DECLARED: MOST, "name": "a ${} b"}, ""),
    ],
)
def test_what_is_declared_wrongly_is_told(document, name):
    with pytest.raises(PlaceholderError) as caught:
        declared(document)
    assert [problem.name for problem in caught.value.problems] == [name]


def test_all_problems_are_told_at_once():
    with pytest.raises(PlaceholderError) as caught:
        filled(template({"x": {}, "y": {"type": "string"}}), {"y": 1, "z": 2})
    assert {problem.name for problem in caught.value.problems} == {"x", "y", "z"}


def test_values_do_not_grow_without_bound():
    document = template({"x": {}}, nodes=["${x}"] * 100)
    with pytest.raises(PlaceholderError, match="bytes"):
        filled(document, {"x": "a" * (LARGEST // 100)})


@given(st.text("${}xy ", max_size=20))
def test_any_text_is_filled_or_refused(text):
    try:
        made = filled(template({"x": {}}, name=text), {"x": "v"})
    except PlaceholderError:
        return
    assert isinstance(made["name"], str)
