from array import array

import pytest
from pydantic import ValidationError

from lumeflow.blocks.output.database import DatabaseOutput
from lumeflow.blocks.output.shared_audience import SharedAudienceOutput
from lumeflow.core.registry import Registry
from lumeflow.plugin import BlockType, ErrorClass, NodeError, derived_id
from lumeflow.testing import MemoryContext, MemoryTables, run_block

CONFIG = {
    "destination": "database",
    "table": "shared_audiences",
    "mapping": {
        "sourceAudienceId": "{{workflow.input.id}}",
        "contacts": "{{input.contacts}}",
        "metadata": "{{input.metadata}}",
    },
    "createRelation": True,
}
MIRA = {"firstName": "Mira", "email": "mira.holt@example.com"}
TOMAS = {"firstName": "Tomás", "email": "tomas.quiroga@example.org"}
PAYLOAD = {"contacts": [MIRA, TOMAS], "metadata": {"totalContacts": 2}}
ID = derived_id("execution-1", "node-1")
NOW = "2026-01-09T12:00:00.000Z"


def database():
    tables = {"shared_audiences": [], "shared_audience_contacts": [], "audience_relations": []}
    return MemoryContext(tables=MemoryTables(tables), workflow_input={"id": "aud-1"})


async def store(ctx, payload=PAYLOAD, collection="contacts", **changes):
    return await run_block(SharedAudienceOutput, {**CONFIG, **changes}, payload, context=ctx, collection=collection)


async def test_the_audience_its_contacts_and_its_relation_are_stored():
    ctx = database()
    run = await store(ctx)
    assert run.output == {"sharedAudienceId": ID, "contactsCount": 2, "storedAt": NOW}
    assert run.records == [MIRA, TOMAS]
    assert ctx.tables.rows == {
        "shared_audiences": [
            {
                "id": ID,
                "source_audience_id": "aud-1",
                "workflow_execution_id": "execution-1",
                "contacts_count": 2,
                "metadata": {"totalContacts": 2},
                "status": "completed",
                "created_at": NOW,
                "stored_at": NOW,
            }
        ],
        "shared_audience_contacts": [
            {"shared_audience_id": ID, "position": 0, "data": MIRA, "embedding": None},
            {"shared_audience_id": ID, "position": 1, "data": TOMAS, "embedding": None},
        ],
        "audience_relations": [{"source_audience_id": "aud-1", "shared_audience_id": ID}],
    }


async def test_a_vector_gets_a_column_of_its_own():
    vector = array("f", [0.25, 0.5])
    ctx = database()
    await store(ctx, {"contacts": [{**MIRA, "embedding": vector}, {**TOMAS, "embedding": "none"}]})
    first, second = ctx.tables.rows["shared_audience_contacts"]
    assert (first["data"], first["embedding"]) == (MIRA, vector)
    assert (second["data"], second["embedding"]) == ({**TOMAS, "embedding": "none"}, None)
    await store(ctx, {"contacts": [{**MIRA, "face": vector}]}, embeddingField="face")
    assert ctx.tables.rows["shared_audience_contacts"][0]["embedding"] == vector


async def test_other_properties_are_columns_by_their_snake_case_name():
    ctx = database()
    await store(ctx, mapping={**CONFIG["mapping"], "name": "{{uppercase('fans')}}", "status": "draft", "ownerId": 7})
    (row,) = ctx.tables.rows["shared_audiences"]
    assert (row["name"], row["status"], row["owner_id"]) == ("FANS", "draft", 7)


async def test_without_relation_none_is_written():
    ctx = database()
    await store(ctx, createRelation=False)
    assert ctx.tables.rows["audience_relations"] == []


async def test_a_relation_needs_a_source():
    ctx = database()
    ctx.workflow_input = {}
    with pytest.raises(NodeError, match=r"createRelation needs mapping\.sourceAudienceId, which is empty") as caught:
        await store(ctx)
    assert caught.value.error_class is ErrorClass.VALIDATION
    assert ctx.tables.rows["shared_audiences"] == []


async def test_an_empty_audience_is_stored_too():
    ctx = database()
    run = await store(ctx, {"contacts": []})
    assert run.output["contactsCount"] == 0
    assert ctx.tables.rows["shared_audiences"][0]["contacts_count"] == 0


async def test_a_payload_without_collection_may_hold_the_contacts():
    ctx = database()
    run = await store(ctx, {"contacts": [MIRA, TOMAS], "others": [{"a": 1}]}, collection=None)
    assert run.output["contactsCount"] == 2
    assert [row["data"] for row in ctx.tables.rows["shared_audience_contacts"]] == [MIRA, TOMAS]


@pytest.mark.parametrize(("contacts", "count"), [(None, 0), ([], 0)])
async def test_a_payload_without_contacts_gives_an_empty_audience(contacts, count):
    run = await store(database(), {"contacts": contacts, "id": 1}, collection=None)
    assert run.output["contactsCount"] == count


