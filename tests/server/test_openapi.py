"""The OpenAPI document describes the server as it is: each request, each answer, each error."""

import asyncio
import threading

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

from lumeflow.server.examples import INPUT, WORKFLOW
from tests.server.conftest import a_site

NO_KEY = {"/health", "/ready", "/api/schemas/workflow-v1.json", "/api/webhooks/{tenant}/{workflow_id}"}
METHODS = {"get", "post", "put", "delete"}


class Hosted:
    """A server in a thread of its own, for clients that block."""

    def __init__(self, folder):
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._stop = None
        self.url = self.key = ""

    def __enter__(self):
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run(ready)))
        self._thread.start()
        assert ready.wait(30)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        self._loop.close()

    async def _run(self, ready):
        from lumeflow.server.config import ServerConfig

        self._stop = asyncio.Event()
        config = ServerConfig(rate=10_000_000, burst=100_000, strangers=1_000_000, longest_wait=0.1)
        async with a_site(self._folder, config) as site:
            self.url, self.key = site.url, await site.key()
            client = await site.client()
            assert (await client.post("/api/workflows", json=WORKFLOW)).status_code == 201
            body = {"mode": "demo", "input": INPUT, "executionId": "monday-1"}
            path = "/api/workflows/tidy-contacts/execute?wait=10"
            assert (await client.post(path, json=body)).status_code in {200, 202}
            ready.set()
            await self._stop.wait()


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    with Hosted(tmp_path_factory.mktemp("hosted")) as hosted:
        yield hosted


@pytest.fixture(scope="module")
def document(hosted):
    import httpx2

    return httpx2.get(f"{hosted.url}/openapi.json").json()


def operations(document):
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_every_operation_is_described(document):
    for path, method, operation in operations(document):
        place = f"{method} {path}"
        assert operation["summary"], place
        assert operation["description"], place
        assert operation["tags"], place
        good = [status for status in operation["responses"] if status < "400"]
        assert good, place
        bad = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"500", "503"} <= bad.keys(), place
        assert all("application/problem+json" in answer["content"] for answer in bad.values()), place
        assert ("security" in operation) == (path not in NO_KEY), place
        assert path in NO_KEY or {"401", "403", "429"} <= bad.keys(), place
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description") or parameter["name"] in {"workflowId", "executionId"}, place


def test_every_reference_leads_somewhere(document):
    def walk(value):
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                name = value["$ref"].removeprefix("#/components/schemas/")
                assert name in document["components"]["schemas"], name
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document)


def test_the_server_is_as_described(hosted, document):
    """Every operation is called with generated requests, good and bad, and every answer is checked by its schema."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "headers": {"Authorization": f"Bearer {hosted.key}"},
            "checks": {
                # What cannot be told by a schema (a document that is no workflow, an id that is taken) is told by these.
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "304", "401", "403", "404", "409", "412", "415", "422", "428"]
                },
                "missing_required_header": {"expected-statuses": ["401", "422", "428"]},
            },
        }
    )
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.config.update(base_url=hosted.url)
    found = []

    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=12,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @operation.as_strategy_given if False else _given(operation)
        def run(case):
            case.call_and_validate()

        try:
            run()
        except Exception as error:
            found.append(f"{operation.label}\n{error}")
    assert not found, "\n\n".join(found)


def _given(operation):
    from hypothesis import given

    return given(case=operation.as_strategy())
