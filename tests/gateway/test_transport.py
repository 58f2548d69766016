"""The HTTP transport against a real server on this machine: what was sent, what was not, and what is in doubt."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from lumeflow.core.errors import AnswerLost, NotSent
from lumeflow.core.http import HttpRequest
from lumeflow.gateway import HttpTransport

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Server:
    """A server on a free port; `handle` answers.

    Attributes:
        seen: Method and path of every request that arrived.
        connections: Connections that were made.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.connections: set[int] = set()
        self.handle: Handle = self.hello
        self.url = ""
        self._arrival = asyncio.Condition()

    async def hello(self, request: web.BaseRequest) -> web.Response:
        return web.Response(text="hello")

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        async with self._arrival:
            self.seen.append(f"{request.method} {request.path_qs}")
            self._arrival.notify_all()
        self.connections.add(id(request.transport))
        return await self.handle(request)

    async def has_seen(self, number: int) -> None:
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.seen) >= number)

    async def start(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._serve), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        await self._runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def transport() -> AsyncIterator[HttpTransport]:
    transport = HttpTransport()
    yield transport
    await transport.close()


def get(server, path="/"):
    return HttpRequest("GET", server.url + path)


async def cut(request: web.BaseRequest) -> web.Response:
    request.transport.abort()
    return web.Response()


async def test_request_and_answer_arrive_as_they_are(server, transport):
    got = {}

    async def handle(request):
        got.update(
            method=request.method, path=request.raw_path, key=request.headers["X-Api-Key"], body=await request.read()
        )
        return web.Response(status=418, body=b"\x00\xff", headers={"X-Thing": "a", "Set-Cookie": "session=secret"})

    server.handle = handle
    url = server.url + "/p%20ath?q=a%2Fb&r=%C3%A9"
    answer = await transport.send(HttpRequest("POST", url, {"X-Api-Key": "k"}, b'{"a": 1}'), timeout=5)
    assert got == {"method": "POST", "path": "/p%20ath?q=a%2Fb&r=%C3%A9", "key": "k", "body": b'{"a": 1}'}
    assert (answer.status, answer.body, answer.headers["x-thing"]) == (418, b"\x00\xff", "a")
    assert "set-cookie" not in answer.headers


async def test_connections_are_kept(server, transport):
    for _ in range(5):
        await transport.send(get(server), timeout=5)
    assert len(server.connections) == 1


async def test_as_many_connections_as_calls(server, transport):
    gate = asyncio.Event()

    async def handle(request):
        await gate.wait()
        return web.Response()

    server.handle = handle
    calls = [asyncio.create_task(transport.send(get(server), timeout=5)) for _ in range(150)]
    await server.has_seen(150)
    gate.set()
    await asyncio.gather(*calls)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_cut_connection_is_an_answer_lost_and_nothing_is_sent_twice(server, transport, method):
    await transport.send(get(server), timeout=5)  # so that a kept connection is used, which aiohttp would retry
    server.handle = cut
    with pytest.raises(AnswerLost) as caught:
        await transport.send(HttpRequest(method, server.url + "/paid", {}, b"{}"), timeout=5)
    assert not caught.value.timed_out
    assert server.seen == ["GET /", f"{method} /paid"]


async def test_an_answer_cut_in_its_middle_is_lost(server, transport):
    async def handle(request):
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"the beginning")
        request.transport.abort()
        return response

    server.handle = handle
    with pytest.raises(AnswerLost, match="broke before the answer was complete"):
        await transport.send(get(server), timeout=5)


async def test_what_is_no_http_is_an_answer_lost(transport):
    async def garbage(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-surprise\r\n\r\n")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(garbage, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    with pytest.raises(AnswerLost):
        await transport.send(HttpRequest("GET", f"http://127.0.0.1:{port}/"), timeout=5)
    listener.close()
    await listener.wait_closed()


async def test_a_slow_answer_is_lost_by_timeout(server, transport):
    async def handle(request):
        await asyncio.sleep(10)
        return web.Response()

    server.handle = handle
    with pytest.raises(AnswerLost, match="in time") as caught:
        await transport.send(get(server), timeout=0.2)
    assert caught.value.timed_out


async def test_the_time_covers_the_whole_answer_not_only_its_beginning(server, transport):
    async def handle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b".")
            await asyncio.sleep(0.05)
        return response

    server.handle = handle
    with pytest.raises(AnswerLost) as caught:
        await transport.send(get(server), timeout=0.3)
    assert caught.value.timed_out


