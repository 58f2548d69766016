"""The execution service: queued, run, watched, cancelled in every state, stopped and taken up again."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from lumeflow import InvalidWorkflow, Mode, Status, UsageError
from lumeflow.core.events import EventKind
from lumeflow.service import EndUpdate, EventUpdate, ProgressUpdate, ServiceSettings
from lumeflow.storage.repositories.queue import JobState
from tests.service.conftest import PEOPLE, greeting

SLOW = 0.5
"""Latency, as a share of life's, at which a demonstration lasts for seconds."""


async def demo(service, tenant="acme", **changes):
    """Submit the plan's workflow on its sample audience, in demo mode."""
    given = await service.app.of(tenant).demo_audience()
    return await service.submit(tenant, workflow_id="lead-enrichment-v1", input=given, mode=Mode.DEMO, **changes)


async def begun(service, execution_id, tenant="acme"):
    """Return when the execution has made calls."""
    async with asyncio.timeout(20):
        while True:
            progress = (await service.status(tenant, execution_id)).progress
            if progress is not None and progress.calls > 2:
                return
            await asyncio.sleep(0.02)


async def ended(service, execution_id, tenant="acme"):
    state = await service.wait(tenant, execution_id, 30)
    assert state.ended, state
    return state


class TestSubmitting:
    async def test_what_is_submitted_waits_on_disk_until_a_service_runs_it(self, open_service):
        async with open_service() as service:
            execution_id = await service.submit("acme", greeting(), PEOPLE, priority=3)
            state = await service.status("acme", execution_id)
            assert (state.status, state.priority, state.ended) == (Status.QUEUED, 3, False)
        async with open_service() as service:
            await service.start()
            state = await ended(service, execution_id)
            assert (state.status, state.attempts) == (Status.COMPLETED, 1)
            records = [record["text"] async for record in service.app.of("acme").output_records(execution_id)]
            assert records == ["Hello Mira", "Hello Tomás"]
            job = await service.app.of("acme").database.queue.get(execution_id)
            assert job is not None
            assert job.state in {JobState.RUNNING, JobState.DONE}

    async def test_what_cannot_be_run_is_not_queued(self, open_service):
        async with open_service() as service:
            with pytest.raises(InvalidWorkflow):
                await service.submit("acme", {"workflowId": "x", "name": "x", "nodes": [], "edges": []})
            with pytest.raises(UsageError, match="no workflow"):
                await service.submit("acme", workflow_id="nope")
            await service.submit("acme", greeting(), PEOPLE, execution_id="mine")
            with pytest.raises(UsageError, match="exists already"):
                await service.submit("acme", greeting(), PEOPLE, execution_id="mine")
            assert await service.submit("other", greeting(), PEOPLE, execution_id="mine") == "mine"

    async def test_a_saved_version_runs_by_its_number(self, open_service):
        async with open_service() as service:
            app = service.app.of("acme")
            await app.save_workflow(greeting() | {"version": 1})
            await app.save_workflow(greeting() | {"version": 2, "description": "newer"})
            first = await service.submit("acme", workflow_id="greeting", version=1, input=PEOPLE)
            newest = await service.submit("acme", workflow_id="greeting", input=PEOPLE)
            states = [await service.status("acme", name) for name in (first, newest)]
            assert [state.workflow_version for state in states] == [1, 2]

    async def test_it_does_not_run_before_its_time(self, open_service):
        async with open_service() as service:
            tomorrow = datetime.now(UTC) + timedelta(days=1)
            later = await service.submit("acme", greeting(), PEOPLE, not_before=tomorrow)
            now = await service.submit("acme", greeting(), PEOPLE)
            await service.start()
            await ended(service, now)
            assert (await service.status("acme", later)).status is Status.QUEUED

    async def test_another_tenant_finds_nothing(self, open_service):
        async with open_service() as service:
            execution_id = await service.submit("acme", greeting(), PEOPLE)
            for ask in (service.status, service.cancel, service.resume):
                with pytest.raises(UsageError, match="no execution"):
                    await ask("other", execution_id)


