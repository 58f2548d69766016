"""Whatever document is sent, the server answers with findings, never with a bug."""

import copy
import random

import pytest

from lumeflow.server.config import ServerConfig
from lumeflow.server.examples import INPUT, WORKFLOW
from lumeflow.workflows import documents
from tests.server.conftest import a_site

ROUNDS = 150
ODD = (
    None,
    True,
    0,
    -1,
    2**63,
    1e308,
    "",
    "\u0000",
    "{{",
    "{{input.a}}",
    "x" * 3000,
    [],
    {},
    [[]],
    {"": {}},
    "é",
    "../x",
)


def places(value, at=()):
    """Every place in a document."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*at, key))


def mutated(document, chance):
    """A document in which something is odd: replaced, gone, doubled, or under another name."""
    document = copy.deepcopy(document)
    for _ in range(chance.randint(1, 3)):
        *way, last = chance.choice([at for at in places(document) if at])
        parent = document
        for step in way:
            parent = parent[step]
        act = chance.randrange(4)
        if act == 0:
            parent[last] = copy.deepcopy(chance.choice(ODD))
        elif act == 1:
            del parent[last]
        elif act == 2 and isinstance(parent, list):
            parent.insert(last, copy.deepcopy(parent[last]))
        elif isinstance(parent, dict):
            parent[str(chance.choice(ODD))[:50]] = parent.pop(last)
    return document


@pytest.fixture
async def client(tmp_path):
    async with a_site(tmp_path, ServerConfig(rate=1_000_000, burst=10_000)) as site:
        yield await site.client()


async def test_odd_documents_never_make_a_bug(client):
    chance = random.Random(7)
    known = [WORKFLOW, *documents().values()]
    statuses = set()
    for number in range(ROUNDS):
        document = mutated(chance.choice(known), chance)
        if isinstance(document.get("workflowId"), str):
            document["workflowId"] = f"w{number}"
        told = await client.post("/api/workflows/validate", json=document)
        assert told.status_code == 200, told.text
        answer = await client.post("/api/workflows", json=document)
        assert answer.status_code in {201, 422}, answer.text
        assert (answer.status_code == 201) <= all(
            f["severity"] == "warning" or "secret" in f["code"] for f in told.json()["findings"]
        )
        statuses.add(answer.status_code)
        if answer.status_code == 201 and number % 5 == 0:
            body = {"mode": "demo", "input": INPUT}
            begun = await client.post(f"/api/workflows/w{number}/execute?wait=5", json=body)
            assert begun.status_code in {200, 202, 422}, begun.text
    assert statuses == {201, 422}
