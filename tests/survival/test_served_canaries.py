"""No secret comes out of a server: in no answer, header, stream, log, table or file, whatever vendors do and whoever asks."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

import httpx2
import pytest

from lumeflow import Settings, open_app
from lumeflow.core.secret import Secret
from lumeflow.kit.webhooks import Rules, signing_headers
from lumeflow.server.keys import Scope, make_key
from tests.survival.canaries import Aviary, Parrot, files_below, rows_of
from tests.survival.canary_nodes import PEOPLE, VENDORS, document, nodes
from tests.survival.test_canaries import NAMED, settings

STORED = ("bearer", "query", "hook", "inbound", "APOLLO_API_KEY", "MXBAI_API_KEY")
"""Secrets that the tenant `acme` has in the database; its others are in a file, and those of `default` in the environment."""
CANARIES = {variable: vendor for vendor, variable in VENDORS.items()}
SENDERS = ("bearer", "query", "basic", "oauth-header", "oauth-body", "header", "body", "form", "webhook", "api-output")
MODES = {"401": SENDERS, "redirect": ("query", "header"), "garbage": ("query", "body"), "gone": ("query", "oauth-body")}
"""How vendors fail, and which nodes ask them then; what they answer otherwise, everything asks."""
OWN = ("bearer", "query", "header", "webhook", "apollo")
"""Nodes that the tenant `default` runs as well."""
BELOW = ("", "/events", "/artifacts/said.jsonl", "/records/failed", "/records/output/download?format=csv&raw=true")
PATIENCE = 30
"""Seconds: here nobody hangs, and a machine may be slow."""
INPUT = {"source": "webhook", "secret": "{{secrets.inbound}}", "collection": "people"}


@dataclass
class Listener:
    """A client that writes down all that it is told."""

    client: httpx2.AsyncClient
    places: list[tuple[str, bytes]] = field(default_factory=list)

    async def ask(self, key, method, path, **more):
        headers = {"X-API-Key": key, **more.pop("headers", {})}
        answer = await self.client.request(method, path, headers=headers, **more)
        assert answer.status_code < 500, answer.text
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.places.append((f"{method} {path}", f"{answer.status_code}\n{head}\n\n".encode() + answer.content))
        return answer


@pytest.fixture
def aviary() -> Aviary:
    return Aviary([*NAMED, *VENDORS, "token", "inbound", "database"])


@pytest.fixture
async def parrot(aviary: Aviary):
    parrot = Parrot(aviary["token"])
    await parrot.start()
    yield parrot
    await parrot.stop()


async def install(environ, aviary):
    """Two tenants with a key and secrets each; the keys are canaries, too."""
    async with open_app(Settings.from_environment(environ)) as app:
        keys = {}
        for tenant in ("acme", "default"):
            now = datetime.now(UTC)
            keys[tenant], entry = await make_key(app.database.of(tenant), name="test", scopes=tuple(Scope), at=now)
            aviary.add(f"API key of {tenant}", keys[tenant].removeprefix(entry.prefix))
    return keys


async def store(listener, key, aviary):
    """Secrets over HTTP: as they should be sent, and as they should not."""
    for name in STORED:
        text = aviary[CANARIES.get(name, name)]
        assert (await listener.ask(key, "PUT", f"/api/secrets/{name}", json={"value": text})).status_code == 200
        for wrong in ({"valu": text}, {"value": [text]}, {"value": {text: text}}, {"value": text * 5000}, text):
            answer = await listener.ask(key, "PUT", f"/api/secrets/{name}", json=wrong)
            assert answer.status_code == 422, answer.text
    await listener.ask(key, "GET", "/api/secrets")


@asynccontextmanager
async def served(environ, *dev):
    """`lumeflow serve`, as talkative as it can be; what it said comes last."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *dev, "-m", "lumeflow", "serve", "--port", "0", "--json"),
        env={**environ, "PATH": os.environ.get("PATH", ""), "LUMEFLOW_DEBUG": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        url = json.loads(await process.stdout.readline())["url"]
        async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
            listener = Listener(client)
            yield listener
        process.terminate()
        out, err = await process.communicate()
        listener.places += [("stdout", out), ("stderr", err)]
    finally:
        if process.returncode is None:
            process.kill()


async def one(listener, key, mode, name, base):
    """A workflow with this node: saved, run, and looked at from all sides."""
    kind, config = nodes(mode)[name]
    if "url" in config:
        config = {**config, "account": name, "callTimeout": PATIENCE}
    workflow = {**document(kind, config, base, timeout=PATIENCE), "workflowId": f"{name}-{mode}"}
    variables = {"base": "http://127.0.0.1:1" if mode == "gone" else base}
    assert (await listener.ask(key, "POST", "/api/workflows", json=workflow)).status_code == 201
    body = {"input": {"people": PEOPLE}, "variables": variables, "executionId": f"{name}-{mode}"}
    path = f"/api/workflows/{name}-{mode}"
    answer = await listener.ask(key, "POST", f"{path}/execute?wait=30", json=body, headers={"Idempotency-Key": path})
    assert answer.status_code == 200, answer.text
    below = f"/api/workflows/executions/{name}-{mode}"
    for more in BELOW:
        await listener.ask(key, "GET", below + more)
    trial = {
        "mode": "live",
        "config": workflow["nodes"][1]["config"],
        "input": {"people": PEOPLE},
        "variables": variables,
    }
    if mode == "401" or (mode, name) == ("gone", "query"):  # the others are tried again for seconds
        await listener.ask(key, "POST", f"/api/workflows/blocks/{kind}/test", json=trial)


async def deliveries(listener, key, aviary):
    """A workflow that is delivered to: as it should be, under another secret, and with a key in the wrong place."""
    workflow = {
        **document("filter", {"conditions": [{"field": "email", "operator": "exists"}]}, ""),
        "workflowId": "inbox",
    }
    workflow["nodes"][0]["config"] = INPUT
    assert (await listener.ask(key, "POST", "/api/workflows", json=workflow)).status_code == 201
    body = json.dumps({"people": PEOPLE}).encode()
    for secret, wanted in ((aviary["inbound"], 202), (aviary["hook"], 401)):
        headers = signing_headers(Rules(), Secret(secret), body, at=datetime.now(UTC), delivery="d")
        answer = await listener.ask(
            key, "POST", "/api/webhooks/acme/inbox", content=body, headers={**headers, "Idempotency-Key": "d"}
        )
        assert answer.status_code == wanted, answer.text


async def around(listener, key, wrong):
    """Everything that is no execution, and requests that are not right."""
    for path in (
        "/api/workflows",
        "/api/workflows/executions",
        "/api/keys",
        "/api/costs?by=node",
        "/api/templates",
        "/openapi.json",
    ):
        await listener.ask(key, "GET", path)
    await listener.ask(wrong, "GET", "/api/workflows")
    await listener.ask(key, "GET", "/api/workflows", headers={"Authorization": f"Bearer {wrong}"})
    await listener.ask(key, "GET", "/api/workflows/nothing")
    unknown = document("api", {"provider": "http", "url": "https://api.example.com/?key={{secrets.missing}}"}, "")
    assert "missing" in (await listener.ask(key, "POST", "/api/workflows/validate", json=unknown)).text


@pytest.mark.parametrize(("database", "vendors"), [("sqlite", "ok"), ("postgres", "401")])
async def test_no_secret_comes_out_of_a_server(database, vendors, tmp_path, aviary, parrot, request):
    secrets = tmp_path / "secrets.env"
    secrets.write_text("".join(f"acme/{name}={aviary[name]}\n" for name in NAMED if name not in STORED))
    environ = settings(tmp_path, aviary, parrot.url, vendors) | {"LUMEFLOW_SECRETS": str(secrets)}
    environ |= {f"LUMEFLOW_SECRET_{name}": aviary[name] for name in ("bearer", "query", "hook")}
    environ["LUMEFLOW_RATE_LIMIT"] = "1000000"
    aviary.add("master key", environ["LUMEFLOW_SECRET_KEY"])
    if database == "postgres":
        password = quote(aviary["database"], safe="")
        place = request.getfixturevalue("new_postgres")().partition("?")[0].rpartition("/")[2]
        url = request.getfixturevalue("postgres").url(place, tcp=True)
        environ["LUMEFLOW_DB"] = url.replace(":any@", f":{password}@")
    keys = await install(environ, aviary)
    async with served(environ, *(("-X", "dev") if database == "sqlite" else ())) as listener:
        await store(listener, keys["acme"], aviary)
        work = [(keys["acme"], "ok", name) for name in nodes("ok")]
        work += [(keys["default"], "ok", name) for name in OWN]
        if database == "sqlite":
            work += [(keys["acme"], mode, name) for mode, names in MODES.items() for name in names]
        for start in range(0, len(work), 10):
            await asyncio.gather(*(one(listener, *each, parrot.url) for each in work[start : start + 10]))
        await deliveries(listener, keys["acme"], aviary)
        await around(listener, keys["acme"], keys["default"][:-1] + "x")
        made = await listener.ask(keys["acme"], "POST", "/api/keys", json={"name": "another"})
        listener.places.pop()  # the one answer that holds a key
        aviary.add("API key made over HTTP", made.json()["key"].removeprefix(made.json()["prefix"]))
        await listener.ask(keys["acme"], "GET", "/api/keys")
        await listener.ask(made.json()["key"], "GET", "/api/workflows")
    places = [*listener.places, *files_below(tmp_path / "data")]
    if database == "postgres":
        places += await rows_of(environ["LUMEFLOW_DB"])
    found = aviary.found_in(places)
    assert not found, "\n".join(found)
    heard = "".join(parrot.heard)
    assert not [
        name
        for name in ("bearer", "query", "header", "apollo", "mixedbread", "openrouter")
        if aviary[name] not in heard
    ]
