"""Order, batches, concurrency, back-pressure, memory."""

import asyncio
import tracemalloc

import pytest

from tests.engine import blocks
from tests.engine.conftest import collect, numbers, work, workflow

pytestmark = pytest.mark.asyncio


async def test_output_order_is_input_order_whatever_finishes_first(run):
    ran = await run(workflow({"in": numbers(60), "a": work(wait=[0.02, 0.0, 0.01]), "out": collect()}, "in>a, a>out"))
    assert ran.values() == list(range(60))


async def test_records_of_one_node_are_worked_on_at_once(run):
    blocks.Work.most_running = 0
    await run(workflow({"in": numbers(100), "a": work(wait=[0.02]), "out": collect()}, "in>a, a>out"))
    assert blocks.Work.most_running == 100


async def test_nodes_work_at_the_same_time(run):
    times = []
    slow_source = numbers(10, pause=0.02)
    await run(
        workflow({"in": slow_source, "a": work(), "out": collect()}, "in>a, a>out"),
        on_progress=lambda progress: times.append((progress.nodes[0].records_out, progress.nodes[2].records_in)),
    )
    assert any(arrived > 0 and made < 10 for made, arrived in times)


@pytest.mark.parametrize("chunk", [1, 2, 7, 20])
async def test_batches_are_the_same_however_records_arrive(run, chunk):
    nodes = {
        "in": numbers(20, pause=0.001, chunk=chunk),
        "b": {"type": "transform", "config": {"operation": "batches"}},
        "out": collect(),
    }
    ran = await run(workflow(nodes, "in>b, b>out"))
    assert ran.values("batch") == [list(range(n - n % 3, min(n - n % 3 + 3, 20))) for n in range(20)]
    assert ran.values("position") == [n - n % 3 for n in range(20)]


async def test_records_that_a_block_does_not_apply_to_keep_their_place_and_fill_no_batch(run):
    nodes = {
        "in": numbers(9),
        "b": {"type": "transform", "config": {"operation": "batches", "onlyEven": True}},
        "out": collect(),
    }
    ran = await run(workflow(nodes, "in>b, b>out"))
    assert ran.values() == list(range(9))
    assert ran.values("batch") == [[0, 2, 4], None, [0, 2, 4], None, [0, 2, 4], None, [6, 8], None, [6, 8]]


async def test_plain_blocks_run_beside_the_loop(run):
    plain = {"type": "transform", "config": {"operation": "plain", "set": "{{input.n + 1}}"}}
    ran = await run(workflow({"in": numbers(5), "p": plain, "out": collect()}, "in>p, p>out"))
    assert ran.values("set") == [1, 2, 3, 4, 5]


async def test_memory_does_not_grow_with_the_number_of_records(app, run):
    document = workflow(
        {
            "in": numbers(30_000),
            "p": {"type": "filter", "config": {"conditions": [{"field": "n", "operator": "lt", "value": 0}]}},
            "out": collect(),
        },
        "in>p, p>out",
    )
    await run(workflow({"in": numbers(10), "out": collect()}, "in>out"))
    tracemalloc.start()
    try:
        await app.execute(document, {}, execution_id="large")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


async def test_cancel_stops_everything_and_keeps_what_is_finished(run):
    cancel = asyncio.Event()
    document = workflow({"in": numbers(10_000, pause=0.005), "a": work(), "out": collect()}, "in>a, a>out")
    asyncio.get_running_loop().call_later(0.1, cancel.set)
    before = {task.get_name() for task in asyncio.all_tasks()}
    ran = await run(document, cancel=cancel)
    assert ran.result.status == "cancelled"
    assert 0 < len(ran.values()) < 1000
    assert {task.get_name() for task in asyncio.all_tasks()} - before == set()


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1])
async def test_cancel_while_every_channel_is_full(run, delay):
    cancel = asyncio.Event()
    stuck = work(wait=[60.0])
    document = workflow({"in": numbers(20_000), "a": work(), "b": stuck, "out": collect()}, "in>a, a>b, b>out")
    asyncio.get_running_loop().call_later(delay, cancel.set)
    async with asyncio.timeout(10):
        ran = await run(document, cancel=cancel)
    assert ran.result.status == "cancelled"
