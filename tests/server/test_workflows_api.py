"""Workflows: saved, read, changed, deleted, validated."""

from functools import partial

import pytest

from lumeflow.core.clock import SystemClock
from lumeflow.core.secret import Secret
from lumeflow.reference import Docstring
from lumeflow.server.examples import WORKFLOW
from lumeflow.server.routes import meta
from lumeflow.vault.keyring import new_key
from tests.server.conftest import a_site
from tests.server.wants import problem


def changed(**keys):
    return {**WORKFLOW, **keys}


async def saved(client, document=WORKFLOW):
    answer = await client.post("/api/workflows", json=document)
    assert answer.status_code == 201, answer.text
    return answer


async def test_a_workflow_is_saved_and_read_back(client):
    answer = await saved(client)
    assert answer.headers["location"] == "/api/workflows/tidy-contacts"
    again = await client.get(answer.headers["location"])
    assert again.status_code == 200
    assert again.json() == answer.json()
    assert again.json()["definition"] == WORKFLOW
    assert again.json()["version"] == 1
    assert again.headers["etag"] == answer.headers["etag"]


async def test_an_unchanged_workflow_is_not_sent_again(client):
    tag = (await saved(client)).headers["etag"]
    answer = await client.get("/api/workflows/tidy-contacts", headers={"If-None-Match": f'"other", W/{tag}'})
    assert answer.status_code == 304
    assert answer.content == b""


async def test_what_exists_is_not_made_again(client):
    await saved(client)
    problem(await client.post("/api/workflows", json=changed(name="Other")), 409, "workflow-exists")


async def test_every_change_is_a_version_and_older_ones_stay(client):
    tag = (await saved(client)).headers["etag"]
    answer = await client.put("/api/workflows/tidy-contacts", json=changed(name="New"), headers={"If-Match": tag})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["version"], answer.json()["definition"]["version"]) == (2, 2)
    listed = (await client.get("/api/workflows/tidy-contacts/versions")).json()["items"]
    assert [(entry["version"], entry["name"]) for entry in listed] == [(2, "New"), (1, "Tidy contacts")]
    old = await client.get("/api/workflows/tidy-contacts/versions/1")
    assert old.json()["definition"] == WORKFLOW
    assert old.headers["etag"] == tag
    problem(await client.get("/api/workflows/tidy-contacts/versions/3"), 404, "not-found")


async def test_versions_are_listed_page_by_page(client):
    await saved(client)
    for number in range(3):
        await client.put("/api/workflows/tidy-contacts", json=changed(name=f"V{number}"), headers={"If-Match": "*"})
    path = "/api/workflows/tidy-contacts/versions"
    first = (await client.get(path, params={"limit": 3})).json()
    rest = (await client.get(path, params={"limit": 3, "cursor": first["nextCursor"]})).json()
    assert [one["version"] for one in first["items"] + rest["items"]] == [4, 3, 2, 1]
    assert rest["nextCursor"] is None


async def test_a_higher_version_of_the_document_counts(client):
    tag = (await saved(client)).headers["etag"]
    document = changed(name="New", version=7)
    answer = await client.put("/api/workflows/tidy-contacts", json=document, headers={"If-Match": tag})
    assert answer.json()["version"] == 7


async def test_a_change_that_changes_nothing_makes_no_version(client):
    tag = (await saved(client)).headers["etag"]
    answer = await client.put("/api/workflows/tidy-contacts", json=WORKFLOW, headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["version"], answer.headers["etag"]) == (200, 1, tag)


async def test_a_change_must_name_what_it_changes(client):
    tag = (await saved(client)).headers["etag"]
    path, new = "/api/workflows/tidy-contacts", changed(name="New")
    problem(await client.put(path, json=new), 428, "if-match-required")
    assert (await client.put(path, json=new, headers={"If-Match": "*"})).status_code == 200
    late = await client.put(path, json=changed(name="Late"), headers={"If-Match": tag})
    problem(late, 412, "changed-meanwhile")
    assert late.headers["etag"] == (await client.get(path)).headers["etag"] != tag


