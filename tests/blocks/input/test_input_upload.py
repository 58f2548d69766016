import orjson
import pytest

from lumeflow.blocks.input.upload import UploadInput
from lumeflow.plugin import ErrorClass, NodeError
from lumeflow.testing import MemoryContext, MemoryFiles, run_block

A, B = {"name": "Mira"}, {"name": "Tomás"}


async def upload(content, *, name="people.json", config=None, trigger=None, **options):
    data = content if isinstance(content, bytes) else content.encode()
    ctx = MemoryContext(files=MemoryFiles({name: data}))
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
    assert str(failed.error) == "row 2 of 'people.jsonl' (line 3): not JSON: column 9: expecting value"


@pytest.mark.parametrize(
    ("content", "config", "message"),
    [
        (
            b'[{"name": "Tom\xe1s"}]',
            {},
            r"cannot read 'people.json': line 1, column 15: byte 0xE1 is not UTF-8; save it as UTF-8",
        ),
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
        ({}, {}, "VALIDATION", "'file' in the input of the execution must be the path of a JSON file; found null"),
        ({"file": 7}, {}, "VALIDATION", "found a number"),
        ({"file": " "}, {}, "VALIDATION", "found an empty string"),
        ({}, {"path": "{{trigger.path}}"}, "VALIDATION", "config.path must be the path of a JSON file; found null"),
        ({"file": "peple.json"}, {}, "NOT_FOUND", "no file 'peple.json'. Did you mean 'people.json'"),
    ],
)
async def test_a_missing_file_is_named_with_the_remedy(trigger, config, error_class, message):
    with pytest.raises(NodeError, match=message) as caught:
        await upload("[]", trigger=trigger, config=config)
    assert caught.value.error_class is ErrorClass(error_class)
