"""The job type SEARCH over HTTP, and what executions of both kinds may be given."""

import pytest

from lumeflow.server.examples import WORKFLOW
from tests.server.conftest import a_site
from tests.server.test_executions_api import ENRICH, PEOPLE, events_of, execute
from tests.server.wants import problem

EXECUTIONS = "/api/workflows/executions"
FUTURE = "2999-01-01T00:00:00Z"


@pytest.fixture
async def audience(site):
    return (await site.app.demo_audience())["sourceAudienceId"]


async def test_a_search_is_an_execution_as_any_other(client, audience):
    body = {"sourceAudienceId": audience, "mode": "demo", "executionId": "s-1", "limits": {"calls": 10}}
    stopped = await client.post("/api/searches", json=body, params={"wait": 20})
    assert stopped.status_code == 200, stopped.text
    found = stopped.json()
    assert (found["status"], found["kind"], found["workflowId"]) == ("failed", "SEARCH", "search")
    assert "step '" in found["error"]
    resumed = await client.post(f"{EXECUTIONS}/s-1/resume", json={"limits": {"calls": 100_000}})
    assert (resumed.status_code, resumed.json()["kind"]) == (202, "SEARCH"), resumed.text
    found = (await client.get(f"{EXECUTIONS}/s-1", params={"wait": 20})).json()
    assert found["status"] == "completed", found["error"]
    assert list(found["nodes"]) == ["scrape", "extract", "enrich", "find-email", "embed", "store"]
    assert found["cost"]["totalCost"] > 0
    records = (await client.get(f"{EXECUTIONS}/s-1/records/output", params={"limit": 1000})).json()["items"]
    assert len(records) == found["output"]["contactsCount"] > 0
    events = events_of((await client.get(f"{EXECUTIONS}/s-1/events")).text)
    assert [name for _, name, _ in events][-2:] == ["execution.finished", "end"]
    (line,) = (await client.get("/api/costs", params={"workflowId": "search"})).json()["items"]
    assert line["amount"] == found["cost"]["totalCost"]
    problem(await client.post(f"{EXECUTIONS}/s-1/rerun", json={"fromNode": "enrich"}), 409, "not-rerunnable")
    problem(await client.post(f"{EXECUTIONS}/s-1/resume", json={"limits": {"cals": 1}}), 422, "unusable-request")


async def test_searches_are_listed_beside_workflows_and_are_none(client, audience):
    await execute(client, executionId="w-1")
    body = {"sourceAudienceId": audience, "mode": "demo", "executionId": "s-1", "notBefore": FUTURE}
    queued = (await client.post("/api/searches", json=body)).json()
    assert (queued["status"], queued["notBefore"]) == ("queued", "2999-01-01T00:00:00.000Z")
    both = (await client.get(EXECUTIONS)).json()["items"]
    assert [(one["executionId"], one["kind"]) for one in both] == [("s-1", "SEARCH"), ("w-1", "WORKFLOW")]
    (one,) = (await client.get("/api/searches")).json()["items"]
    assert one["executionId"] == "s-1"
    assert (await client.get("/api/searches", params={"status": "failed"})).json()["items"] == []
    assert [one["workflowId"] for one in (await client.get("/api/workflows")).json()["items"]] == ["tidy-contacts"]
    problem(await client.get("/api/workflows/search"), 404, "not-found")
    problem(await client.post("/api/workflows", json={**WORKFLOW, "workflowId": "search"}), 422, "unusable-request")
    assert (await client.post(f"{EXECUTIONS}/s-1/cancel")).json()["status"] == "cancelled"


async def test_a_search_that_comes_twice_is_started_once(client, audience):
    body, headers = {"sourceAudienceId": audience, "mode": "demo", "notBefore": FUTURE}, {"Idempotency-Key": "k-1"}
    answers = [await client.post("/api/searches", json=body, headers=headers) for _ in range(2)]
    assert answers[0].json()["executionId"] == answers[1].json()["executionId"]
    assert len((await client.get("/api/searches")).json()["items"]) == 1
    await client.post("/api/searches", json={**body, "executionId": "s-1"})
    problem(await client.post("/api/searches", json={**body, "executionId": "s-1"}), 409, "execution-exists")


async def test_what_cannot_be_searched_is_refused(site, client, audience):
    body = {"sourceAudienceId": audience, "mode": "demo"}
    for change, code in (
        ({"sourceAudienceId": "nobody"}, "unusable-request"),
        ({"sourceAudienceId": "\x00"}, "unusable-request"),
        ({"limits": {"cals": 1}}, "unusable-request"),
        ({"limits": {"calls": -1}}, "unusable-request"),
        ({"mode": "live", "mocks": {"apollo": {}}}, "unusable-request"),
        ({"workflow": {}}, "invalid-request"),
    ):
        problem(await client.post("/api/searches", json=body | change), 422, code)
    problem(await (await site.client("other")).post("/api/searches", json=body), 422, "unusable-request")
    careful = await site.client(scopes=["read", "execute"])
    problem(await careful.post("/api/searches", json={**body, "mode": "live"}), 403, "missing-scope")
    problem(await (await site.client(scopes=["read"])).post("/api/searches", json=body), 403, "missing-scope")


async def test_an_execution_waits_for_its_time(client):
    later = (await execute(client, executionId="later", status=202, notBefore=FUTURE)).json()
    assert (later["status"], later["notBefore"]) == ("queued", "2999-01-01T00:00:00.000Z")
    past = (await execute(client, notBefore="2001-01-01T00:00:00+02:00")).json()
    assert (past["status"], past["notBefore"]) == ("completed", None)


async def test_limits_hold_for_a_part_that_is_run_again(tmp_path):
    async with a_site(tmp_path) as site:
        client = await site.client()
        whole = (await execute(client, ENRICH, PEOPLE)).json()
        path = f"{EXECUTIONS}/{whole['executionId']}/rerun"
        body = {"fromNode": "match", "executionId": "again", "limits": {"calls": 1}}
        assert (await client.post(path, json=body)).status_code == 202
        again = (await client.get(f"{EXECUTIONS}/again", params={"wait": 20})).json()
        assert again["cost"]["apiCalls"] == 1
        assert again["status"] == "failed"
        problem(await client.post(path, json={**body, "limits": {"cals": 1}}), 422, "invalid-workflow")
