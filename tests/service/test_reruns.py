"""Parts of an execution run anew: the failed records alone, or everything from a node on; what was paid stays paid."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from lumeflow import Mode, Settings, UsageError, open_app
from lumeflow.core.journal import RecordKind, Rerun
from lumeflow.service import ExecutionService, ServiceSettings
from lumeflow.simulator.server import serve
from lumeflow.simulator.settings import SimulatorSettings
from lumeflow.workflows import source
from tests.service.conftest import FAST, PEOPLE, greeting

NOW = datetime(2026, 1, 9, 10, tzinfo=UTC)
URLS = [f"https://www.instagram.com/p/Cagain{number}/" for number in range(3)]
PAID_ONCE = ("apify", "apollo", "hunter", "openrouter")


def document(*, once=()):
    """The plan's workflow with short waits; nodes in `once` try each call a single time."""
    found = json.loads(source("lead-enrichment-v1"))
    found["globals"]["retryPolicy"]["initialDelay"] = 5
    next(node for node in found["nodes"] if node["id"] == "llm-1")["config"]["batchSize"] = 10
    for node in found["nodes"]:
        if node["id"] in once:
            node["retryConfig"] = {"maxRetries": 0}
    return found


@asynccontextmanager
async def world(folder, **settings):
    """A service whose vendors are a simulator over HTTP; gives both."""
    running = await serve(SimulatorSettings(latency_scale=0, comments_per_url=30, **settings))
    try:
        async with open_app(Settings(data_dir=folder, simulator_url=running.url)) as app:
            audience = {"id": "a", "name": "Again", "type": "instagram", "urls": URLS}
            await app.database.tables.upsert("source_audiences", [audience], key=["id"])
            service = ExecutionService(app, ServiceSettings(**FAST))
            await service.start()
            try:
                yield service, running.simulator
            finally:
                await service.stop()
    finally:
        await running.close()


async def run(service, workflow):
    execution_id = await service.submit("default", workflow, {"sourceAudienceId": "a"}, now=NOW)
    return await ended(service, execution_id)


async def ended(service, execution_id):
    assert (await service.wait("default", execution_id, 30)).ended
    return await service.app.result(execution_id)


async def contacts(service, *execution_ids):
    """Everything that the executions gave, sorted, without embeddings."""
    found = []
    for execution_id in execution_ids:
        async for record in service.app.output_records(execution_id):
            kept = {name: value for name, value in record.items() if name != "embedding"}
            found.append(json.dumps(kept, sort_keys=True))
    return sorted(found)


async def failed(service, execution_id):
    return [record async for record in service.app.kept_records(execution_id, RecordKind.FAILED)]


def paid(simulator):
    """Processed calls, and those of them that had been processed before, by provider."""
    providers = simulator.bill()["providers"]
    return {name: (providers[name]["distinct"], providers[name]["repeats"]) for name in PAID_ONCE}


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """Contacts and bill of a day without faults."""

    async def live():
        async with world(tmp_path_factory.mktemp("calm")) as (service, simulator):
            result = await run(service, document())
            assert result.status == "completed", result.error
            return await contacts(service, result.execution_id), paid(simulator)

    return asyncio.run(live())


async def test_failed_records_alone_go_on_from_where_they_failed_and_nothing_is_paid_twice(tmp_path, calm):
    troubled = {"fault_rate": 0.25, "fault_kinds": ("server_error",)}
    async with world(tmp_path, **troubled) as (service, simulator):
        result = await run(service, document(once=("llm-1", "enrichment-1")))
        executions = [result.execution_id]
        where = {record.node_id for record in await failed(service, executions[0])}
        assert where == {"llm-1", "enrichment-1"}, "a failure before others, and others behind it"
        while await failed(service, executions[-1]):
            again = await service.rerun_failed("default", executions[-1])
            state = await service.wait("default", again, 30)
            assert state.rerun is not None
            assert state.rerun.of == executions[-1]
            executions.append(again)
        assert len(executions) > 2, "a re-run of a re-run"
        assert await contacts(service, *executions) == calm[0]
        assert paid(simulator) == calm[1]
        for execution_id in executions[1:]:
            rerun = await service.app.result(execution_id)
            assert rerun.nodes["llm-1"].cost.total_cost == 0
            assert rerun.nodes["llm-1"].replayed > 0


