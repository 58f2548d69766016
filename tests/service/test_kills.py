"""A process with twenty executions under way is killed: the next one finishes all, with the outputs of undisturbed runs,
and pays again for no more than what was in flight.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

import pytest

from lumeflow import Settings, Status, open_app
from lumeflow.service import ExecutionService, JobKind
from lumeflow.workflows import source
from tests.survival.world import Simulator

NOW = datetime(2026, 1, 9, 10, tzinfo=UTC)
EXECUTIONS = 20
PAID = ("apify", "apollo", "hunter", "openrouter")
TENANTS = ("acme", "globex")
SETTINGS = {"commentsPerUrl": 25, "latencyScale": 0.4, "itemsPerSecond": 200.0, "rateScale": 100.0}
WAIT = 120.0


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    made = Simulator(os.environ)
    yield made
    made.close()


@contextmanager
def worker(folder, db, simulator) -> Iterator[subprocess.Popen]:
    """`lumeflow worker` in a process of its own, ready to work."""
    environ = {**os.environ, "LUMEFLOW_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "lumeflow", "worker", "--concurrency", str(EXECUTIONS), "--json"]
    process = subprocess.Popen(
        [*command, "--db", db, "--simulator", simulator.url], env=environ, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["concurrency"] == EXECUTIONS
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.send_signal(signal.SIGCONT)
        process.wait(WAIT)
        process.stdout.close()


@asynccontextmanager
async def submitted(folder, db, simulator):
    """A service that runs nothing, with twenty executions in its queue; gives it and their ids."""
    async with open_app(Settings(data_dir=folder, db=db, simulator_url=simulator.url)) as app:
        service = ExecutionService(app)
        names = []
        for number in range(EXECUTIONS):
            tenant = TENANTS[number % 2]
            audience = {
                "id": f"a{number}",
                "name": "A",
                "type": "instagram",
                "urls": [f"https://www.instagram.com/p/Ckill{number}/"],
            }
            await app.of(tenant).database.tables.upsert("source_audiences", [audience], key=["id"])
            is_search = number % 5 == 0
            name = await service.submit(
                tenant,
                None if is_search else source("lead-enrichment-v1"),
                {"sourceAudienceId": f"a{number}"},
                kind=JobKind.SEARCH if is_search else JobKind.WORKFLOW,
                now=NOW,
                execution_id=f"e{number}",
            )
            names.append((tenant, name))
        yield service, names


async def finished(service, names):
    """Every execution's contacts, and how many of its calls were lost."""
    outputs, lost = {}, 0
    for tenant, name in names:
        state = await service.wait(tenant, name, WAIT)
        app = service.app.of(tenant)
        result = await app.result(name)
        assert state.status is Status.COMPLETED, (name, state, result.error)
        records = [record async for record in app.output_records(name)]
        outputs[name] = [{**record, "embedding": list(record["embedding"])} for record in records]
        lost += sum(call.lost for call in result.in_doubt)
    return outputs, lost


async def under_way(service, names, calls, simulator, worker):
    """Return when all have begun and so many calls were made in all; the worker stands still then, until it is ended."""
    async with asyncio.timeout(WAIT):
        while True:
            # The vendors tell at once; the states of all take a while to read, so nothing may move meanwhile.
            if sum((await asyncio.to_thread(processed, simulator)).values()) >= calls:
                worker.send_signal(signal.SIGSTOP)
                states = [await service.status(*name) for name in names]
                if all(state.status is Status.RUNNING for state in states):
                    return
                worker.send_signal(signal.SIGCONT)
                assert not any(state.ended for state in states), "too late: make them slower"
            await asyncio.sleep(0.02)


def processed(simulator):
    bill = simulator._ask("GET", "bill")["providers"]
    asked = [bill.get(name, {"distinct": 0, "repeats": 0}) for name in PAID]
    return {name: about["distinct"] + about["repeats"] for name, about in zip(PAID, asked, strict=True)}


@pytest.fixture(scope="module")
def undisturbed(simulator, tmp_path_factory):
    """Outputs and bill of the same executions where nothing happens."""

    async def live():
        folder = tmp_path_factory.mktemp("undisturbed")
        db = str(folder / "x.db")
        simulator.reset(**SETTINGS)
        async with submitted(folder, db, simulator) as (service, names):
            with worker(folder, db, simulator):
                outputs, lost = await finished(service, names)
        assert lost == 0
        simulator.wait_for_calls()
        return outputs, processed(simulator)

    return asyncio.run(live())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_next_process_finishes_all_and_pays_again_only_for_calls_in_flight(
    how, db, tmp_path, simulator, undisturbed
):
    simulator.reset(**SETTINGS)
    async with submitted(tmp_path, db, simulator) as (service, names):
        with worker(tmp_path, db, simulator) as first:
            await under_way(service, names, 150, simulator, first)
            first.send_signal(how)
            first.send_signal(signal.SIGCONT)
            first.wait(WAIT)
        with worker(tmp_path, db, simulator):
            outputs, lost = await finished(service, names)
    assert outputs == undisturbed[0]
    simulator.wait_for_calls()
    again = sum(processed(simulator).values()) - sum(undisturbed[1].values())
    if how is signal.SIGTERM:
        assert (again, lost) == (0, 0), "a clean end stores what is in flight"
    else:
        assert 0 <= again <= lost
