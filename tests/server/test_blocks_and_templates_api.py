"""Blocks alone, and templates."""

from datetime import UTC, datetime

import pytest

from lumeflow.core.secret import Secret
from lumeflow.kit.webhooks import Rules, signing_headers
from lumeflow.server.config import ServerConfig
from lumeflow.server.examples import INPUT, TEMPLATE, WORKFLOW
from lumeflow.vault.keyring import KEY_VARIABLE, new_key
from tests.server.conftest import a_site
from tests.server.wants import problem


async def test_a_block_tells_all_of_itself(client):
    found = (await client.get("/api/workflows/blocks/output/csv/reference")).json()
    listed = (await client.get("/api/workflows/blocks")).json()["items"]
    assert {key: found[key] for key in listed[0]} in listed
    assert "# output/csv" in found["reference"]
    assert "clean-import" in found["workflows"]
    problem(await client.get("/api/workflows/blocks/output/nothing/reference"), 404, "not-found")


async def test_a_block_is_tested_alone(client):
    body = {
        "config": {"conditions": [{"field": "email", "operator": "exists"}]},
        "input": {"people": [{"email": "a@example.com"}, {"n": 1}]},
    }
    found = (await client.post("/api/workflows/blocks/filter/test", json=body)).json()
    assert found["status"] == "success"
    assert found["output"] == {"people": [{"email": "a@example.com"}]}
    assert len(found["skipped"]) == 1
    assert found["cost"] == 0


async def test_a_block_that_calls_is_tested_in_demo_mode_with_mocks(client):
    body = {
        "config": {"provider": "apollo", "fieldMapping": {"title": "title"}},
        "input": {"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"},
        "mocks": {"apollo": {"person": {"title": "Buyer"}}},
    }
    found = (await client.post("/api/workflows/blocks/api/test", json=body)).json()
    assert (found["status"], found["output"]["title"]) == ("success", "Buyer")


async def test_a_test_sees_no_secrets_of_the_installation(tmp_path):
    config = {"provider": "http", "url": "https://api.example.com/", "saveAs": "a"}
    config["auth"] = {"type": "bearer", "token": "{{secrets.shop}}"}
    async with a_site(tmp_path, environ={"LUMEFLOW_SECRET_shop": "s3cret"}) as site:
        client = await site.client("acme")
        answer = await client.post("/api/workflows/blocks/api/test", json={"mode": "live", "config": config})
        found = problem(answer, 422, "invalid-workflow")
        assert "shop" in found["findings"][0]["message"]


async def test_a_live_test_sees_the_secrets_that_its_tenant_stored(tmp_path):
    text = b'{"contacts": [{"n": 1}]}'
    headers = signing_headers(Rules(), Secret("s3cret"), text, at=datetime.now(UTC), delivery="d-1")
    body = {
        "mode": "live",
        "config": {"source": "webhook", "secret": "{{secrets.shop}}", "collection": "contacts"},
        "input": {"headers": {**headers, "Idempotency-Key": "d-1"}, "body": text.decode()},
    }
    path = "/api/workflows/blocks/input/test"
    async with a_site(tmp_path, environ={KEY_VARIABLE: new_key()}) as site:
        await site.app.of("acme").vault.put("shop", Secret("s3cret"), at=datetime.now(UTC))
        acme, other = await site.client("acme"), await site.client("other")
        found = (await acme.post(path, json=body)).json()
        assert found["output"] == {"contacts": [{"n": 1}]}, found
        assert "shop" in problem(await other.post(path, json=body), 422, "invalid-workflow")["findings"][0]["message"]
        await site.app.of("other").vault.put("shop", Secret("another"), at=datetime.now(UTC))
        assert "output" not in (await other.post(path, json=body)).json()


async def test_a_live_test_needs_its_scope(site):
    client = await site.client(scopes=["execute"])
    problem(await client.post("/api/workflows/blocks/filter/test", json={"mode": "live"}), 403, "missing-scope")


async def test_a_block_in_a_test_writes_nowhere_else(client, tmp_path):
    inside = {"config": {"destination": "csv", "path": "a.csv"}, "input": {"people": [{"n": 1}]}}
    found = (await client.post("/api/workflows/blocks/output/test", json=inside)).json()
    assert (found["status"], found["output"]["path"]) == ("success", "a.csv")
    outside = {**inside, "config": {"destination": "csv", "path": str(tmp_path / "a.csv")}}
    found = (await client.post("/api/workflows/blocks/output/test", json=outside)).json()
    assert found["status"] == "failed"
    assert not list(tmp_path.rglob("a.csv"))


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("nothing", {}, "invalid-request"),
        ("filter", {"config": {"conditions": [{"field": "a", "operator": "is"}]}}, "invalid-workflow"),
        ("api", {"config": {"provider": "nobody"}}, "unusable-request"),
        ("merge", {"config": {"operation": "append"}, "input": {"a": 1}}, "unusable-request"),
        ("filter", {"mode": "live", "mocks": {"apollo": {}}}, "unusable-request"),
        ("filter", {"tables": {"nothing": [{}]}, "config": {"conditions": []}}, "unusable-request"),
    ],
)
async def test_what_cannot_be_tested_is_told(client, path, body, code):
    problem(await client.post(f"/api/workflows/blocks/{path}/test", json=body), 422, code)


