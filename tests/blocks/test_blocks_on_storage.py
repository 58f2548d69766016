"""The blocks of this package on the database and the files that they meet in production."""

import asyncio
from array import array
from pathlib import Path

import orjson
import pytest

from lumeflow.blocks.input.database import DatabaseInput
from lumeflow.blocks.input.upload import UploadInput
from lumeflow.blocks.output.database import DatabaseOutput
from lumeflow.blocks.output.json import JsonOutput
from lumeflow.blocks.output.shared_audience import SharedAudienceOutput
from lumeflow.plugin import NodeError
from lumeflow.storage.database import open_database
from lumeflow.storage.files import LocalFiles
from lumeflow.testing import MemoryContext, run_block

AUDIENCE = {"id": "aud-1", "name": "Fans", "type": "instagram", "urls": ["https://example.com/p/1"]}
CONTACTS = [{"firstName": "Mira", "embedding": array("f", [0.25, 0.5])}, {"firstName": "Tomás"}]
SHARED = {
    "destination": "database",
    "table": "shared_audiences",
    "mapping": {
        "sourceAudienceId": "{{workflow.input.id}}",
        "contacts": "{{input.contacts}}",
        "metadata": "{{input.metadata}}",
    },
    "createRelation": True,
}


@pytest.fixture
async def ctx(tmp_path):
    database = await open_database(str(tmp_path / "lumeflow.db"), data_dir=tmp_path)
    await database.tables.upsert("source_audiences", [AUDIENCE], key=["id"])
    files = LocalFiles(tmp_path / "artifacts", "execution-1")
    yield MemoryContext(tables=database.tables, files=files, workflow_input={"id": "aud-1"})
    await database.close()


async def test_an_audience_is_read(ctx):
    config = {"source": "database", "query": "source_audiences", "fields": ["id", "name", "type", "urls"]}
    assert (await run_block(DatabaseInput, config, {"sourceAudienceId": "aud-1"}, context=ctx)).output == AUDIENCE


@pytest.mark.parametrize(
    ("change", "message"),
    [({"query": "source_audience"}, "source_audiences"), ({"fields": ["id", "url"]}, "urls")],
    ids=["table", "column"],
)
async def test_an_unknown_name_is_told_with_the_nearest(ctx, change, message):
    config = {"source": "database", "query": "source_audiences", **change}
    with pytest.raises(NodeError, match=message):
        await run_block(DatabaseInput, config, {"id": "aud-1"}, context=ctx)


async def test_a_shared_audience_is_stored_once_and_can_be_read_as_records(ctx):
    payload = {"contacts": CONTACTS, "metadata": {"totalContacts": 2}}
    for _ in range(2):
        run = await run_block(SharedAudienceOutput, SHARED, payload, context=ctx)
    (audience,) = await ctx.tables.find("shared_audiences", {})
    assert audience["id"] == run.output["sharedAudienceId"]
    assert (audience["source_audience_id"], audience["contacts_count"]) == ("aud-1", 2)
    assert audience["metadata"] == {"totalContacts": 2}
    assert await ctx.tables.find("audience_relations", {}) == [
        {"source_audience_id": "aud-1", "shared_audience_id": audience["id"]}
    ]
    config = {
        "source": "database",
        "query": "shared_audience_contacts",
        "fields": ["position", "data", "embedding"],
        "where": {"shared_audience_id": "{{trigger.audience}}"},
        "collection": "contacts",
    }
    read = await run_block(DatabaseInput, config, {"audience": audience["id"]}, context=ctx)
    assert read.records == [
        {"position": 0, "data": {"firstName": "Mira"}, "embedding": [0.25, 0.5]},
        {"position": 1, "data": {"firstName": "Tomás"}},
    ]


async def test_a_mapped_property_without_column_is_refused(ctx):
    config = {**SHARED, "mapping": {**SHARED["mapping"], "colour": "red"}}
    with pytest.raises(NodeError, match=r"config\.mapping: .*colour"):
        await run_block(SharedAudienceOutput, config, {"contacts": CONTACTS}, context=ctx)


async def test_rows_of_another_table(ctx):
    config = {
        "destination": "database",
        "table": "source_audiences",
        "mapping": {"id": "{{input.id}}", "name": "{{input.name}}", "urls": "{{input.urls}}"},
    }
    rows = {
        "rows": [{"id": "aud-2", "name": "New", "urls": ["https://example.com/2"]}, {"id": "aud-1", "name": "Changed"}]
    }
    assert (await run_block(DatabaseOutput, config, rows, context=ctx)).output["rowsCount"] == 2
    stored = await ctx.tables.find("source_audiences", {}, ["id", "name", "urls"])
    assert stored == [
        {"id": "aud-1", "name": "Changed", "urls": None},
        {"id": "aud-2", "name": "New", "urls": ["https://example.com/2"]},
    ]


async def test_a_key_that_the_table_does_not_have_is_refused(ctx):
    config = {"destination": "database", "table": "source_audiences", "mapping": {"name": "x"}, "key": ["name"]}
    with pytest.raises(NodeError, match=r"config\.table: .*key"):
        await run_block(DatabaseOutput, config, {"rows": [{"a": 1}]}, context=ctx)


async def test_a_json_file_is_written_and_read_back(ctx, tmp_path):
    payload = {"contacts": CONTACTS, "metadata": {"totalContacts": 2}}
    run = await run_block(JsonOutput, {"destination": "json"}, payload, context=ctx)
    assert tmp_path in Path(run.output["path"]).parents
    assert orjson.loads(await ctx.files.read(run.output["path"])) == {
        "contacts": [{"firstName": "Mira", "embedding": [0.25, 0.5]}, {"firstName": "Tomás"}],
        "metadata": {"totalContacts": 2},
    }
    read = await run_block(UploadInput, {"source": "upload"}, {"file": run.output["path"]}, context=ctx)
    assert read.fields == {"metadata": {"totalContacts": 2}}
    assert read.records == [{"firstName": "Mira", "embedding": [0.25, 0.5]}, {"firstName": "Tomás"}]


async def test_a_missing_file_is_told(ctx, tmp_path):
    with pytest.raises(NodeError, match=r"nothing\.json"):
        await run_block(UploadInput, {"source": "upload"}, {"file": str(tmp_path / "nothing.json")}, context=ctx)


async def test_a_table_that_grows_while_batches_overtake_nobody(ctx):
    config = {"destination": "database", "table": "people", "key": ["email"], "createTable": True}
    block = DatabaseOutput(DatabaseOutput.Config.model_validate({**config, "createRelation": True}))
    ctx.workflow_input = {"id": "aud-1"}
    batches = [
        [{"email": f"p{n % 3}@example.com", "n": n, **({"late": "x"} if n > 6 else {})} for n in range(k, k + 3)]
        for k in range(0, 12, 3)
    ]
    await asyncio.gather(*(block.process_batch(batch, ctx) for batch in batches))
    assert await ctx.tables.find("people", {}) == [
        {"email": f"p{n}@example.com", "n": n + 9, "late": "x"} for n in range(3)
    ]
    assert len(await ctx.tables.find("people_relations", {})) == 3


async def test_rows_written_are_rows_read(ctx):
    people = [{"email": f"p{n:03d}@example.com", "tags": [n], "vip": n % 2 == 0} for n in range(250)]
    output = {"destination": "database", "table": "people", "key": ["email"], "createTable": True}
    await run_block(DatabaseOutput, output, {"people": people}, context=ctx)
    config = {"source": "database", "query": "people", "where": {"vip": True}, "collection": "people", "pageSize": 7}
    assert (await run_block(DatabaseInput, config, context=ctx)).records == people[::2]