class TestOrder:
    async def test_one_tenant_does_not_hold_up_another(self, open_service):
        async with open_service(concurrency=1) as service:
            for number in range(6):
                await service.submit("large", greeting(), PEOPLE, execution_id=f"l{number}")
            for number in range(2):
                await service.submit("small", greeting(), PEOPLE, execution_id=f"s{number}")
            await service.start()
            starts = []
            for tenant, name in [("large", f"l{n}") for n in range(6)] + [("small", f"s{n}") for n in range(2)]:
                starts.append(((await ended(service, name, tenant)).started_at, name))
            order = [name for _, name in sorted(starts)]
            assert order[4:] == ["l2", "l3", "l4", "l5"]
            assert {*order[:2]} == {"l0", "s0"}

    async def test_never_more_at_once_than_allowed(self, open_service):
        async with open_service(concurrency=3, latency=0.02) as service:
            names = [await demo(service) for _ in range(7)]
            await service.start()
            most = 0
            while not all([(await service.status("acme", name)).ended for name in names]):
                most = max(most, service.running)
                await asyncio.sleep(0.01)
            assert most == 3

    async def test_a_tenant_may_be_held_to_less(self, open_service):
        async with open_service(concurrency=5, latency=SLOW) as service:
            at = datetime.now(UTC)
            await service.app.database.installation.tenants.create("acme", at=at, concurrency=1)
            names = [await demo(service) for _ in range(3)]
            await service.start()
            await begun(service, names[0])
            assert service.running == 1
            for name in names:
                await service.cancel("acme", name)


class TestWatching:
    async def test_events_come_in_order_with_their_numbers_and_the_end_comes_last(self, open_service):
        async with open_service(latency=0.05) as service:
            execution_id = await demo(service)
            await service.start()
            updates = [update async for update in service.watch("acme", execution_id)]
            events = [update for update in updates if isinstance(update, EventUpdate)]
            assert [update.ordinal for update in events] == list(range(1, len(events) + 1))
            assert events[0].event.kind is EventKind.EXECUTION_QUEUED
            assert events[1].event.kind is EventKind.EXECUTION_STARTED
            assert events[-1].event.kind is EventKind.EXECUTION_FINISHED
            assert isinstance(updates[-1], EndUpdate)
            assert updates[-1].state.status is Status.COMPLETED
            assert any(isinstance(update, ProgressUpdate) for update in updates)
            again = [update async for update in service.watch("acme", execution_id, after=events[4].ordinal)]
            assert [update for update in again if isinstance(update, EventUpdate)] == events[5:]

    async def test_a_process_that_runs_nothing_can_watch(self, open_service):
        async with open_service() as runner, open_service() as watcher:
            execution_id = await watcher.submit("acme", greeting(), PEOPLE)
            await runner.start()
            updates = [update async for update in watcher.watch("acme", execution_id)]
            assert isinstance(updates[-1], EndUpdate)
            assert updates[-1].state.status is Status.COMPLETED


class TestCancelling:
    async def test_one_that_waits_is_cancelled_at_once(self, open_service):
        async with open_service() as service:
            execution_id = await service.submit("acme", greeting(), PEOPLE)
            assert await service.cancel("acme", execution_id) is Status.CANCELLED
            await service.start()
            other = await service.submit("acme", greeting(), PEOPLE)
            await ended(service, other)
            assert (await service.status("acme", execution_id)).status is Status.CANCELLED

    async def test_one_that_runs_is_stopped_and_its_calls_are_stored(self, open_service):
        async with open_service(latency=SLOW) as service:
            execution_id = await demo(service)
            await service.start()
            await begun(service, execution_id)
            assert await service.cancel("acme", execution_id) in {Status.RUNNING, Status.CANCELLED}
            assert (await ended(service, execution_id)).status is Status.CANCELLED
            result = await service.app.of("acme").result(execution_id)
            assert result.cost.api_calls > 0
            assert result.in_doubt == []

    async def test_one_that_another_process_runs_is_stopped_too(self, open_service):
        async with open_service(latency=SLOW) as runner, open_service() as other:
            execution_id = await demo(other)
            # The latency belongs to the execution: it was queued without.
            slow = await demo(runner)
            await runner.start()
            await ended(runner, execution_id)
            await begun(runner, slow)
            assert await other.cancel("acme", slow) is Status.RUNNING
            assert (await ended(other, slow)).status is Status.CANCELLED

    async def test_one_that_has_ended_stays_as_it_ended(self, open_service):
        async with open_service() as service:
            execution_id = await service.submit("acme", greeting(), PEOPLE)
            await service.start()
            await ended(service, execution_id)
            assert await service.cancel("acme", execution_id) is Status.COMPLETED

    async def test_one_that_was_interrupted_is_ended(self, open_service):
        async with open_service(latency=SLOW) as service:
            execution_id = await demo(service)
            await service.start()
            await begun(service, execution_id)
            await service.stop()
            assert (await service.status("acme", execution_id)).status is Status.QUEUED
            assert await service.cancel("acme", execution_id) is Status.CANCELLED
            result = await service.app.of("acme").result(execution_id)
            assert result.status is Status.CANCELLED

    async def test_a_cancelled_one_can_be_resumed_and_pays_nothing_twice(self, open_service):
        async with open_service(latency=SLOW) as service:
            execution_id = await demo(service)
            await service.start()
            await begun(service, execution_id)
            await service.cancel("acme", execution_id)
            await ended(service, execution_id)
            before = (await service.app.of("acme").result(execution_id)).cost.api_calls
            await service.resume("acme", execution_id)
            assert (await ended(service, execution_id)).status is Status.COMPLETED
            whole = await service.app.of("acme").result(execution_id)
            undisturbed = await service.app.execute(
                workflow_id="lead-enrichment-v1", input=await service.app.demo_audience(), mode=Mode.DEMO
            )
            assert before > 0
            assert whole.cost.total_cost == undisturbed.cost.total_cost
            assert whole.output["contactsCount"] == undisturbed.output["contactsCount"]


