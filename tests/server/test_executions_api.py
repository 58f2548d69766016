"""Executions: started, watched, stopped, gone on with; their records and files."""

import asyncio
import csv
import io
import json

import httpx2
import pytest

from lumeflow.app import open_app
from lumeflow.server.config import ServerConfig
from lumeflow.server.examples import INPUT, WORKFLOW
from lumeflow.settings import Settings
from lumeflow.workflows import example
from tests.server.conftest import a_site
from tests.server.wants import problem

ENRICH = {
    "workflowId": "enrich",
    "name": "Enrich",
    "nodes": [
        {"id": "people", "type": "input", "config": {"source": "api", "collection": "contacts"}},
        {
            "id": "match",
            "type": "api",
            "config": {"provider": "apollo", "fieldMapping": {"title": "title"}},
        },
        {"id": "out", "type": "output", "config": {"destination": "jsonl", "path": "people.jsonl"}},
    ],
    "edges": [{"source": "people", "target": "match"}, {"source": "match", "target": "out"}],
}
PEOPLE = {"contacts": [{"firstName": "Mira", "lastName": "Holt", "email": f"mira{n}@example.com"} for n in range(3)]}


async def execute(client, document=WORKFLOW, given=INPUT, status=200, **more):
    if (await client.get(f"/api/workflows/{document['workflowId']}")).status_code == 404:
        assert (await client.post("/api/workflows", json=document)).status_code == 201
    path = f"/api/workflows/{document['workflowId']}/execute"
    answer = await client.post(
        path, params={"wait": 20 if status == 200 else 0}, json={"mode": "demo", "input": given, **more}
    )
    assert answer.status_code == status, answer.text
    return answer


async def test_an_execution_is_queued_and_read(client):
    queued = await execute(client, status=202)
    assert queued.json()["status"] in {"queued", "running"}
    found = (await client.get(queued.headers["location"], params={"wait": 20})).json()
    assert found["status"] == "completed"
    assert found["executionId"] == queued.json()["executionId"]
    assert found["nodes"]["with-email"]["recordsOut"] == 1
    assert found["nodes"]["with-email"]["skipped"] == 1
    assert found["output"]["recordsCount"] == 1
    assert found["error"] is None
    assert found["cost"]["totalCost"] == 0


async def test_a_small_execution_is_waited_for(client):
    found = (await execute(client)).json()
    assert (found["status"], found["workflowVersion"], found["mode"]) == ("completed", 1, "demo")


async def test_calls_and_costs_are_told_by_node_and_summed_up(client):
    found = (await execute(client, ENRICH, PEOPLE)).json()
    assert found["nodes"]["match"]["executionCost"]["apiCalls"] == 3
    total = found["cost"]["totalCost"]
    for by, key in (("workflow", "enrich"), ("node", "match"), ("execution", found["executionId"])):
        (line,) = (await client.get("/api/costs", params={"by": by, "workflowId": "enrich"})).json()["items"]
        assert (line["key"], line["calls"], line["amount"]) == (key, 3, total)
    for by in ("provider", "day"):
        (line,) = (await client.get("/api/costs", params={"by": by})).json()["items"]
        assert line["calls"] == 3
    timeline = (await client.get(f"/api/workflows/executions/{found['executionId']}/timeline")).json()["items"]
    (ending,) = [entry["data"] for entry in timeline if entry["kind"] == "node.finished" and entry["node"] == "match"]
    assert (ending["calls"], float(ending["cost"])) == (3, total)
    past = {"until": "2001-01-01"}
    assert (await client.get("/api/costs", params=past)).json() == {"items": [], "nextCursor": None}


async def test_an_older_version_can_be_executed(client):
    await execute(client)
    changed = {**WORKFLOW, "name": "New"}
    await client.put("/api/workflows/tidy-contacts", json=changed, headers={"If-Match": "*"})
    assert (await execute(client)).json()["workflowVersion"] == 2
    assert (await execute(client, version=1)).json()["workflowVersion"] == 1
    answer = await client.post("/api/workflows/tidy-contacts/execute", json={"mode": "demo", "version": 9})
    problem(answer, 404, "not-found")


