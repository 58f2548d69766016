from array import array

import pytest
from pydantic import ValidationError

from lumeflow.blocks.input.database import DatabaseInput
from lumeflow.plugin import ErrorClass, NodeError
from lumeflow.testing import MemoryContext, MemoryTables, run_block

CONFIG = {"source": "database", "query": "source_audiences", "fields": ["id", "name", "type", "urls"]}
AUDIENCE = {"id": "aud-1", "name": "Fans", "type": "instagram", "urls": ["https://example.com/p/1"]}


def database(**tables):
    audiences = [{**AUDIENCE, "created_at": "2026-01-09T10:00:00.000000Z"}, {"id": 7, "name": None, "type": "facebook"}]
    leads = [
        {"id": "l1", "email": "mira.holt@example.com", "owner": "a", "score": 1},
        {"id": "l2", "email": "tomas.quiroga@example.org", "owner": "a", "score": None},
        {"id": "l3", "email": "aiko.tanaka@example.net", "owner": "b", "score": 3},
    ]
    return MemoryContext(tables=MemoryTables({"source_audiences": audiences, "leads": leads, **tables}))


@pytest.mark.parametrize("key", ["sourceAudienceId", "id"])
async def test_the_row_that_the_execution_asks_for_is_the_payload(key):
    run = await run_block(DatabaseInput, CONFIG, {key: "aud-1"}, context=database())
    assert run.output == AUDIENCE
    assert run.records == []


async def test_source_audience_id_comes_before_id():
    run = await run_block(DatabaseInput, CONFIG, {"id": 7, "sourceAudienceId": "aud-1"}, context=database())
    assert run.output == AUDIENCE


async def test_columns_that_are_null_are_left_out():
    assert (await run_block(DatabaseInput, CONFIG, {"id": 7}, context=database())).output == {
        "id": 7,
        "type": "facebook",
    }


async def test_all_columns_are_read_if_none_is_named():
    run = await run_block(DatabaseInput, {"source": "database", "query": "leads"}, {"id": "l2"}, context=database())
    assert run.output == {"id": "l2", "email": "tomas.quiroga@example.org", "owner": "a"}


@pytest.mark.parametrize(
    ("trigger", "error_class", "field", "parts"),
    [
        (
            {},
            "VALIDATION",
            "sourceAudienceId",
            ["neither 'sourceAudienceId' nor 'id'", "source_audiences", '{"sourceAudi'],
        ),
        ({"id": None}, "VALIDATION", "sourceAudienceId", ["neither 'sourceAudienceId' nor 'id'"]),
        ({"id": ["aud-1"]}, "VALIDATION", "id", ["'id' in the input of the execution must be a string; found a list"]),
        ({"sourceAudienceId": True}, "VALIDATION", "sourceAudienceId", ["found a boolean"]),
        (
            {"sourceAudienceId": "aud-9"},
            "NOT_FOUND",
            "sourceAudienceId",
            [
                "table 'source_audiences' has no row with the id 'aud-9'",
                "'sourceAudienceId'",
                "lumeflow db load source_audiences",
            ],
        ),
    ],
    ids=["no id", "null", "a list", "a boolean", "no such row"],
)
async def test_a_row_that_cannot_be_picked(trigger, error_class, field, parts):
    with pytest.raises(NodeError) as caught:
        await run_block(DatabaseInput, CONFIG, trigger, context=database())
    assert (caught.value.error_class, caught.value.field) == (ErrorClass(error_class), field)
    for part in parts:
        assert part in str(caught.value)


async def test_a_resume_works_with_the_row_that_the_first_run_read():
    ctx = database()
    first = await run_block(DatabaseInput, CONFIG, {"id": "aud-1"}, context=ctx)
    ctx.tables.rows["source_audiences"][0]["urls"] = ["https://example.com/p/2"]
    resumed = await run_block(DatabaseInput, CONFIG, {"id": "aud-1"}, context=ctx)
    assert resumed.output == first.output == AUDIENCE


