"""Checking values: coercion that loses nothing, problems that tell everything but the value."""

import copy
from array import array

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lumeflow.core.schemas import Checker, SchemaLibrary, checker

RECORD = {
    "type": "object",
    "properties": {
        "age": {"type": "integer"},
        "score": {"type": "number"},
        "active": {"type": "boolean"},
        "name": {"type": "string"},
        "email": {"type": "string", "format": "email"},
        "kind": {"enum": ["lead", "customer"]},
        "maybe": {"type": ["integer", "null"]},
        "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "counts": {"type": "array", "items": {"type": "integer"}},
        "nested": {"type": "object", "properties": {"n": {"type": "integer"}}},
        "vector": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
    },
}


def made(schema) -> Checker:
    library = SchemaLibrary({"schemas": {"s": schema}})
    assert not library.findings
    return checker(library, (library.named("s"),))


@pytest.fixture(scope="module")
def record():
    return made(RECORD)


COERCIONS = [
    ("age", "42", 42),
    ("age", "-7", -7),
    ("age", "1e3", 1000),
    ("age", "42.0", 42),
    ("age", 42.0, 42),
    ("score", "4.20", 4.2),
    ("score", "5", 5),
    ("active", "true", True),
    ("active", "false", False),
    ("name", 5, "5"),
    ("name", 1.5, "1.5"),
    ("name", True, "true"),
    ("maybe", "3", 3),
    ("either", "3", 3),
    ("either", 3.0, 3),
    ("counts", ["1", 2, 3.0], [1, 2, 3]),
    ("tags", [1, "a"], ["1", "a"]),
    ("nested", {"n": "9"}, {"n": 9}),
    ("nested", {"n": 9.0}, {"n": 9}),
]


@pytest.mark.parametrize(("key", "given_value", "expected"), COERCIONS)
def test_what_loses_nothing_is_coerced(record, key, given_value, expected):
    value = {key: given_value, "other": [1]}
    before = copy.deepcopy(value)
    assert not record.is_valid(value)
    checked = record.check(value)
    assert checked.problems == ()
    assert checked.value == {key: expected, "other": [1]}
    assert type(checked.value[key]) is type(expected)
    assert checked.coercions == (2 if key == "counts" else 1)
    assert value == before
    assert checked.value["other"] is value["other"]


REFUSED = [
    ("age", "007", "integer", "a string of 3 characters"),
    ("age", "4.5", "integer", "a string of 3 characters"),
    ("age", "", "integer", "an empty string"),
    ("age", " 4", "integer", "a string of 2 characters"),
    ("age", "4,5", "integer", "a string of 3 characters"),
    ("age", "9223372036854775808", "integer", "a string of 19 characters"),
    ("age", 4.5, "integer", "a number"),
    ("age", True, "integer", "a boolean"),
    ("score", "0.1000000000000000055511151231257827", "number", "a string of 36 characters"),
    ("score", "1e999", "number", "a string of 5 characters"),
    ("active", 1, "boolean", "an integer"),
    ("active", "True", "boolean", "a string of 4 characters"),
    ("name", None, "string", "null"),
    ("name", ["a"], "string", "an array of 1 item"),
    ("name", {"a": 1}, "string", "an object with 1 key"),
    ("email", "nobody", "format email", "a string of 6 characters"),
    ("kind", "Lead", '"lead" or "customer"', "a string of 4 characters"),
    ("tags", "a", "array", "a string of 1 character"),
    ("either", "x", "integer or null", "a string of 1 character"),
    ("vector", [1, 2], "at least 4 items", "an array of 2 items"),
]


@pytest.mark.parametrize(("key", "value", "expected", "found"), REFUSED)
def test_what_would_lose_something_is_a_problem(record, key, value, expected, found):
    given_value = {key: value}
    checked = record.check(given_value)
    assert checked.value is given_value
    assert checked.coercions == 0
    (problem,) = checked.problems
    assert (problem.pointer, problem.expected, problem.found) == (f"/{key}", expected, found)
    assert problem.message == f"/{key}: expected {expected}, found {found}"


def test_a_record_with_one_problem_that_stays_is_not_half_coerced(record):
    value = {"age": "42", "email": "nobody"}
    checked = record.check(value)
    assert checked.value is value
    assert checked.coercions == 0


def test_all_problems_are_given_and_none_holds_a_value(record):
    value = {"age": "Mira", "email": "Mira Holt", "active": "Mira"}
    problems = record.check(value).problems
    assert {problem.pointer for problem in problems} == {"/age", "/email", "/active"}
    assert not any("Mira" in problem.message for problem in problems)