class TestEndings:
    async def test_a_service_that_stops_leaves_calls_stored_and_the_next_goes_on(self, open_service):
        async with open_service(latency=SLOW) as service:
            execution_id = await demo(service)
            await service.start()
            await begun(service, execution_id)
            await service.stop()
            result = await service.app.of("acme").result(execution_id)
            assert result.in_doubt == []
            paid = result.cost.api_calls
            assert paid > 0
        async with open_service() as service:
            await service.start()
            state = await ended(service, execution_id)
            assert (state.status, state.attempts) == (Status.COMPLETED, 1)
            result = await service.app.of("acme").result(execution_id)
            assert sum(node.replayed for node in result.nodes.values()) > 0
            assert result.in_doubt == []

    async def test_two_processes_on_one_database_share_the_work(self, open_service):
        async with open_service(concurrency=2) as one, open_service(concurrency=2) as two:
            names = [await demo(one if number % 2 else two) for number in range(8)]
            await asyncio.gather(one.start(), two.start())
            for name in names:
                assert (await ended(one, name)).status is Status.COMPLETED
                starts = [
                    event
                    for _, event in (await one.app.of("acme").database.journal.timeline(name)).events
                    if event.kind is EventKind.EXECUTION_STARTED
                ]
                assert len(starts) == 1

    async def test_one_that_ends_its_process_again_and_again_is_given_up(self, open_service):
        async with open_service(attempts=2) as service:
            execution_id = await service.submit("acme", greeting(), PEOPLE)
            dispatch = service.app.database.installation.dispatch
            for _ in range(2):
                (job,) = await dispatch.claim(1, at=datetime.now(UTC))
                await dispatch.give_back(job, counts=True)
            await service.start()
            state = await ended(service, execution_id)
            assert state.status is Status.FAILED
            assert "2 times" in state.error
            await service.resume("acme", execution_id)
            assert (await ended(service, execution_id)).status is Status.COMPLETED

    async def test_one_that_cannot_be_run_any_more_fails_with_the_reason(self, open_service):
        async with open_service() as service:
            execution_id = await service.submit("acme", greeting(), PEOPLE, limits={"calls": "many"})
            await service.start()
            state = await ended(service, execution_id)
            assert state.status is Status.FAILED
            assert "calls" in state.error

    async def test_resuming_what_waits_or_is_complete_is_refused(self, open_service):
        async with open_service() as service:
            execution_id = await service.submit("acme", greeting(), PEOPLE)
            with pytest.raises(UsageError, match="is queued"):
                await service.resume("acme", execution_id)
            await service.start()
            await ended(service, execution_id)
            with pytest.raises(UsageError, match="nothing is left"):
                await service.resume("acme", execution_id)


class TestSettings:
    @pytest.mark.parametrize("bad", ["0", "many", "-1", "1001", "²"])
    def test_a_bad_number_is_named(self, bad):
        with pytest.raises(UsageError, match="LUMEFLOW_CONCURRENCY"):
            ServiceSettings.from_environment({"LUMEFLOW_CONCURRENCY": bad})

    def test_it_comes_from_the_environment_unless_given(self):
        assert ServiceSettings.from_environment({"LUMEFLOW_CONCURRENCY": "7"}).concurrency == 7
        assert ServiceSettings.from_environment({"LUMEFLOW_CONCURRENCY": "7"}, concurrency=3).concurrency == 3
        assert ServiceSettings.from_environment({}).concurrency == ServiceSettings().concurrency