async def test_nobody_listens_so_nothing_was_sent(server, transport):
    await server.stop()
    with pytest.raises(NotSent, match=r"no connection to 127\.0\.0\.1:\d+"):
        await transport.send(get(server), timeout=5)
    await server.start()


async def test_a_host_that_does_not_resolve_so_nothing_was_sent(transport):
    with pytest.raises(NotSent, match=r"no connection to nowhere\.invalid"):
        await transport.send(HttpRequest("GET", "http://nowhere.invalid/?api_key=k-secret"), timeout=5)


async def test_tls_that_fails_so_nothing_was_sent(server, transport):
    with pytest.raises(NotSent):
        await transport.send(HttpRequest("GET", f"https://127.0.0.1:{server.port}/"), timeout=5)
    assert server.seen == []


@pytest.mark.parametrize("url", ["http://", "no address", "ftp://127.0.0.1/x", "http://127.0.0.1:99999/"])
async def test_what_is_no_address_is_not_sent(transport, url):
    with pytest.raises(NotSent):
        await transport.send(HttpRequest("GET", url), timeout=5)


async def test_messages_never_quote_the_query(server, transport):
    server.handle = cut
    with pytest.raises(AnswerLost) as caught:
        await transport.send(get(server, "/?api_key=k-secret"), timeout=5)
    assert "k-secret" not in str(caught.value)


async def test_redirects_are_answers(server, transport):
    async def handle(request):
        raise web.HTTPFound("/elsewhere")

    server.handle = handle
    answer = await transport.send(get(server), timeout=5)
    assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")
    assert server.seen == ["GET /"]


async def test_compressed_answers_are_unpacked(server, transport):
    async def handle(request):
        return web.Response(body=gzip.compress(b"x" * 10_000), headers={"Content-Encoding": "gzip"})

    server.handle = handle
    answer = await transport.send(get(server), timeout=5)
    assert answer.body == b"x" * 10_000
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("compressed", [False, True])
async def test_answers_that_are_too_large_are_cut_off(server, compressed):
    async def handle(request):
        body = b"\0" * 5_000_000
        if compressed:
            return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
        return web.Response(body=body)

    server.handle = handle
    transport = HttpTransport(largest_answer=2**20)
    with pytest.raises(AnswerLost, match="larger than 1 MB"):
        await transport.send(get(server), timeout=5)
    await transport.close()


async def test_large_bodies_can_be_sent(server, transport):
    async def handle(request):
        return web.Response(text=str(sum([len(chunk) async for chunk in request.content.iter_any()])))

    server.handle = handle
    answer = await transport.send(HttpRequest("POST", server.url, {}, b"x" * 7_000_000), timeout=5)
    assert answer.body == b"7000000"


async def test_the_moment_of_writing_is_told_when_the_connection_stands(server, transport):
    told = []
    await transport.send_noticed(get(server), seconds=5, on_write=lambda: told.append(len(server.seen)))
    assert told == [0]
    await transport.close()
    await server.stop()
    with pytest.raises(NotSent):
        await transport.send_noticed(get(server), seconds=5, on_write=lambda: told.append(99))
    assert told == [0]
    await server.start()


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_the_fault_point_after_sending_comes_when_the_request_is_out(server, transport, monkeypatch, body):
    """A process that is killed there has sent its request: the server hears of it although nobody waits."""
    reached = asyncio.Event()
    points = []

    def note(name):
        points.append(name)
        reached.set()

    monkeypatch.setattr("lumeflow.gateway.http.client.fault_point", note)

    async def handle(request):
        assert await request.read() == body
        await asyncio.sleep(0.2)
        return web.Response()

    server.handle = handle
    call = asyncio.create_task(transport.send(HttpRequest("POST", server.url, {}, body), timeout=5))
    await reached.wait()
    assert not call.done()
    call.cancel()
    await server.has_seen(1)
    assert points == ["gateway.sent"]


async def test_cancelling_closes_the_connection(server, transport):
    async def handle(request):
        await asyncio.sleep(10)
        return web.Response()

    server.handle = handle
    call = asyncio.create_task(transport.send(get(server), timeout=60))
    await server.has_seen(1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_names_are_resolved_by_the_given_resolver(server):
    async def refuse(host):
        raise OSError(None, "address not allowed")

    transport = HttpTransport(resolve=refuse)
    with pytest.raises(NotSent, match="address not allowed"):
        await transport.send(HttpRequest("GET", "http://vendor.example.com/"), timeout=5)
    await transport.close()


async def test_it_can_be_closed_and_used_again(server, transport):
    await transport.send(get(server), timeout=5)
    await transport.close()
    assert (await transport.send(get(server), timeout=5)).status == 200
