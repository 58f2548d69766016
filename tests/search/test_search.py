"""SEARCH, the pipeline in code: the same contacts as the workflow's, under the same promises."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from lumeflow import Mode, Settings, Status, UsageError, open_app
from lumeflow.core.journal import RecordKind
from lumeflow.service import ExecutionService, JobKind, ServiceSettings
from lumeflow.workflows import source
from tests.service.conftest import FAST

NOW = datetime(2026, 1, 9, 10, tzinfo=UTC)
PLAN = source("lead-enrichment-v1")


@pytest.fixture
async def service(tmp_path):
    async with open_app(Settings(data_dir=tmp_path, demo_latency=0.02)) as app:
        made = ExecutionService(app, ServiceSettings(**FAST))
        await made.start()
        yield made
        await made.stop()


async def submit(service, kind, given, **changes):
    document = PLAN if kind is JobKind.WORKFLOW else None
    return await service.submit("default", document, given, kind=kind, mode=Mode.DEMO, now=NOW, **changes)


async def ended(service, execution_id):
    assert (await service.wait("default", execution_id, 30)).ended
    return await service.app.result(execution_id)


async def calls_made(service, execution_id, number):
    """Return when it has made so many calls."""
    async with asyncio.timeout(20):
        while True:
            progress = (await service.status("default", execution_id)).progress
            if progress is not None and progress.calls >= number:
                return
            await asyncio.sleep(0.01)


async def contacts(service, execution_id):
    records = [record async for record in service.app.output_records(execution_id)]
    return [{**record, "embedding": list(record["embedding"])} for record in records]


async def stored(service, result):
    shared = result.output["sharedAudienceId"]
    rows = await service.app.database.tables.find("shared_audience_contacts", {"shared_audience_id": shared})
    return [(row["position"], row["data"], list(row["embedding"])) for row in rows]


async def test_it_gives_the_same_contacts_as_the_workflow_and_costs_the_same(service):
    given = await service.app.demo_audience()
    search = await ended(service, await submit(service, JobKind.SEARCH, given))
    workflow = await ended(service, await submit(service, JobKind.WORKFLOW, given))
    assert (search.status, workflow.status) == ("completed", "completed"), (search.error, workflow.error)
    assert await contacts(service, search.execution_id) == await contacts(service, workflow.execution_id)
    assert await stored(service, search) == await stored(service, workflow)
    assert search.output["contactsCount"] == workflow.output["contactsCount"] > 0
    assert search.cost.total_cost == workflow.cost.total_cost > 0
    assert search.nodes["enrich"].cost.api_calls == workflow.nodes["enrichment-1"].cost.api_calls
    relations = await service.app.database.tables.find(
        "audience_relations", {"source_audience_id": given["sourceAudienceId"]}
    )
    assert len(relations) == 2


@pytest.mark.parametrize("platform", ["facebook", "instagram"])
async def test_it_does_so_on_both_platforms(service, platform):
    urls = [f"https://www.{platform}.com/p/Cboth{number}/" for number in range(2)]
    audience = {"id": "own", "name": "Own", "type": platform, "urls": urls}
    await service.app.database.tables.upsert("source_audiences", [audience], key=["id"])
    names = [await submit(service, kind, {"sourceAudienceId": "own"}) for kind in JobKind]
    results = [await ended(service, name) for name in names]
    assert [result.status for result in results] == ["completed", "completed"]
    first, second = [await contacts(service, name) for name in names]
    assert first == second
    assert first


async def test_both_kinds_run_side_by_side_and_tell_which_they_are(service):
    given = await service.app.demo_audience()
    names = {kind: await submit(service, kind, given) for kind in JobKind}
    for kind, name in names.items():
        state = await service.wait("default", name, 30)
        assert (state.kind, state.status) == (kind, Status.COMPLETED)


async def test_what_is_missing_is_left_out_and_told(service):
    given = await service.app.demo_audience()
    result = await ended(service, await submit(service, JobKind.SEARCH, given))
    assert list(result.nodes) == ["scrape", "extract", "enrich", "find-email", "embed", "store"]
    step = result.nodes["find-email"]
    assert step.records_in == step.records_out + step.skipped
    skipped = [one async for one in service.app.kept_records(result.execution_id, RecordKind.SKIPPED)]
    assert len(skipped) == step.skipped > 0
    assert {one.reason for one in skipped} <= {"no e-mail address", "no name"}


async def test_stopped_and_resumed_it_pays_nothing_twice(tmp_path):
    settings = Settings(data_dir=tmp_path, demo_latency=0.3)
    async with open_app(settings) as app:
        service = ExecutionService(app, ServiceSettings(**FAST))
        given = await app.demo_audience()
        name = await submit(service, JobKind.SEARCH, given)
        await service.start()
        await calls_made(service, name, 30)
        await service.stop()
        before = (await app.result(name)).cost.api_calls
        assert before >= 30
        service = ExecutionService(app, ServiceSettings(**FAST))
        await service.start()
        result = await ended(service, name)
        whole = await ended(service, await submit(service, JobKind.SEARCH, given))
        await service.stop()
        assert result.status == "completed"
        assert result.in_doubt == []
        assert result.cost.total_cost == whole.cost.total_cost
        assert sum(node.replayed for node in result.nodes.values()) > 0
        assert await contacts(service, name) == await contacts(service, whole.execution_id)


class _NOTHING:
    calls = 0


async def test_limits_end_it_with_a_sentence_and_raised_ones_let_it_go_on(service):
    given = await service.app.demo_audience()
    name = await submit(service, JobKind.SEARCH, given, limits={"calls": 10})
    result = await ended(service, name)
    assert result.status == "failed"
    assert "step '" in result.error
    await service.resume("default", name, limits={"calls": 10_000})
    assert (await ended(service, name)).status == "completed"


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"records": 5}, "step 'scrape': more than 5 records"),
        ({"memoryMb": 1}, "the execution's limit is 1 MB"),
        ({"seconds": 0.1}, "the execution's limit of 0.1 s ran out"),
    ],
)
async def test_records_memory_and_time_are_limited_as_a_workflow_s_are(tmp_path, limits, told):
    async with open_app(Settings(data_dir=tmp_path, demo_latency=0.2)) as app:
        service = ExecutionService(app, ServiceSettings(**FAST))
        await service.start()
        name = await submit(service, JobKind.SEARCH, await app.demo_audience(), limits=limits)
        result = await ended(service, name)
        await service.stop()
    assert result.status == "failed"
    assert told in result.error


async def test_cancelling_it(tmp_path):
    async with open_app(Settings(data_dir=tmp_path, demo_latency=1.0)) as app:
        service = ExecutionService(app, ServiceSettings(**FAST))
        name = await submit(service, JobKind.SEARCH, await app.demo_audience())
        await service.start()
        await calls_made(service, name, 1)
        await service.cancel("default", name)
        result = await ended(service, name)
        await service.stop()
        assert result.status == "cancelled"
        assert result.in_doubt == []


@pytest.mark.parametrize("given", [{}, {"sourceAudienceId": 3}, {"other": "x"}])
async def test_an_input_without_audience_is_refused_at_once(service, given):
    with pytest.raises(UsageError, match="sourceAudienceId"):
        await submit(service, JobKind.SEARCH, given)


async def test_an_audience_that_is_not_there_fails_it_with_the_reason(service):
    result = await ended(service, await submit(service, JobKind.SEARCH, {"sourceAudienceId": "nobody"}))
    assert result.status == "failed"
    assert "no row with the id 'nobody'" in result.error


async def test_it_takes_no_workflow_and_has_no_nodes_to_run_again(service):
    given = await service.app.demo_audience()
    with pytest.raises(UsageError, match="takes no workflow"):
        await service.submit("default", json.loads(PLAN), given, kind=JobKind.SEARCH)
    result = await ended(service, await submit(service, JobKind.SEARCH, given))
    with pytest.raises(UsageError, match="is a SEARCH"):
        await service.rerun_from("default", result.execution_id, "enrich")
