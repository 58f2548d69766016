from array import array

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lumeflow.blocks.output.json import JsonOutput
from lumeflow.blocks.output.jsonl import JsonLinesOutput
from lumeflow.plugin import BlockType, ErrorClass, NodeError
from lumeflow.plugins import load_registry
from lumeflow.testing import MemoryContext, MemoryFiles, run_block

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CONTACTS = [{"name": "Mira"}, {"name": "Tomás", "nest": {"list": [1, None]}}]


async def write(payload, config=None, *, ctx=None, **options):
    ctx = ctx or MemoryContext()
    block = JsonLinesOutput if (config or {}).get("format") == "jsonl" else JsonOutput
    run = await run_block(block, {"destination": "json", **(config or {})}, payload, context=ctx, **options)
    return run, ctx.files.written


async def test_the_file_holds_the_whole_payload():
    payload = {"id": "aud-1", "contacts": CONTACTS, "metadata": {"total": 2}}
    run, written = await write(payload)
    assert run.output == {"path": "workflow-1-node-1.json", "recordsCount": 2}
    (content,) = written.values()
    assert orjson.loads(content) == payload
    assert content.splitlines() == [
        b'{"contacts":[',
        b'{"name":"Mira"},',
        '{"name":"Tomás","nest":{"list":[1,null]}}'.encode(),
        b'],"id":"aud-1","metadata":{"total":2}}',
    ]


async def test_json_lines_hold_the_records():
    run, written = await write({"id": "aud-1", "contacts": CONTACTS}, {"format": "jsonl"})
    assert run.output == {"path": "workflow-1-node-1.jsonl", "recordsCount": 2}
    assert [orjson.loads(line) for line in written["workflow-1-node-1.jsonl"].splitlines()] == CONTACTS


@pytest.mark.parametrize("format_", ["json", "jsonl"])
async def test_a_payload_without_collection_is_written_as_it_is(format_):
    run, written = await write({"id": "aud-1", "n": 1}, {"format": format_, "path": "out"})
    assert (run.output["recordsCount"], written) == (1, {"out": b'{"id":"aud-1","n":1}\n'})


@pytest.mark.parametrize(
    ("payload", "format_", "content"),
    [
        ({"contacts": [], "id": 1}, "json", {"contacts": [], "id": 1}),
        ({"contacts": []}, "json", {"contacts": []}),
        ({"contacts": []}, "jsonl", None),
    ],
)
async def test_an_empty_collection_gives_an_empty_list(payload, format_, content):
    run, written = await write(payload, {"format": format_, "path": "out"}, collection="contacts")
    assert run.output["recordsCount"] == 0
    assert (orjson.loads(written["out"]) if content else written["out"]) == (content or b"")


async def test_vectors_are_written_in_few_digits():
    _, written = await write({"contacts": [{"embedding": array("f", [0.1, 0.25])}]}, {"format": "jsonl", "path": "o"})
    assert written["o"] == b'{"embedding":[0.1,0.25]}\n'


async def test_the_path_may_be_computed():
    ctx = MemoryContext(execution_id="e-7", workflow_input={"name": "fans"})
    config = {"path": "{{workflow.input.name}}/{{execution.id}}-{{input.type}}.json"}
    run, _ = await write({"type": "instagram", "contacts": CONTACTS}, config, ctx=ctx)
    assert run.output["path"] == "fans/e-7-instagram.json"


@pytest.mark.parametrize(
    ("path", "found"), [("{{input.nothing}}", "null"), ("{{1 + 1}}", "a number"), (" ", "an empty")]
)
async def test_a_path_that_is_none_is_refused(path, found):
    with pytest.raises(NodeError, match=f"config.path must be the path of a file; found {found}") as caught:
        await write({"contacts": CONTACTS}, {"path": path})
    assert caught.value.error_class is ErrorClass.VALIDATION


