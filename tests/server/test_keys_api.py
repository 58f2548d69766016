"""API keys: who may call what, and who is nobody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lumeflow.server.examples import WORKFLOW
from lumeflow.server.keys import hash_of
from tests.server.wants import problem

NEEDS = [
    ("GET", "/api/workflows", "read"),
    ("GET", "/api/workflows/blocks", "read"),
    ("GET", "/api/workflows/tidy-contacts", "read"),
    ("POST", "/api/workflows/validate", "read"),
    ("POST", "/api/workflows", "write"),
    ("PUT", "/api/workflows/tidy-contacts", "write"),
    ("DELETE", "/api/workflows/tidy-contacts", "write"),
    ("GET", "/api/secrets", "secrets"),
    ("PUT", "/api/secrets/token", "secrets"),
    ("DELETE", "/api/secrets/token", "secrets"),
    ("GET", "/api/keys", "admin"),
    ("POST", "/api/keys", "admin"),
    ("DELETE", f"/api/keys/{'0' * 16}", "admin"),
]


async def test_without_a_key_there_is_nothing(site):
    client = site.anonymous()
    for headers in (
        {},
        {"X-API-Key": "lf_guessed"},
        {"X-API-Key": "x" * 5000},
        {"Authorization": "Basic bGY6"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer \xff".encode("latin-1")},
    ):
        for path in ("/api/workflows", "/api/nothing"):
            answer = await client.get(path, headers=headers)
            problem(answer, 401, "no-valid-key")
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_key_is_sent_in_either_header(site):
    key = await site.key()
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}, {"authorization": f"bearer  {key}"}):
        assert (await site.anonymous().get("/api/workflows", headers=headers)).status_code == 200


async def test_two_keys_that_differ_are_none(site):
    headers = {"X-API-Key": await site.key(), "Authorization": f"Bearer {await site.key()}"}
    problem(await site.anonymous().get("/api/workflows", headers=headers), 401, "no-valid-key")


@pytest.mark.parametrize(("method", "path", "scope"), NEEDS)
async def test_each_endpoint_asks_for_its_scope(site, method, path, scope):
    others = [name for name in ("read", "write", "execute", "live") if name != scope]
    found = problem(await (await site.client(scopes=others)).request(method, path, json={}), 403, "missing-scope")
    assert f"'{scope}'" in found["detail"]
    for scopes in ([scope], ["admin"]):
        answer = await (await site.client(scopes=scopes)).request(method, path, json={})
        assert answer.status_code not in {401, 403}


async def test_keys_are_made_listed_and_revoked(site, client):
    made = await client.post("/api/keys", json={"name": "shop", "scopes": ["read"]})
    assert made.status_code == 201
    key, key_id = made.json()["key"], made.json()["id"]
    assert made.json()["scopes"] == ["read"]
    shop = site.anonymous(headers={"X-API-Key": key})
    assert (await shop.get("/api/workflows")).status_code == 200
    listed = await client.get("/api/keys")
    assert key not in listed.text
    assert hash_of(key) not in listed.text
    assert {entry["name"] for entry in listed.json()["items"]} == {"shop", "test"}
    assert (await client.delete(f"/api/keys/{key_id}")).status_code == 204
    problem(await shop.get("/api/workflows"), 401, "no-valid-key")
    problem(await client.delete(f"/api/keys/{key_id}"), 404, "not-found")


async def test_a_key_ends_with_its_time(site):
    past = datetime.now(UTC) - timedelta(seconds=1)
    client = site.anonymous(headers={"X-API-Key": await site.key(expires_at=past)})
    problem(await client.get("/api/workflows"), 401, "no-valid-key")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "x", "scopes": ["root"]}, "/scopes/0"),
        ({"name": "x", "scopes": []}, "/scopes"),
        ({"name": "x", "expiresAt": "2031-01-01T00:00:00"}, "/expiresAt"),
        ({"name": "x", "role": "y"}, "/role"),
    ],
)
async def test_a_key_that_cannot_be_made_is_told(client, body, field):
    found = problem(await client.post("/api/keys", json=body), 422, "invalid-request")
    assert [(error["where"], error["field"]) for error in found["errors"]] == [("body", field)]


async def test_a_key_that_would_have_ended_is_not_made(client):
    body = {"name": "x", "expiresAt": "2001-01-01T00:00:00Z"}
    problem(await client.post("/api/keys", json=body), 422, "unusable-request")


async def test_the_last_use_of_a_key_is_told(client):
    (entry,) = (await client.get("/api/keys")).json()["items"]
    assert entry["lastUsedAt"] >= entry["createdAt"]


async def test_only_hashes_of_keys_are_stored(site, tmp_path):
    key = await site.key()
    await site.app.database.journal.flush()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or key.encode() not in path.read_bytes()


async def test_tenants_see_nothing_of_each_other(site):
    acme, other = await site.client("acme"), await site.client("other")
    assert (await acme.post("/api/workflows", json=WORKFLOW)).status_code == 201
    path = "/api/workflows/tidy-contacts"
    for answer in (
        await other.get(path),
        await other.get(f"{path}/versions/1"),
        await other.delete(path),
        await other.put(path, json=WORKFLOW, headers={"If-Match": "*"}),
        await other.post(f"{path}/validate"),
    ):
        assert "'tidy-contacts" in problem(answer, 404, "not-found")["detail"]
    assert (await other.get("/api/workflows")).json()["items"] == []
    keys = (await acme.get("/api/keys")).json()["items"]
    problem(await other.delete(f"/api/keys/{keys[0]['id']}"), 404, "not-found")
    assert (await acme.get(path)).status_code == 200


async def test_a_suspended_tenant_is_refused(site):
    acme = await site.client("acme")
    tenants = site.app.database.installation.tenants
    await tenants.change(replace(await tenants.get("acme"), is_active=False))
    problem(await acme.get("/api/workflows"), 403, "tenant-suspended")