async def test_a_change_keeps_its_id(client):
    await saved(client)
    other = changed(workflowId="other")
    answer = await client.put("/api/workflows/tidy-contacts", json=other, headers={"If-Match": "*"})
    problem(answer, 422, "unusable-request")


async def test_a_deleted_workflow_is_gone_until_it_is_saved_again(client):
    await saved(client)
    path = "/api/workflows/tidy-contacts"
    problem(await client.delete(path, headers={"If-Match": '"1-0"'}), 412, "changed-meanwhile")
    assert (await client.delete(path)).status_code == 204
    for answer in (
        await client.get(path),
        await client.delete(path),
        await client.get(f"{path}/versions"),
        await client.post(f"{path}/validate"),
        await client.put(path, json=WORKFLOW, headers={"If-Match": "*"}),
    ):
        problem(answer, 404, "not-found")
    again = await saved(client, changed(name="Other"))
    assert (again.json()["version"], again.json()["definition"]) == (2, changed(name="Other", version=2))
    assert (await client.get(path)).json() == again.json()
    assert (await client.get(f"{path}/versions/1")).json()["definition"] == WORKFLOW
    run = {"mode": "demo", "input": {"contacts": []}}
    done = (await client.post(f"{path}/execute", params={"wait": 20}, json=run)).json()
    assert (done["status"], done["workflowVersion"]) == ("completed", 2)


async def test_an_invalid_workflow_is_refused_with_all_findings(client):
    broken = changed(edges=[{"source": "contacts", "target": "nowhere"}], colour="red")
    found = problem(await client.post("/api/workflows", json=broken), 422, "invalid-workflow")
    codes = {finding["code"] for finding in found["findings"]}
    assert "unknown-key" in codes
    assert all(finding["message"] and "pointer" in finding for finding in found["findings"])
    await saved(client)
    answer = await client.put("/api/workflows/tidy-contacts", json=broken, headers={"If-Match": "*"})
    assert problem(answer, 422, "invalid-workflow")["findings"] == found["findings"]


@pytest.mark.parametrize("name", ["blocks", "executions", "validate"])
async def test_ids_that_are_paths_of_the_api_are_refused(client, name):
    problem(await client.post("/api/workflows", json=changed(workflowId=name)), 422, "unusable-request")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"a": NaN}', b'"\\ud800"', b"\xff\xfe", b"[" * 5000, b'{"version": 1e999}']
)
async def test_what_is_no_document_is_refused(client, body):
    headers = {"Content-Type": "application/json"}
    problem(await client.post("/api/workflows", content=body, headers=headers), 422, "invalid-workflow")
    answer = await client.post("/api/workflows/validate", content=body, headers=headers)
    assert (answer.status_code, answer.json()["valid"]) == (200, False)


async def test_a_body_must_be_said_to_be_json(client):
    for headers in ({}, {"Content-Type": "text/plain"}):
        problem(await client.post("/api/workflows", content=b"{}", headers=headers), 415, "not-json")


async def test_a_version_beyond_all_versions_is_refused(client):
    problem(await client.post("/api/workflows", json=changed(version=2**63)), 422, "unusable-request")


async def test_validation_answers_with_the_report(client):
    await saved(client)
    good = await client.post("/api/workflows/tidy-contacts/validate")
    assert (good.status_code, good.json()) == (200, {"valid": True, "findings": []})
    draft = changed(nodes=[*WORKFLOW["nodes"], {"id": "x", "type": "api", "config": {"provider": "nobody"}}])
    bad = await client.post("/api/workflows/validate", json=draft)
    assert (bad.status_code, bad.json()["valid"]) == (200, False)
    assert any(finding.get("node") == "x" for finding in bad.json()["findings"])


HTTP = {"method": "GET", "url": "https://api.example.com/", "auth": {"type": "bearer", "token": "{{secrets.shop}}"}}
ASKING = (
    [
        WORKFLOW["nodes"][0],
        {"id": "x", "type": "api", "config": {"provider": "http", "saveAs": "answer", **HTTP}},
        WORKFLOW["nodes"][2],
    ],
    [{"source": "contacts", "target": "x"}, {"source": "x", "target": "file"}],
)
"""Nodes and edges of a workflow that names a secret."""


