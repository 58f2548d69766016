"""Pages of things that may be of any size end early where these are large, so that no page takes all the memory."""

import pytest

from lumeflow.server import paging
from lumeflow.server.examples import WORKFLOW
from tests.server.test_executions_api import execute

LARGE = "x" * 400


async def pages(client, path, **params):
    """All pages of a list."""
    found, cursor = [], None
    while not found or cursor:
        answer = await client.get(path, params={**params, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        found.append(answer.json()["items"])
        cursor = answer.json()["nextCursor"]
    return found


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(paging, "PAGE_BYTES", 1000)


async def test_records(client):
    people = [{"email": f"person{n}@example.com", "firstName": LARGE if n < 6 else "Mira"} for n in range(12)]
    execution = (await execute(client, WORKFLOW, {"contacts": people})).json()["executionId"]
    found = await pages(client, f"/api/workflows/executions/{execution}/records/output", limit=5)
    assert [len(page) for page in found] == [2, 2, 2, 5, 1]
    assert [record["data"]["email"] for page in found for record in page] == [person["email"] for person in people]


async def test_templates(client):
    for number in range(25):
        body = {"name": f"t{number}", "definition": {"note": LARGE if number < 4 else ""}}
        assert (await client.put(f"/api/templates/t{number:02}", json=body)).status_code == 200
    found = await pages(client, "/api/templates", limit=4)
    assert [len(page) for page in found] == [2, 2, 4, 4, 4, 4, 4, 1]
    assert [one["id"] for page in found for one in page] == [f"t{number:02}" for number in range(25)]


async def test_workflows_are_listed_whatever_their_size(client, monkeypatch):
    monkeypatch.setattr(paging, "PAGE_BYTES", 10_000)
    names = [f"w{number:02}" for number in range(7)]
    for name in names:
        assert (
            await client.post("/api/workflows", json={**WORKFLOW, "workflowId": name, "x-note": LARGE})
        ).status_code == 201
    for limit in (3, 7, 100):
        found = await pages(client, "/api/workflows", limit=limit)
        assert [len(page) for page in found] == ([3, 3, 1] if limit == 3 else [7])
        assert [one["workflowId"] for page in found for one in page] == names
