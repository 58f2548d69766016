"""`lumeflow db load`: all rows of a file, or none and what is wrong with them."""

import sqlite3
from array import array

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.storage import BadRows, load_rows, open_database

ADA = {"id": "a1", "name": "Ada", "type": "instagram", "urls": ["https://example.com/1"], "created_at": None}
BEA = {"id": "b1", "name": None, "type": "facebook", "urls": ["https://example.com/2", "https://example.com/3"]}
BEA |= {"created_at": None}


async def audiences(database):
    return await database.tables.find("source_audiences", {})


async def load(database, content, name=None, table="source_audiences"):
    data = content if isinstance(content, bytes) else content.encode()
    return await load_rows(database.tables, table, data, name=name)


JSON_ROWS = """[
  {"id": "a1", "name": "Ada", "type": "instagram", "urls": ["https://example.com/1"]},
  {"id": "b1", "type": "facebook", "urls": ["https://example.com/2", "https://example.com/3"], "created_at": null}
]"""
JSON_LINES = (
    '{"id": "a1", "name": "Ada", "type": "instagram", "urls": ["https://example.com/1"]}\r\n\n'
    '{"urls": ["https://example.com/2", "https://example.com/3"], "type": "facebook", "id": "b1"}'
)
CSV = """id,name,type,urls
a1,Ada,instagram,https://example.com/1
b1,,facebook,https://example.com/2 | https://example.com/3
"""
CSV_JSON = """urls;id;type;name
"[""https://example.com/1""]";a1;instagram;Ada

"[""https://example.com/2"", ""https://example.com/3""]";b1;facebook;
"""


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (JSON_ROWS, "rows.json"),
        (JSON_ROWS, None),
        (JSON_LINES, "rows.jsonl"),
        (JSON_LINES, "rows.ndjson"),
        (JSON_LINES, "rows.json"),
        (JSON_LINES, None),
        (CSV, "rows.csv"),
        (CSV, None),
        (CSV_JSON, "ROWS.CSV"),
        (CSV.replace(",", "\t"), "rows.tsv"),
        ("\ufeff" + CSV.replace("\n", "\r\n"), "excel.csv"),
    ],
)
async def test_every_format_gives_the_same_rows(database, content, name):
    assert await load(database, content, name) == 2
    assert await audiences(database) == [ADA, BEA]


async def test_a_file_is_read_by_its_path(database, tmp_path):
    (tmp_path / "rows.csv").write_text(CSV)
    assert await load_rows(database.tables, "source_audiences", tmp_path / "rows.csv") == 2
    with pytest.raises(UsageError, match=r"missing\.csv: it cannot be read"):
        await load_rows(database.tables, "source_audiences", tmp_path / "missing.csv")


async def test_one_object_is_one_row(database):
    assert await load(database, '{"id": "a1", "name": "Ada"}') == 1


async def test_an_empty_list_loads_nothing(database):
    assert await load(database, "[]") == 0


async def test_rows_with_a_known_id_are_overwritten_in_what_they_name(database):
    await load(database, JSON_ROWS)
    await load(database, '[{"id": "a1", "name": "Ada L."}, {"id": "b1", "urls": null}]')
    assert await audiences(database) == [ADA | {"name": "Ada L."}, BEA | {"urls": None}]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"name": "Ada"}', "'id' is missing"),
        ('{"id": null}', "'id' is missing"),
        ('{"id": 7}', "'id': expected text, found 7"),
        ('{"id": "x", "name": ["Ada"]}', r"'name': expected text, found \[\"Ada\"\]"),
        ('{"id": "x", "urls": "https://example.com"}', "'urls': expected a list of texts, found 'https://example.com'"),
        ('{"id": "x", "urls": {"a": 1}}', "'urls': expected a list of texts"),
        ('{"id": "x", "urls": ["https://example.com", 4]}', "'urls': expected a list of texts"),
        ('{"id": "x", "urls": [""]}', "'urls': expected a list of texts"),
        ('{"id": "x", "urls": [null]}', "'urls': expected a list of texts"),
        ('{"id": "x", "created_at": "yesterday"}', "'created_at': expected an ISO 8601 time"),
        ('{"id": "x", "created_at": 17}', "'created_at': expected an ISO 8601 time"),
        ('{"id": "x", "nmae": "Ada"}', "unknown column 'nmae'. Did you mean 'name'"),
        ('["x"]', "expected an object, found an array"),
        ("null", "expected an object, found null"),
        ("3", "expected an object, found a number"),
    ],
)
async def test_bad_rows_are_named_with_the_reason_and_nothing_is_loaded(database, row, reason):
    with pytest.raises(BadRows, match=rf"(?s)nothing was loaded.*row 2: {reason}"):
        await load(database, f'[{{"id": "good"}}, {row}, {{"id": "fine"}}]')
    assert await audiences(database) == []


async def test_all_bad_rows_are_counted_and_the_first_are_shown(database):
    content = "".join(f'{{"id": "{n}"}}\n{{"id": {n}}}\nnot json\n' for n in range(20))
    with pytest.raises(BadRows) as caught:
        await load(database, content, "rows.jsonl")
    places = [problem.place for problem in caught.value.problems]
    assert places == [f"line {n}" for n in range(1, 61) if n % 3 != 1]
    assert "line 3: not JSON" in str(caught.value)
    assert "and 30 more" in str(caught.value)


