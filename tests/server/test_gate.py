"""What every request passes: size, time, rate; and errors that tell nothing of the inside."""

import asyncio

import pytest

from lumeflow.core.errors import StorageError
from lumeflow.execution_context import ExecutionContext
from lumeflow.server.config import ServerConfig
from lumeflow.server.examples import WORKFLOW
from lumeflow.server.rates import Buckets
from tests.server.conftest import a_site
from tests.server.wants import problem


async def raw(site, data, *, most=100_000):
    """Send bytes, read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(site.url.rpartition(":")[2]))
    try:
        writer.write(data)
        await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read(most)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(site):
    key = await site.key()
    head = f"POST /api/workflows HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Length: 10000000000\r\n\r\n"
    answer = await raw(site, head.encode() + b"{" * 1000)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer
    assert b"body-too-large" in answer


async def test_a_body_of_unknown_length_is_read_up_to_the_limit(tmp_path):
    async with a_site(tmp_path, ServerConfig(body_limit=1000)) as site:
        client = await site.client()

        async def pieces():
            for _ in range(20):
                yield b" " * 100

        answer = await client.post("/api/workflows", content=pieces(), headers={"Content-Type": "application/json"})
        problem(answer, 413, "body-too-large")
        assert (await client.get("/api/workflows")).status_code == 200


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path):
    async with a_site(tmp_path, ServerConfig(body_timeout=0.1)) as site:
        key = await site.key()
        head = f"POST /api/workflows HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
        answer = await raw(site, f"{head}Content-Length: 100\r\n\r\n{{".encode())
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"body-too-slow" in answer


async def test_heads_that_do_not_come_are_not_waited_for(tmp_path):
    async with a_site(tmp_path, ServerConfig(header_timeout=0.1)) as site:
        assert await raw(site, b"") == b""
        assert await raw(site, b"GET /health HTTP/1.1\r\nHost: x\r\nX-") == b""
        assert (await site.anonymous().get("/health")).status_code == 200


async def test_heads_without_end_are_cut_off(site):
    assert await raw(site, b"GET /health HTTP/1.1\r\n" + b"X-A: " + b"a" * 200_000) == b""
    assert await raw(site, b"GET /health HTTP/1.1\r\n" + b"X-A: aaaaaaaaaa\r\n" * 10_000) == b""


async def test_there_is_a_number_of_connections(tmp_path):
    async with a_site(tmp_path, ServerConfig(connections=5)) as site:
        port = int(site.url.rpartition(":")[2])
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        await asyncio.sleep(0.05)
        assert await raw(site, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.05)
        assert (await site.anonymous().get("/health")).status_code == 200


async def test_a_key_has_a_rate(tmp_path):
    async with a_site(tmp_path, ServerConfig(rate=1, burst=3)) as site:
        client, other = await site.client(), await site.client()
        assert [(await client.get("/api/workflows")).status_code for _ in range(3)] == [200] * 3
        answer = await client.get("/api/workflows")
        problem(answer, 429, "too-many-requests")
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert (await other.get("/api/workflows")).status_code == 200


async def test_keys_cannot_be_guessed_for_long(tmp_path):
    async with a_site(tmp_path, ServerConfig(strangers=3)) as site:
        client = site.anonymous()
        answers = [await client.get("/api/workflows", headers={"X-API-Key": f"lf_{n}"}) for n in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert (await client.get("/health")).status_code == 200


async def test_who_guesses_keys_shuts_out_nobody_behind_the_same_address(tmp_path):
    async with a_site(tmp_path, ServerConfig(strangers=3)) as site:
        client = await site.client()
        assert (await client.get("/api/workflows")).status_code == 200
        for number in range(5):
            await site.anonymous().get("/api/workflows", headers={"X-API-Key": f"lf_{number}"})
        problem(await (await site.client()).get("/api/workflows"), 429, "too-many-requests")
        assert (await client.get("/api/workflows")).status_code == 200


def test_buckets_fill_again_with_time():
    now = [0.0]
    buckets = Buckets(60, 2, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(3)] == [None, None, 1]
    assert buckets.take("b") is None
    now[0] = 1.0
    assert [buckets.take("a"), buckets.take("a")] == [None, 1]
    now[0] = 100.0
    assert [buckets.take("a") for _ in range(3)] == [None, None, 1]


async def test_what_is_not_there_and_what_is_not_taken(site, client):
    problem(await client.get("/api/nothing"), 404, "not-found")
    answer = await client.patch("/api/workflows")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"]
    problem(await site.anonymous().get("/"), 404, "not-found")


@pytest.mark.parametrize("path", ["..%2f..%2fetc%2fpasswd", "%00", "a%2fb", "%ff", "a b", "x" * 129])
async def test_names_with_tricks_are_refused(client, path):
    answer = await client.get(f"/api/workflows/{path}")
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_bug_tells_nothing_of_itself(site, client, monkeypatch, caplog):
    async def broken(**_):
        raise RuntimeError("secret /internal/path")

    monkeypatch.setattr(site.app.database.workflows, "list", broken)
    answer = await client.get("/api/workflows")
    problem(answer, 500, "internal-error")
    assert "secret" not in answer.text
    assert "secret" in caplog.text


async def test_a_database_that_is_away_is_told_as_such(site, client, monkeypatch):
    async def broken(*_, **__):
        raise StorageError("database /internal/path: disk I/O error")

    for place, name in ((site.app.database.workflows, "list"), (site.app.database.installation.keys, "find")):
        monkeypatch.setattr(place, name, broken)
        answer = await client.get("/api/workflows")
        problem(answer, 503, "storage-unavailable")
        assert "/internal" not in answer.text
        assert answer.headers["retry-after"]
    monkeypatch.setattr(site.app.database.installation.tenants, "get", broken)
    problem(await client.get("/ready"), 503, "storage-unavailable")
    assert (await client.get("/health")).json() == {"status": "ok"}


async def test_browsers_may_call_from_where_they_are_allowed_to(tmp_path):
    async with a_site(tmp_path, ServerConfig(cors_origins=("https://app.example.com",))) as site:
        ask = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT"}
        answer = await site.anonymous().options("/api/workflows/x", headers=ask)
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
        refused = await site.anonymous().get("/api/workflows", headers={"Origin": "https://app.example.com"})
        assert refused.headers["access-control-allow-origin"] == "https://app.example.com"
        other = await site.anonymous().get("/health", headers={"Origin": "https://evil.example.org"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("depth", [90, 500, 900, 5000])
async def test_deep_bodies_are_no_bug(client, depth):
    await client.post("/api/workflows", json=WORKFLOW)
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    headers = {"Content-Type": "application/json"}
    for path, body in (
        ("/api/workflows/tidy-contacts/execute?wait=20", b'{"mode":"demo","input":{"contacts":[' + deep + b"]}}"),
        ("/api/workflows/tidy-contacts/execute?wait=20", b'{"mode":"demo","variables":' + deep + b"}"),
        ("/api/workflows/blocks/filter/test", b'{"config":' + deep + b"}"),
        ("/api/workflows/blocks/transform/test", b'{"config":{"operation":"flatten"},"input":' + deep + b"}"),
        ("/api/workflows/validate", deep),
    ):
        answer = await client.post(path, content=body, headers=headers)
        assert answer.status_code in {200, 422}, (path, answer.text)
        if answer.status_code == 200 and "executionId" in answer.json():
            below = f"/api/workflows/executions/{answer.json()['executionId']}"
            for more in ("", "/records/output", "/records/skipped", "/records/skipped/download?format=csv"):
                assert (await client.get(below + more)).status_code == 200, more


async def test_a_few_blocks_are_tested_at_once(site, client, monkeypatch):
    running, most, run_block = set(), [], ExecutionContext.run_block

    async def counted(self, *arguments):
        running.add(self)
        most.append(len(running))
        await asyncio.sleep(0.01)
        try:
            return await run_block(self, *arguments)
        finally:
            running.remove(self)

    monkeypatch.setattr(ExecutionContext, "run_block", counted)
    body = {"config": {"conditions": [{"field": "n", "operator": "exists"}]}, "input": {"n": 1}}
    answers = await asyncio.gather(*(client.post("/api/workflows/blocks/filter/test", json=body) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert max(most) == 8


async def test_parameters_that_are_not_there_are_named(client):
    answer = await client.get("/api/costs", params={"by": "provider", "workflow": "w1", "x" * 500: "1"})
    errors = problem(answer, 422, "invalid-request")["errors"]
    assert errors[0] == {
        "where": "query",
        "field": "workflow",
        "message": "there is no such parameter here. Did you mean 'workflowId'?",
    }
    assert errors[1]["field"] == "x" * 80
    execute = await client.post("/api/workflows/none/execute?Wait=1", content=b"{")
    assert "Did you mean 'wait'?" in problem(execute, 422, "invalid-request")["detail"]
    delete = await client.delete("/api/workflows/none?force=1")
    assert "nothing is read from the query" in problem(delete, 422, "invalid-request")["detail"]
    assert (await client.get("/health?probe=1")).status_code == 200


async def test_bodies_that_are_not_said_to_be_json_are_refused_as_such(client):
    await client.post("/api/workflows", json=WORKFLOW)
    for path in ("tidy-contacts/execute", "execute", "blocks/filter/test", "executions/none/resume"):
        for kind in ({}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "text/json"}):
            answer = await client.post(f"/api/workflows/{path}", content=b"{}", headers=kind)
            assert "application/json" in problem(answer, 415, "not-json")["detail"]
    problem(await client.post("/api/workflows/executions/none/resume"), 404, "not-found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"mode":"demo","mode":"live"}', "/mode"),
        (b'{"mode":"demo","\\u006dode":"live"}', "/mode"),
        (b'{"mode":"demo","variables":{"a":[{"x":1,"y":"a:b","x":2}]}}', "/variables/a/0/x"),
        (b'{"mode":"demo","variables":{"x":"","y":"\\u003a"},"variables":{"x":"","y":"\\u003a"}}', "/variables"),
        (b'{"mode":"demo","variables":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b',"variables":{}}', "/variables"),
    ],
)
async def test_keys_given_twice_are_refused(client, body, field):
    await client.post("/api/workflows", json=WORKFLOW)
    answer = await client.post(
        "/api/workflows/tidy-contacts/execute", content=body, headers={"Content-Type": "application/json"}
    )
    found = problem(answer, 422, "invalid-request")
    assert found["errors"][0]["where"] == "body"
    (error,) = found["errors"]
    assert error["field"] == field or "nested" in error["message"]
    assert not (await client.get("/api/workflows/executions")).json()["items"]


async def test_colons_in_a_body_are_no_duplicates(client):
    await client.post("/api/workflows", json=WORKFLOW)
    body = b'{"mode":"demo","variables":{"a":"x:\\u003ay","b:":' + b"9" * 5000 + b',"c":1e5,"d":"\\"a\\":1"}}'
    answer = await client.post(
        "/api/workflows/tidy-contacts/execute", content=body, headers={"Content-Type": "application/json"}
    )
    assert "more than once" not in answer.text
    assert answer.status_code in {202, 422}


async def test_a_body_that_does_not_come_is_told_on_every_path(tmp_path):
    async with a_site(tmp_path, ServerConfig(body_timeout=0.1)) as site:
        head = f"POST /api/workflows/x/execute HTTP/1.1\r\nHost: x\r\nX-API-Key: {await site.key()}\r\n"
        answer = await raw(site, f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("path", ["workflows", "workflows/x/execute", "tables/source_audiences/rows", "uploads?name=a"])
async def test_who_hangs_up_in_a_body_is_no_bug(site, client, caplog, path):
    head = f"POST /api/{path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {await site.key()}\r\nContent-Length: 100\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", int(site.url.rpartition(":")[2]))
    writer.write(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.1)
    assert (await client.get("/api/workflows")).status_code == 200
    assert [record.getMessage() for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []
