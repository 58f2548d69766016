"""Secrets over HTTP: values go in, and never come out."""

import logging

import pytest

from lumeflow.vault.keyring import new_key
from tests.server.conftest import a_site
from tests.server.wants import problem

VALUE = "tok-canary-5417"
USES = {
    "workflowId": "uses",
    "name": "Uses",
    "nodes": [
        {"id": "in", "type": "input", "config": {"source": "api", "collection": "contacts"}},
        {
            "id": "ask",
            "type": "api",
            "config": {
                "provider": "http",
                "url": "https://api.example.com/",
                "saveAs": "a",
                "auth": {"type": "bearer", "token": "{{secrets.crmToken}}"},
            },
        },
        {"id": "out", "type": "output", "config": {"destination": "jsonl", "path": "a.jsonl"}},
    ],
    "edges": [{"source": "in", "target": "ask"}, {"source": "ask", "target": "out"}],
}


@pytest.fixture
async def shop(tmp_path):
    environ = {"LUMEFLOW_SECRET_KEY": new_key(), "LUMEFLOW_SECRET_own": "tok-own-77"}
    async with a_site(tmp_path, environ=environ) as site:
        yield site


async def test_a_secret_is_set_used_listed_and_deleted(shop, caplog):
    caplog.set_level(logging.DEBUG)
    client, stranger = await shop.client("acme"), await shop.client("other")
    check = "/api/workflows/validate?mode=live"
    assert [one["code"] for one in (await client.post(check, json=USES)).json()["findings"]] == ["unknown-secret"]
    first = await client.put("/api/secrets/crmToken", json={"value": VALUE})
    assert first.status_code == 200, first.text
    again = await client.put("/api/secrets/crmToken", json={"value": VALUE + "-new"})
    assert (await client.post(check, json=USES)).json()["valid"]
    assert not (await stranger.post(check, json=USES)).json()["valid"]
    listed = await client.get("/api/secrets")
    (entry,) = listed.json()["items"]
    assert entry == again.json()
    assert (entry["name"], entry["source"], entry["problem"]) == ("crmToken", "database", None)
    assert entry["createdAt"] == first.json()["createdAt"] <= entry["updatedAt"]
    assert (await stranger.get("/api/secrets")).json()["items"] == []
    problem(await stranger.delete("/api/secrets/crmToken"), 404, "not-found")
    assert (await client.delete("/api/secrets/crmToken")).status_code == 204
    problem(await client.delete("/api/secrets/crmToken"), 404, "not-found")
    assert not (await client.post(check, json=USES)).json()["valid"]
    assert VALUE not in first.text + again.text + listed.text + caplog.text


async def test_the_environment_s_are_listed_and_stay(shop):
    client = await shop.client()
    for name in ("b", "c", "own"):
        stored = await client.put(f"/api/secrets/{name}", json={"value": VALUE})
    assert stored.json()["source"] == "environment", "the environment goes first"
    assert (await client.delete("/api/secrets/own")).status_code == 204
    first = (await client.get("/api/secrets", params={"limit": 2})).json()
    rest = (await client.get("/api/secrets", params={"limit": 2, "cursor": first["nextCursor"]})).json()
    assert [one["name"] for one in first["items"] + rest["items"]] == ["b", "c", "own"]
    assert rest["items"][0] == {
        "name": "own",
        "source": "environment",
        "createdAt": None,
        "updatedAt": None,
        "problem": None,
    }
    problem(await client.delete("/api/secrets/own"), 404, "not-found")


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("crmToken", {}, "invalid-request"),
        ("crmToken", {"value": ""}, "invalid-request"),
        ("crmToken", {"value": [VALUE]}, "invalid-request"),
        ("crmToken", {"value": VALUE * 10_000}, "invalid-request"),
        ("crmToken", {"value": VALUE + "é" * 65_000}, "unusable-request"),
        ("crmToken", {"value": VALUE, "more": VALUE}, "invalid-request"),
        ("crmToken", VALUE, "invalid-request"),
        ("KEY", {"value": VALUE}, "unusable-request"),
        ("crm token", {"value": VALUE}, "invalid-request"),
    ],
)
async def test_a_refusal_tells_nothing_of_the_value(shop, caplog, name, body, code):
    caplog.set_level(logging.DEBUG)
    answer = await (await shop.client()).put(f"/api/secrets/{name}", json=body)
    problem(answer, 422, code)
    assert VALUE not in answer.text + caplog.text


async def test_without_a_key_to_encrypt_with_nothing_is_stored(client):
    answer = await client.put("/api/secrets/crmToken", json={"value": VALUE})
    assert "LUMEFLOW_SECRET_KEY" in problem(answer, 409, "secrets-not-configured")["detail"]
    assert VALUE not in answer.text
    assert (await client.get("/api/secrets")).json()["items"] == []


async def test_a_file_of_secrets_that_is_not_right_is_told(tmp_path):
    path = tmp_path / "secrets.env"
    path.write_text("crmToken=tok-example-1\n")
    async with a_site(tmp_path, secret_paths=(path,)) as site:
        client = await site.client()
        assert (await client.get("/api/secrets")).json()["items"][0]["source"] == "file"
        path.write_text(f"no line of it: {VALUE}\n")
        answer = await client.get("/api/secrets")
        assert "secrets.env" in problem(answer, 409, "secrets-not-configured")["detail"]
        assert VALUE not in answer.text


async def test_a_secret_whose_key_is_gone_is_told_as_such(tmp_path):
    async with a_site(tmp_path, environ={"LUMEFLOW_SECRET_KEY": new_key()}) as site:
        await (await site.client()).put("/api/secrets/crmToken", json={"value": VALUE})
    async with a_site(tmp_path, environ={"LUMEFLOW_SECRET_KEY": new_key()}) as site:
        (entry,) = (await (await site.client()).get("/api/secrets")).json()["items"]
        assert "LUMEFLOW_SECRET_KEY does not hold" in entry["problem"]
