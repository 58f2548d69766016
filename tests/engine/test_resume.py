"""Resuming: answered batches are found again, whatever failed before them; nothing that was stored is lost."""

import asyncio
from collections.abc import Iterator

import pytest

from lumeflow.app import App
from tests.engine.blocks import Moody
from tests.engine.conftest import collect, numbers, workflow

pytestmark = pytest.mark.asyncio

SIZE = 5


@pytest.fixture(autouse=True)
def well() -> Iterator[None]:
    """Nothing is down before and after a test."""
    Moody.down.clear()
    yield
    Moody.down.clear()


def moody() -> dict:
    return {"type": "transform", "config": {"operation": "moody"}}


def embed() -> dict:
    return {"type": "api", "config": {"provider": "mixedbread", "fields": ["n"], "batchSize": SIZE}}


def embedding(count: int) -> dict:
    nodes = {"in": numbers(count), "shaky": moody(), "embed": embed(), "out": collect()}
    return workflow(nodes, "in>shaky, shaky>embed, embed>out")


async def outputs(app: App, execution_id: str) -> list:
    return [record async for record in app.output_records(execution_id)]


def calls(result) -> int:
    return result.nodes["embed"].cost.api_calls


@pytest.mark.parametrize(
    ("down", "more"),
    [
        ({0}, 1),
        ({7}, 1),
        ({7, 8, 9}, 1),
        ({7, 31}, 1),
        (set(range(10, 22)), 3),
        ({39}, 1),
        (set(range(40)), 8),
    ],
    ids=["first", "one", "near", "far", "outage", "last", "all"],
)
async def test_batches_behind_a_record_that_failed_before_are_not_paid_again(app, run, down, more):
    undisturbed = await run(embedding(40))
    Moody.down |= down
    disturbed = await run(embedding(40))
    assert disturbed.result.nodes["shaky"].failed == len(down)
    Moody.down.clear()
    resumed = await app.resume(disturbed.result.execution_id)
    assert resumed.status == "completed"
    assert calls(resumed) == calls(disturbed.result) + more
    assert await outputs(app, resumed.execution_id) == await outputs(app, undisturbed.result.execution_id)


async def test_every_further_resume_pays_only_for_what_comes_anew(app, run):
    undisturbed = await run(embedding(60))
    Moody.down |= {3, 4, 17, 18, 19, 40}
    ran = await run(embedding(60))
    paid = [calls(ran.result)]
    for well_again in ({4, 18}, {3, 17}, set(), {19, 40}):
        Moody.down -= well_again
        resumed = await app.resume(ran.result.execution_id)
        paid.append(calls(resumed))
    assert paid == [11, 12, 13, 13, 14]
    assert await outputs(app, resumed.execution_id) == await outputs(app, undisturbed.result.execution_id)


async def test_a_member_that_fails_in_the_resume_costs_its_batch_alone(app, run):
    Moody.down |= {22}
    ran = await run(embedding(40))
    Moody.down.clear()
    Moody.down |= {7}
    resumed = await app.resume(ran.result.execution_id)
    assert [record["n"] for record in await outputs(app, resumed.execution_id)] == [n for n in range(40) if n != 7]
    # Without 7 its batch is another one; 22 comes in beside it.
    assert calls(resumed) == calls(ran.result) + 2


async def test_a_cancelled_resume_takes_nothing_away(app, run):
    Moody.down |= {7}
    ran = await run(embedding(40))
    before = await app.result(ran.result.execution_id)
    records = await outputs(app, ran.result.execution_id)
    assert (before.status, len(records)) == ("completed", 39)
    cancel = asyncio.Event()
    cancel.set()
    resumed = await app.resume(ran.result.execution_id, cancel=cancel)
    assert resumed.status == "cancelled"
    assert await app.result(ran.result.execution_id) == before
    assert await outputs(app, ran.result.execution_id) == records
    Moody.down.clear()
    assert (await app.resume(ran.result.execution_id)).status == "completed"
    assert len(await outputs(app, ran.result.execution_id)) == 40
