import gzip
import io
from array import array

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from lumeflow.blocks.input.upload import UploadInput
from lumeflow.plugin import ErrorClass, NodeError
from lumeflow.testing import MemoryContext, MemoryFiles, run_block

A, B = {"name": "Mira"}, {"name": "Tomás"}


async def upload(content, *, name="people.json", config=None, trigger=None, ctx=None, **options):
    data = content if isinstance(content, bytes) else content.encode()
    ctx = ctx or MemoryContext()
    ctx.files = MemoryFiles({name: data}, piece_bytes=1000)
    trigger = {"file": name} if trigger is None else trigger
    return await run_block(UploadInput, {"source": "upload", **(config or {})}, trigger, context=ctx, **options)


@pytest.mark.parametrize(
    ("content", "output"),
    [
        ([A, B], {"records": [A, B]}),
        (
            {"campaign": "spring", "people": [A, B], "done": True},
            {"campaign": "spring", "people": [A, B], "done": True},
        ),
        ({"id": "aud-1", "urls": ["https://example.com"]}, {"id": "aud-1", "urls": ["https://example.com"]}),
        ([], {"records": []}),
    ],
    ids=["list", "object with a list", "object without", "empty list"],
)
@pytest.mark.parametrize("option", [0, orjson.OPT_INDENT_2], ids=["compact", "indented"])
async def test_a_json_file_is_the_payload(content, output, option):
    run = await upload(orjson.dumps(content, option=option))
    assert (run.output, run.failed) == (output, [])


@pytest.mark.parametrize("name", ["people.jsonl", "people.NDJSON", "people.txt"])
async def test_json_lines_are_known_by_name_or_beginning(name):
    assert (await upload('{"name": "Mira"}\n{"name": "Tomás"}\n', name=name)).output == {"records": [A, B]}


async def test_one_line_is_json_lines_if_the_name_or_the_format_says_so():
    assert (await upload('{"name": "Mira"}')).output == A
    assert (await upload('{"name": "Mira"}', name="people.jsonl")).output == {"records": [A]}
    assert (await upload('{"name": "Mira"}', config={"format": "jsonl"})).output == {"records": [A]}
    assert (await upload('{"name": "Mira"}', name="people.jsonl", config={"format": "json"})).output == A


async def test_the_path_may_be_configured():
    run = await upload("[]", name="in/7.json", config={"path": "in/{{trigger.number}}.json"}, trigger={"number": 7})
    assert run.output == {"records": []}


@pytest.mark.parametrize(
    ("config", "options"), [({"collection": "b"}, {}), ({}, {"collection": "b"})], ids=["config", "output schema"]
)
async def test_the_list_may_be_named(config, options):
    run = await upload(orjson.dumps({"a": [A], "b": [B]}), config=config, **options)
    assert (run.fields, run.records) == ({"a": [A]}, [B])


async def test_bad_rows_fail_alone_and_say_where_they_are():
    run = await upload('[{"name": "Mira"},\n\n"mira.holt@example.com",\n{"name": "Tomás"}]')
    assert run.output == {"records": [A, B]}
    (failed,) = run.failed
    assert failed.position == 1
    assert failed.error.error_class is ErrorClass.VALIDATION
    assert str(failed.error) == "row 2 of 'people.json' (line 3): expected an object, found a string"


async def test_bad_lines_fail_alone_and_say_where_they_are():
    run = await upload('{"name": "Mira"}\n\n{"name": \n{"name": "Tomás"}', name="people.jsonl")
    assert run.output == {"records": [A, B]}
    (failed,) = run.failed
    assert str(failed.error) == "row 2 of 'people.jsonl' (line 3): not JSON: column 10: expecting value"