async def test_from_a_node_on_everything_is_computed_afresh_and_what_is_before_is_replayed(tmp_path, calm):
    async with world(tmp_path) as (service, simulator):
        first = await run(service, document())
        before = paid(simulator)
        again = await ended(service, await service.rerun_from("default", first.execution_id, "email-finder-1"))
        assert again.status == "completed", again.error
        assert await contacts(service, again.execution_id) == calm[0]
        after = paid(simulator)
        assert {name: calls for name, calls in after.items() if name != "hunter"} == {
            name: calls for name, calls in before.items() if name != "hunter"
        }
        searched = before["hunter"][0]
        assert after["hunter"] == (searched, searched), "each was asked once more"
        assert again.nodes["enrichment-1"].cost.total_cost == 0
        assert again.nodes["email-finder-1"].cost.total_cost == first.nodes["email-finder-1"].cost.total_cost


async def test_what_comes_before_the_node_makes_no_calls_even_for_what_had_failed(tmp_path):
    async with world(tmp_path, fault_rate=0.25, fault_kinds=("server_error",)) as (service, simulator):
        first = await run(service, document(once=("enrichment-1",)))
        failures = len(await failed(service, first.execution_id))
        calls = simulator.bill()["providers"]["apollo"]["calls"]
        again = await ended(service, await service.rerun_from("default", first.execution_id, "filter-1"))
        assert simulator.bill()["providers"]["apollo"]["calls"] == calls
        records = await failed(service, again.execution_id)
        assert failures == len(records) > 0
        assert {(record.node_id, record.error_class) for record in records} == {("enrichment-1", "NOT_FOUND")}


async def test_a_rerun_that_was_stopped_is_resumed(tmp_path, calm):
    async with world(tmp_path) as (service, simulator):
        first = await run(service, document())
        await service.stop()
        again = await service.rerun_from("default", first.execution_id, "embeddings-1")
        await service.cancel("default", again)
        await service.start()
        await service.resume("default", again)
        result = await ended(service, again)
        assert result.status == "completed", result.error
        assert await contacts(service, again) == calm[0]
        assert paid(simulator) == calm[1]


async def test_what_cannot_be_run_again_is_refused_with_the_reason(tmp_path):
    async with open_app(Settings(data_dir=tmp_path)) as app:
        service = ExecutionService(app, ServiceSettings(**FAST))
        execution_id = await service.submit("default", greeting(), PEOPLE)
        with pytest.raises(UsageError, match="is queued"):
            await service.rerun_from("default", execution_id, "greet")
        await service.start()
        await ended(service, execution_id)
        with pytest.raises(UsageError, match="has failed"):
            await service.rerun_failed("default", execution_id)
        with pytest.raises(UsageError, match=r"no node 'gret'.*greet"):
            await service.rerun_from("default", execution_id, "gret")
        with pytest.raises(UsageError, match="no execution"):
            await service.rerun_failed("other", execution_id)
        with pytest.raises(UsageError, match="exists already"):
            await service.rerun_from("default", execution_id, "greet", new_id=execution_id)
        again = await app.rerun(execution_id, from_node="greet")
        assert again.status == "completed", again.error
        await service.stop()


@pytest.mark.parametrize("first", ["greet", "in", "out"])
async def test_any_node_may_be_the_first(tmp_path, first):
    async with open_app(Settings(data_dir=tmp_path)) as app:
        base = await app.execute(greeting(), PEOPLE)
        again = await app.rerun(base.execution_id, from_node=first)
        texts = [record["text"] async for record in app.output_records(again.execution_id)]
        assert texts == ["Hello Mira", "Hello Tomás"]


async def test_on_postgres_too(new_postgres, tmp_path):
    async with open_app(Settings(data_dir=tmp_path, db=new_postgres())) as app:
        base = await app.execute(document(), await app.demo_audience(), mode=Mode.DEMO)
        again = await app.rerun(base.execution_id, from_node="email-finder-1")
        assert again.status == "completed", again.error
        assert again.nodes["enrichment-1"].replayed == base.nodes["enrichment-1"].cost.api_calls
        assert again.nodes["enrichment-1"].cost.api_calls == 0
        assert again.output["contactsCount"] == base.output["contactsCount"]
        stored = await app.database.journal.get(again.execution_id)
        assert stored is not None
        assert stored.rerun == Rerun(base.execution_id, "email-finder-1")