async def test_a_workflow_that_is_installed_can_be_executed(site, client):
    body = {"mode": "demo", "input": await site.app.stage(example("signup-audience"))}
    answer = await client.post("/api/workflows/signup-audience/execute?wait=20", json=body)
    assert (answer.status_code, answer.json()["status"]) == (200, "completed"), answer.text
    problem(await client.post("/api/workflows/nothing/execute", json={}), 404, "not-found")


async def test_a_live_execution_needs_the_scope_live(site):
    client = await site.client(scopes=["read", "write", "execute"])
    await client.post("/api/workflows", json=WORKFLOW)
    problem(await client.post("/api/workflows/tidy-contacts/execute", json={"input": INPUT}), 403, "missing-scope")
    assert (await execute(client)).json()["status"] == "completed"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"inptu": {}}, "invalid-request"),
        ({"input": []}, "invalid-request"),
        ({"mode": "dry"}, "invalid-request"),
        ({"mode": "live", "mocks": {"apollo": {}}}, "unusable-request"),
        ({"mode": "demo", "executionId": "a\nb"}, "unusable-request"),
        ({"mode": "demo", "limits": {"costs": 1}}, "invalid-workflow"),
        ({"mode": "demo", "limits": {"costUsd": -1}}, "invalid-workflow"),
    ],
)
async def test_what_cannot_be_executed_is_refused(client, body, code):
    await client.post("/api/workflows", json=WORKFLOW)
    problem(await client.post("/api/workflows/tidy-contacts/execute", json=body), 422, code)


async def test_an_id_is_taken_once(client):
    await execute(client, executionId="monday-1")
    body = {"mode": "demo", "executionId": "monday-1"}
    problem(await client.post("/api/workflows/tidy-contacts/execute", json=body), 409, "execution-exists")


async def test_a_document_is_executed_without_being_saved(site, client):
    path, body = "/api/workflows/execute", {"workflow": WORKFLOW, "mode": "demo", "input": INPUT}
    now = "2026-01-09T10:00:00+01:00"
    found = (await client.post(path, params={"wait": 20}, json={**body, "now": now})).json()
    assert (found["status"], found["workflowId"]) == ("completed", "tidy-contacts")
    stored = await site.app.stored(found["executionId"])
    assert (stored.now.isoformat(), stored.pinned) == ("2026-01-09T09:00:00+00:00", True)
    assert (await client.get("/api/workflows")).json()["items"] == []
    for path_of in ("", "/versions", "/versions/1"):
        problem(await client.get(f"/api/workflows/tidy-contacts{path_of}"), 404, "not-found")
    for wanted in ({}, {"version": 1}):
        problem(
            await client.post("/api/workflows/tidy-contacts/execute", json={"mode": "demo", **wanted}), 404, "not-found"
        )
    runs = "/api/workflows/tidy-contacts/executions"
    assert len((await client.get(runs)).json()["items"]) == 1
    assert (await client.get(runs, params={"status": "failed"})).json()["items"] == []
    broken = {**WORKFLOW, "edges": [{"source": "a", "target": "b"}]}
    for more in ({}, {"limits": {"calls": 1}}):
        refused = await client.post(path, json={**body, "workflow": broken, **more})
        assert problem(refused, 422, "invalid-workflow")["findings"]
    far = await client.post(path, json={**body, "now": "9999-12-31T23:59:59-12:00"})
    problem(far, 422, "unusable-request")


@pytest.mark.parametrize("scopes", [["execute"], ["write"]])
async def test_only_who_may_save_and_execute_executes_a_document(site, scopes):
    client = await site.client(scopes=scopes)
    answer = await client.post("/api/workflows/execute", json={"workflow": WORKFLOW, "mode": "demo"})
    problem(answer, 403, "missing-scope")


