import json

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lumeflow.kit import json_reader
from lumeflow.kit.json_reader import JsonReader, JsonSyntaxError, check_utf8

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def small_window(monkeypatch):
    """Windows of a few bytes, so that every value crosses several of them."""
    monkeypatch.setattr(json_reader, "WINDOW_BYTES", 7)


def elements_of(data):
    reader = JsonReader(data)
    found = [value for _, value in reader.elements()]
    reader.end()
    return found


def entries_of(data):
    reader = JsonReader(data)
    found = {key: reader.value() for key in reader.properties()}
    reader.end()
    return found


@RELAXED
@given(st.lists(JSON, max_size=5), st.sampled_from([None, 2]), st.booleans())
def test_elements_are_read_as_the_standard_library_reads_them(values, indent, ascii_only):
    data = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if b"\xed\xa0" in data or b"\xed\xb0" in data or not _is_utf8(data):
        return
    assert elements_of(data) == values


def _is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.usefixtures("small_window")
@pytest.mark.parametrize(
    "value",
    [
        [123456789012345678, 1.5e-300, -0.0],
        ["a" * 100, "äöü€𝄞" * 20, '\\"\\\\ \u2028 "quoted"'],
        [{"deep": [[[[{"x": None}]]]], "true": True, "false": False}],
        [],
        [[], {}, "", 0],
    ],
)
@pytest.mark.parametrize("indent", [None, 4])
def test_values_may_lie_across_windows(value, indent):
    assert elements_of(json.dumps(value, ensure_ascii=False, indent=indent).encode()) == value
    assert elements_of(json.dumps(value, ensure_ascii=True, indent=indent).encode()) == value


@pytest.mark.usefixtures("small_window")
def test_each_element_comes_with_the_line_that_it_begins_in():
    data = b'\n[ {"a":\n1},\n\n  2,\r\n"three"]\n'
    assert [line for line, _ in JsonReader(data).elements()] == [2, 5, 6]


@pytest.mark.parametrize("window", [3, 1 << 18])
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
        ("[" + "9" * 100_000 + "]", "line 1, column 2: an integer beyond 64 bits; write it as a string"),
        ("[" * 100_000, "line 1, column 2: nested too deeply"),
        ("", "line 1, column 1: expected '['"),
    ],
)
def test_a_malformed_text_is_refused_with_its_place(text, message, window, monkeypatch):
    monkeypatch.setattr(json_reader, "WINDOW_BYTES", window)
    with pytest.raises(JsonSyntaxError) as caught:
        elements_of(text.encode())
    assert str(caught.value).lower() == message.lower()


def test_an_error_in_the_middle_of_a_large_file_is_found_without_decoding_the_rest():
    good = b'{"name": "Mira"},\n' * 60_000
    data = b"[" + good + b'{"name": broken},\n' + good + b"{}]"
    reader = JsonReader(data)
    with pytest.raises(JsonSyntaxError, match="line 60001, column 10: expecting value"):
        for _ in reader.elements():
            pass
    assert reader.offset() < len(good) + json_reader.WINDOW_BYTES


@pytest.mark.usefixtures("small_window")
def test_an_object_is_stepped_through_key_by_key():
    assert entries_of(b' {"a": 1, "b": [1, 2], "c": {"d": null}} ') == {"a": 1, "b": [1, 2], "c": {"d": None}}


@pytest.mark.parametrize("text", ["{a: 1}", '{"a" 1}', '{"a": 1,}', '{"a": 1', "{1: 2}"])
def test_a_malformed_object_is_refused(text):
    with pytest.raises(JsonSyntaxError):
        entries_of(text.encode())


@pytest.mark.usefixtures("small_window")
def test_reading_can_begin_at_any_value():
    data = '{"ä": 1,\n"list": [1, 2]}'.encode()
    reader = JsonReader(data)
    for key in reader.properties():
        if key == "list":
            reader.peek()
            second = JsonReader(data, reader.offset())
            assert [(line, value) for line, value in second.elements()] == [(2, 1), (2, 2)]
        reader.value()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[1,\n\xe8]", "line 2, column 1: byte 0xE8 is not UTF-8; save it as UTF-8"),
        (b'["ok", "caf\xe9"]', "line 1, column 12: byte 0xE9 is not UTF-8"),
        ("[]".encode("utf-16"), "UTF-16"),
        (b'["\xe2\x82', "line 1, column 3: byte 0xE2"),
        (b'["' + b"\x80" * 300_000, "line 1, column 3: byte 0x80"),
    ],
)
def test_other_encodings_are_refused_with_the_place(data, message):
    with pytest.raises(JsonSyntaxError, match=message):
        check_utf8(data)


@RELAXED
@given(st.text(max_size=40))
@pytest.mark.usefixtures("small_window")
def test_all_utf8_passes_wherever_the_windows_end(text):
    if _is_utf8(text.encode("utf-8", "surrogatepass")):
        check_utf8(text.encode())


def test_orjson_reads_what_this_reads():
    text = b'[1.25e3, "\\u00e9\\ud834\\udd1e", {"": []}]'
    assert elements_of(text) == orjson.loads(text)
