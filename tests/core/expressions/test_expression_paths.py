"""Paths into values."""

import pytest

from lumeflow.core.expressions import MISSING, ExpressionError, Path, compile_path

PERSON = {
    "employment_history": [{"organization_name": "Example Freight"}, {"organization_name": None}],
    "contact": {"phone_numbers": [{"raw_number": "+1 555 0100"}]},
    "First Name": "Mira",
    "a.b": {"c-d": 1},
    "it's": 2,
}


@pytest.mark.parametrize(
    ("path", "parts", "value"),
    [
        ("employment_history[0].organization_name", ("employment_history", 0, "organization_name"), "Example Freight"),
        ("employment_history[-1].organization_name", ("employment_history", -1, "organization_name"), None),
        ("employment_history[2].organization_name", ("employment_history", 2, "organization_name"), MISSING),
        ("contact.phone_numbers[0].raw_number", ("contact", "phone_numbers", 0, "raw_number"), "+1 555 0100"),
        ("contact.phone_numbers[ 0 ]", ("contact", "phone_numbers", 0), {"raw_number": "+1 555 0100"}),
        ("First Name", ("First Name",), "Mira"),
        ("['a.b'].c-d", ("a.b", "c-d"), 1),
        ("['a.b']['c-d']", ("a.b", "c-d"), 1),
        (r"['it\'s']", ("it's",), 2),
        ('["it\'s"]', ("it's",), 2),
        ("contact.not.there", ("contact", "not", "there"), MISSING),
        ("contact[0]", ("contact", 0), MISSING),
        ("employment_history.0", ("employment_history", "0"), MISSING),
        ("First Name.upper", ("First Name", "upper"), MISSING),
        ("First Name[0]", ("First Name", 0), MISSING),
    ],
)
def test_a_path_leads_to_a_value_or_to_nothing(path, parts, value):
    compiled = compile_path(path)
    assert compiled.parts == parts
    assert compiled.source == path
    found = compiled.get(PERSON)
    assert found is value if value is MISSING else found == value


@pytest.mark.parametrize("value", [None, 5, "text", [], object()])
def test_a_path_into_something_else_leads_to_nothing(value):
    assert compile_path("a.b").get(value) is MISSING


@pytest.mark.parametrize(
    "path",
    [
        "",
        "  ",
        ".",
        "a.",
        ".a",
        "a..b",
        "a[",
        "a[x]",
        "a[0",
        "a]0[",
        "a[0]b",
        "['a'b]",
        "{{input.a}}",
        "a[1.5]",
        "a. .b",
    ],
)
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ExpressionError):
        compile_path(path)


def test_a_template_for_a_path_is_told_apart():
    with pytest.raises(ExpressionError, match="a path is written bare"):
        compile_path("{{input.email}}")


def test_long_paths_are_refused():
    with pytest.raises(ExpressionError, match="more than 1,000 characters"):
        compile_path("a" * 1001)
    with pytest.raises(ExpressionError, match="more than 64 parts"):
        compile_path(".".join(["a"] * 65))


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a", {}, {"a": 9}),
        ("a", None, {"a": 9}),
        ("a", {"a": 1, "b": 2}, {"a": 9, "b": 2}),
        ("a.b.c", {"a": {"x": 1}}, {"a": {"x": 1, "b": {"c": 9}}}),
        ("a.b", {"a": None}, {"a": {"b": 9}}),
        ("a[0]", {}, {"a": [9]}),
        ("a[1]", {"a": [1, 2]}, {"a": [1, 9]}),
        ("a[2]", {"a": [1, 2]}, {"a": [1, 2, 9]}),
        ("a[-1].b", {"a": [1, {"c": 2}]}, {"a": [1, {"c": 2, "b": 9}]}),
        ("[0]", [1], [9]),
    ],
)
def test_setting_gives_a_changed_copy(path, before, after):
    kept = repr(before)
    assert compile_path(path).set(before, 9) == after
    assert repr(before) == kept


def test_setting_shares_what_is_not_on_the_way():
    before = {"a": {"b": 1}, "big": [1, 2, 3]}
    after = compile_path("a.b").set(before, 2)
    assert after["big"] is before["big"]
    assert after["a"] is not before["a"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("a.b", {"a": 5}, "a isn't an object"),
        ("a.b", {"a": []}, "a isn't an object"),
        ("a[0]", {"a": {}}, "a isn't a list"),
        ("a[3]", {"a": [1]}, "the list has 1 items"),
        ("a[-2]", {"a": [1]}, "the list has 1 items"),
        ("a", [], "the value itself isn't an object"),
    ],
)
def test_setting_what_cannot_be_set_is_an_error(path, value, message):
    with pytest.raises(ExpressionError, match=message):
        compile_path(path).set(value, 9)


def test_a_path_is_written_back_canonically():
    assert str(compile_path("a[ 0 ]['b'][\"c d\"]")) == "a[0].b['c d']"
    assert compile_path("a['b']") == compile_path("a.b") == Path(["a", "b"])
    assert len({compile_path("a['b']"), compile_path("a.b")}) == 1
    assert Path(["a", "b c"]).source == "a['b c']"


def test_missing_is_one_false_value():
    assert not MISSING
    assert repr(MISSING) == "MISSING"