async def test_live_validation_asks_for_secrets_and_demo_does_not(client):
    await saved(client, changed(nodes=ASKING[0], edges=ASKING[1]))
    live = (await client.post("/api/workflows/tidy-contacts/validate?mode=live")).json()
    assert ["shop" in finding["message"] for finding in live["findings"]] == [True]
    assert (await client.post("/api/workflows/tidy-contacts/validate?mode=demo")).json()["valid"]


async def test_workflows_are_listed_page_by_page(client):
    names = [f"w{number}" for number in range(5)]
    for name in names:
        await saved(client, changed(workflowId=name))
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/workflows", params=params)).json()
        found += [entry["workflowId"] for entry in page["items"]]
        cursor, pages = page["nextCursor"], pages + 1
    assert (found, pages) == (names, 3)


@pytest.mark.parametrize(
    "cursor", ["", "x", "W10", "WyJrZXlzIiwiYSJd", "ñ", "WzEsMl0=", "WyJ3b3JrZmxvd3MiLCJcdTAwMDAiXQ"]
)
async def test_a_cursor_of_another_list_is_refused(client, cursor):
    found = problem(await client.get("/api/workflows", params={"cursor": cursor}), 422, "invalid-cursor")
    assert found["errors"][0]["field"] == "cursor"


async def test_blocks_are_listed_with_their_schemas(client):
    items = (await client.get("/api/workflows/blocks")).json()["items"]
    (csv,) = [item for item in items if item["id"] == "output/csv"]
    assert csv["config"]["properties"]["destination"]
    assert csv["summary"]


async def test_the_schema_of_documents_is_public(site):
    answer = await site.anonymous().get("/api/schemas/workflow-v1.json")
    assert answer.headers["content-type"] == "application/schema+json"
    assert {"Node", "Edge"} <= answer.json()["$defs"].keys()


async def test_schemas_are_made_once_however_often_they_are_asked_for(site, client, monkeypatch):
    made = []
    for owner, name in ((meta, "document_schema"), (Docstring, "of")):
        monkeypatch.setattr(owner, name, partial(_counted, made, name, getattr(owner, name)))
    for path in ("/api/schemas/workflow-v1.json", "/api/workflows/blocks"):
        first = await client.get(path)
        made.clear()
        assert (await client.get(path)).content == first.content
        assert made == []
    monkeypatch.setattr(site.app.registry, "blocks", lambda: iter(()))
    assert len((await client.get("/api/schemas/workflow-v1.json")).content) < 100_000, "blocks may come and go"
    assert made == ["document_schema"]


def _counted(made, name, call, *args):
    made.append(name)
    return call(*args)


async def test_live_validation_knows_the_secrets_that_the_tenant_has_stored(tmp_path):
    async with a_site(tmp_path, environ={"LUMEFLOW_SECRET_KEY": new_key()}) as site:
        await site.app.vault.put("shop", Secret("tok-example"), at=SystemClock().now())
        for tenant, is_known in (("default", True), ("acme", False)):
            client = await site.client(tenant)
            await saved(client, changed(nodes=ASKING[0], edges=ASKING[1]))
            live = (await client.post("/api/workflows/tidy-contacts/validate?mode=live")).json()
            assert live["valid"] is is_known


async def test_documents_that_would_keep_others_waiting_are_refused(client):
    large = changed(metadata={"notes": "x" * 1_000_000})
    body = {"workflow": large, "mode": "demo"}
    for path, content in (("", large), ("/validate", large), ("/execute", body)):
        problem(await client.post(f"/api/workflows{path}", json=content), 413, "document-too-large")
    many = changed(nodes=[WORKFLOW["nodes"][0]] * 501)
    found = problem(await client.post("/api/workflows", json=many), 413, "document-too-large")
    assert "501 nodes" in found["detail"]


async def test_a_large_document_that_is_kept_nowhere_is_run(client):
    large = changed(metadata={"notes": "x" * 300_000})
    body = {"workflow": large, "mode": "demo", "input": {"contacts": [{"email": "mira.holt@example.com"}] * 3000}}
    answer = await client.post("/api/workflows/execute", params={"wait": 20}, json=body)
    assert (answer.status_code, answer.json()["status"]) == (200, "completed"), answer.text
