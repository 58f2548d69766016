import json

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import drain, read, rows_of

from lumeflow.kit.readers import json_cursor, json_lines
from lumeflow.kit.readers.json_cursor import JsonCursor, Starved
from lumeflow.kit.readers.json_rows import JsonSurvey
from lumeflow.kit.readers.layout import Layout
from lumeflow.kit.readers.opening import ReadOptions, plan_reading
from lumeflow.kit.readers.rows import BadRow

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PIECES = pytest.mark.parametrize("piece", [1, 3, None])
A, B = {"name": "Mira"}, {"name": "Tomás"}
LIST = '[{"name": "Mira"}, {"name": "Tomás"}]'
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def survey(text, wanted=None, *, piece=None, whole=False):
    """What an object holds besides its rows; an error instead, if one ended the reading."""
    data = text.encode()
    reader, found = plan_reading(data, "x.json", ReadOptions(layout=Layout.JSON)).survey(wanted, whole=whole)
    _, error = drain(reader, data, piece)
    return error or found


def objects(values):
    return [{"v": value} for value in values]


@RELAXED
@given(
    values=st.lists(JSON, max_size=5),
    indent=st.sampled_from([None, 2]),
    ascii_only=st.booleans(),
    piece=st.integers(1, 30),
)
def test_elements_are_read_as_the_standard_library_reads_them(values, indent, ascii_only, piece):
    rows = objects(values)
    data = json.dumps(rows, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert rows_of(data, "x.json", piece=piece, layout=Layout.JSON) == rows


@PIECES
@pytest.mark.parametrize(
    "value",
    [
        [123456789012345678, 1.5e-300, -0.0],
        ["a" * 100, "äöü€𝄞" * 20, '\\"\\\\ \u2028 "quoted"'],
        [{"deep": [[[[{"x": None}]]]], "true": True, "false": False}],
        [[], {}, "", 0],
    ],
)
def test_values_may_lie_across_pieces(value, piece):
    for options in ({"ensure_ascii": False}, {"indent": 4}):
        assert rows_of(json.dumps(objects(value), **options).encode(), "x.json", piece=piece) == objects(value)


@PIECES
def test_bad_rows_are_told_with_their_line_and_the_others_are_read(piece):
    data = b'[\n{"a": 1},\n7,\n{"a":\n 2},\n"x", null,\r\n{"a": 3}]\n'
    assert rows_of(data, "x.json", piece=piece) == [
        {"a": 1},
        BadRow(3, "expected an object, found a number"),
        {"a": 2},
        BadRow(6, "expected an object, found a string"),
        BadRow(6, "expected an object, found null"),
        {"a": 3},
    ]


@PIECES
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2", "line 1, column 6: expected ',' or ']'"),
        ("[1,]", "line 1, column 4: expecting value"),
        ("[1 2]", "line 1, column 4: expected ',' or ']'"),
        ('[\n  {"a": 1},\n  {"a" 2}\n]', "line 3, column 8: expecting ':' delimiter"),
        ('["äöü", nul]', "line 1, column 9: expecting value"),
        ('["never closed', "line 1, column 2: unterminated string starting at"),
        ("[1] 2", "line 1, column 5: unexpected data after the end"),
        ("[NaN]", "line 1, column 2: NaN is not JSON"),
        ("[-Infinity]", "line 1, column 2: -Infinity is not JSON"),
        ("[18446744073709551616]", "line 1, column 2: an integer beyond 64 bits; write it as a string"),
        ("[" + "9" * 5_000 + "]", "line 1, column 2: an integer beyond 64 bits; write it as a string"),
        ("[" * 5_000, "line 1, column 2: nested too deeply"),
        ("", "expected a list of objects, an object or JSON Lines; found an empty file"),
        (" \n ", "expected a list of objects, an object or JSON Lines; found an empty file"),
        ("42", "expected a list of objects, an object or JSON Lines; found a number"),
        ('"text"', "expected a list of objects, an object or JSON Lines; found a string"),
        ("name,email\n", "line 1, column 1: expecting value"),
    ],
)
def test_a_malformed_text_is_refused_with_its_place(text, message, piece):
    _, error, _ = read(text.encode(), "x.json", piece=piece and piece * 100 if len(text) > 100 else piece)
    assert error == message


@PIECES
def test_a_list_that_breaks_off_gives_the_rows_before(piece):
    rows, error, _ = read(b'[{"a": 1},\n{"a": 2},\n{"a": ', "x.json", piece=piece)
    assert (rows, error) == ([{"a": 1}, {"a": 2}], "line 3, column 7: expecting value")


def test_an_error_in_the_middle_of_a_large_file_is_found_with_its_line():
    good = b'{"name": "Mira"},\n' * 60_000
    rows, error, _ = read(b"[" + good + b'{"name": broken},\n' + good + b"{}]", "x.json", piece=1 << 16)
    assert (len(rows), error) == (60_000, "line 60001, column 10: expecting value")


def test_a_row_with_half_a_character_fails_alone():
    data = b'[{"a": "\\ud83d"}, {"a": "\\ud83d\\ude00"}, {"b": "\\\\ud83d"}]'
    assert rows_of(data, "x.json") == [BadRow(1, "it holds half of a surrogate pair"), {"a": "😀"}, {"b": "\\ud83d"}]


def test_a_row_with_a_byte_that_is_no_character_fails_alone():
    data = '[{"a": "Zoë, Tomás"},\n{"a": "Jos'.encode() + b'\xe9"},\n{"a": "x"}]'
    assert rows_of(data, "x.json")[1:] == [BadRow(2, "byte 0xE9 is no character in utf-8"), {"a": "x"}]


def test_other_encodings_are_read():
    for codec in ("utf-8-sig", "utf-16", "cp1252"):
        assert rows_of(LIST.encode(codec), "x.json") == [A, B]


@PIECES
@pytest.mark.parametrize(
    ("text", "wanted", "fields", "collection", "place"),
    [
        (
            f'{{"campaign": "spring", "people": {LIST}, "done": true}}',
            None,
            {"campaign": "spring", "done": True},
            "people",
            1,
        ),
        (
            '{"id": "a", "urls": ["https://example.com/1"]}',
            None,
            {"id": "a", "urls": ["https://example.com/1"]},
            None,
            None,
        ),
        ("{}", None, {}, None, None),
        (f'{{"a": {LIST}, "b": {LIST}}}', "b", {"a": [A, B]}, "b", 1),
        ('{"people": []}', "people", {}, "people", 0),
        ('{"people": []}', None, {"people": []}, None, None),
        ('{"people": 7}', "people", {"people": 7}, None, None),
    ],
)
def test_the_rows_of_an_object_are_its_one_list_of_objects(text, wanted, fields, collection, place, piece):
    found = survey(text, wanted, piece=piece).found
    assert (found.fields, found.collection, found.place) == (fields, collection, place)
    if place is not None:
        wanted_rows = json.loads(text)[collection]
        assert rows_of(text.encode(), "x.json", place=place, piece=piece) == wanted_rows


def test_of_several_lists_none_of_them_named_all_are_fields():
    text = f'{{"a": {LIST}, "b": {LIST}}}'
    assert survey(text).is_ambiguous
    assert survey(text, whole=True).found.fields == {"a": [A, B], "b": [A, B]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,}', "line 1, column 9: expected a property name in double quotes"),
        ('{"a": 1', "line 1, column 8: expected ',' or '}'"),
        ('{"a": 1}]', "line 1, column 9: unexpected data after the end"),
        ('{"a" 1}', "line 1, column 6: expected ':'"),
        ("{a: 1}", "line 1, column 2: expected a property name in double quotes"),
        ('{"a": "\\ud83d"}', "line 1, column 15: property 'a': it holds half of a surrogate pair"),
    ],
)
def test_a_malformed_object_is_refused_with_its_place(text, message):
    assert survey(text) == message