async def test_a_request_that_comes_twice_acts_once(client):
    await client.post("/api/workflows", json=WORKFLOW)
    path, headers = "/api/workflows/tidy-contacts/execute", {"Idempotency-Key": "k-1"}
    body = {"mode": "demo", "input": INPUT}
    one = await client.post(path, json=body, headers=headers)
    two = await client.post(path, json=body, headers=headers)
    assert one.status_code == two.status_code == 202
    assert one.content == two.content
    assert two.headers["idempotent-replayed"] == "true"
    assert len((await client.get("/api/workflows/executions")).json()["items"]) == 1
    problem(await client.post(path, json={**body, "priority": 1}, headers=headers), 422, "key-was-used")


async def test_a_request_that_comes_again_is_answered_though_its_workflow_is_gone(client):
    assert (await client.post("/api/workflows", json={**WORKFLOW, "workflowId": "brief"})).status_code == 201
    path, key = "/api/workflows/brief/execute", {"Idempotency-Key": "k-brief"}
    body = {"mode": "demo", "input": INPUT, "limits": {"calls": 5}}
    one = await client.post(path, json=body, headers=key)
    assert one.status_code == 202, one.text
    assert (await client.delete("/api/workflows/brief")).status_code == 204
    two = await client.post(path, json=body, headers=key)
    assert (two.status_code, two.content) == (202, one.content)
    problem(await client.post(path, json=body, headers={"Idempotency-Key": "k-late"}), 404, "not-found")
    problem(await client.post(path, json=body), 404, "not-found")


async def test_requests_at_the_same_time_under_one_key_act_once(client):
    await client.post("/api/workflows", json=WORKFLOW)
    path, headers = "/api/workflows/tidy-contacts/execute", {"Idempotency-Key": "k-1"}
    answers = await asyncio.gather(*(client.post(path, json={"mode": "demo"}, headers=headers) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["executionId"] for answer in answers}) == 1
    assert len((await client.get("/api/workflows/executions")).json()["items"]) == 1


async def test_a_request_whose_answer_was_lost_with_the_server_acts_once(site, client, monkeypatch):
    await client.post("/api/workflows", json=WORKFLOW)
    path = "/api/workflows/tidy-contacts/execute"

    async def forgotten(*_, **__):
        return None

    for number, body in enumerate([{"mode": "demo"}, {"mode": "demo", "executionId": "monday-1"}]):
        headers = {"Idempotency-Key": f"k-{number}"}
        with monkeypatch.context() as patch:
            patch.setattr(site.app.database.idempotency, "complete", forgotten)
            one = await client.post(path, json=body, headers=headers)
        two = await client.post(path, json=body, headers=headers)
        assert one.json()["executionId"] == two.json()["executionId"]
        assert len((await client.get("/api/workflows/executions")).json()["items"]) == number + 1
        problem(
            await client.post(path, json={**body, "executionId": one.json()["executionId"]}), 409, "execution-exists"
        )


async def test_a_refused_request_does_not_use_its_key_up(client):
    await client.post("/api/workflows", json=WORKFLOW)
    path, headers = "/api/workflows/tidy-contacts/execute", {"Idempotency-Key": "k-1"}
    problem(
        await client.post(path, json={"mode": "demo", "executionId": "\x01"}, headers=headers), 422, "unusable-request"
    )
    assert (await client.post(path, json={"mode": "demo"}, headers=headers)).status_code == 202