SCHEMAS = [
    ({"required": ["a"]}, {}, 'the key "a"'),
    ({"additionalProperties": False}, {"a": 1}, None),
    ({"properties": {"a": {}}, "additionalProperties": False}, {"b": 1, "c": 2}, 'no other keys, such as "b" and "c"'),
    ({"unevaluatedProperties": False}, {"b": 1}, 'no other keys, such as "b"'),
    ({"minProperties": 1}, {}, "at least 1 key"),
    ({"propertyNames": {"maxLength": 1}}, {"aa": 1}, "keys with at most 1 character"),
    ({"not": {"required": ["a"]}}, {"a": 1}, "a value that 'not' does not describe"),
    ({"const": {"a": 1}}, {}, '{"a":1}'),
    ({"properties": {"a": {"enum": list(range(9))}}}, {"a": 77}, "0, 1, 2, 3, 4 or 4 more"),
    ({"properties": {"a": {"minimum": 3}}}, {"a": 1}, "at least 3"),
    ({"properties": {"a": {"exclusiveMaximum": 3}}}, {"a": 3}, "less than 3"),
    ({"properties": {"a": {"multipleOf": 2}}}, {"a": 3}, "a multiple of 2"),
    ({"properties": {"a": {"pattern": "^x"}}}, {"a": "y"}, "a match of ^x"),
    ({"properties": {"a": {"uniqueItems": True}}}, {"a": [1, 1]}, "items that differ"),
    ({"properties": {"a": {"contains": {"const": 1}}}}, {"a": [2]}, "an item that 'contains' describes"),
    ({"properties": {"a": False}}, {"a": 2}, "nothing"),
    (
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"a": 1, "b": 1},
        "exactly one of the alternatives, but several fit",
    ),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, 'the key "a" or the key "b"'),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, 'the key "b"'),
]


@pytest.mark.parametrize(("schema", "value", "expected"), SCHEMAS, ids=[str(case[0])[:50] for case in SCHEMAS])
def test_every_keyword_says_what_it_expects(schema, value, expected):
    (problem,) = made(schema).check(value).problems
    if expected is not None:
        assert problem.expected == expected


def test_what_is_no_json_is_a_problem_with_its_place(record):
    (problem,) = record.check({"name": "a", "tags": ["x", {1, 2}]}).problems
    assert (problem.pointer, problem.expected, problem.found) == ("/tags/1", "a JSON value", "a set")


def test_problems_are_limited():
    record = made({"type": "array", "items": {"type": "integer"}})
    assert len(record.check(["x"] * 1000).problems) == 20


def test_many_coercions_copy_each_array_once():
    record = made({"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}})
    value = [{"n": str(index)} for index in range(90)]
    checked = record.check(value)
    assert checked.coercions == 90
    assert checked.value == [{"n": index} for index in range(90)]
    assert value[0] == {"n": "0"}


class TestVectors:
    def vector(self, length):
        return array("f", [0.5] * length)

    def test_they_are_valid_as_they_are(self, record):
        value = {"name": "a", "vector": self.vector(4)}
        assert record.is_valid(value)
        assert record.check(value).value is value

    def test_their_length_is_checked(self, record):
        (problem,) = record.check({"vector": self.vector(3)}).problems
        assert problem.message == "/vector: expected at least 4 items, found an array of 3 items"
        assert not record.is_valid({"vector": self.vector(3)})

    def test_the_rest_of_the_record_is_checked(self, record):
        assert not record.is_valid({"vector": self.vector(4), "name": None})
        (problem,) = record.check({"vector": self.vector(4), "name": None}).problems
        assert problem.pointer == "/name"

    def test_coercing_the_rest_leaves_them_alone(self, record):
        value = {"vector": self.vector(4), "age": "7"}
        checked = record.check(value)
        assert checked.value == {"vector": value["vector"], "age": 7}
        assert checked.value["vector"] is value["vector"]

    @pytest.mark.parametrize(
        "schema", [{"type": "string"}, {"type": "array", "items": {"type": "null"}}, {"type": "null"}]
    )
    def test_where_something_else_is_wanted_they_are_wrong(self, schema):
        record = made({"properties": {"vector": schema}})
        assert not record.is_valid({"vector": self.vector(2)})
        assert record.check({"vector": self.vector(2)}).problems

    def test_where_nothing_is_said_they_pass(self):
        value = {"anything": self.vector(2), "deeper": {"still": self.vector(1)}}
        assert made({"type": "object"}).is_valid(value)

    def test_deeper_ones_are_checked_as_lists(self):
        record = made({"properties": {"a": {"properties": {"v": {"type": "array", "maxItems": 2}}}}})
        assert record.is_valid({"a": {"v": self.vector(2)}})
        assert not record.is_valid({"a": {"v": self.vector(3)}})

    def test_one_given_as_a_list_beside_one_given_as_an_array(self):
        two = {"type": "array", "items": {"type": "number"}, "minItems": 2}
        record = made({"properties": {"a": two, "b": two}})
        assert record.is_valid({"a": self.vector(2), "b": [1, 2]})
        assert not record.is_valid({"a": self.vector(2), "b": [1]})
        assert not record.is_valid({"a": self.vector(2), "b": ["x", "y"]})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(RECORD["properties"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
@example({"age": 2.0**63})
def test_a_checked_value_is_valid_or_has_problems_and_the_input_stays(value):
    record = made(RECORD)
    before = copy.deepcopy(value)
    checked = record.check(value)
    assert value == before
    if checked.problems:
        assert checked.value is value
    else:
        assert record.is_valid(checked.value)
        assert (checked.coercions == 0) == (checked.value is value)


@given(st.text(max_size=40))
def test_a_coerced_number_is_the_number_that_the_text_says(text):
    checked = made({"type": ["number"]}).check(text)
    if not checked.problems:
        assert float(checked.value) == float(text)
        assert text.strip() == text
