"""Audiences over HTTP: stored, used by a workflow, and what it stored read back; on both databases."""

import pytest

from tests.server.conftest import a_site
from tests.server.wants import problem

AUDIENCES = "/api/tables/source_audiences/rows"
SPRING = {"id": "spring", "name": "Spring", "type": "instagram", "urls": ["https://www.instagram.com/p/Cexample01/"]}


@pytest.fixture(params=["sqlite", "postgres"])
async def site(request, tmp_path):
    db = {} if request.param == "sqlite" else {"db": request.getfixturevalue("new_postgres")()}
    async with a_site(tmp_path, **db) as site:
        yield site


async def test_an_audience_is_stored_enriched_and_its_contacts_read_by_page(site):
    client, other = await site.client("acme"), await site.client("other")
    assert (await client.post(AUDIENCES, json=[SPRING])).json() == {"rows": 1}
    (row,) = (await client.get(AUDIENCES)).json()["items"]
    assert row.items() >= SPRING.items()
    answer = await client.post(
        "/api/workflows/lead-enrichment-v1/execute?wait=20",
        json={"mode": "demo", "input": {"sourceAudienceId": "spring"}},
    )
    assert answer.json()["status"] == "completed", answer.text
    output = answer.json()["output"]
    audience = output["sharedAudienceId"]
    (stored,) = (await client.get("/api/tables/shared_audiences/rows", params={"id": audience})).json()["items"]
    assert stored["contacts_count"] == output["contactsCount"] > 2
    contacts, cursor = [], None
    while not contacts or cursor:
        params = {"id": audience, "limit": 7} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/tables/shared_audience_contacts/rows", params=params)).json()
        contacts += page["items"]
        cursor = page["nextCursor"]
    assert [contact["position"] for contact in contacts] == list(range(output["contactsCount"]))
    assert {len(contact["embedding"]) for contact in contacts} == {1024}
    for table in ("source_audiences", "shared_audiences", "shared_audience_contacts", "audience_relations"):
        assert (await client.get(f"/api/tables/{table}/rows")).json()["items"]
        assert (await other.get(f"/api/tables/{table}/rows")).json()["items"] == []
    problem(await other.delete(AUDIENCES, params={"id": "spring"}), 404, "not-found")
    assert (await client.delete(AUDIENCES, params={"id": "spring"})).json() == {"rows": 1}
    problem(await client.delete(AUDIENCES, params={"id": "spring"}), 404, "not-found")


async def test_a_row_is_changed_in_the_columns_that_are_given(site):
    client = await site.client()
    await client.post(AUDIENCES, json=[SPRING, {**SPRING, "id": "autumn"}])
    await client.post(AUDIENCES, json=[{"id": "spring", "name": "May"}])
    (row,) = (await client.get(AUDIENCES, params={"id": "spring"})).json()["items"]
    assert (row["name"], row["urls"]) == ("May", SPRING["urls"])


async def test_bad_rows_are_told_one_by_one_and_none_is_stored(site):
    client = await site.client()
    for rows, message in (
        ([{"name": "no id"}], "'id' is missing"),
        ([{"id": "a", "nmae": "x"}], "unknown column 'nmae'. Did you mean 'name'?"),
        ([{"id": "a", "urls": "https://example.com"}], "expected a list of texts"),
        ([{"id": "a"}, {"id": "a"}], "already used in row 2"),
        ([{"id": "a", "tenant": "other"}], "unknown column 'tenant'"),
        ([{"id": "a\0b"}], "a character that cannot be stored"),
        (["a"], "object"),
    ):
        found = problem(await client.post(AUDIENCES, json=[SPRING, *rows]), 422, "bad-rows")
        assert message in found["errors"][0]["message"]
        assert found["errors"][0]["field"].startswith("row ")
    assert (await client.get(AUDIENCES)).json()["items"] == []


async def test_what_is_no_list_of_rows_is_refused(site):
    client = await site.client()
    for body in (b"", b"nonsense", b'"text"', b"\xff", b"[" * 9999):
        answer = await client.post(AUDIENCES, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, (body, answer.text)
    assert (await client.get(AUDIENCES)).json()["items"] == []


async def test_other_tables_and_keys_without_the_scope_are_refused(site):
    client, reader = await site.client(), await site.client(scopes=["read"])
    for table in ("api_keys", "secrets", "workflow_templates", "nothing"):
        problem(await client.get(f"/api/tables/{table}/rows"), 422, "invalid-request")
    problem(await reader.post(AUDIENCES, json=[SPRING]), 403, "missing-scope")
    problem(await reader.delete(AUDIENCES, params={"id": "spring"}), 403, "missing-scope")
    problem(await client.get(AUDIENCES, params={"cursor": "x"}), 422, "invalid-cursor")
