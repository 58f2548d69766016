"""Steps of `transform/fields` besides map and rename: calculate, format, select, drop, flatten, split, normalize."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lumeflow.blocks.transform.fields import FieldsTransform
from lumeflow.plugin import ErrorClass
from lumeflow.testing import run_block

RELAXED = settings(deadline=None, max_examples=150)


async def changed(record, *operations):
    run = await run_block(FieldsTransform, {"operations": list(operations)}, {"rows": [record]}, collection="rows")
    assert [str(failed.error) for failed in run.failed] == []
    return run.records[0]


async def refused(record, *operations):
    run = await run_block(FieldsTransform, {"operations": list(operations)}, {"rows": [record]}, collection="rows")
    (failed,) = run.failed
    assert failed.error.error_class is ErrorClass.VALIDATION
    return str(failed.error)


def calculate(transformation, **options):
    return {"type": "calculate", "field": "x", "transformation": transformation, **options}


@pytest.mark.parametrize(
    ("operation", "value"),
    [
        (calculate("{{input.a * 2 + 1}}"), 7),
        (calculate("{{input.a / 2}}"), 1.5),
        (calculate("{{number(input.text) + 1}}"), 43.5),
        (calculate("{{input.a > 2}}"), True),
        (calculate("{{sum(input.list)}}"), 6),
        (calculate("{{count(input.list)}}"), 3),
        (calculate("{{input.a / 7}}", decimals=3), 0.429),
        (calculate("{{2.5}}", decimals=0), 3),
        (calculate("{{-2.5}}", decimals=0), -3),
        (calculate(5), 5),
        (calculate("{{round(input.b, 1)}}"), 0.3),
    ],
)
async def test_calculate_sets_a_number_or_a_boolean(operation, value):
    record = {"a": 3, "b": 0.1 + 0.2, "text": "42.5", "list": [1, 2, 3]}
    made = await changed(record, operation)
    assert made == {**record, "x": value}
    assert type(made["x"]) is type(value) or isinstance(made["x"], float)


async def test_what_cannot_be_calculated_takes_the_field_out():
    assert await changed({"a": 1, "x": 9}, calculate("{{input.nothing}}")) == {"a": 1}
    assert await changed({"a": 1}, calculate("{{input.nothing}}")) == {"a": 1}


@pytest.mark.parametrize(
    ("transformation", "reason"),
    [
        ("{{input.text}}", "expected a number or true or false, found a string; number"),
        ("{{input.list}}", "found a list"),
        ("{{input.text * 2}}", "number"),
        ("{{1 / input.zero}}", "zero"),
    ],
)
async def test_calculate_refuses_what_is_no_number(transformation, reason):
    message = await refused({"text": "secret", "list": [1], "zero": 0}, calculate(transformation))
    assert reason in message
    assert "secret" not in message


def formatted(transformation, **options):
    return {"type": "format", "field": "x", "transformation": transformation, **options}


@pytest.mark.parametrize(
    ("value", "operation", "text"),
    [
        (" Example  Freight ", formatted(["collapse", "uppercase"]), "EXAMPLE FREIGHT"),
        ("Zoë Müller", formatted("slug"), "zoe-muller"),
        ("Zoë", formatted("unaccent"), "Zoe"),
        (42, formatted("uppercase"), "42"),
        (["a", "b"], formatted("uppercase"), ["A", "B"]),
        ("2026-01-09", formatted("date", layout="DD.MM.YYYY"), "09.01.2026"),
        ("2026-01-09T15:04:05Z", formatted("date", layout="D/M/YY H:mm"), "9/1/26 15:04"),
        (1234567.891, formatted("number", decimals=2, thousands=".", decimalMark=","), "1.234.567,89"),
        ("1234.5", formatted("number"), "1234.5"),
        (1234567, formatted("number", thousands="'"), "1'234'567"),
        (-1234.5, formatted("number", decimals=1, thousands=","), "-1,234.5"),
        (0.000001234, formatted("number"), "0.000001234"),
        (1e22, formatted("number", thousands=","), "10,000,000,000,000,000,000,000"),
        (-0.4, formatted("number", decimals=0), "0"),
        (12, formatted("number", decimals=2), "12.00"),
        (9, formatted("{{input.x}} points"), "9 points"),
        ("Rome", formatted("{{input.x}} ({{uppercase(input.x)}})"), "Rome (ROME)"),
    ],
)
async def test_format_writes_text(value, operation, text):
    assert await changed({"x": value, "y": 1}, operation) == {"x": text, "y": 1}


async def test_a_record_without_the_field_stays_as_it_is():
    for record in ({"y": 1}, {"x": None, "y": 1}):
        assert await changed(record, formatted("uppercase")) == record
    assert await changed({"x": 1, "y": 1}, formatted("{{input.nothing}}")) == {"y": 1}


@pytest.mark.parametrize(
    ("value", "operation", "reason"),
    [
        ("soon", formatted("date"), "expected an ISO 8601 date in x, such as 2026-01-09; found another text"),
        (5, formatted("date"), "found a number"),
        ("many", formatted("number"), "expected a number in x, found another text"),
        ({"a": 1}, formatted("uppercase"), "expected a text in x, found an object"),
        (True, formatted("uppercase"), "found a boolean"),
    ],
)
async def test_format_refuses_what_it_cannot_write(value, operation, reason):
    assert reason in await refused({"x": value}, operation)


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (calculate("input.a * 2"), "an expression stands in braces"),
        (calculate("{{input.a}}", decimals=16), "less than or equal to 15"),
        (formatted("uppercas"), "Did you mean 'uppercase'"),
        (formatted([]), "at least one format"),
        (formatted("uppercase", decimals=1), "'decimals' is for the format 'number'"),
        (formatted("number", thousands="."), "must differ"),
        ({"type": "drop", "fields": []}, "at least 1"),
        ({"type": "drop", "fields": ["a[0]"]}, "is an item of a list"),
        ({"type": "select", "fields": ["a[0].b"]}, "leads into a list"),
        ({"type": "split", "field": "x", "separators": [""]}, "none of them empty"),
        ({"type": "split", "field": "x", "separators": []}, "at least one separator"),
        ({"type": "flatten", "depth": 0}, "greater than or equal to 1"),
        ({"type": "normalize", "field": "x", "as": "colour"}, "colour"),
        ({"type": "normalize", "field": "x", "as": "phone", "country": "Atlantis"}, "expected a country"),
    ],
)
def test_steps_are_checked(operation, reason):
    with pytest.raises(ValidationError, match=reason):
        FieldsTransform.Config.model_validate({"operations": [operation]})


RECORD = {"a": 1, "b": {"c": 2, "d": {"e": 3}}, "f": [{"g": 4}], "h": None, "i": {}}


@pytest.mark.parametrize(
    ("operation", "made"),
    [
        ({"type": "select", "fields": ["b.c", "a", "z"]}, {"b": {"c": 2}, "a": 1}),
        ({"type": "select", "fields": ["b.d", "b.c"]}, {"b": {"d": {"e": 3}, "c": 2}}),
        ({"type": "select", "fields": ["h"]}, {"h": None}),
        ({"type": "drop", "fields": ["a", "b.d", "f", "h", "i", "z", "b.x.y"]}, {"b": {"c": 2}}),
        ({"type": "drop", "fields": ["b.d.e", "f[0].g"]}, {**RECORD, "b": {"c": 2, "d": {}}, "f": [{}]}),
        ({"type": "flatten"}, {"a": 1, "b_c": 2, "b_d_e": 3, "f": [{"g": 4}], "h": None, "i": {}}),
        ({"type": "flatten", "depth": 1}, {"a": 1, "b_c": 2, "b_d": {"e": 3}, "f": [{"g": 4}], "h": None, "i": {}}),
        (
            {"type": "flatten", "separator": ".", "lists": "index"},
            {"a": 1, "b.c": 2, "b.d.e": 3, "f.0.g": 4, "h": None, "i": {}},
        ),
        ({"type": "flatten", "field": "b"}, {"a": 1, "b_c": 2, "b_d_e": 3, "f": [{"g": 4}], "h": None, "i": {}}),
        ({"type": "flatten", "field": "b.d"}, {**RECORD, "b": {"c": 2, "d_e": 3}}),
        ({"type": "flatten", "field": "a"}, RECORD),
        ({"type": "flatten", "field": "x.y"}, RECORD),
    ],
)
async def test_fields_are_kept_dropped_and_brought_up(operation, made):
    before = copy.deepcopy(RECORD)
    result = await changed(RECORD, operation)
    assert result == made
    assert list(result) == list(made)
    assert before == RECORD


@pytest.mark.parametrize("record", [{"b": {"c": 1}, "b_c": 2}, {"b_c": 2, "b": {"c": 1}}])
@pytest.mark.parametrize("field", [{}, {"field": "b"}])
async def test_flatten_never_overwrites(record, field):
    assert "two fields would be called 'b_c'" in await refused(record, {"type": "flatten", **field})


@pytest.mark.parametrize(
    ("value", "options", "made"),
    [
        ("a, b;c\nd", {}, {"x": ["a", "b", "c", "d"]}),
        (" , ;", {}, {"x": []}),
        ("Mira Anna Holt", {"separators": [" "], "into": ["first", "last"]}, {"x": "Mira Anna Holt", "first": "Mira", "last": "Anna Holt"}),
        ("Mira", {"separators": [" "], "into": ["first", "last"]}, {"x": "Mira", "first": "Mira"}),
        ("Holt;; Mira ", {"separators": [";"], "into": ["last", "first"]}, {"x": "Holt;; Mira ", "last": "Holt", "first": "Mira"}),
        ("a--b-c", {"separators": ["-", "--"]}, {"x": ["a", "b", "c"]}),
        ("a.b", {"separators": ["."]}, {"x": ["a", "b"]}),
        (None, {}, {"x": None}),
    ],
)  # fmt: skip
async def test_texts_are_split(value, options, made):
    found = await changed({"x": value}, {"type": "split", "field": "x", **options})
    assert found == made


async def test_only_texts_are_split():
    assert "expected a string in x, found a number" in await refused({"x": 5}, {"type": "split", "field": "x"})


def normalized(kind, **options):
    return {"type": "normalize", "field": "x", "as": kind, **options}


@pytest.mark.parametrize(
    ("value", "options", "made"),
    [
        ("02 5550 1234", {"country": "IT"}, {"x": "+390255501234"}),
        ("02 5550 1234", {"country": "IT", "to": "e164"}, {"x": "02 5550 1234", "e164": "+390255501234"}),
        (["02 5550 1234", "", "none"], {"country": "IT"}, {"x": ["+390255501234", "none"]}),
        (["02 5550 1234", "none"], {"country": "IT", "onInvalid": "remove"}, {"x": ["+390255501234"]}),
        ("none", {"onInvalid": "remove"}, {}),
        ("none", {"onInvalid": "remove", "to": "e164"}, {"x": "none"}),
        ("none", {}, {"x": "none"}),
        (255501234, {"country": "IT"}, {"x": 255501234}),
        ("", {"onInvalid": "error"}, {"x": ""}),
        (None, {"onInvalid": "error"}, {"x": None}),
    ],
)
async def test_a_step_normalises_as_the_block_does(value, options, made):
    assert await changed({"x": value}, normalized("phone", **options)) == made


async def test_a_value_that_cannot_be_read_fails_the_record_if_wanted():
    message = await refused({"x": "my number"}, normalized("phone", onInvalid="error"))
    assert message == "config.operations[0] (normalize): x must be a phone number, found another text"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab ", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


@RELAXED
@given(st.dictionaries(st.sampled_from("abc"), JSON, max_size=3), st.sampled_from(["keep", "index"]), st.integers(1, 4))
async def test_flattening_keeps_every_value_and_does_it_once(record, lists, depth):
    step = {"type": "flatten", "separator": "/", "lists": lists, "depth": depth}
    flat = await changed(record, step)
    assert await changed(flat, {**step, "depth": 64}) == await changed(record, {**step, "depth": 64})
    assert leaves(flat) == leaves(record)


def leaves(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sorted(leaf for item in inner for leaf in leaves(item)) if inner else [repr(value)]