async def test_an_id_that_is_used_twice_is_refused(database):
    with pytest.raises(BadRows, match="row 3: id 'a' is already used in row 1"):
        await load(database, '[{"id": "a"}, {"id": "b"}, {"id": "a"}]')


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("id,name\nx\n", r"line 2: expected 2 cells \(id, name\), found 1"),
        ("id,name\nx,y,z\n", "line 2: expected 2 cells"),
        ("id,name\nok,fine\n,y\n", "line 3: 'id' is missing"),
        ('id,name\nok,"two\nlines"\n,y\n', "line 4: 'id' is missing"),
        ('id,name\na,"open\nb,c\n', "line 2: not CSV"),
        ("id,urls\na,[1\n", r"line 2: 'urls': expected JSON, found '\[1'"),
        ("id,created_at\na,soon\n", "line 2: 'created_at': expected an ISO 8601 time"),
    ],
)
async def test_bad_lines_of_csv(database, content, reason):
    with pytest.raises(BadRows, match=reason):
        await load(database, content, "rows.csv")
    assert await audiences(database) == []


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "x.json", "x.json is empty"),
        (b" \n", None, "input is empty"),
        (b'[{"id": "a"},\n {"id": \xff}]', "x.json", "x.json, line 2: byte 0xff is not UTF-8: save the file as UTF-8"),
        (b"id,name\na,\xe9t\xe9\n", "x.csv", "x.csv, line 2: byte 0xe9 is not UTF-8"),
        (b'[{"id": "a"},\n {"id": }]', "x.json", "x.json, line 2, column 9: not JSON"),
        (b'{"id": "a"', None, "input, line 1, column 11: not JSON"),
        (b'"text"', "x.json", "expected an array of objects, or one object, found text"),
        (b"id,,name\n", "x.csv", "x.csv, line 1: expected a name for each column, each once"),
        (b"id,id\n", "x.csv", "x.csv, line 1: expected a name for each column, each once"),
        (b'"id\n', "x.csv", "x.csv, line 1: not CSV"),
    ],
)
async def test_unusable_files(database, content, name, message):
    with pytest.raises(UsageError, match=message):
        await load(database, content, name)


@pytest.mark.parametrize("table", ["effects", "source_audience"])
async def test_unusable_tables(database, table):
    with pytest.raises(UsageError, match=f"no table '{table}' to use"):
        await load(database, "[]", table=table)


@pytest.fixture
async def own(tmp_path):
    """A database with a table that its user made."""
    db = sqlite3.connect(tmp_path / "own.db")
    db.execute(
        "CREATE TABLE leads (n INTEGER PRIMARY KEY, score REAL NOT NULL, vip BOOLEAN, tags JSON,"
        " vector FLOAT32 BLOB, anything, kind TEXT NOT NULL DEFAULT 'new')"
    )
    db.execute("CREATE TABLE keyless (name TEXT)")
    db.close()
    database = await open_database(str(tmp_path / "own.db"), data_dir=tmp_path)
    yield database
    await database.close()


async def test_columns_of_all_types(own):
    await load(
        own,
        '[{"n": 1, "score": 2, "vip": true, "tags": {"a": [1]}, "vector": [0.5, 1], "anything": 1.5}]',
        None,
        "leads",
    )
    await load(own, 'n,score,vip,tags,anything,kind\n2,2.5,FALSE,"[""a""]",x,old\n', "x.csv", "leads")
    common = {"kind": "new", "vector": array("f", [0.5, 1]), "anything": 1.5}
    assert await own.tables.find("leads", {}) == [
        {"n": 1, "score": 2.0, "vip": True, "tags": {"a": [1]}} | common,
        {"n": 2, "score": 2.5, "vip": False, "tags": ["a"], "vector": None, "anything": "x", "kind": "old"},
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,1,,", "'n': expected a whole number, found 'x'"),
        ("1,high,,", "'score': expected a number, found 'high'"),
        ("1,,,", "'score' is missing"),
        ("1,1,yes,", "'vip': expected true or false, found 'yes'"),
        ("1,1,,nope", "'tags': expected JSON, found 'nope'"),
    ],
)
async def test_values_that_do_not_fit_their_column(own, row, reason):
    with pytest.raises(BadRows, match=f"line 2: {reason}"):
        await load(own, f"n,score,vip,tags\n{row}\n", "x.csv", "leads")


@pytest.mark.parametrize("vector", ['"x"', "[true]", '["x"]'])
async def test_a_vector_must_be_numbers(own, vector):
    with pytest.raises(BadRows, match="'vector': expected a"):
        await load(own, f'[{{"n": 1, "score": 1, "vector": {vector}}}]', None, "leads")


async def test_a_table_without_a_key_cannot_be_loaded(own):
    with pytest.raises(UsageError, match="'keyless' has no primary key"):
        await load(own, "[]", None, "keyless")
