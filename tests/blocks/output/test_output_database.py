from array import array

import pytest
from pydantic import ValidationError

from lumeflow.blocks.output.database import DatabaseOutput
from lumeflow.plugin import ErrorClass, NodeError, derived_id
from lumeflow.testing import MemoryContext, MemoryTables, run_block

MIRA = {"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"}
TOMAS = {"firstName": "Tomás", "lastName": "Quiroga", "email": "tomas.quiroga@example.org"}
MAPPING = {"email": "{{input.email}}", "name": "{{input.firstName}} {{input.lastName}}"}


def database(*rows):
    return MemoryContext(tables=MemoryTables({"leads": rows}))


async def store(config, records, ctx):
    config = {"destination": "database", "table": "leads", **config}
    return await run_block(DatabaseOutput, config, {"contacts": records}, context=ctx, collection="contacts")


async def test_each_record_becomes_a_row():
    ctx = database()
    run = await store({"mapping": MAPPING, "key": ["email"]}, [MIRA, TOMAS], ctx)
    assert run.output == {"table": "leads", "rowsCount": 2, "storedAt": "2026-01-09T12:00:00.000Z"}
    assert run.records == [MIRA, TOMAS]
    assert ctx.tables.rows["leads"] == [
        {"email": "mira.holt@example.com", "name": "Mira Holt"},
        {"email": "tomas.quiroga@example.org", "name": "Tomás Quiroga"},
    ]


async def test_without_key_an_id_is_derived_from_execution_node_and_place():
    ctx = database()
    await store({"mapping": MAPPING}, [MIRA, TOMAS], ctx)
    assert [row["id"] for row in ctx.tables.rows["leads"]] == [
        derived_id("execution-1", "node-1", "0"),
        derived_id("execution-1", "node-1", "1"),
    ]


async def test_an_id_that_the_record_has_is_kept():
    ctx = database()
    await store({"mapping": {"id": "{{input.key}}"}}, [{"key": "k1"}, {"key": None}], ctx)
    assert [row["id"] for row in ctx.tables.rows["leads"]] == ["k1", derived_id("execution-1", "node-1", "1")]


async def test_without_mapping_properties_are_columns():
    ctx = database()
    await store({"key": ["email"]}, [MIRA], ctx)
    assert ctx.tables.rows["leads"] == [MIRA]


@pytest.mark.parametrize("config", [{"mapping": MAPPING, "key": ["email"]}, {"mapping": MAPPING}])
async def test_a_resume_overwrites_and_never_doubles(config):
    ctx = database()
    await store(config, [MIRA, TOMAS], ctx)
    first = [dict(row) for row in ctx.tables.rows["leads"]]
    await store(config, [MIRA, TOMAS], ctx)
    assert ctx.tables.rows["leads"] == first


async def test_the_cut_into_batches_makes_no_difference():
    found = []
    for size in (1, 2, 5):
        ctx = database()
        block = DatabaseOutput(
            DatabaseOutput.Config.model_validate({"destination": "database", "table": "leads", "mapping": MAPPING})
        )
        records = [{"email": f"{number}@example.com"} for number in range(5)]
        for start in range(0, 5, size):
            await block.process_batch(records[start : start + size], ctx)
        found.append(ctx.tables.rows["leads"])
    assert found[0] == found[1] == found[2]
    assert len({row["id"] for row in found[0]}) == 5


async def test_of_two_records_with_one_key_the_later_stays():
    ctx = database()
    await store({"mapping": MAPPING, "key": ["email"]}, [MIRA, {**MIRA, "firstName": "Mirella"}], ctx)
    assert ctx.tables.rows["leads"] == [{"email": "mira.holt@example.com", "name": "Mirella Holt"}]


async def test_a_record_whose_key_is_empty_fails_alone():
    ctx = database()
    run = await store({"mapping": MAPPING, "key": ["email"]}, [{"firstName": "Aiko"}, TOMAS], ctx)
    (failed,) = run.failed
    assert (failed.position, str(failed.error)) == (0, "the key column 'email' would be empty")
    assert (run.output["rowsCount"], len(ctx.tables.rows["leads"])) == (1, 1)


async def test_an_unknown_table_is_named_with_the_nearest():
    with pytest.raises(NodeError, match=r"config\.table: there is no table 'lead'. Did you mean 'leads'") as caught:
        await store({"table": "lead"}, [MIRA], database())
    assert (caught.value.error_class, caught.value.field) == (ErrorClass.VALIDATION, "table")


@pytest.mark.parametrize(
    "wrong", [{"table": ""}, {"key": []}, {"mapping": MAPPING, "key": ["phone"]}, {"mapping": {"a": "{{"}}]
)
def test_the_configuration_is_checked(wrong):
    with pytest.raises(ValidationError):
        DatabaseOutput.Config.model_validate({"destination": "database", "table": "leads", **wrong})


