"""The vendors that the pages' commands call: a simulator, in a thread of its own."""

import asyncio
import threading

import pytest

from lumeflow.simulator.server import serve
from lumeflow.simulator.settings import SimulatorSettings

COMMENTS = 40


@pytest.fixture(scope="session")
def vendors():
    """Its address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait_for(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    settings = SimulatorSettings(comments_per_url=COMMENTS, latency_scale=0, rate_scale=1000)
    running = wait_for(serve(settings))
    yield running.url
    wait_for(running.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
