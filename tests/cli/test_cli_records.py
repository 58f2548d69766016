"""Records as JSON, JSON Lines and CSV."""

import csv
import io
from array import array

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.cli.writers import write_csv, write_json, write_jsonl
from lumeflow.kit.cells import FORMULA_STARTS, cell, flatten

CONTACTS = [
    {"firstName": "Zoë", "from": {"username": "zoe", "name": None}, "embedding": array("f", [0.1, -0.5])},
    {"firstName": "=1+1", "phone": "+39 02 1234", "score": -3, "tags": ["a", "b"], "ok": True, "from": {}},
]


async def stream(records):
    for record in records:
        yield record


async def written(write_records, records) -> bytes:
    pieces: list[bytes] = []
    number = await write_records(stream(records), pieces.append)
    assert number == len(records)
    return b"".join(pieces)


async def as_csv(records, *, raw=False, embeddings=False) -> str:
    pieces: list[bytes] = []
    assert await write_csv(lambda: stream(records), pieces.append, raw=raw, embeddings=embeddings) == len(records)
    return b"".join(pieces).decode()


async def test_json_is_an_array_with_a_record_a_line():
    data = await written(write_json, CONTACTS)
    assert data.startswith(
        b'[\n{"firstName":"Zo\xc3\xab","from":{"username":"zoe","name":null},"embedding":[0.1,-0.5]},\n'
    )
    assert data.endswith(b"}\n]\n")
    assert len(orjson.loads(data)) == 2


async def test_json_of_nothing_is_an_empty_array():
    assert await written(write_json, []) == b"[]\n"


async def test_json_lines():
    data = await written(write_jsonl, CONTACTS)
    assert [orjson.loads(line)["firstName"] for line in data.splitlines()] == ["Zoë", "=1+1"]
    assert await written(write_jsonl, []) == b""


async def test_csv_has_the_union_of_all_columns_in_order_of_appearance():
    head, first, second = (await as_csv(CONTACTS)).splitlines()
    assert head == "firstName,from.username,from.name,phone,score,tags,ok,from"
    assert first == "Zoë,zoe,,,,,,"
    assert second == """'=1+1,,,'+39 02 1234,-3,"[""a"",""b""]",true,{}"""


async def test_csv_leaves_formulas_as_they_are_when_asked_for_raw_text():
    assert "\n=1+1,,,+39 02 1234," in await as_csv(CONTACTS, raw=True)


async def test_csv_has_embeddings_only_on_demand():
    assert "embedding" not in await as_csv(CONTACTS)
    assert '"[0.1,-0.5]"' in await as_csv(CONTACTS, embeddings=True)


async def test_csv_of_nothing_is_empty():
    assert await as_csv([]) == ""


async def test_csv_defuses_column_names_as_well():
    assert (await as_csv([{"@cmd": 1}])).splitlines()[0] == "'@cmd"


async def test_much_data_is_written_in_pieces():
    sizes: list[int] = []
    records = [{"text": "x" * 1000}] * 1000
    await write_csv(lambda: stream(records), lambda data: sizes.append(len(data)), raw=False, embeddings=False)
    assert len(sizes) > 3
    assert max(sizes) < 300_000


@pytest.mark.parametrize(
    ("record", "columns"),
    [
        ({"a": {"b": {"c": 1}}}, ["a.b.c"]),
        ({"a.b": 1, "a": {"b": 2}}, ["['a.b']", "a.b"]),
        ({"a": {"b c": 1, "d]": 2, "it's": 3}}, ["a.b c", "a['d]']", "a['it\\'s']"]),
        ({"": 1}, ["['']"]),
        ({"a": [{"b": 1}]}, ["a"]),
        ({}, []),
    ],
)
def test_columns_of_nested_records(record, columns):
    assert [name for name, _ in flatten(record)] == columns


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (-1, "-1"),
        (0.1, "0.1"),
        ("plain", "plain"),
        ("", ""),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        (["=1"], '["=1"]'),
    ],
)
def test_cells(value, text):
    assert cell(value) == text


texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(record=st.dictionaries(texts, json_values, max_size=4))
def test_no_two_values_of_a_record_share_a_column(record):
    columns = [name for name, _ in flatten(record)]
    assert len(columns) == len(set(columns))


@given(value=texts)
def test_no_cell_can_be_run_as_a_formula(value):
    written = cell(value)
    assert not written.startswith(FORMULA_STARTS) or written[1:].isdecimal()


def test_a_phone_number_is_no_formula():
    assert cell("+390255501234") == "+390255501234"
    for text in ("+39 02", "+1+1", "-390255501234", "+٣٩٠٢٥٥٥٠", "=1", "+390255501234\n"):
        assert cell(text) == f"'{text}"


@given(records=st.lists(st.dictionaries(texts, texts, min_size=1, max_size=3), min_size=1, max_size=4))
async def test_raw_csv_reads_back(records):
    rows = list(csv.DictReader(io.StringIO(await as_csv(records, raw=True), newline="")))
    flat = [dict(flatten(record)) for record in records]
    assert [{key: value for key, value in row.items() if value} for row in rows] == [
        {key: value for key, value in record.items() if value} for record in flat
    ]