class TestMakingTables:
    CONFIG = {"table": "people", "key": ["email"], "createTable": True}

    async def test_columns_follow_from_the_records(self):
        ctx = MemoryContext()
        records = [
            {"email": "a@example.com", "age": 40, "tags": ["x"], "note": None, "vip": True, "v": array("f", [1])},
            {"email": "b@example.com", "rate": 0.5, "note": "late", "address": {"city": "Lisbon"}},
        ]
        run = await store(self.CONFIG, records, ctx)
        assert run.output["rowsCount"] == 2
        assert ctx.tables.made["people"] == {
            "email": "text", "age": "integer", "tags": "json", "vip": "boolean", "v": "vector", "rate": "number",
            "note": "text", "address": "json",
        }  # fmt: skip
        first = {name: value for name, value in records[0].items() if value is not None}
        assert ctx.tables.rows["people"] == [first, records[1]]

    async def test_kinds_can_be_given(self):
        ctx = MemoryContext()
        columns = {"zip": "text", "embedding": "vector", "at": "timestamp", "rate": "number", "any": "json"}
        record = {
            "email": "a@example.com",
            "zip": 1234,
            "embedding": [0.5, 1],
            "at": "2026-01-09",
            "rate": 3,
            "any": "x",
        }
        await store({**self.CONFIG, "columns": columns}, [record], ctx)
        assert list(ctx.tables.made["people"].items())[:5] == list(columns.items())
        assert ctx.tables.rows["people"] == [{**record, "zip": "1234", "embedding": array("f", [0.5, 1])}]

    @pytest.mark.parametrize(
        ("first", "then", "found"),
        [
            (1, "one", "a string"),
            ("x", True, "a boolean"),
            (1, 1.5, "a number"),
            (True, 1, "a number"),
            ("x", [], "a list"),
        ],
    )
    async def test_a_value_of_another_kind_fails_its_record(self, first, then, found):
        ctx = MemoryContext()
        records = [{"email": "a@example.com", "x": first}, {"email": "b@example.com", "x": then}]
        run = await store(self.CONFIG, records, ctx)
        (failed,) = run.failed
        assert (failed.position, failed.error.field) == (1, "x")
        assert str(failed.error).endswith(f"found {found}")
        assert len(ctx.tables.rows["people"]) == 1

    async def test_without_records_the_table_is_made_of_the_columns_that_are_given(self):
        ctx = MemoryContext()
        await store({**self.CONFIG, "columns": {"email": "text"}}, [], ctx)
        assert ctx.tables.rows == {"people": []}
        await store({**self.CONFIG, "table": "others"}, [], ctx)
        assert list(ctx.tables.rows) == ["people"]

    def test_columns_are_for_tables_that_are_made(self):
        config = {"destination": "database", "table": "people", "columns": {"a": "text"}}
        with pytest.raises(ValidationError, match="set createTable"):
            DatabaseOutput.Config.model_validate(config)
        with pytest.raises(ValidationError, match="vector"):
            DatabaseOutput.Config.model_validate({**config, "createTable": True, "columns": {"a": "string"}})


class TestRelations:
    async def test_each_row_is_connected_with_the_source_audience(self):
        ctx = MemoryContext(workflow_input={"id": "aud-1"})
        config = {"table": "people", "key": ["email"], "createTable": True, "createRelation": True}
        for _ in range(2):
            await store(config, [MIRA, TOMAS], ctx)
        assert ctx.tables.rows["people_relations"] == [
            {"source_audience_id": "aud-1", "email": MIRA["email"]},
            {"source_audience_id": "aud-1", "email": TOMAS["email"]},
        ]
        assert ctx.tables.made["people_relations"] == {"source_audience_id": "text", "email": "text"}

    async def test_with_what_and_under_which_names_can_be_said(self):
        relation = {
            "table": "campaign_leads",
            "mapping": {"campaign": "{{variables.campaign}}", "channel": "{{input.channel}}"},
            "row": {"lead_id": "id"},
        }
        tables = MemoryTables({"leads": [], "campaign_leads": []})
        ctx = MemoryContext(tables=tables, variables={"campaign": 7})
        await store({"createRelation": relation}, [{"id": "l1", "channel": "mail"}], ctx)
        assert tables.rows["campaign_leads"] == [{"campaign": 7, "channel": "mail", "lead_id": "l1"}]

    async def test_there_must_be_something_to_connect_with(self):
        with pytest.raises(NodeError, match=r"config\.createRelation: the column 'source_audience_id' would be empty"):
            await store({"createRelation": True, "createTable": True}, [MIRA], MemoryContext())