async def test_executions_are_listed_by_status_and_time(client):
    ids = [(await execute(client, executionId=f"e{number}")).json()["executionId"] for number in range(3)]
    path = "/api/workflows/tidy-contacts/executions"
    first = (await client.get(path, params={"limit": 2})).json()
    rest = (await client.get(path, params={"limit": 2, "cursor": first["nextCursor"]})).json()
    assert [entry["executionId"] for entry in first["items"] + rest["items"]] == ids[::-1]
    assert rest["nextCursor"] is None
    for params, count in (
        ({"status": "completed"}, 3),
        ({"status": "failed"}, 0),
        ({"since": "2001-01-01T00:00:00Z"}, 3),
        ({"until": "2001-01-01T00:00:00Z"}, 0),
        ({"since": first["items"][0]["startedAt"], "until": "9999-12-31T23:59:59Z"}, 1),
    ):
        for place in (path, "/api/workflows/executions"):
            assert len((await client.get(place, params=params)).json()["items"]) == count
    problem(await client.get(path, params={"status": "skipped"}), 422, "unusable-request")
    problem(await client.get(path, params={"since": "2001-01-01"}), 422, "invalid-request")
    problem(await client.get("/api/workflows/nothing/executions"), 404, "not-found")


def events_of(text):
    """The events of a stream: id, name, data."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
    return found


async def test_an_execution_is_watched_to_its_end(client):
    execution_id = (await execute(client, status=202)).json()["executionId"]
    answer = await client.get(f"/api/workflows/executions/{execution_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = events_of(answer.text)
    kinds = [name for _, name, _ in found if name != "progress"]  # which comes whenever a look finds it running
    assert kinds[:2] == ["execution.queued", "execution.started"]
    assert kinds[-2:] == ["execution.finished", "end"]
    assert found[-1][2]["status"] == "completed"
    numbers = [int(number) for number, name, _ in found if number]
    assert numbers == sorted(set(numbers))
    half = numbers[len(numbers) // 2]
    again = await client.get(f"/api/workflows/executions/{execution_id}/events", headers={"Last-Event-ID": str(half)})
    assert [event for event in events_of(again.text) if event[0]] == [
        event for event in found if event[0] and int(event[0]) > half
    ]
    timeline = (await client.get(f"/api/workflows/executions/{execution_id}/timeline")).json()
    assert [entry["number"] for entry in timeline["items"]] == numbers
    assert timeline["nextCursor"] is None


async def test_a_timeline_is_read_page_by_page(client):
    execution_id = (await execute(client)).json()["executionId"]
    path, numbers, cursor = f"/api/workflows/executions/{execution_id}/timeline", [], None
    for _ in range(100):
        page = (await client.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        numbers += [entry["number"] for entry in page["items"]]
        if (cursor := page["nextCursor"]) is None:
            break
    whole = (await client.get(path)).json()["items"]
    assert numbers == [entry["number"] for entry in whole]
    assert (await client.get(path, params={"after": numbers[1]})).json()["items"] == whole[2:]


async def test_streams_of_a_key_are_bounded_and_show_that_they_live(tmp_path):
    async with a_site(tmp_path, ServerConfig(streams=1, heartbeat=0.05), demo_latency=5.0) as site:
        client = await site.client()
        execution_id = (await execute(client, ENRICH, PEOPLE, status=202)).json()["executionId"]
        path = f"/api/workflows/executions/{execution_id}/events"
        async with client.stream("GET", path) as stream:
            lines = stream.aiter_lines()
            async with asyncio.timeout(10):
                while await anext(lines) != ": still here":
                    pass
            problem(await client.get(path), 429, "too-many-streams")
        cancelled = await client.post(f"/api/workflows/executions/{execution_id}/cancel")
        assert cancelled.json()["status"] in {"running", "cancelled"}
        found = (await client.get(f"/api/workflows/executions/{execution_id}", params={"wait": 20})).json()
        assert found["status"] == "cancelled"
        assert (await client.get(path)).status_code == 200


async def test_progress_is_told_while_it_runs(tmp_path):
    async with a_site(tmp_path, demo_latency=3.0) as site:
        client = await site.client()
        execution_id = (await execute(client, ENRICH, PEOPLE, status=202)).json()["executionId"]
        path = f"/api/workflows/executions/{execution_id}"
        async with asyncio.timeout(10):
            while (found := (await client.get(path)).json())["progress"] is None:
                pass
        assert found["status"] == "running"
        assert [node["blockId"] for node in found["progress"]["nodes"]] == ["people", "match", "out"]
        problem(await client.post(f"{path}/resume"), 409, "not-resumable")
        await client.post(f"{path}/cancel")
        assert (await client.get(path, params={"wait": 20})).json()["status"] == "cancelled"


async def test_a_cancelled_execution_is_resumed(tmp_path):
    async with a_site(tmp_path, demo_latency=1.0) as site:
        client = await site.client()
        path = f"/api/workflows/executions/{(await execute(client, ENRICH, PEOPLE, status=202)).json()['executionId']}"
        await client.post(f"{path}/cancel")
        assert (await client.get(path, params={"wait": 20})).json()["status"] == "cancelled"
        resumed = await client.post(f"{path}/resume", json={"limits": {"calls": 100}})
        assert resumed.status_code == 202, resumed.text
        found = (await client.get(path, params={"wait": 20})).json()
        assert (found["status"], found["output"]["recordsCount"]) == ("completed", 3)
        problem(await client.post(f"{path}/resume"), 409, "not-resumable")
        problem(await client.post(f"{path}/resume", json={"limits": {"x": 1}}), 422, "invalid-workflow")


async def test_an_execution_is_run_again_from_a_node(client):
    found = (await execute(client, ENRICH, PEOPLE)).json()
    path = f"/api/workflows/executions/{found['executionId']}/rerun"
    headers = {"Idempotency-Key": "k-1"}
    again = await client.post(path, json={"fromNode": "match"}, headers=headers)
    assert again.status_code == 202, again.text
    assert again.json()["executionId"] != found["executionId"]
    ended = (await client.get(again.headers["location"], params={"wait": 20})).json()
    assert (ended["status"], ended["output"]["recordsCount"]) == ("completed", 3)
    assert (await client.post(path, json={"fromNode": "match"}, headers=headers)).content == again.content
    problem(await client.post(path, json={"fromNode": "nothing"}), 422, "unusable-request")
    problem(await client.post(path, json={}), 422, "invalid-request")
    taken = {"fromNode": "match", "executionId": found["executionId"]}
    problem(await client.post(path, json=taken), 409, "execution-exists")
    problem(await client.post(f"{path}-failed"), 409, "not-rerunnable")


async def test_records_are_read_by_kind_and_page(client):
    given = {"contacts": [{"n": n, **({"email": f"a{n}@example.com"} if n % 2 else {})} for n in range(9)]}
    execution_id = (await execute(client, given=given)).json()["executionId"]
    path, found, cursor = f"/api/workflows/executions/{execution_id}/records/skipped", [], None
    while True:
        page = (await client.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        assert len(page["items"]) <= 2
        found += page["items"]
        if (cursor := page["nextCursor"]) is None:
            break
    assert [record["data"]["n"] for record in found] == [0, 2, 4, 6, 8]
    assert all(record["reason"] and record["node"] == "with-email" for record in found)
    output = (await client.get(f"/api/workflows/executions/{execution_id}/records/output")).json()["items"]
    assert [record["data"]["n"] for record in output] == [1, 3, 5, 7]
    assert (await client.get(f"/api/workflows/executions/{execution_id}/records/failed")).json()["items"] == []
    none = await client.get(path, params={"node": "file"})
    assert none.json() == {"items": [], "nextCursor": None}
    problem(await client.get(f"/api/workflows/executions/{execution_id}/records/batch"), 422, "invalid-request")


async def test_failed_records_tell_why(client):
    wanted = {
        "type": "object",
        "properties": {"contacts": {"type": "array", "items": {"type": "object", "required": ["city"]}}},
    }
    nodes = [ENRICH["nodes"][0], {**ENRICH["nodes"][1], "inputSchema": wanted}, ENRICH["nodes"][2]]
    document = {**ENRICH, "nodes": nodes}
    found = (await execute(client, document, PEOPLE)).json()
    assert len(found["failedRecords"]) == 3
    path = f"/api/workflows/executions/{found['executionId']}/records/failed"
    records = (await client.get(path)).json()["items"]
    assert [(record["class"], record["node"]) for record in records] == [("VALIDATION", "match")] * 3
    again = await client.post(f"/api/workflows/executions/{found['executionId']}/rerun-failed")
    assert again.status_code == 202, again.text
    ended = (await client.get(again.headers["location"], params={"wait": 20})).json()
    assert len(ended["failedRecords"]) == 3
    lines = (await client.get(f"{path}/download", params={"format": "jsonl"})).text.splitlines()
    assert [json.loads(line)["reason"] for line in lines] == [record["reason"] for record in records]


async def test_records_are_downloaded_in_every_format(client):
    contacts = [{"email": "mira@example.com", "note": "=1+1", "tags": ["a"]}, {"email": "jon@example.com", "age": 4}]
    execution_id = (await execute(client, given={"contacts": contacts})).json()["executionId"]
    path = f"/api/workflows/executions/{execution_id}/records/output/download"

    async def got(form):
        answer = await client.get(path, params={"format": form})
        assert answer.status_code == 200
        assert f'filename="{execution_id}-output.{form}"' in answer.headers["content-disposition"]
        return answer

    assert (await got("json")).json() == contacts
    assert [json.loads(line) for line in (await got("jsonl")).text.splitlines()] == contacts
    rows = list(csv.DictReader(io.StringIO((await got("csv")).text)))
    assert rows[0] == {"email": "mira@example.com", "note": "'=1+1", "tags": '["a"]', "age": ""}
    plain = await client.get(path, params={"format": "csv", "raw": True})
    assert next(csv.DictReader(io.StringIO(plain.text)))["note"] == "=1+1"
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(io.BytesIO((await got("parquet")).content)).to_pylist()
    assert [row["email"] for row in table] == ["mira@example.com", "jon@example.com"]
    problem(await client.get(path, params={"format": "xml"}), 422, "invalid-request")


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "parquet"])
async def test_no_records_are_a_file_too(client, form):
    execution_id = (await execute(client, given={"contacts": []})).json()["executionId"]
    path = f"/api/workflows/executions/{execution_id}/records/output/download"
    answer = await client.get(path, params={"format": form})
    assert answer.status_code == 200
    assert form != "json" or answer.json() == []


async def test_artifacts_are_listed_and_downloaded(client, tmp_path):
    found = (await execute(client)).json()
    assert found["output"]["path"] == "contacts.csv"
    path = f"/api/workflows/executions/{found['executionId']}/artifacts"
    (entry,) = (await client.get(path)).json()["items"]
    assert (entry["name"], entry["mediaType"]) == ("contacts.csv", "text/csv")
    file = await client.get(f"{path}/contacts.csv")
    assert file.headers["content-type"].startswith("text/csv")
    assert len(file.content) == entry["size"]
    assert "mira.holt@example.com" in file.text
    part = await client.get(f"{path}/contacts.csv", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, file.content[:4])
    for name in ("nothing.csv", "..%2f..%2flumeflow.db", "%2fetc%2fpasswd", "%00", "x" * 400):
        problem(await client.get(f"{path}/{name}"), 404, "not-found")


@pytest.mark.parametrize("name", ["/tmp/out.csv", "../out.csv", "~/out.csv"])
async def test_a_workflow_writes_nowhere_but_in_its_folder(client, name):
    nodes = [*WORKFLOW["nodes"][:2], {**WORKFLOW["nodes"][2], "config": {"destination": "csv", "path": name}}]
    found = (await execute(client, {**WORKFLOW, "nodes": nodes})).json()
    assert found["status"] == ("completed" if name.startswith("~") else "failed")


async def test_what_was_queued_stays_in_its_folder_whoever_runs_it(tmp_path, site, client):
    """As `lumeflow worker` and `lumeflow executions resume` do, in a process of the operator's."""
    target = tmp_path / "out.csv"
    nodes = [*WORKFLOW["nodes"][:2], {**WORKFLOW["nodes"][2], "config": {"destination": "csv", "path": str(target)}}]
    found = (await execute(client, {**WORKFLOW, "nodes": nodes})).json()
    async with open_app(Settings(data_dir=tmp_path)) as app:
        result = await app.resume(found["executionId"])
        assert result.status == "failed"
        assert not target.exists()
        own = await app.execute({**WORKFLOW, "nodes": nodes}, INPUT, mode="demo")
        assert own.status == "completed"
        assert target.exists()


