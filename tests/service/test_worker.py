"""A worker whose storage fails, and one that is stopped at a bad moment."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta

import pytest

from lumeflow import Mode, Settings, Status, open_app
from lumeflow.core.errors import StorageError
from lumeflow.service import ExecutionService, ServiceSettings, run
from lumeflow.storage.repositories.queue import JobState
from tests.service.conftest import FAST, PEOPLE, greeting


@pytest.fixture
async def service(tmp_path):
    async with open_app(Settings(data_dir=tmp_path)) as app:
        made = ExecutionService(app, ServiceSettings(**FAST))
        yield made
        await made.stop()


def fail(monkeypatch, owner, name, times):
    """The next `times` calls of a method find no storage; returns how many did."""
    whole = getattr(owner, name)
    failed = []

    async def broken(*args, **options):
        if len(failed) < times:
            failed.append(name)
            raise StorageError("the disk is full")
        return await whole(*args, **options)

    monkeypatch.setattr(owner, name, broken)
    return failed


async def test_a_storage_that_fails_for_a_while_only_delays(service, monkeypatch):
    dispatch = service.app.database.installation.dispatch
    failed = fail(monkeypatch, dispatch, "claim", 3)
    name = await service.submit("default", greeting(), PEOPLE)
    await service.start()
    await asyncio.sleep(0)
    state = await service.wait("default", name, 30)
    assert state.status is Status.COMPLETED
    assert len(failed) == 3
    assert service.problem is None


async def test_an_execution_whose_storage_fails_is_put_off_as_often_as_it_takes(service, monkeypatch):
    monkeypatch.setattr(run, "LATER", timedelta(0))
    failed = fail(monkeypatch, run.Run, "_work", service.settings.attempts + 2)
    name = await service.submit("default", greeting(), PEOPLE)
    await service.start()
    state = await service.wait("default", name, 30)
    assert (state.status, state.attempts) == (Status.COMPLETED, 1)
    assert len(failed) == service.settings.attempts + 2


async def test_a_tenants_limit_holds_for_processes_that_take_jobs_at_the_same_moment(open_service):
    async with open_service() as one, open_service() as two:
        await one.app.database.installation.tenants.create("acme", at=datetime.now(UTC), concurrency=1)
        for _ in range(20):
            await one.submit("acme", greeting(), PEOPLE)
        dispatches = [service.app.database.installation.dispatch for service in (one, two)]
        for _ in range(15):
            at = datetime.now(UTC)
            taken = await asyncio.gather(*(dispatch.claim(5, at=at) for dispatch in dispatches))
            assert sum(map(len, taken)) == 1
            for dispatch, jobs in zip(dispatches, taken, strict=True):
                for job in jobs:
                    await dispatch.done(job, at=at)


async def test_what_is_wrong_can_be_asked_for(service, monkeypatch):
    fail(monkeypatch, service.app.database.installation.dispatch, "claim", 1_000_000)
    await service.start()
    async with asyncio.timeout(10):
        while True:
            if service.problem is not None:
                break
            await asyncio.sleep(0.01)
    assert service.problem == "the disk is full"


async def test_a_job_that_could_not_be_put_back_is_put_back_later(service, monkeypatch):
    dispatch = service.app.database.installation.dispatch
    failed = fail(monkeypatch, dispatch, "done", 1)
    name = await service.submit("default", greeting(), PEOPLE)
    await service.start()
    async with asyncio.timeout(20):
        while True:
            job = await service.app.database.queue.get(name)
            if job is not None and job.state is JobState.DONE:
                break
            await asyncio.sleep(0.02)
    assert len(failed) == 1
    state = await service.status("default", name)
    assert state.status is Status.COMPLETED
    starts = [e for _, e in (await service.app.database.journal.timeline(name)).events if "start" in e.kind.value]
    assert [e.kind.value for e in starts].count("execution.started") == 1, "it had ended, and was not run again"


async def test_a_job_that_is_claimed_again_before_its_run_is_over_is_not_forgotten(service, monkeypatch):
    dispatch, worker = service.app.database.installation.dispatch, service._worker
    done, runs, errors = dispatch.done, [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))

    async def claimed_again(job, *, at):
        runs.append(worker.runs.get(("default", job.execution_id)))
        if len(runs) == 1:
            await dispatch.give_back(job)
            await worker._claim(1)
            return True
        return await done(job, at=at)

    monkeypatch.setattr(dispatch, "done", claimed_again)
    name = await service.submit("default", greeting(), PEOPLE)
    await service.start()
    async with asyncio.timeout(20):
        while True:
            if len(runs) == 2 and not service.running:
                break
            await asyncio.sleep(0.01)
    assert None not in runs
    assert runs[0] is not runs[1]
    assert all(run.over.is_set() for run in runs)
    assert errors == []
    assert (await service.status("default", name)).status is Status.COMPLETED


@pytest.mark.parametrize("turns", range(0, 40, 4))
async def test_stopped_at_any_moment_nothing_stays_taken(service, turns):
    names = [await service.submit("default", greeting(), PEOPLE) for _ in range(3)]
    await service.start()
    for _ in range(turns):
        await asyncio.sleep(0)
    await service.stop()
    assert service.running == 0
    assert await service.app.database.queue.list(JobState.RUNNING) == []
    await service.start()
    for name in names:
        assert (await service.wait("default", name, 30)).status is Status.COMPLETED


async def test_two_hundred_at_once_all_end_and_the_small_tenant_does_not_wait_for_the_large(service):
    large = [await service.submit("large", greeting(), PEOPLE) for _ in range(150)]
    small = [await service.submit("small", greeting(), PEOPLE) for _ in range(50)]
    await service.start()
    names = [("large", name) for name in large] + [("small", name) for name in small]
    starts = []
    for tenant, name in names:
        state = await service.wait(tenant, name, 60)
        assert state.status is Status.COMPLETED
        starts.append((state.started_at, tenant))
    early = [tenant for _, tenant in sorted(starts)[:80]]
    assert 30 <= early.count("small") <= 50


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
async def test_a_server_that_restarts_in_the_middle_only_delays(how, postgres, new_postgres, tmp_path):
    async with open_app(Settings(data_dir=tmp_path, db=new_postgres(), demo_latency=0.3)) as app:
        service = ExecutionService(app, ServiceSettings(**FAST))
        given = await app.demo_audience()
        names = [
            await service.submit("default", workflow_id="lead-enrichment-v1", input=given, mode=Mode.DEMO)
            for _ in range(6)
        ]
        await service.start()
        async with asyncio.timeout(30):
            while True:
                states = [await service.status("default", name) for name in names]
                if all(state.progress is not None and state.progress.calls > 5 for state in states):
                    break
                await asyncio.sleep(0.02)
        await asyncio.to_thread(postgres.stop, how)
        await asyncio.sleep(0.3)
        postgres.start()  # in this thread: a server ends with the thread that began it
        results = []
        for name in names:
            assert (await service.wait("default", name, 90)).status is Status.COMPLETED
            results.append(await app.result(name))
        await service.stop()
        assert len({result.cost.total_cost for result in results}) == 1
        assert all(result.in_doubt == [] for result in results)
