"""Language models over real HTTP: the same result at every vendor, on good days and on bad ones, to the cent."""

from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest

from lumeflow import InvalidWorkflow, Settings
from lumeflow.app import open_app
from lumeflow.core.journal import RecordKind
from lumeflow.simulator import SimulatorSettings
from lumeflow.simulator.server import serve
from lumeflow.workflows import source

NOON = datetime(2026, 1, 9, 12, tzinfo=UTC)
VENDORS = {
    "openai": {"provider": "openai", "model": ["gpt-5-mini", "gpt-4.1-mini"]},
    "anthropic": {"provider": "anthropic", "model": "claude-haiku-4-5"},
    "compatible": {
        "provider": "openai",
        "model": "llama",
        "baseUrl": "https://llm.example.com/v1",
        "prices": {"prompt": "0.5", "completion": "1.5"},
    },
}
UNLIMITED = {name: [] for name in ("openrouter", "openai", "anthropic", "apollo", "hunter", "mixedbread")}
WORDS = ("Love it", "Broken again", "When do you open?", "Great cake, awful service", "Grazie mille")
TEXTS = [{"n": number, "text": f"{WORDS[number % len(WORDS)]} ({number})"} for number in range(60)]


def sentiments(vendor):
    nodes = [
        {"id": "in", "type": "input", "config": {"source": "static", "data": {"texts": TEXTS}}},
        {"id": "ask", "type": "ai", "config": {**vendor, "operation": "sentiment-analysis", "batchSize": 4}},
        {"id": "out", "type": "output", "config": {"destination": "json"}},
    ]
    edges = [{"source": "in", "target": "ask"}, {"source": "ask", "target": "out"}]
    retries = {"maxRetries": 3, "initialDelay": 5}
    return {"workflowId": "w", "name": "w", "globals": {"retryPolicy": retries}, "nodes": nodes, "edges": edges}


async def execute(folder, document, trigger=None, rows=(), environ=None, **simulated):
    """Run a document against a simulator of its own; returns the result, its output records and the bill."""
    settings = {"latency_scale": 0, "limits": UNLIMITED, "comments_per_url": 40, "fault_retry_after": 0, **simulated}
    running = await serve(SimulatorSettings(**settings))
    try:
        options = {} if environ else {"simulator_url": running.url}
        variables = {name: value.replace("{url}", running.url) for name, value in (environ or {}).items()}
        documented = orjson.loads(orjson.dumps(document).replace(b"{url}", running.url.encode()))
        own = Settings.from_environment({"LUMEFLOW_DATA_DIR": str(folder), **variables}, **options)
        async with open_app(own) as app:
            if rows:
                await app.database.tables.upsert("source_audiences", rows, key=["id"])
            result = await app.execute(documented, trigger or {}, execution_id="e", now=NOON)
            records = [record.data async for record in app.kept_records("e", RecordKind.OUTPUT)]
    finally:
        await running.close()
    return result, records, running.simulator.bill()


@pytest.mark.parametrize("vendor", VENDORS)
async def test_faults_change_neither_records_nor_bookkeeping(vendor, tmp_path):
    document = sentiments(VENDORS[vendor])
    calm, expected, _ = await execute(tmp_path / "calm", document)

    result, records, bill = await execute(tmp_path / "storm", document, fault_rate=0.4, fault_hang=0.1, seed=11)

    assert (calm.status, result.status, result.failed_records) == ("completed", "completed", [])
    assert records == expected
    assert sum(bill["totals"]["faults"].values()) >= 5
    assert Decimal(bill["totals"]["charges"]["USD"]) == result.cost.total_cost


@pytest.mark.parametrize("vendor", VENDORS)
async def test_the_plans_workflow_finds_the_same_contacts_through_any_vendor(vendor, tmp_path):
    audience = {"id": "a", "name": "A", "type": "instagram", "urls": ["https://www.instagram.com/p/Cexample1/"]}
    document = orjson.loads(source("lead-enrichment-v1"))
    expected = await execute(tmp_path / "1", document, {"sourceAudienceId": "a"}, [audience])
    node = next(node for node in document["nodes"] if node["type"] == "ai")
    node["config"] = {**node["config"], **VENDORS[vendor]}

    result, records, bill = await execute(tmp_path / "2", document, {"sourceAudienceId": "a"}, [audience])

    assert len(records) > 3
    assert records == expected[1]
    assert Decimal(bill["totals"]["charges"]["USD"]) == result.cost.total_cost


@pytest.mark.parametrize(("allowed", "status"), [("", "failed"), ("127.0.0.1", "completed")])
async def test_an_address_inside_is_reached_only_where_the_operator_allows_it(allowed, status, tmp_path):
    vendor = {**VENDORS["compatible"], "baseUrl": "{url}/inside"}
    environ = {"LUMEFLOW_ALLOWED_ADDRESSES": allowed}

    result, records, bill = await execute(tmp_path, sentiments(vendor), environ=environ)

    calls = bill["totals"]["calls"]
    if status == "completed":
        assert (len(records), calls, result.failed_records) == (60, 15, [])
    else:
        assert (records, calls) == ([], 0)
        assert {record.error_class for record in result.failed_records} <= {"VALIDATION", "NETWORK"}
        assert "private networks must not be called" in str(result.failed_records[0])


async def test_the_endpoints_key_is_a_secret_of_the_workflow(tmp_path):
    vendor = {**VENDORS["compatible"], "baseUrl": "{url}/inside", "apiKey": "{{secrets.llm}}"}
    environ = {"LUMEFLOW_ALLOWED_ADDRESSES": "127.0.0.1"}

    with pytest.raises(InvalidWorkflow, match=r"/nodes/1/config/apiKey: there is no secret 'llm'"):
        await execute(tmp_path / "1", sentiments(vendor), environ=environ)

    found, _, bill = await execute(
        tmp_path / "2", sentiments(vendor), environ={**environ, "LUMEFLOW_SECRET_llm": "k-7"}
    )
    assert (found.status, found.failed_records, bill["totals"]["calls"]) == ("completed", [], 15)
    assert not [path for path in (tmp_path / "2").rglob("*") if path.is_file() and b"k-7" in path.read_bytes()]


async def test_an_operators_endpoint_gets_its_key_whatever_the_workflow_says(tmp_path):
    providers = tmp_path / "providers.json"
    environ = {"LUMEFLOW_PROVIDERS": str(providers), "MY_KEY": "sim-mine"}
    running = await serve(SimulatorSettings(latency_scale=0))
    try:
        providers.write_text(
            orjson.dumps({"openai-compatible": {"baseUrl": f"{running.url}/mine", "key": "MY_KEY"}}).decode()
        )
        settings = Settings.from_environment({"LUMEFLOW_DATA_DIR": str(tmp_path), **environ})
        async with open_app(settings) as app:
            result = await app.execute(sentiments(VENDORS["compatible"]))
    finally:
        await running.close()

    assert result.status == "completed"
    assert running.simulator.bill()["providers"]["openai-compatible"]["answered"] == 15


async def test_a_model_without_price_ends_the_node_before_its_first_call(tmp_path):
    vendor = {"provider": "openai", "model": ["gpt-5-mini", "gpt-unheard-of"]}

    result, records, bill = await execute(tmp_path, sentiments(vendor))

    assert (result.status, records, bill["totals"]["calls"]) == ("failed", [], 0)
    assert "no price is known for the model 'gpt-unheard-of' of openai" in str(result.error)
    assert "set config.prices to" in str(result.error)