async def test_what_is_not_there_is_404_everywhere(site, client):
    other = await site.client("other")
    execution_id = (await execute(client)).json()["executionId"]
    for asker, name in ((other, execution_id), (client, "nothing"), (client, "%00"), (client, "é" * 100)):
        path = f"/api/workflows/executions/{name}"
        for method, below in (
            ("GET", ""),
            ("GET", "/events"),
            ("GET", "/timeline"),
            ("GET", "/records/output"),
            ("GET", "/records/output/download"),
            ("GET", "/artifacts"),
            ("GET", "/artifacts/contacts.csv"),
            ("POST", "/cancel"),
            ("POST", "/resume"),
            ("POST", "/rerun-failed"),
        ):
            problem(await asker.request(method, path + below), 404, "not-found")
    assert (await other.get("/api/workflows/executions")).json()["items"] == []
    assert (await other.get("/api/costs")).json()["items"] == []
    cursor = (await client.get("/api/workflows/executions", params={"limit": 1})).json()
    assert cursor["items"][0]["executionId"] == execution_id


async def test_two_tenants_may_use_the_same_ids(site):
    for tenant in ("acme", "other"):
        client = await site.client(tenant)
        assert (await execute(client, executionId="one")).json()["status"] == "completed"
        assert len((await client.get("/api/workflows/executions")).json()["items"]) == 1