async def test_a_row_that_was_missing_is_found_by_a_resume():
    ctx = database(source_audiences=[])
    with pytest.raises(NodeError):
        await run_block(DatabaseInput, CONFIG, {"id": "aud-1"}, context=ctx)
    await ctx.tables.upsert("source_audiences", [AUDIENCE], key=["id"])
    assert (await run_block(DatabaseInput, CONFIG, {"id": "aud-1"}, context=ctx)).output == AUDIENCE


async def test_an_unknown_table_is_named_with_the_nearest():
    with pytest.raises(NodeError, match=r"no table 'source_audience'\. Did you mean 'source_audiences'") as caught:
        await run_block(DatabaseInput, {**CONFIG, "query": "source_audience"}, {"id": "aud-1"}, context=database())
    assert caught.value.error_class is ErrorClass.VALIDATION


class TestWhere:
    LEADS = {"source": "database", "query": "leads", "fields": ["id", "score"]}

    async def test_all_rows_that_match_are_the_records(self):
        config = {**self.LEADS, "where": {"owner": "{{trigger.owner}}"}, "collection": "contacts"}
        run = await run_block(DatabaseInput, config, {"owner": "a"}, context=database())
        assert run.output == {"contacts": [{"id": "l1", "score": 1}, {"id": "l2"}]}

    async def test_the_output_schema_may_name_the_records(self):
        config = {**self.LEADS, "where": {"owner": "b"}}
        run = await run_block(DatabaseInput, config, context=database(), collection="contacts")
        assert run.output == {"contacts": [{"id": "l3", "score": 3}]}

    async def test_no_match_is_an_empty_collection(self):
        config = {**self.LEADS, "where": {"owner": "nobody"}, "collection": "contacts"}
        assert (await run_block(DatabaseInput, config, context=database())).output == {"contacts": []}

    async def test_one_row_without_collection_is_the_payload(self):
        run = await run_block(DatabaseInput, {**self.LEADS, "where": {"owner": "b"}}, context=database())
        assert run.output == {"id": "l3", "score": 3}

    async def test_null_finds_empty_columns(self):
        run = await run_block(DatabaseInput, {**self.LEADS, "where": {"score": None}}, context=database())
        assert run.output == {"id": "l2"}

    @pytest.mark.parametrize(
        ("where", "error_class", "message"),
        [
            (
                {"owner": "a"},
                "VALIDATION",
                "more than one row of table 'leads' has the 'owner' that config.where asks for: name a",
            ),
            ({"owner": "nobody"}, "NOT_FOUND", "table 'leads' has no row with the 'owner'"),
            ({"owner": "{{trigger.ovner}}"}, "VALIDATION", "config.where.owner is null"),
        ],
    )
    async def test_other_numbers_of_rows_are_refused_without_showing_values(self, where, error_class, message):
        with pytest.raises(NodeError, match=message) as caught:
            await run_block(DatabaseInput, {**self.LEADS, "where": where}, context=database())
        assert caught.value.error_class is ErrorClass(error_class)
        assert "nobody" not in str(caught.value)


