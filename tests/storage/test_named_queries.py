"""Queries that the operator has named: read, bound, paged, and never able to change anything."""

from array import array

import pytest

from lumeflow.core.errors import UsageError
from lumeflow.core.tables import ColumnKind, Comparison, Filter, Selection
from lumeflow.storage import open_database
from lumeflow.storage.named_queries import NamedQuery, load_named_queries

LEADS = """
-- Leads of one owner, newest first elsewhere.
-- key: id
SELECT id, owner, score, tags, vector, score * 2 AS doubled
FROM leads WHERE owner = :owner AND score >= :least -- ; :not_one
"""


@pytest.fixture(params=["file", "memory", "postgres"])
async def database(request, tmp_path):
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "leads-of.sql").write_text(LEADS)
    (folder / "unordered.sql").write_text("select id from leads;")
    (folder / "broken.sql").write_text("select x from nowhere")
    (folder / "notes.txt").write_text("not a query")
    urls = {"file": str(tmp_path / "x.db"), "memory": "sqlite:///:memory:"}
    url = urls.get(request.param) or request.getfixturevalue("new_postgres")()
    opened = await open_database(url, data_dir=tmp_path, queries=folder)
    kinds = {"id": ColumnKind.TEXT, "owner": ColumnKind.TEXT, "score": ColumnKind.INTEGER, "tags": ColumnKind.JSON}
    await opened.tables.make("leads", {**kinds, "vector": ColumnKind.VECTOR}, key=["id"])
    rows = [{"id": f"l{n}", "owner": "ab"[n % 2], "score": n, "tags": [n], "vector": array("f", [n])} for n in range(9)]
    await opened.tables.upsert("leads", rows, key=["id"])
    yield opened
    await opened.close()


async def read(database, selection, limit):
    rows, after, first = [], None, True
    while first or after is not None:
        page = await database.tables.page(selection, after=after, limit=limit)
        rows, after, first = [*rows, *page.rows], page.after, False
    return rows


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
async def test_rows_come_in_the_order_of_its_key_with_their_types(database, limit):
    rows = await read(database, Selection("leads-of", params={"owner": "a", "least": 3}), limit)
    assert rows == [
        {"id": f"l{n}", "owner": "a", "score": n, "tags": [n], "vector": array("f", [n]), "doubled": 2 * n}
        for n in (4, 6, 8)
    ]


async def test_its_columns_can_be_chosen_and_compared(database):
    where = [Filter("doubled", Comparison.GT, 10)]
    rows = await read(database, Selection("leads-of", ["id"], where, {"owner": "a", "least": 0}), 1)
    assert rows == [{"id": "l6"}, {"id": "l8"}]


async def test_values_are_bound(database):
    params = {"owner": "a' OR '1'='1", "least": 0}
    assert await read(database, Selection("leads-of", params=params), 5) == []


async def test_a_key_may_be_given(database):
    assert len(await read(database, Selection("unordered", key=["id"]), 4)) == 9


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection("leads-of", params={"owner": "a"}), "needs the parameter 'least'"),
        (Selection("leads-of", params={"owner": "a", "least": 1, "lest": 2}), "has no parameter 'lest'. Did you mean"),
        (Selection("leads-of", params={"owner": ["a"], "least": 1}), "parameter 'owner' must be a text"),
        (Selection("leads-off"), "As a named query: Did you mean 'leads-of'"),
        (Selection("unordered"), "has no order: .* in a line '-- key: id' of"),
        (Selection("unordered", params={"x": 1}), "has no parameter 'x'. It has none."),
        (Selection("broken"), "cannot be run: (no such table|relation .nowhere. does not exist)"),
        (Selection("leads-of", ["x"], params={"owner": "a", "least": 1}), "has no column 'x'"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_a_reason(database, selection, message):
    with pytest.raises(UsageError, match=message):
        await read(database, selection, 5)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM leads",
        "-- key: id\n/* select */ UPDATE leads SET owner = 'x' RETURNING id",
        "select 1; delete from leads",
        "",
        "-- nothing",
        "pragma query_only = off",
    ],
)
def test_what_is_no_single_select_is_refused_when_it_is_loaded(sql):
    with pytest.raises(UsageError, match="named query 'q': it"):
        NamedQuery.read("q", sql)


async def test_nothing_can_be_changed_by_one(database, tmp_path):
    query = NamedQuery.read("q", "-- key: id\nwith x as (select 1) delete from leads returning id")
    database.tables._queries = {"q": query}
    with pytest.raises(UsageError, match="cannot be run"):
        await read(database, Selection("q"), 5)
    assert len(await database.tables.find("leads", {})) == 9


def test_parameters_are_found_outside_of_texts_and_comments():
    query = NamedQuery.read("q", """select ':a', ":b", x::text, :c /* :d */ from t where y = :e and z = :c -- :f""")
    assert query.params == ["c", "e"]


def test_the_folder_must_be_there(tmp_path):
    assert load_named_queries(None) == {}
    with pytest.raises(UsageError, match=r"folder of named queries, .*nowhere, is not there"):
        load_named_queries(tmp_path / "nowhere")
    (tmp_path / "x.sql").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="a file cannot be read"):
        load_named_queries(tmp_path)


async def test_a_query_belongs_to_one_tenant_unless_it_asks_which(database):
    other = database.of("other")
    await other.tables.make("leads", {}, key=["id"])
    await other.tables.upsert("leads", [{"id": "o1", "owner": "a"}], key=["id"])
    with pytest.raises(UsageError, match="does not use the parameter ':tenant'"):
        await read(other, Selection("unordered", key=["id"]), 5)
    query = NamedQuery.read("mine", "-- key: id\nselect id from leads where tenant = :tenant")
    other.tables._queries = {"mine": query}
    assert await read(other, Selection("mine"), 5) == [{"id": "o1"}]
    with pytest.raises(UsageError, match=r"has no parameter 'tenant'\. It has none"):
        await read(other, Selection("mine", params={"tenant": "default"}), 5)
