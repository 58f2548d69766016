"""Rows read page by page, and tables that blocks make."""

from array import array

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.core.tables import ColumnKind, Comparison, Filter, Selection
from lumeflow.storage import Database

COLUMNS = {
    "id": ColumnKind.TEXT,
    "owner": ColumnKind.TEXT,
    "score": ColumnKind.INTEGER,
    "rate": ColumnKind.NUMBER,
    "open": ColumnKind.BOOLEAN,
    "tags": ColumnKind.JSON,
    "seen_at": ColumnKind.TIMESTAMP,
    "vector": ColumnKind.VECTOR,
}


def lead(number):
    return {
        "id": f"l{number:02d}",
        "owner": ("a", "b", None)[number % 3],
        "score": None if number % 4 == 3 else number,
        "rate": number / 2,
        "open": number % 2 == 0,
        "tags": [number] if number % 2 else {"n": number},
        "seen_at": f"2026-01-{number + 1:02d}T00:00:00Z",
        "vector": array("f", [number, 0.5]),
    }


LEADS = [lead(number) for number in range(10)]


async def read(storage, selection, limit=100):
    rows, after = [], None
    while True:
        page = await storage.tables.page(selection, after=after, limit=limit)
        assert len(page.rows) <= limit
        rows.extend(page.rows)
        if page.after is None:
            return rows
        after = page.after


class PagesContract:
    @pytest.fixture(autouse=True)
    async def leads(self, storage: Database):
        await storage.tables.make("leads", COLUMNS, key=["id"])
        await storage.tables.upsert("leads", LEADS[::-1], key=["id"])

    @pytest.mark.parametrize("limit", [1, 3, 9, 10, 11])
    async def test_every_row_comes_once_in_the_order_of_the_key(self, storage: Database, limit):
        assert await read(storage, Selection("leads"), limit) == LEADS

    async def test_fields_are_chosen(self, storage: Database):
        rows = await read(storage, Selection("leads", ["score", "owner"]), 4)
        assert rows == [{"score": row["score"], "owner": row["owner"]} for row in LEADS]

    @pytest.mark.parametrize(
        ("column", "comparison", "value", "found"),
        [
            ("owner", "equals", "a", "0369"),
            ("owner", "equals", None, "258"),
            ("owner", "notEquals", "a", "147"),
            ("owner", "notEquals", None, "0134679"),
            ("owner", "isNull", True, "258"),
            ("owner", "isNull", False, "0134679"),
            ("owner", "in", ["b", "z"], "147"),
            ("owner", "in", [], ""),
            ("owner", "notIn", ["b"], "0369"),
            ("owner", "in", ["a' OR 1=1 --"], ""),
            ("score", "gt", 5, "689"),
            ("score", "gte", 5, "5689"),
            ("score", "lt", 2, "01"),
            ("score", "lte", 2, "012"),
            ("rate", "gt", 4, "9"),
            ("open", "equals", True, "02468"),
            ("tags", "equals", [3], "3"),
            ("seen_at", "lt", "2026-01-03", "01"),
        ],
    )
    async def test_rows_are_chosen(self, storage: Database, column, comparison, value, found):
        where = [Filter(column, Comparison(comparison), value)]
        rows = await read(storage, Selection("leads", ["id"], where), 2)
        assert "".join(row["id"][-1] for row in rows) == found

    async def test_all_conditions_must_hold(self, storage: Database):
        where = [Filter("score", Comparison.GT, 1), Filter("score", Comparison.LT, 9), Filter("owner", "equals", "a")]
        assert [row["id"] for row in await read(storage, Selection("leads", where=where))] == ["l06"]

    async def test_another_key_gives_another_order(self, storage: Database):
        selection = Selection("leads", ["id"], [Filter("rate", Comparison.GT, 2)], key=["open", "id"])
        assert [row["id"][-1] for row in await read(storage, selection, 2)] == list("57968")

    @pytest.mark.parametrize(
        ("selection", "message"),
        [
            (Selection("lead"), "no table 'lead'"),
            (Selection("effects"), "lumeflow's own"),
            (Selection("leads", ["nmae"]), "no column 'nmae'"),
            (Selection("leads", where=[Filter("scor", Comparison.GT, 1)]), "Did you mean 'score'"),
            (Selection("leads", key=["x"]), "no column 'x'"),
            (Selection("leads", where=[Filter("score", Comparison.GT, None)]), "'gt' needs a value; found null"),
            (Selection("leads", where=[Filter("score", Comparison.IN, 3)]), "'in' needs a list"),
            (Selection("leads", params={"a": 1}), "takes no parameters"),
            (Selection("leads", key=["score"]), "is null or no single value"),
            (Selection("leads", key=["open"]), "two rows have the same open"),
        ],
    )
    async def test_what_cannot_be_read_is_refused_with_a_reason(self, storage: Database, selection, message):
        with pytest.raises(UsageError, match=message):
            await read(storage, selection, 2)


class MakingContract:
    async def test_each_tenant_has_rows_of_its_own(self, storage: Database):
        other = storage.of("other")
        for database, owner in ((storage, "a"), (other, "b")):
            await database.tables.make("people", {"id": ColumnKind.TEXT, "owner": ColumnKind.TEXT}, key=["id"])
            await database.tables.upsert("people", [{"id": "p1", "owner": owner}], key=["id"])
        assert await read(storage, Selection("people")) == [{"id": "p1", "owner": "a"}]
        assert await read(other, Selection("people")) == [{"id": "p1", "owner": "b"}]

    async def test_a_table_grows_and_is_never_made_anew(self, storage: Database):
        tables = storage.tables
        await tables.make("people", {"email": ColumnKind.TEXT}, key=["email"])
        await tables.upsert("people", [{"email": "mira@example.com"}], key=["email"])
        await tables.make("people", {"email": ColumnKind.TEXT, "Age": ColumnKind.INTEGER}, key=["email"])
        await tables.upsert("people", [{"email": "tomas@example.com", "Age": 40}], key=["email"])
        assert await tables.find("people", {}) == [
            {"email": "mira@example.com", "Age": None},
            {"email": "tomas@example.com", "Age": 40},
        ]

    @pytest.mark.parametrize(
        ("name", "columns", "key", "message"),
        [
            ("a b", ["id"], ["id"], "name of the table 'a b' is not usable"),
            ('x" (y); DROP TABLE effects; --', ["id"], ["id"], "is not usable"),
            ("1st", ["id"], ["id"], "no digit first"),
            ("x" * 64, ["id"], ["id"], "at most 63"),
            ("", ["id"], ["id"], "is not usable"),
            ("effects", ["id"], ["id"], "the name is taken"),
            ("source_audiences", ["id"], ["id"], "the name is taken"),
            ("sqlite_x", ["id"], ["id"], "the name is taken"),
            ("people", ["id", "first name"], ["id"], "name of the column 'first name'"),
            ("people", ["id", "é"], ["id"], "name of the column 'é'"),
            ("people", ["id", "ID"], ["id"], "but for upper and lower case"),
            ("people", ["name"], ["id"], "key column 'id' is not among"),
            ("people", ["name"], [], "needs a key column"),
            ("people", ["id", "Tenant"], ["id"], "'tenant' is taken"),
        ],
    )
    async def test_names_are_plain(self, storage: Database, name, columns, key, message):
        with pytest.raises(UsageError, match=message):
            await storage.tables.make(name, dict.fromkeys(columns, ColumnKind.TEXT), key=key)
