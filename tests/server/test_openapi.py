"""The OpenAPI document describes the server as it is: each request, each answer, each error."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from lumeflow.server.config import ServerConfig
from lumeflow.server.examples import INPUT, WORKFLOW
from tests.server.conftest import a_site

NO_KEY = {"/health", "/ready", "/api/schemas/workflow-v1.json", "/api/webhooks/{tenant}/{workflow_id}"}
METHODS = {"get", "post", "put", "delete"}
SETTINGS = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture
async def document(site):
    return (await site.anonymous().get("/openapi.json")).json()


def operations(document):
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


async def test_every_operation_is_described(document):
    for path, method, operation in operations(document):
        place = f"{method} {path}"
        assert operation["summary"], place
        assert operation["description"], place
        assert operation["tags"], place
        assert any(status < "400" for status in operation["responses"]), place
        bad = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"500", "503"} <= bad.keys(), place
        assert all("application/problem+json" in answer["content"] for answer in bad.values()), place
        assert ("security" in operation) == (path not in NO_KEY), place
        assert ("The key needs the scope `" in operation["description"]) == (path not in NO_KEY), place
        assert path in NO_KEY or {"401", "403", "429"} <= bad.keys(), place
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description"), (place, parameter["name"])


async def test_every_body_has_an_example(document):
    schemas = document["components"]["schemas"]
    for path, method, operation in operations(document):
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            if kind == "application/json":
                schema = content["schema"]
                options = schema.get("anyOf", [schema])
                names = [one["$ref"].removeprefix("#/components/schemas/") for one in options if "$ref" in one]
                shown = {"example", "examples"} & content.keys() or any("examples" in schemas[name] for name in names)
                assert shown, f"{method} {path}"


async def test_every_body_is_said_to_be_json(document):
    for path, method, operation in operations(document):
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            assert "415" in operation["responses"], f"{method} {path}"


async def test_every_reference_leads_somewhere(document):
    names = []

    def walk(value):
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                names.append(value["$ref"].removeprefix("#/components/schemas/"))
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document)
    assert names
    assert set(names) <= document["components"]["schemas"].keys()


async def test_the_server_is_as_described(tmp_path):
    """Every operation is called with requests that fit and that do not, and every answer is checked by its schema.

    All checks are on. What a schema cannot tell of a document or an id may be refused with the statuses in the settings.
    """
    config = ServerConfig(rate=10_000_000, burst=100_000, strangers=1_000_000, longest_wait=0.1)
    async with a_site(tmp_path, config) as site:
        client = await site.client()
        assert (await client.post("/api/workflows", json=WORKFLOW)).status_code == 201
        body = {"mode": "demo", "input": INPUT, "executionId": "monday-1"}
        assert (await client.post("/api/workflows/tidy-contacts/execute", json=body)).status_code == 202
        command = [Path(sys.executable).with_name("schemathesis"), "--config-file", SETTINGS, "run"]
        options = ["--header", f"Authorization: Bearer {await site.key()}", "--checks", "all", "--no-color"]
        phases = ["--phases", "examples,coverage,fuzzing", "--max-examples", "2"]
        process = await asyncio.create_subprocess_exec(
            *command,
            f"{site.url}/openapi.json",
            *options,
            *phases,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
