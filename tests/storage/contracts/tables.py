"""The tables as blocks see them."""

from array import array
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.storage import Database

ADA = {"id": "a1", "name": "Ada", "type": "instagram", "urls": ["https://example.com/p/1"], "created_at": None}
BEA = {"id": "b1", "name": "Bea", "type": "facebook", "urls": [], "created_at": "2026-01-09T10:00:00Z"}


class TablesContract:
    @pytest.fixture(autouse=True)
    async def audiences(self, storage: Database):
        await storage.tables.upsert("source_audiences", [BEA, ADA], key=["id"])

    async def test_rows_are_found_by_their_columns_in_order_of_the_key(self, storage: Database):
        find = storage.tables.find
        assert await find("source_audiences", {}) == [ADA, BEA]
        assert await find("source_audiences", {"id": "a1", "type": "instagram"}) == [ADA]
        assert await find("source_audiences", {"created_at": None}, ["id"]) == [{"id": "a1"}]
        assert await find("source_audiences", {"id": "zz"}) == []
        assert await find("source_audiences", {"urls": []}, ["urls", "id"]) == [{"urls": [], "id": "b1"}]

    async def test_a_row_with_the_same_key_is_overwritten_in_the_columns_it_names(self, storage: Database):
        await storage.tables.upsert("source_audiences", [{"id": "a1", "name": "Ada L."}, ADA | {"id": "c"}], key=["id"])
        assert await storage.tables.find("source_audiences", {"type": "instagram"}) == [
            ADA | {"name": "Ada L."},
            ADA | {"id": "c"},
        ]

    async def test_a_relation_that_is_there_already_stays(self, storage: Database):
        relation = {"source_audience_id": "a1", "shared_audience_id": "s1"}
        for _ in range(2):
            await storage.tables.upsert("audience_relations", [relation], key=list(relation))
        assert await storage.tables.find("audience_relations", {}) == [relation]

    async def test_contacts_keep_their_embedding_as_an_array(self, storage: Database):
        contacts = [
            {
                "shared_audience_id": "s1",
                "position": position,
                "data": {"email": f"p{position}@example.com"},
                "embedding": array("f", [position, 0.1] * 512) if position % 2 else None,
            }
            for position in range(200)
        ]
        await storage.tables.upsert("shared_audience_contacts", contacts, key=["shared_audience_id", "position"])
        assert await storage.tables.find("shared_audience_contacts", {"shared_audience_id": "s1"}) == contacts

    async def test_rows_are_deleted_by_their_columns(self, storage: Database):
        assert await storage.tables.delete("source_audiences", {"type": "facebook"}) == 1
        assert await storage.tables.delete("source_audiences", {"type": "facebook"}) == 0
        assert await storage.tables.find("source_audiences", {}) == [ADA]

    async def test_a_whole_table_is_not_deleted_by_leaving_the_condition_out(self, storage: Database):
        with pytest.raises(UsageError, match="a condition is needed"):
            await storage.tables.delete("source_audiences", {})
        assert len(await storage.tables.find("source_audiences", {})) == 2

    async def test_values_of_other_types_are_stored_as_text(self, storage: Database):
        row = {"id": "d", "name": Decimal("1.50"), "created_at": datetime(2026, 1, 9, tzinfo=UTC), "type": ["x"]}
        await storage.tables.upsert("source_audiences", [row], key=["id"])
        assert await storage.tables.find("source_audiences", {"id": "d"}) == [
            {"id": "d", "name": "1.5", "type": '["x"]', "urls": None, "created_at": "2026-01-09T00:00:00Z"}
        ]

    @pytest.mark.parametrize("text", ["O'Brien", '"; DROP TABLE effects; --', "a\0b", "日本", "{rows}", "%s ? :x"])
    async def test_any_text_is_a_value(self, storage: Database, text: str):
        if "\0" in text and storage.name.startswith("postgresql:"):
            with pytest.raises(UsageError, match=r"column 'id': PostgreSQL cannot store the character U\+0000"):
                await storage.tables.upsert("source_audiences", [{"id": text}], key=["id"])
            return
        await storage.tables.upsert("source_audiences", [{"id": text, "name": text}], key=["id"])
        assert await storage.tables.find("source_audiences", {"id": text}, ["name"]) == [{"name": text}]

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ("source_audience", "Did you mean 'source_audiences'"),
            ("zzz", "Known: audience_relations, shared_audience_contacts, shared_audiences"),
            ("effects", "lumeflow's own"),
            ("workflow_executions", "lumeflow's own"),
            ("execution_owners", "lumeflow's own"),
            ("sqlite_schema", "no table"),
            ('source_audiences" --', "no table"),
            ("", "no table"),
        ],
    )
    async def test_other_tables_are_out_of_reach(self, storage: Database, table: str, message: str):
        tables = storage.tables
        for attempt in (
            tables.find(table, {}),
            tables.upsert(table, [{"id": "1"}], key=["id"]),
            tables.delete(table, {"id": "1"}),
        ):
            with pytest.raises(UsageError, match=message):
                await attempt

    async def test_unknown_columns_are_named_with_the_nearest(self, storage: Database):
        tables = storage.tables
        for attempt in (
            tables.find("source_audiences", {"nmae": 1}),
            tables.find("source_audiences", {}, ["nmae"]),
            tables.find("source_audiences", {}, ['nmae" FROM effects --']),
            tables.upsert("source_audiences", [{"id": "1", "nmae": 1}], key=["id"]),
            tables.upsert("source_audiences", [{"id": "1"}], key=["nmae"]),
            tables.delete("source_audiences", {"nmae": 1}),
        ):
            with pytest.raises(UsageError, match="'source_audiences' has no column 'nmae"):
                await attempt

    @pytest.mark.parametrize(
        ("row", "key", "message"),
        [
            ({"id": "1", "name": {1, 2}}, ["id"], "column 'name': a value of type set cannot be stored"),
            ({"id": "1", "urls": [object()]}, ["id"], "column 'urls': "),
            ({"id": "1", "name": 2**63}, ["id"], "column 'name': a whole number of more than 64 bits"),
            ({"id": "1", "name": "\ud800"}, ["id"], "column 'name': .*surrogates not allowed"),
            ({"id": "1", "name": array("d")}, ["id"], r"column 'name': .*use array\('f'\)"),
            ({"id": None}, ["id"], "a row does not fit: .*id"),
            ({"name": "Ada"}, ["id"], "every row must name its key, id"),
            ({"id": "1"}, [], "every row must name its key"),
            ({"id": "1", "name": "Ada"}, ["name"], "name is not a key of it; its primary key is id"),
        ],
    )
    async def test_rows_that_do_not_fit_are_refused_whole(self, storage: Database, row, key, message):
        with pytest.raises(UsageError, match=message):
            await storage.tables.upsert("source_audiences", [ADA | {"id": "new"}, row], key=key)
        assert len(await storage.tables.find("source_audiences", {})) == 2
