"""Where records come from: uploads, and deliveries of other systems."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lumeflow.core.secret import Secret
from lumeflow.kit.webhooks import Rules, signing_headers
from lumeflow.server.config import ServerConfig
from lumeflow.server.examples import WORKFLOW
from lumeflow.server.housekeeping import housekeeping, tidy
from tests.server.conftest import a_site
from tests.server.wants import problem

ROWS = b"firstName,email\nMira,mira.holt@example.com\nJonas,\n"
FROM_FILE = {
    **WORKFLOW,
    "workflowId": "from-file",
    "nodes": [{"id": "contacts", "type": "input", "config": {"source": "upload"}}, *WORKFLOW["nodes"][1:]],
}
FROM_SHOP = {
    **WORKFLOW,
    "workflowId": "from-shop",
    "nodes": [
        {
            "id": "contacts",
            "type": "input",
            "config": {"source": "webhook", "secret": "{{secrets.shop}}", "collection": "contacts"},
        },
        *WORKFLOW["nodes"][1:],
    ],
}
HOOK = "/api/webhooks/acme/from-shop"
BODY = b'{"contacts": [{"firstName": "Mira", "email": "mira.holt@example.com"}]}'


class In:
    """A clock that is ahead."""

    def __init__(self, **time):
        self._ahead = timedelta(**time)

    def now(self):
        return datetime.now(UTC) + self._ahead


async def uploaded(client, data=ROWS, name="contacts.csv"):
    answer = await client.post("/api/uploads", params={"name": name}, content=data)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def executed(client, given, document=FROM_FILE):
    await client.post("/api/workflows", json=document)
    path = f"/api/workflows/{document['workflowId']}/execute?wait=20"
    answer = await client.post(path, json={"mode": "demo", "input": given})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("name", ["contacts.csv", "Kontakte März.CSV", "../../etc/x.csv", "a.b.c.csv", "contacts"])
async def test_an_upload_is_read_by_its_id(client, name):
    upload = await uploaded(client, name=name)
    assert (upload["name"], upload["size"]) == (name, len(ROWS))
    assert (await client.get(f"/api/uploads/{upload['id']}")).json() == upload
    found = await executed(client, {"file": upload["id"]})
    assert (found["status"], found["output"]["recordsCount"]) == ("completed", 1)


async def test_files_of_the_machine_are_not_read(client, tmp_path):
    (tmp_path / "secret.csv").write_bytes(ROWS)
    for path in (str(tmp_path / "secret.csv"), "../../secret.csv", "/etc/passwd", "upload-0/../../x"):
        found = await executed(client, {"file": path})
        assert found["status"] == "failed"
        assert "own folder" in found["nodes"]["contacts"]["error"]
        assert str(tmp_path / "artifacts") not in str(found)


async def test_an_upload_of_another_tenant_is_not_there(site):
    acme, other = await site.client("acme"), await site.client("other")
    upload = await uploaded(acme)
    path = f"/api/uploads/{upload['id']}"
    problem(await other.get(path), 404, "not-found")
    problem(await other.delete(path), 404, "not-found")
    found = await executed(other, {"file": upload["id"]})
    assert (found["status"], found["nodes"]["contacts"]["status"]) == ("failed", "failed")
    assert (await executed(acme, {"file": upload["id"]}))["status"] == "completed"


async def test_a_deleted_upload_is_gone(client, tmp_path):
    upload = await uploaded(client)
    path = f"/api/uploads/{upload['id']}"
    assert (await client.delete(path)).status_code == 204
    problem(await client.get(path), 404, "not-found")
    problem(await client.delete(path), 404, "not-found")
    assert not list((tmp_path / "uploads").iterdir())
    assert (await executed(client, {"file": upload["id"]}))["status"] == "failed"


async def test_an_upload_that_is_too_large_leaves_nothing(tmp_path):
    async with a_site(tmp_path, ServerConfig(body_limit=100, upload_limit=1000)) as site:
        client = await site.client()
        assert (await uploaded(client, b"a\n" * 500))["size"] == 1000

        async def pieces():
            for _ in range(20):
                yield b"x" * 100

        for content in (b"x" * 1001, pieces()):
            answer = await client.post("/api/uploads", params={"name": "a.csv"}, content=content)
            problem(answer, 413, "body-too-large")
        assert len(list((tmp_path / "uploads").iterdir())) == 1


async def test_an_upload_needs_a_name_and_a_body(client, tmp_path):
    problem(await client.post("/api/uploads", content=ROWS), 422, "invalid-request")
    problem(await client.post("/api/uploads", params={"name": "a\nb"}, content=ROWS), 422, "unusable-request")
    problem(await client.post("/api/uploads", params={"name": "a.csv"}), 422, "unusable-request")
    for name in ("upload-1", "..", "contacts.csv", f"upload-{'0' * 32}/x"):
        assert (await client.get(f"/api/uploads/{name}")).status_code in {404, 405, 422}


async def test_uploads_go_when_their_time_has_come(site, client, tmp_path):
    upload = await uploaded(client)
    later = In(days=31)
    assert await tidy(site.app.database, In(days=0)) == 0
    assert await tidy(site.app.database, later) == 1
    problem(await client.get(f"/api/uploads/{upload['id']}"), 404, "not-found")
    assert not list((tmp_path / "uploads").iterdir())


async def test_executions_go_when_their_time_has_come(site, client):
    await client.post("/api/workflows", json=WORKFLOW)
    body = {"mode": "demo", "input": {"contacts": [{"email": "mira.holt@example.com"}]}, "executionId": "e1"}
    path = "/api/workflows/executions/e1"
    await client.post("/api/workflows/tidy-contacts/execute", params={"wait": 20}, json=body)
    assert (await client.get(f"{path}/artifacts/contacts.csv")).status_code == 200
    await tidy(site.app.database, In(days=9), 10)
    assert (await client.get(path)).status_code == 200
    await tidy(site.app.database, In(days=11), 10)
    for below in ("", "/records/output", "/artifacts/contacts.csv", "/timeline"):
        problem(await client.get(path + below), 404, "not-found")
    assert (await client.get("/api/workflows/executions")).json()["items"] == []


async def test_uploads_that_nobody_was_told_of_go_as_well(site, tmp_path):
    client = await site.client("acme")
    upload = await uploaded(client)
    folder = tmp_path / "tenants" / "acme" / "uploads"
    (folder / f"upload-{'0' * 32}.csv").write_bytes(ROWS)
    assert await tidy(site.app.database, In(hours=1)) == 0
    assert await tidy(site.app.database, In(days=2)) == 1
    assert [path.name for path in folder.iterdir()] == [upload["id"]]


async def test_tidying_goes_on_whatever_lies_in_the_folder(site, client, tmp_path, monkeypatch, caplog):
    upload = await uploaded(client)
    strange = tmp_path / "uploads" / "strange"
    strange.mkdir()
    os.utime(strange, (1, 1))
    monkeypatch.setattr(Path, "unlink", _refused)
    assert await tidy(site.app.database, In(days=31)) == 0
    assert f"{upload['id']}: it cannot be deleted (Permission denied)" in caplog.text
    monkeypatch.undo()
    os.utime(tmp_path / "uploads" / upload["id"], (1, 1))
    assert await tidy(site.app.database, In(days=31)) == 1
    assert list((tmp_path / "uploads").iterdir()) == [strange]


def _refused(path, *, missing_ok=False):
    raise PermissionError(13, "Permission denied")


async def test_a_bug_does_not_end_the_tidying(site, monkeypatch, caplog):
    rounds = asyncio.Semaphore(0)

    async def broken(*args):
        rounds.release()
        raise KeyError("a bug")

    monkeypatch.setattr("lumeflow.server.housekeeping.tidy", broken)
    monkeypatch.setattr("lumeflow.server.housekeeping.INTERVAL", 0.01)
    async with housekeeping(site.app.database), asyncio.timeout(10):
        for _ in range(2):
            await rounds.acquire()
    assert "a bug" in caplog.text


@pytest.fixture
async def shop(tmp_path):
    """A tenant with a workflow that a shop delivers to."""
    secrets = tmp_path / "secrets.env"
    secrets.write_text("acme/shop=s3cret\n")
    async with a_site(tmp_path / "data", secret_paths=[secrets]) as site:
        client = await site.client("acme")
        assert (await client.post("/api/workflows", json=FROM_SHOP)).status_code == 201
        yield site


def signed(body=BODY, secret="s3cret", delivery="d-1", at=None):
    return {
        **signing_headers(Rules(), Secret(secret), body, at=at or datetime.now(UTC), delivery=delivery),
        "Idempotency-Key": delivery,
        "Content-Type": "application/json",
        "Cookie": "session=canary",
    }


async def test_a_signed_delivery_starts_the_workflow(shop):
    answer = await shop.anonymous().post(HOOK, content=BODY, headers=signed())
    assert answer.status_code == 202, answer.text
    assert answer.json()["duplicate"] is False
    client = await shop.client("acme")
    path = f"/api/workflows/executions/{answer.json()['executionId']}"
    found = (await client.get(path, params={"wait": 20})).json()
    assert (found["status"], found["mode"], found["output"]["recordsCount"]) == ("completed", "live", 1)
    stored = await shop.app.database.of("acme").journal.get(found["executionId"])
    assert "canary" not in str(stored.input)


async def test_a_delivery_that_comes_again_starts_nothing(shop):
    client = shop.anonymous()
    one = await client.post(HOOK, content=BODY, headers=signed())
    two = await client.post(HOOK, content=BODY, headers=signed())
    assert (two.status_code, two.json()) == (200, {"executionId": one.json()["executionId"], "duplicate": True})
    listed = (await (await shop.client("acme")).get("/api/workflows/executions")).json()["items"]
    assert len(listed) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(secret="other"),
        signed(body=b"{}"),
        signed(at=datetime(2026, 1, 9, tzinfo=UTC)),
        {**signed(), "Idempotency-Key": "d-2"},
    ],
)
async def test_a_delivery_that_is_not_signed_as_it_should_be_is_refused(shop, headers):
    problem(await shop.anonymous().post(HOOK, content=BODY, headers=headers), 401, "delivery-refused")
    assert (await (await shop.client("acme")).get("/api/workflows/executions")).json()["items"] == []


async def test_a_delivery_that_a_client_passes_on_names_its_execution_itself(shop, monkeypatch):
    client = await shop.client("acme")
    headers = {key.lower(): value for key, value in signed().items()}
    body = {"input": {"headers": headers, "body": BODY.decode()}}
    path = "/api/workflows/from-shop/execute"

    async def forgotten(*_, **__):
        return None

    with monkeypatch.context() as patch:
        patch.setattr(type(shop.app.database.idempotency), "complete", forgotten)
        lost = await client.post(path, json=body, headers={"Idempotency-Key": "k-1"})
    again = await client.post(path, json=body, headers={"Idempotency-Key": "k-1"})
    assert lost.status_code == again.status_code == 202, again.text
    assert lost.json()["executionId"] == again.json()["executionId"]
    assert "idempotent-replayed" not in again.headers
    problem(await client.post(path, json=body, headers={"Idempotency-Key": "k-2"}), 409, "execution-exists")
    named = await client.post(path, json={**body, "executionId": "mine"}, headers={"Idempotency-Key": "k-3"})
    assert "only once, under the id" in problem(named, 422, "unusable-request")["detail"]


async def test_only_workflows_that_take_deliveries_have_an_address(shop):
    client = await shop.client("acme")
    both = {**FROM_SHOP, "workflowId": "both"}
    both["nodes"] = [
        *FROM_SHOP["nodes"],
        {"id": "more", "type": "input", "config": {"source": "static", "data": {"contacts": []}}},
    ]
    both["edges"] = [*FROM_SHOP["edges"], {"source": "more", "target": "with-email"}]
    for document in (WORKFLOW, both):
        assert (await client.post("/api/workflows", json=document)).status_code == 201
    for path in ("acme/tidy-contacts", "acme/both", "acme/nothing", "other/from-shop", "nobody/from-shop"):
        answer = await shop.anonymous().post(f"/api/webhooks/{path}", content=BODY, headers=signed())
        problem(answer, 404, "not-found")


async def test_names_of_tenants_that_there_are_not_are_not_kept(shop):
    for path in ("nobody/from-shop", "nobody-else/from-shop"):
        problem(await shop.anonymous().post(f"/api/webhooks/{path}", content=BODY, headers=signed()), 404, "not-found")
    assert shop.app.database._family.keys() == {"default", "acme"}


async def test_a_delivery_of_bytes_is_passed_on_as_it_is(shop):
    body = b"\xff\xfe"
    answer = await shop.anonymous().post(HOOK, content=body, headers=signed(body))
    assert answer.status_code == 202, answer.text


async def test_a_suspended_tenant_takes_no_deliveries(shop):
    tenants = shop.app.database.installation.tenants
    await tenants.change(replace(await tenants.get("acme"), is_active=False))
    problem(await shop.anonymous().post(HOOK, content=BODY, headers=signed()), 503, "tenant-suspended")


async def test_a_workflow_that_lost_its_secret_is_not_ready(tmp_path):
    async with a_site(tmp_path) as site:
        client = await site.client("acme")
        await client.post("/api/workflows", json=FROM_SHOP)
        answer = await site.anonymous().post(HOOK, content=BODY, headers=signed())
        problem(answer, 503, "workflow-not-ready")
        assert "findings" not in answer.json()


async def test_a_form_is_no_file(client, tmp_path):
    answer = await client.post("/api/uploads?name=a.csv", files={"file": ("a.csv", b"a\n1\n")})
    assert "--data-binary" in problem(answer, 415, "not-a-file")["detail"]
    assert not list(tmp_path.rglob("upload-*"))