async def test_a_test_does_not_take_for_ever(tmp_path):
    async with a_site(tmp_path, ServerConfig(test_time=0.05), demo_latency=5.0) as site:
        body = {"config": {"provider": "apollo"}, "input": {"email": "mira.holt@example.com"}}
        answer = await (await site.client()).post("/api/workflows/blocks/api/test", json=body)
        problem(answer, 422, "test-too-long")


async def test_templates_are_stored_listed_and_deleted(site, client):
    path = "/api/templates/tidy"
    body = {"name": "Tidy", "category": "basics", "definition": WORKFLOW}
    made = (await client.put(path, json=body)).json()
    assert (made["version"], made["definition"]) == (1, WORKFLOW)
    again = (await client.put(path, json={**body, "name": "Tidier"})).json()
    assert (again["version"], again["name"], again["createdAt"]) == (2, "Tidier", made["createdAt"])
    assert (await client.get(path)).json() == again
    await client.put("/api/templates/other", json={"name": "Other", "definition": {}})
    first = (await client.get("/api/templates", params={"limit": 1})).json()
    rest = (await client.get("/api/templates", params={"limit": 1, "cursor": first["nextCursor"]})).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == ["other", "tidy"]
    basics = (await client.get("/api/templates", params={"category": "basics"})).json()["items"]
    assert [one["id"] for one in basics] == ["tidy"]
    stranger = await site.client("other")
    problem(await stranger.get(path), 404, "not-found")
    problem(await stranger.delete(path), 404, "not-found")
    assert (await client.delete(path)).status_code == 204
    problem(await client.get(path), 404, "not-found")
    problem(await client.put(path, json={"name": "x"}), 422, "invalid-request")


async def test_a_workflow_is_made_of_a_template(client):
    stored = (await client.put("/api/templates/tidy", json=TEMPLATE)).json()
    assert stored["placeholders"] == TEMPLATE["definition"]["x-placeholders"]
    body = {"workflowId": "by-name", "name": "By name", "values": {"field": "firstName"}}
    made = await client.post("/api/templates/tidy/workflows", json=body)
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["workflowId"], found["version"], found["name"]) == ("by-name", 1, "By name")
    assert found["definition"]["nodes"][1]["config"]["conditions"][0]["field"] == "firstName"
    assert found["definition"]["metadata"] == {"template": {"id": "tidy", "version": 1}}
    assert (await client.get(made.headers["location"])).headers["etag"] == made.headers["etag"]
    run = {"mode": "demo", "input": INPUT}
    done = (await client.post("/api/workflows/by-name/execute", params={"wait": 20}, json=run)).json()
    assert (done["status"], done["output"]["recordsCount"]) == ("completed", 2)
    problem(await client.post("/api/templates/tidy/workflows", json=body), 409, "workflow-exists")
    assert (await client.delete("/api/workflows/by-name")).status_code == 204
    assert (await client.post("/api/templates/tidy/workflows", json=body)).json()["version"] == 2
    usual = (await client.post("/api/templates/tidy/workflows", json={"workflowId": "usual"})).json()
    assert usual["definition"]["nodes"] == WORKFLOW["nodes"], "the default"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"values": {"field": 3}}, 422, "placeholders-not-filled"),
        ({"values": {"fields": "a"}}, 422, "placeholders-not-filled"),
        ({"values": {}, "workflowId": "a b"}, 422, "invalid-request"),
        ({"values": {}, "workflowId": "search"}, 422, "unusable-request"),
        ({"values": {"field": "{{input.email"}}, 422, "invalid-workflow"),
    ],
)
async def test_a_template_that_cannot_be_filled_so_is_refused(client, body, status, code):
    await client.put("/api/templates/tidy", json=TEMPLATE)
    answer = await client.post("/api/templates/tidy/workflows", json={"workflowId": "made", **body})
    found = problem(answer, status, code)
    if code == "placeholders-not-filled":
        assert found["errors"][0]["field"].startswith("/values/field")
    assert (await client.get("/api/workflows")).json()["items"] == []


async def test_templates_are_exported_and_imported(site, client):
    await client.put("/api/templates/tidy", json={**TEMPLATE, "name": "First"})
    await client.put("/api/templates/tidy", json=TEMPLATE)
    exported = await client.get("/api/templates/tidy/export")
    assert 'filename="tidy.json"' in exported.headers["content-disposition"]
    problem(await client.post("/api/templates", json=exported.json()), 409, "template-exists")
    other = await site.client("other")
    imported = await other.post("/api/templates", json=exported.json())
    assert imported.status_code == 201, imported.text
    assert (imported.json()["version"], imported.json()["name"]) == (2, TEMPLATE["name"])
    assert (await other.get("/api/templates/tidy/export")).json() == exported.json()
    problem(await other.get("/api/templates/nothing/export"), 404, "not-found")
    problem(await other.post("/api/templates/nothing/workflows", json={"workflowId": "a"}), 404, "not-found")


@pytest.mark.parametrize(
    "definition", [{"x-placeholders": {"a": {"type": "whole"}}}, {"x-placeholders": [], "name": "a"}]
)
async def test_placeholders_that_are_declared_wrongly_are_refused(client, definition):
    answer = await client.put("/api/templates/tidy", json={"name": "Tidy", "definition": definition})
    assert problem(answer, 422, "placeholders-not-filled")["errors"][0]["field"].startswith(
        "/definition/x-placeholders"
    )