async def test_a_client_that_hangs_up_harms_nobody(site, client):
    execution_id = (await execute(client)).json()["executionId"]
    with pytest.raises(httpx2.TimeoutException):
        await client.get(f"/api/workflows/executions/{execution_id}/events", timeout=0.0001)
    assert (await client.get(f"/api/workflows/executions/{execution_id}")).status_code == 200


async def test_limits_of_a_request_hold_until_others_are_given(client):
    path = f"/api/workflows/executions/{(await execute(client, ENRICH, PEOPLE, limits={'calls': 1})).json()['executionId']}"

    async def ended(answer):
        assert answer.status_code == 202, answer.text
        return (await client.get(answer.headers.get("location", path), params={"wait": 20})).json()

    for action, body in (("resume", {}), ("resume", {"limits": {"records": 50}}), ("rerun", {"fromNode": "match"})):
        found = await ended(await client.post(f"{path}/{action}", json=body))
        assert found["status"] == "failed"
        assert "calls" in found["error"]
        assert found["cost"]["apiCalls"] <= 1
    found = await ended(await client.post(f"{path}/rerun", json={"fromNode": "match", "limits": {"calls": 5}}))
    assert found["status"] == "completed"
    assert (await ended(await client.post(f"{path}/resume", json={"limits": {"calls": 5}})))["status"] == "completed"


async def test_an_id_that_another_request_has_taken_is_not_told_as_ones_own(client):
    """Of requests that come at once under one key, only the first knows that it is the first."""
    await client.post("/api/workflows", json=WORKFLOW)
    path = "/api/workflows/tidy-contacts/execute"
    taken = {"mode": "demo", "executionId": "monday-1", "input": INPUT}
    assert (await client.post(path, json=taken)).status_code == 202
    mine = {**taken, "input": {"contacts": []}}
    answers = await asyncio.gather(
        *(client.post(path, json=mine, headers={"Idempotency-Key": "k-1"}) for _ in range(4))
    )
    for answer in answers:
        problem(answer, 409, "execution-exists")
