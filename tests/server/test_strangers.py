"""What another tenant, or somebody who guesses, gets to see: on every path of the document, what there is not."""

import re
from urllib.parse import quote

import pytest

from lumeflow.server.config import ServerConfig
from lumeflow.server.examples import INPUT, WORKFLOW
from tests.server.conftest import a_site
from tests.server.test_executions_api import execute
from tests.server.wants import problem

OPEN = ServerConfig(strangers=1e6, rate=1e6, burst=10_000)
WRITES = {
    **WORKFLOW,
    "workflowId": "writes",
    "nodes": [
        *WORKFLOW["nodes"][:-1],
        {"id": "out", "type": "output", "config": {"destination": "csv", "path": "a.csv"}},
    ],
    "edges": [WORKFLOW["edges"][0], {"source": WORKFLOW["nodes"][-2]["id"], "target": "out"}],
}
GUESSED = {
    "workflow_id": "guessed",
    "execution_id": "guessed",
    "upload_id": f"upload-{'0' * 32}.csv",
    "key_id": "0" * 16,
    "template_id": "guessed",
    "name": "guessed.csv",
}
FIXED = {"version": "1", "kind": "output", "tenant": "acme", "table": "source_audiences"}
"""Parts of paths that are nobody's secret."""
OWN = {
    ("POST", "/api/webhooks/{tenant}/{workflow_id}"),
    ("PUT", "/api/templates/{template_id}"),
    ("PUT", "/api/secrets/{name}"),
}
"""What names its tenant, or makes what it names."""
BODIES = {"rerun": {"fromNode": "contacts"}, "workflows": {"workflowId": "made"}}
"""What must be said to get as far as to what is named, by the last word of the path."""
TRICKS = (
    *(
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "%2e%2e%2f",
        "....%2f%2f",
        "..%5c..%5cx",
        "%2fetc%2fpasswd",
        "%00",
        "a%00.csv",
    ),
    *(
        "%ff",
        "%c0%ae%c0%ae%2f",
        "%0d%0aX-Evil:%201",
        "%E2%80%AE",
        "%E6%97%A5",
        "%F0%9F%98%80",
        "a%20b",
        "-",
        "%25",
        "~",
    ),
    *("%3Bid", "%3Fa=1", "%23a", "x" * 129, "x" * 5000),
)


@pytest.fixture
async def site(tmp_path):
    async with a_site(tmp_path, OPEN) as site:
        yield site


async def operations(site):
    """Every operation that has ids in its path, but for blocks: these are everybody's."""
    document = (await site.anonymous().get("/openapi.json")).json()
    return [
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if "{" in path and "/blocks/" not in path and method in {"get", "put", "post", "delete"}
    ]


def filled(path, ids):
    return re.sub(r"\{(\w+)(:path)?\}", lambda match: quote({**FIXED, **ids}[match[1]], safe="."), path)


async def owned(client):
    """One of everything, and the ids."""
    found = (await execute(client, WRITES, INPUT)).json()
    upload = await client.post("/api/uploads", params={"name": "people.csv"}, content=b"a\n1\n")
    await client.put("/api/templates/mine", json={"name": "Mine", "definition": WORKFLOW})
    (key,) = (await client.get("/api/keys")).json()["items"]
    listed = (await client.get(f"/api/workflows/executions/{found['executionId']}/artifacts")).json()["items"]
    return {
        "workflow_id": "writes",
        "execution_id": found["executionId"],
        "upload_id": upload.json()["id"],
        "key_id": key["id"],
        "template_id": "mine",
        "name": listed[0]["name"],
    }


def told(answer, ids):
    """What an answer says, but for the ids that were asked for."""
    text = answer.text
    for value in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(value, "…")
    headers = {name: value for name, value in answer.headers.items() if name not in {"date", "content-length"}}
    return answer.status_code, text, headers


async def test_what_is_another_tenants_is_told_like_what_is_not_there(site):
    acme, other = await site.client("acme"), await site.client("other")
    ids = await owned(acme)
    reads = [path for method, path in await operations(site) if method == "GET" and "events" not in path]
    before = {path: (await acme.get(filled(path, ids))) for path in reads}
    assert {answer.status_code for answer in before.values()} == {200}
    for method, path in await operations(site):
        if (method, path) in OWN or not set(re.findall(r"\{(\w+)", path)) & set(GUESSED):
            continue
        body = {"json": BODIES.get(path.rpartition("/")[2], {})} if method in {"PUT", "POST"} else {}
        headers = {"If-Match": "*", "Idempotency-Key": "k"}
        real = await other.request(method, filled(path, ids), headers=headers, **body)
        guessed = await other.request(method, filled(path, GUESSED), headers=headers, **body)
        assert real.status_code == 404, (method, path, real.text)
        assert told(real, ids) == told(guessed, GUESSED), (method, path)
    for path, answer in before.items():
        assert (await acme.get(filled(path, ids))).content == answer.content, path


async def test_lists_and_sums_hold_nothing_of_others(site):
    acme, other = await site.client("acme"), await site.client("other")
    ids = await owned(acme)
    document = (await site.anonymous().get("/openapi.json")).json()
    for path, item in document["paths"].items():
        if (
            "get" in item
            and "{" not in path
            and path.startswith("/api/")
            and "/blocks" not in path
            and "/schemas" not in path
        ):
            answer = await other.get(path, params={"by": "execution"} if "costs" in path else {})
            assert answer.status_code == 200, (path, answer.text)
            assert not [value for value in ids.values() if value in answer.text], path


async def test_a_key_for_requests_is_one_tenants(site):
    answers = []
    for tenant in ("acme", "other"):
        client = await site.client(tenant)
        await client.post("/api/workflows", json=WORKFLOW)
        path, body = "/api/workflows/tidy-contacts/execute", {"mode": "demo", "input": INPUT}
        answers.append(await client.post(path, json=body, headers={"Idempotency-Key": "the-same"}))
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["executionId"] != answers[1].json()["executionId"]
    assert "idempotent-replayed" not in answers[1].headers


async def test_names_with_tricks_reach_nothing(site, tmp_path):
    client = await site.client()
    ids = await owned(client)
    for method, path in await operations(site):
        for part in re.findall(r"\{(\w+)", path):
            for trick in TRICKS:
                one = filled(path.replace(f"{{{part}:path}}", "TRICK").replace(f"{{{part}}}", "TRICK"), ids)
                answer = await client.request(method, one.replace("TRICK", trick), headers={"If-Match": "*"})
                assert answer.status_code in {404, 405, 415, 422, 428}, (method, one, trick, answer.text)
                assert answer.headers["content-type"] == "application/problem+json"
                assert "x-evil" not in answer.headers
                assert str(tmp_path) not in answer.text


@pytest.mark.parametrize("name", ["../../x", "..", "a/b", "日本", "a b", "con", "a?b#c", "%2e%2e", "x" * 128])
async def test_ids_of_executions_are_no_paths(site, tmp_path, name):
    client = await site.client()
    await client.post("/api/workflows", json=WRITES)
    body = {"mode": "demo", "input": INPUT, "executionId": name}
    answer = await client.post("/api/workflows/writes/execute?wait=20", json=body)
    if "/" in name or name == "..":
        problem(answer, 422, "invalid-request")
        return
    assert answer.status_code == 200, answer.text
    assert (await client.get(answer.headers["location"])).json()["executionId"] == name
    artifacts = await client.get(f"{answer.headers['location']}/artifacts/a.csv")
    assert artifacts.status_code == 200
    (written,) = tmp_path.rglob("a.csv")
    assert written.parent.parent == tmp_path / "artifacts"
