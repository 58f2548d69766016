import tracemalloc

import orjson
import pytest

from lumeflow.kit.json_reader import JsonSyntaxError
from lumeflow.kit.json_rows import BadRow, read_json_rows

A, B = {"name": "Mira"}, {"name": "Tomás"}
LIST = '[{"name": "Mira"}, {"name": "Tomás"}]'


@pytest.mark.parametrize(
    ("text", "fields", "collection", "rows"),
    [
        (LIST, {}, None, [A, B]),
        ("[]", {}, None, []),
        (
            f'{{"campaign": "spring", "people": {LIST}, "done": true}}',
            {"campaign": "spring", "done": True},
            "people",
            [A, B],
        ),
        ('{"name": "Mira"}\n{"name": "Tomás"}\n', {}, None, [A, B]),
        ('\n{"name": "Mira"}\r\n\r\n  {"name": "Tomás"}', {}, None, [A, B]),
    ],
    ids=["list", "empty list", "object with a list", "lines", "lines with gaps"],
)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "with BOM"])
def test_the_layout_is_found_out(text, fields, collection, rows, bom):
    lines = True if text.startswith("\n") else None
    found = read_json_rows(bom + text.encode(), lines=lines)
    assert (found.fields, found.collection, found.has_rows) == (fields, collection, True)
    assert list(found) == rows


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('{"id": "a", "urls": ["https://example.com/1"]}', {"id": "a", "urls": ["https://example.com/1"]}),
        (f'{{"a": {LIST}, "b": {LIST}}}', {"a": [A, B], "b": [A, B]}),
        ("{}", {}),
    ],
    ids=["no list of objects", "two, none named", "empty"],
)
def test_an_object_without_one_list_of_objects_is_all_fields(text, fields):
    found = read_json_rows(text.encode())
    assert (found.fields, found.has_rows, list(found)) == (fields, False, [])


def test_of_several_lists_the_named_one_holds_the_rows():
    found = read_json_rows(f'{{"a": {LIST}, "b": {LIST}}}'.encode(), collection="b")
    assert (found.fields, found.collection, list(found)) == ({"a": [A, B]}, "b", [A, B])


def test_a_named_list_may_be_empty():
    found = read_json_rows(b'{"people": []}', collection="people")
    assert (found.has_rows, list(found)) == (True, [])


def test_rows_can_be_read_twice():
    found = read_json_rows(f'{{"people": {LIST}}}'.encode())
    assert list(found) == list(found) == [A, B]


def test_bad_rows_are_told_with_their_line_and_the_others_are_read():
    found = read_json_rows(b'[\n{"a": 1},\n7,\n{"a": 2},\n"x", null]')
    assert list(found) == [
        {"a": 1},
        BadRow(3, "expected an object, found a number"),
        {"a": 2},
        BadRow(5, "expected an object, found a string"),
        BadRow(5, "expected an object, found null"),
    ]


def test_bad_lines_are_told_with_their_line_and_the_others_are_read():
    found = read_json_rows(b'{"a": 1}\n{"a": }\n[1]\n\n{"a": 2} x\n{"a": 3}', lines=True)
    assert list(found) == [
        {"a": 1},
        BadRow(2, "not JSON: column 7: expecting value"),
        BadRow(3, "expected an object, found a list"),
        BadRow(5, "not JSON: column 10: unexpected data after the end"),
        {"a": 3},
    ]


def test_a_list_that_breaks_off_gives_the_rows_before():
    rows = iter(read_json_rows(b'[{"a": 1},\n{"a": 2},\n{"a": '))
    assert [next(rows), next(rows)] == [{"a": 1}, {"a": 2}]
    with pytest.raises(JsonSyntaxError, match="line 3, column 7"):
        next(rows)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "found an empty file"),
        (b" \n ", "found an empty file"),
        (b"42", "found a number"),
        (b'"text"', "found a string"),
        (b"name,email\n", "line 1, column 1: expecting value"),
        (b'{"a": 1', "line 1, column 8: expected ',' or '}'"),
        (b'{"a": 1}]', "line 1, column 9: unexpected data after the end"),
        (b'{"a":\n "caf\xe9"}', "line 2, column 6: byte 0xE9 is not UTF-8"),
    ],
)
def test_what_is_no_json_file_is_refused(data, message):
    with pytest.raises(JsonSyntaxError, match=message):
        read_json_rows(data)


def test_a_large_file_is_read_in_little_memory():
    row = {"name": "Mira Holt", "email": "mira.holt@example.com", "bio": "é" * 200}
    data = orjson.dumps({"before": 1, "people": [row] * 12_000, "after": 2})
    tracemalloc.start()
    try:
        found = read_json_rows(data)
        count = sum(1 for read in found if read == row)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (count, found.fields) == (12_000, {"before": 1, "after": 2})
    assert len(data) > 5_000_000 > 2 * peak