def test_a_list_has_no_need_of_a_survey():
    found = JsonSurvey(lambda: "utf-8")
    list(found.feed(" [1, 2, x"))
    assert found.is_object is False


def test_a_long_value_is_not_tried_at_every_piece(monkeypatch):
    tried = []
    decode = json_cursor._DECODER.raw_decode

    class Counting:
        def raw_decode(self, window, position):
            tried.append(position)
            return decode(window, position)

    monkeypatch.setattr(json_cursor, "_DECODER", Counting())
    cursor = JsonCursor()
    text = '"' + "x" * 50_000 + '"'
    for start in range(0, len(text), 100):
        cursor.feed(text[start : start + 100])
        with pytest.raises(Starved):
            cursor.value()
    cursor.end()
    assert (len(cursor.value()), len(tried)) == (50_000, 10)


def test_a_value_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(json_cursor, "VALUE_CHARS", 1000)
    _, error, _ = read(b'[{"a": 1}, "' + b"x" * 5000, "x.json", piece=100)
    assert error == "line 1, column 12: a value has more than 1,000 characters"


@PIECES
def test_json_lines(piece):
    data = '\n{"name": "Mira"}\r\n\r\n  {"name": "Tomás"}'.encode()
    assert rows_of(data, "x.jsonl", piece=piece) == [A, B]


@PIECES
def test_bad_lines_are_told_and_the_others_are_read(piece):
    data = b'{"a": 1}\n{"a": }\n[1]\n\n{"a": 2} x\n{"a": 18446744073709551616}\n{"a": "\\ud83d"}\n{"a": NaN}\n{"a": 3}'
    assert rows_of(data, "x.jsonl", piece=piece) == [
        {"a": 1},
        BadRow(2, "not JSON: column 7: expecting value"),
        BadRow(3, "expected an object, found a list"),
        BadRow(5, "not JSON: column 10: unexpected data after the end"),
        BadRow(6, "not JSON: column 1: an integer beyond 64 bits; write it as a string"),
        BadRow(7, "it holds half of a surrogate pair"),
        BadRow(8, "not JSON: column 1: NaN is not JSON"),
        {"a": 3},
    ]


def test_long_numbers_that_are_exact_are_read_as_they_are():
    data = b'{"a": 18446744073709551615, "b": 0.12345678901234567890, "c": "12345678901234567890123"}\n{}'
    assert rows_of(data, "x.jsonl")[0] == {
        "a": 18446744073709551615,
        "b": 0.12345678901234567890,
        "c": "12345678901234567890123",
    }


def test_a_line_with_a_byte_that_is_no_character_fails_alone():
    data = '{"a": "Zoë, Tomás"}\n{"a": "Jos'.encode() + b'\xe9"}\n{"a": "x"}\n'
    assert rows_of(data, "x.jsonl")[1:] == [BadRow(2, "byte 0xE9 is no character in utf-8"), {"a": "x"}]


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(json_lines, "VALUE_CHARS", 1000)
    rows, error, _ = read(b'{"a": 1}\n' + b"x" * 3000, "x.jsonl", piece=500)
    assert (rows, error) == ([{"a": 1}], "line 2 has more than 1,000 characters")


@RELAXED
@given(values=st.lists(JSON, max_size=5), piece=st.integers(1, 40))
def test_lines_are_read_back(values, piece):
    rows = objects(values)
    data = b"".join(orjson.dumps(row, option=orjson.OPT_NON_STR_KEYS) + b"\n" for row in rows)
    assert rows_of(data, "x.jsonl", piece=piece) == rows


@RELAXED
@given(
    text=st.text(st.sampled_from('[]{},:" \n\\1ae.-'), max_size=25),
    piece=st.integers(1, 8),
    name=st.sampled_from(["x.json", "x.jsonl"]),
)
def test_no_text_breaks_the_reader_and_the_cut_makes_no_difference(text, piece, name):
    options = {"layout": Layout.JSON if name == "x.json" else Layout.JSONL}
    assert read(text.encode(), name, piece=piece, **options) == read(text.encode(), name, **options)
