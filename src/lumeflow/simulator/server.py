"""The simulator over real HTTP: one address for all vendors, since their paths do not overlap."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.simulator.clock import SimulatorClock
from lumeflow.simulator.exchange import AnswerCut
from lumeflow.simulator.settings import SimulatorSettings
from lumeflow.simulator.simulator import Simulator

MOST_BODY_BYTES = 32 * 1024 * 1024
"""Of any request; the vendors' own limits are below."""
_CLOSING_SECONDS = 0.5


class RunningSimulator:
    """A simulator that listens.

    Attributes:
        simulator: The simulator behind the address.
        host: Address it listens on.
        port: Port it listens on.
    """

    def __init__(self, simulator: Simulator, runner: web.ServerRunner, host: str, port: int) -> None:
        self.simulator = simulator
        self.host = host
        self.port = port
        self._runner = runner

    @property
    def url(self) -> str:
        """Base URL for every vendor, without trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def close(self) -> None:
        """Stop listening; answers still under way are cut after half a second."""
        await self._runner.cleanup()


async def serve(
    settings: SimulatorSettings | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: SimulatorClock | None = None,
) -> RunningSimulator:
    """Start a simulator in the running event loop.

    Args:
        settings: How the vendors behave.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        clock: Real time if not given.

    Raises:
        OSError: The port is taken or may not be used.
        UsageError: The settings name a provider or an operation that does not exist.
    """
    simulator = Simulator(settings, clock)
    server = web.Server(_handler(simulator), access_log=None, request_factory=_request)
    runner = web.ServerRunner(server, shutdown_timeout=_CLOSING_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
    except OSError:
        await runner.cleanup()
        raise
    return RunningSimulator(simulator, runner, host, int(runner.addresses[0][1]))


def run_server(settings: SimulatorSettings | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
    """Serve until SIGINT or SIGTERM; say on standard output where, in one line.

    Raises:
        OSError: The port is taken or may not be used.
        UsageError: The settings name a provider or an operation that does not exist.
    """
    asyncio.run(_serve_until_stopped(settings, host, port))


async def _serve_until_stopped(settings: SimulatorSettings | None, host: str, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    running = await serve(settings, host, port)
    sys.stdout.write(f"simulator listening on {running.url}\n")
    sys.stdout.flush()
    try:
        await stopped.wait()
    finally:
        await running.close()


def _request(*parts: Any) -> web.BaseRequest:
    """A request as the server makes it by itself, except for the size that its body may have."""
    message, payload, protocol, writer, task = parts
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MOST_BODY_BYTES)


def _handler(simulator: Simulator) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read() if request.can_read_body else b""
        try:
            answer = await simulator.handle(HttpRequest(request.method, request.raw_path, request.headers, body))
        except AnswerCut as cut:
            return await _cut(request, cut)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    return handle


async def _cut(request: web.BaseRequest, cut: AnswerCut) -> web.StreamResponse:
    """Send as much of the answer as there is to be, then drop the connection."""
    response = web.StreamResponse()
    if cut.partial is not None:
        response = await _first_half(request, cut.partial)
    if request.transport is not None:
        request.transport.abort() if cut.partial is None else request.transport.close()
    return response


async def _first_half(request: web.BaseRequest, whole: HttpResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = len(whole.body)
    await response.prepare(request)
    await response.write(whole.body[: len(whole.body) // 2])
    return response
