"""The same API on PostgreSQL, where row level security stands behind the keys."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from lumeflow.server.examples import INPUT, TEMPLATE, WORKFLOW
from lumeflow.storage.purging import Retention, purge
from tests.server.conftest import a_site
from tests.server.test_executions_api import ENRICH, PEOPLE, execute
from tests.server.wants import problem


@pytest.fixture
async def site(tmp_path, new_postgres):
    async with a_site(tmp_path, db=new_postgres()) as site:
        yield site


async def test_workflows_executions_records_and_costs(site):
    client = await site.client("acme")
    found = (await execute(client, ENRICH, PEOPLE)).json()
    assert (found["status"], found["output"]["recordsCount"]) == ("completed", 3)
    path = f"/api/workflows/executions/{found['executionId']}"
    pages, cursor = [], None
    while not pages or cursor:
        page = (
            await client.get(f"{path}/records/output", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        ).json()
        pages.append(len(page["items"]))
        cursor = page["nextCursor"]
    assert pages == [2, 1]
    (line,) = (await client.get("/api/costs", params={"by": "day"})).json()["items"]
    assert line["amount"] == found["cost"]["totalCost"]
    assert "event: end" in (await client.get(f"{path}/events")).text
    listed = (await client.get("/api/workflows/enrich/executions", params={"status": "completed"})).json()["items"]
    assert [entry["executionId"] for entry in listed] == [found["executionId"]]
    other = await site.client("other")
    problem(await other.get(path), 404, "not-found")
    assert (await other.get("/api/workflows")).json()["items"] == []


async def test_versions_keys_and_requests_that_come_twice(site):
    client = await site.client()
    made = await client.post("/api/workflows", json=WORKFLOW)
    headers = {"If-Match": made.headers["etag"]}
    assert (await client.put("/api/workflows/tidy-contacts", json={**WORKFLOW, "name": "New"}, headers=headers)).json()[
        "version"
    ] == 2
    problem(await client.put("/api/workflows/tidy-contacts", json=WORKFLOW, headers=headers), 412, "changed-meanwhile")
    path, key = "/api/workflows/tidy-contacts/execute", {"Idempotency-Key": "k"}
    answers = [await client.post(path, json={"mode": "demo", "input": INPUT}, headers=key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    keys = (await client.get("/api/keys")).json()["items"]
    assert (await client.delete(f"/api/keys/{keys[0]['id']}")).status_code == 204
    problem(await client.get("/api/keys"), 401, "no-valid-key")


async def test_searches_templates_and_what_is_deleted(site):
    client = await site.client()
    audience = (await site.app.demo_audience())["sourceAudienceId"]
    body = {"sourceAudienceId": audience, "mode": "demo", "executionId": "s-1"}
    found = (await client.post("/api/searches", json=body, params={"wait": 20})).json()
    assert (found["status"], found["kind"]) == ("completed", "SEARCH"), found["error"]
    (line,) = (await client.get("/api/searches")).json()["items"]
    assert (line["executionId"], line["kind"]) == ("s-1", "SEARCH")
    assert (await client.get("/api/workflows")).json()["items"] == []
    await client.put("/api/templates/tidy", json=TEMPLATE)
    made = await client.post("/api/templates/tidy/workflows", json={"workflowId": "made", "values": {"field": "phone"}})
    assert made.status_code == 201, made.text
    costs = (await client.get("/api/costs", params={"by": "provider"})).json()
    assert sum(one["amount"] for one in costs["items"]) == pytest.approx(found["cost"]["totalCost"])
    retention = Retention(datetime.now(UTC) + timedelta(days=2), age=timedelta(days=1))
    assert [one.executions for one in await purge(site.app.database, retention)] == [1]
    problem(await client.get("/api/workflows/executions/s-1"), 404, "not-found")
    assert (await client.get("/api/costs", params={"by": "provider"})).json() == costs
    assert "purged" in problem(await client.post("/api/searches", json=body), 409, "execution-exists")["detail"]


@pytest.mark.parametrize("text", ["\u0000", "a\u0000b", "\U0001f600", "ü" * 1000])
async def test_odd_texts_are_kept_or_refused(site, text):
    client = await site.client()
    await client.post("/api/workflows", json=WORKFLOW)
    answer = await client.post(
        "/api/workflows", json={**WORKFLOW, "workflowId": "odd", "name": text, "x-note": {text: text}}
    )
    assert answer.status_code in {201, 422}, answer.text
    body = {"mode": "demo", "input": {"contacts": [{"email": "a@example.com", "note": text, text: 1}]}}
    answer = await client.post("/api/workflows/tidy-contacts/execute?wait=20", json=body)
    assert answer.status_code in {200, 422}, answer.text
    if answer.status_code == 200:
        records = await client.get(f"/api/workflows/executions/{answer.json()['executionId']}/records/output")
        assert records.json()["items"][0]["data"]["note"] == text
    quoted = quote(text, safe="")
    for path in ("executions/", "executions?cursor=", "executions?status="):
        assert (await client.get(f"/api/workflows/{path}{quoted}")).status_code in {404, 422}
    problem(await client.get(f"/api/templates/{quoted}"), 422, "invalid-request")