async def test_contacts_of_a_payload_without_collection_must_be_objects():
    run = await store(database(), {"contacts": ["mira.holt@example.com"]}, collection=None)
    (failed,) = run.failed
    assert failed.error.error_class is ErrorClass.VALIDATION
    assert str(failed.error) == "config.mapping.contacts: 'contacts' must be a list of objects; element 0 is a string"


class TestResume:
    async def test_the_same_rows_are_written_again(self):
        ctx = database()
        await store(ctx)
        first = {name: [dict(row) for row in rows] for name, rows in ctx.tables.rows.items()}
        await store(ctx)
        assert ctx.tables.rows == first

    async def test_contacts_of_an_earlier_attempt_that_are_not_made_again_go(self):
        ctx = database()
        await store(ctx)
        await store(ctx, {"contacts": [TOMAS]})
        assert [row["data"] for row in ctx.tables.rows["shared_audience_contacts"]] == [TOMAS]
        assert ctx.tables.rows["shared_audiences"][0]["contacts_count"] == 1

    async def test_an_attempt_that_is_cut_off_takes_no_contacts_away(self):
        ctx = database()
        await store(ctx)
        block = SharedAudienceOutput(SharedAudienceOutput.Config.model_validate(CONFIG))
        await block.open(ctx.at({}, 0, {}, "contacts"))
        await block.abort()
        assert len(ctx.tables.rows["shared_audience_contacts"]) == 2

    async def test_the_audience_is_written_when_its_contacts_are_there(self):
        ctx = database().at({}, 0, {}, "contacts")
        block = SharedAudienceOutput(SharedAudienceOutput.Config.model_validate(CONFIG))
        await block.open(ctx)
        await block.process_batch([MIRA], ctx)
        assert len(ctx.tables.rows["shared_audience_contacts"]) == 1
        assert ctx.tables.rows["shared_audiences"] == []
        await block.close(ctx)
        assert len(ctx.tables.rows["shared_audiences"]) == 1

    async def test_other_executions_and_nodes_have_audiences_of_their_own(self):
        ctx = database()
        await store(ctx)
        ctx.node_id = "node-2"
        await store(ctx)
        ctx.execution_id = "execution-2"
        await store(ctx)
        assert len({row["id"] for row in ctx.tables.rows["shared_audiences"]}) == 3
        assert len(ctx.tables.rows["shared_audience_contacts"]) == 6

    @pytest.mark.parametrize("sizes", [[1] * 6, [6], [2, 3, 1]])
    async def test_the_cut_into_batches_makes_no_difference(self, sizes):
        ctx = database().at({}, 0, {}, "contacts")
        block = SharedAudienceOutput(SharedAudienceOutput.Config.model_validate(CONFIG))
        await block.open(ctx)
        records = iter([{"n": number} for number in range(6)])
        for size in sizes:
            await block.process_batch([next(records) for _ in range(size)], ctx)
        rows = ctx.tables.rows["shared_audience_contacts"]
        assert [(row["position"], row["data"]["n"]) for row in rows] == [(number, number) for number in range(6)]


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ({"emails": "{{pluck(input.contacts, 'email')}}"}, "mapping.emails"),
        ({"first": "{{input.contacts[0].email}}"}, "mapping.first"),
        ({"all": "{{input}}"}, "mapping.all"),
        ({"contacts": "{{input.contacts}}", "again": "{{ input.contacts }}"}, "mapping.again"),
    ],
)
async def test_a_collection_that_is_not_taken_whole_is_refused(mapping, named):
    with pytest.raises(NodeError, match="records are stored one by one") as caught:
        await store(database(), mapping=mapping, createRelation=False)
    assert caught.value.field == named


async def test_a_property_without_column_names_the_mapping():
    class Strict(MemoryTables):
        async def upsert(self, table, rows, *, key):
            from lumeflow.plugin import UsageError

            raise UsageError(f"table '{table}' has no column 'x'")

    ctx = database()
    ctx.tables = Strict({"shared_audiences": [], "shared_audience_contacts": []})
    with pytest.raises(NodeError, match=r"config\.mapping: table 'shared_audiences' has no column 'x'"):
        await store(ctx, {"contacts": []})


def test_it_is_meant_where_the_table_is_shared_audiences():
    registry = Registry()
    registry.add_block(SharedAudienceOutput)
    registry.add_block(DatabaseOutput)
    assert registry.resolve(BlockType.OUTPUT, CONFIG) is SharedAudienceOutput
    assert registry.resolve(BlockType.OUTPUT, {**CONFIG, "table": "leads"}) is DatabaseOutput


@pytest.mark.parametrize("wrong", [{"table": "leads"}, {"mapping": None}, {"createRelation": "maybe"}, {"key": ["id"]}])
def test_the_configuration_is_checked(wrong):
    with pytest.raises(ValidationError):
        SharedAudienceOutput.Config.model_validate({**CONFIG, **wrong})