async def test_a_record_without_json_form_fails_alone():
    run, written = await write({"contacts": [{"n": 1}, {"n": 2**70}, {"n": 3}]}, {"path": "o"})
    assert [failed.position for failed in run.failed] == [1]
    assert run.failed[0].error.error_class is ErrorClass.VALIDATION
    assert orjson.loads(written["o"]) == {"contacts": [{"n": 1}, {"n": 3}]}
    assert run.output["recordsCount"] == 2


async def test_nothing_appears_before_the_end_and_nothing_stays_after_an_abort():
    ctx = MemoryContext(collection="contacts")
    block = JsonOutput(JsonOutput.Config.model_validate({"destination": "json"}))
    await block.abort()
    await block.open(ctx)
    await block.process_batch(CONTACTS, ctx)
    assert ctx.files.written == {}
    await block.abort()
    assert ctx.files.written == {}


async def test_a_file_that_cannot_be_made_names_the_config_field():
    class Refusing(MemoryFiles):
        async def create(self, name):
            from lumeflow.plugin import UsageError

            raise UsageError(f"'{name}' leaves the folder")

    with pytest.raises(NodeError, match=r"config\.path: '\.\./x' leaves the folder") as caught:
        await write({"contacts": CONTACTS}, {"path": "../x"}, ctx=MemoryContext(files=Refusing()))
    assert caught.value.field == "path"


async def test_the_cut_into_batches_makes_no_difference():
    contents = set()
    for size in (1, 2, 3, 7):
        ctx = MemoryContext(collection="contacts", fields={"id": 1})
        block = JsonOutput(JsonOutput.Config.model_validate({"destination": "json"}))
        await block.open(ctx)
        records = [{"n": number} for number in range(7)]
        for start in range(0, 7, size):
            await block.process_batch(records[start : start + size], ctx)
        await block.close(ctx)
        contents.update(ctx.files.written.values())
    assert len(contents) == 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('abc"\\é\n', max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text("xyz", max_size=2), JSON, max_size=3)


@RELAXED
@given(st.lists(OBJECTS, max_size=5), st.dictionaries(st.sampled_from(["a", "b"]), JSON, max_size=2))
async def test_what_is_written_is_read_back(records, fields):
    payload = {**fields, "rows": records}
    _, written = await write(payload, {"path": "o"}, collection="rows")
    assert orjson.loads(written["o"]) == payload


@pytest.mark.parametrize("wrong", [{"format": "xml"}, {"path": "{{x}}"}, {"fromat": "json"}])
def test_the_configuration_is_checked(wrong):
    with pytest.raises(ValidationError):
        JsonOutput.Config.model_validate({"destination": "json", **wrong})


@pytest.mark.parametrize(
    ("config", "block"),
    [
        ({"destination": "csv"}, "output/csv"),
        ({"destination": "csv", "format": "csv"}, "output/csv"),
        ({"destination": "file", "format": "csv"}, "output/csv"),
        ({"destination": "json"}, "output/json"),
        ({"destination": "json", "format": "json"}, "output/json"),
        ({"destination": "file", "format": "json"}, "output/json"),
        ({"destination": "jsonl"}, "output/jsonl"),
        ({"destination": "jsonl", "format": "jsonl"}, "output/jsonl"),
        ({"destination": "json", "format": "jsonl"}, "output/jsonl"),
        ({"destination": "file", "format": "jsonl"}, "output/jsonl"),
        ({"destination": "parquet", "format": "parquet"}, "output/parquet"),
        ({"destination": "file", "format": "parquet"}, "output/parquet"),
    ],
)
def test_destination_and_format_say_together_which_file_is_written(config, block):
    found = load_registry(entry_points=False)[0].resolve(BlockType.OUTPUT, config)
    assert found.id() == block
    assert found.Config.model_validate(config).destination == config["destination"]


@pytest.mark.parametrize(
    "config", [{"destination": "csv", "format": "json"}, {"destination": "jsonl", "format": "csv"}]
)
def test_a_format_that_contradicts_the_destination_is_refused(config):
    block = load_registry(entry_points=False)[0].resolve(BlockType.OUTPUT, config)
    with pytest.raises(ValidationError, match="format"):
        block.Config.model_validate(config)