@pytest.mark.parametrize(
    ("content", "config", "message"),
    [
        (b"PK\x03\x04", {}, "cannot read 'people.json': it is an Excel workbook or another ZIP archive"),
        (b"PAR1", {"format": "json"}, "cannot read 'people.json': it is Parquet, not json"),
        (b"", {"format": "csv"}, "cannot read 'people.json': it is empty: expected a row of column names"),
        (b"", {}, "cannot read 'people.json': expected a list of objects.*found an empty file"),
        (b"name,email\nMira,x", {}, "cannot read 'people.json': line 1, column 1: expecting value"),
        (b'{"a": 1,}', {}, "line 1, column 9: expected a property name in double quotes"),
        (
            b'{"a": 1, "b": []}',
            {"collection": "people"},
            "'people.json' has no list 'people'; its properties: 'a', 'b'",
        ),
        (b'{"people": "x"}', {"collection": "people"}, "'people.json' has no list 'people'; its properties: 'people'"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_with_the_place(content, config, message):
    with pytest.raises(NodeError, match=message) as caught:
        await upload(content, config=config)
    assert caught.value.error_class is ErrorClass.VALIDATION


async def test_rows_before_a_broken_place_are_delivered():
    ctx = MemoryContext(files=MemoryFiles({"p.json": b'[{"n": 1},\n{"n": 2},\n{"n": }]'}), trigger={"file": "p.json"})
    block = UploadInput(UploadInput.Config(source="upload"))
    await block.open(ctx)
    produced = block.produce(ctx)
    assert [await anext(produced), await anext(produced)] == [{"n": 1}, {"n": 2}]
    with pytest.raises(NodeError, match=r"cannot read 'p\.json': line 3, column 7"):
        await anext(produced)


@pytest.mark.parametrize(
    ("trigger", "config", "error_class", "message"),
    [
        ({}, {}, "VALIDATION", "'file' in the input of the execution must be the path of a file; found null"),
        ({"file": 7}, {}, "VALIDATION", "found a number"),
        ({"file": " "}, {}, "VALIDATION", "found an empty string"),
        ({}, {"path": "{{trigger.path}}"}, "VALIDATION", "config.path must be the path of a file; found null"),
        ({"file": "peple.json"}, {}, "NOT_FOUND", "no file 'peple.json'. Did you mean 'people.json'"),
    ],
)
async def test_a_missing_file_is_named_with_the_remedy(trigger, config, error_class, message):
    with pytest.raises(NodeError, match=message) as caught:
        await upload("[]", trigger=trigger, config=config)
    assert caught.value.error_class is ErrorClass(error_class)


TABLE = "name;city\r\nMira;Leeds\r\n\r\nTomás;Vigo\r\n"
ROWS = [{"name": "Mira", "city": "Leeds"}, {"name": "Tomás", "city": "Vigo"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "mac-roman"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
async def test_a_table_is_read_whatever_its_encoding(encoding, pack):
    run = await upload(pack(TABLE.encode(encoding)), name="people.csv", config={"collection": "people"})
    assert (run.output, run.failed) == ({"people": ROWS}, [])


async def test_each_bad_row_of_a_table_fails_with_its_line():
    run = await upload('name,city\nMira,Leeds\nMira,Leeds,LS1\n\n"Tomás,Vigo\nTomás,Vigo', name="people.csv")
    assert run.output == {"records": ROWS}
    assert [(failed.position, str(failed.error)) for failed in run.failed] == [
        (1, "row 2 of 'people.csv' (line 3): expected 2 cells, found 3"),
        (
            2,
            "row 3 of 'people.csv' (line 5): a quote is opened and never closed: close it, or double a quote that "
            "belongs to the text",
        ),
    ]
    assert {failed.error.error_class for failed in run.failed} == {ErrorClass.VALIDATION}


@pytest.mark.parametrize(
    ("content", "config", "rows"),
    [
        ("Mira^Leeds\n", {"delimiter": "^", "columns": ["name", "city"]}, ROWS[:1]),
        ("Report\nname,city\nMira,Leeds\n", {"skipLines": 1}, ROWS[:1]),
        ("name,city\nMira\n", {"shortRows": "fill"}, [{"name": "Mira"}]),
        ("1,2\n3,4\n", {"header": True}, [{"1": "3", "2": "4"}]),
        (
            "name,city\nMira,Leeds\n",
            {"header": False},
            [{"column1": "name", "column2": "city"}, {"column1": "Mira", "column2": "Leeds"}],
        ),
        ("name,city\n'Mi,ra',Leeds\n", {"quote": "'"}, [{"name": "Mi,ra", "city": "Leeds"}]),
        ('name,city\n"Mira,Leeds\n', {"quote": ""}, [{"name": '"Mira', "city": "Leeds"}]),
        ('name,city\n"Mi\\"ra",Leeds\n', {"escape": "\\"}, [{"name": 'Mi"ra', "city": "Leeds"}]),
        (
            "name,city\nNúñez,Lugo\n".encode("cp1250", "replace"),
            {"encoding": "windows-1250"},
            [{"name": "Nú?ez", "city": "Lugo"}],
        ),
        ("name\tcity\nMira\tLeeds\n", {"format": "tsv"}, ROWS[:1]),
    ],
)
async def test_what_is_unusual_about_a_table_can_be_told(content, config, rows):
    run = await upload(content, name="people.csv", config=config)
    assert (run.records, run.failed) == (rows, [])


async def test_what_had_to_be_guessed_or_mended_is_on_the_timeline():
    ctx = MemoryContext()
    await upload("name,name\nZoë,Núñez\n".encode("cp1252"), name="people.csv", ctx=ctx)
    assert ctx.warnings == [
        "'people.csv': it is not UTF-8; read as cp1252, which suits it best: name its 'encoding' in the config if "
        "letters with accents come out wrong",
        "'people.csv': column 2 has the name 'name' of an earlier one: it is called 'name_2'",
    ]


async def test_json_may_have_any_encoding_and_be_packed():
    for data in (orjson.dumps([A, B]).decode().encode("utf-16"), gzip.compress(orjson.dumps([A, B]))):
        assert (await upload(data)).output == {"records": [A, B]}


async def test_two_lists_of_objects_are_fields_of_the_payload():
    assert (await upload(orjson.dumps({"a": [A], "b": [B]}))).fields == {"a": [A], "b": [B]}


async def test_a_parquet_file_with_vectors():
    file = io.BytesIO()
    vectors = pa.array([[0.5, 0.25]] * 2, pa.list_(pa.float32(), 2))
    pq.write_table(pa.table({"name": ["Mira", "Tomás"], "embedding": vectors}), file)
    run = await upload(file.getvalue(), name="people.parquet")
    assert run.records == [{**person, "embedding": array("f", [0.5, 0.25])} for person in (A, B)]


async def test_rows_before_a_place_where_a_packed_file_breaks_off_are_delivered():
    rows = "".join(f"{number},{number * 7919 % 10007}\n" for number in range(50_000))
    data = gzip.compress(f"a,b\n{rows}".encode())
    ctx = MemoryContext(files=MemoryFiles({"p.csv.gz": data[:-5000]}, piece_bytes=10_000), trigger={"file": "p.csv.gz"})
    block = UploadInput(UploadInput.Config(source="upload"))
    await block.open(ctx)
    found = []

    async def gather():
        async for row in block.produce(ctx):
            found.append(row)  # noqa: PERF401 - what came before the error is wanted

    with pytest.raises(NodeError, match=r"cannot read 'p\.csv\.gz': the gzip data break off"):
        await gather()
    assert len(found) > 40_000


async def test_the_file_is_closed_when_the_node_ends_early():
    class Watched(MemoryFiles):
        open_streams = 0

        async def stream(self, path):
            self.open_streams += 1
            try:
                async for piece in super().stream(path):
                    yield piece
            finally:
                self.open_streams -= 1

    files = Watched({"p.csv": b"a,b\n" + b"1,2\n" * 100_000}, piece_bytes=1000)
    ctx = MemoryContext(files=files, trigger={"file": "p.csv"})
    block = UploadInput(UploadInput.Config(source="upload"))
    await block.open(ctx)
    produced = block.produce(ctx)
    assert await anext(produced) == {"a": "1", "b": "2"}
    assert files.open_streams == 1
    await produced.aclose()
    assert files.open_streams == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "xlsx"},
        {"encoding": "utf-9"},
        {"delimiter": ""},
        {"delimiter": "::"},
        {"skipLines": -1},
        {"columns": []},
        {"delimiter": '"'},
        {"delimiter": "\n"},
        {"quote": "'", "escape": "'"},
    ],
)
def test_the_configuration_is_checked(wrong):
    with pytest.raises(ValidationError):
        UploadInput.Config.model_validate({"source": "upload", **wrong})