class TestManyRows:
    LEADS = {"source": "database", "query": "leads", "fields": ["id"], "collection": "leads"}

    @pytest.mark.parametrize(
        ("where", "ids"),
        [
            ({}, "123"),
            ({"owner": {"in": ["a", "b"]}}, "123"),
            ({"owner": {"in": "{{trigger.owners}}"}}, "3"),
            ({"owner": {"notIn": ["a"]}}, "3"),
            ({"score": {"gte": 1, "lt": 3}}, "1"),
            ({"score": {"isNull": False}, "owner": "a"}, "1"),
            ({"score": {"isNull": True}}, "2"),
            ({"owner": {"notEquals": "{{trigger.owner}}"}}, "12"),
        ],
    )
    @pytest.mark.parametrize("size", [1, 2, 500])
    async def test_rows_are_compared(self, where, ids, size):
        config = {**self.LEADS, "where": where, "pageSize": size}
        run = await run_block(DatabaseInput, config, {"owners": ["b"], "owner": "b"}, context=database())
        assert run.output == {"leads": [{"id": f"l{number}"} for number in ids]}

    async def test_a_resume_sees_the_pages_that_were_read(self):
        ctx = database()
        config = {**self.LEADS, "where": {}, "pageSize": 1}
        first = await run_block(DatabaseInput, config, context=ctx)
        del ctx.tables.rows["leads"][0]
        assert (await run_block(DatabaseInput, config, context=ctx)).output == first.output

    async def test_a_named_query_gets_its_parameters(self):
        ctx = database(**{"leads-of": [{"id": "l1", "owner": "a"}, {"id": "l3", "owner": "b"}]})
        config = {**self.LEADS, "query": "leads-of", "params": {"owner": "{{trigger.owner}}"}}
        assert (await run_block(DatabaseInput, config, {"owner": "b"}, context=ctx)).output == {"leads": [{"id": "l3"}]}

    async def test_a_named_query_can_give_the_one_row(self):
        ctx = database(one=[{"id": "l1", "owner": "a"}, {"id": "l3", "owner": "b"}])
        config = {"source": "database", "query": "one", "params": {"owner": "b"}}
        assert (await run_block(DatabaseInput, config, context=ctx)).output == {"id": "l3", "owner": "b"}
        config["params"] = {"owner": "z"}
        with pytest.raises(NodeError, match=r"no row with the 'owner' that config\.params asks for"):
            await run_block(DatabaseInput, config, context=database(one=[]))

    async def test_another_order_can_be_given(self):
        config = {**self.LEADS, "where": {"score": {"isNull": False}}, "key": ["owner", "id"], "pageSize": 1}
        ctx = database(leads=[{"id": "l1", "owner": "b", "score": 1}, {"id": "l2", "owner": "a", "score": 2}])
        run = await run_block(DatabaseInput, config, context=ctx)
        assert run.records == [{"id": "l2"}, {"id": "l1"}]

    @pytest.mark.parametrize(
        ("where", "message"),
        [
            ({"owner": {"in": "{{trigger.owner}}"}}, r"config\.where\.owner\.in must be a list; found a string"),
            ({"owner": {"in": "{{trigger.none}}"}}, r"config\.where\.owner\.in is null"),
            ({"score": {"isNull": "yes"}}, r"config\.where\.score\.isNull must be true or false"),
        ],
    )
    async def test_values_of_the_wrong_kind_are_refused(self, where, message):
        with pytest.raises(NodeError, match=message):
            await run_block(DatabaseInput, {**self.LEADS, "where": where}, {"owner": "a"}, context=database())


class TestColumns:
    async def test_a_list_of_objects_in_a_column_can_be_the_records(self):
        row = {"id": "t1", "name": "Lists", "people": [{"name": "Mira"}]}
        run = await run_block(
            DatabaseInput, {"source": "database", "query": "lists"}, {"id": "t1"}, context=database(lists=[row])
        )
        assert (run.fields, run.records, run.output) == ({"id": "t1", "name": "Lists"}, [{"name": "Mira"}], row)

    async def test_a_collection_that_the_row_does_not_have_is_not_made_up(self):
        run = await run_block(DatabaseInput, {**CONFIG, "collection": "people"}, {"id": "aud-1"}, context=database())
        assert run.fields == AUDIENCE

    async def test_vectors_become_lists(self):
        row = {"id": "c1", "embedding": array("f", [0.5, 0.25])}
        run = await run_block(
            DatabaseInput, {"source": "database", "query": "vectors"}, {"id": "c1"}, context=database(vectors=[row])
        )
        assert run.output == {"id": "c1", "embedding": [0.5, 0.25]}

    async def test_bytes_are_refused(self):
        ctx = database(blobs=[{"id": "b1", "body": b"\x00"}])
        with pytest.raises(
            NodeError, match=r"column 'body' of table 'blobs' holds bytes.*leave it out of config\.fields"
        ):
            await run_block(DatabaseInput, {"source": "database", "query": "blobs"}, {"id": "b1"}, context=ctx)


@pytest.mark.parametrize(
    "wrong",
    [
        {"where": {"a": {}}},
        {"where": {"a": {"like": "x"}}},
        {"pageSize": 0},
        {"fields": []},
        {"query": ""},
        {"tabel": "x"},
        {"where": {"id": "{{"}},
        {"where": "id = 1"},
    ],
)
def test_the_configuration_is_checked(wrong):
    with pytest.raises(ValidationError):
        DatabaseInput.Config.model_validate({**CONFIG, **wrong})
