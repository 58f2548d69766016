"""The threads of plain blocks: a few at once, and none that is stuck holds up the others."""

import asyncio
import threading

import pytest

from lumeflow.engine.threads import Threads

pytestmark = pytest.mark.asyncio


async def test_it_gives_what_the_function_gives():
    threads = Threads()
    assert await threads.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await threads.run(divmod, 7, 0)
    threads.close()


async def test_no_more_than_a_few_run_at_once():
    threads = Threads(at_once=2, patience=60)
    running, most, gate = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with gate:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with gate:
            running -= 1

    await asyncio.gather(*(threads.run(work) for _ in range(9)))
    threads.close()
    assert most == 2


async def test_those_that_are_stuck_hold_up_nobody():
    threads, stuck = Threads(at_once=4, patience=0.02), threading.Event()
    waiting = [asyncio.create_task(threads.run(stuck.wait)) for _ in range(8)]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        assert await threads.run(lambda: "well") == "well"
    stuck.set()
    assert await asyncio.gather(*waiting) == [True] * 8
    threads.close()


async def test_a_caller_that_goes_away_frees_its_turn():
    threads, first = Threads(at_once=1, patience=60), threading.Event()
    running = asyncio.create_task(threads.run(first.wait))
    gone = asyncio.create_task(threads.run(lambda: pytest.fail("nobody waits for this")))
    await asyncio.sleep(0)
    gone.cancel()
    running.cancel()
    await asyncio.gather(gone, running, return_exceptions=True)
    first.set()
    assert await threads.run(lambda: "next") == "next"
    threads.close()


async def test_the_end_of_a_thread_is_no_end_of_the_process():
    threads = Threads()

    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(RuntimeError, match="SystemExit in a worker thread"):
        await threads.run(leave)
    threads.close()


async def test_what_was_not_begun_when_it_closes_is_cancelled():
    threads, stuck = Threads(at_once=1, patience=60), threading.Event()
    running, waiting = (asyncio.create_task(threads.run(stuck.wait)) for _ in range(2))
    await asyncio.sleep(0)
    threads.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    stuck.set()
    assert await running
