"""A thousand clients that send slowly, take slowly or do nothing: others are served meanwhile, all of them are let go, and
nothing of them stays.
"""

import asyncio
import resource
import socket
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lumeflow.server.config import ServerConfig
from lumeflow.server.descriptors import affordable
from lumeflow.server.examples import WORKFLOW
from lumeflow.server.protocol import LINGER
from lumeflow.server.room import FREE, Room
from tests.server.conftest import a_site
from tests.server.test_executions_api import execute
from tests.server.test_gate import raw
from tests.server.wants import problem

HASTY = ServerConfig(
    header_timeout=1, body_timeout=1, send_timeout=1, connections=900, streams=100, rate=1e6, burst=10_000
)
LARGE = 8_000_000
MOST_MEMORY = 100_000_000


def descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@contextmanager
def enough_files(wanted=2600):
    """Clients and server are one process here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"only {hard} files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Slow:
    """A client that sends something, and something more once it was answered."""

    def __init__(self, port, data, more=b""):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._port, self._data, self._more = port, data, more
        self._heard = b""

    async def begin(self):
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", self._port))
        with suppress(ConnectionError):  # one too many
            await loop.sock_sendall(self.socket, self._data)
            if self._more:
                self._heard = await loop.sock_recv(self.socket, 65536)
                await loop.sock_sendall(self.socket, self._more)

    async def rest(self):
        """What was sent to it until it was let go."""
        loop, data = asyncio.get_running_loop(), self._heard
        with suppress(ConnectionError):
            while piece := await loop.sock_recv(self.socket, 65536):
                data += piece
        self.socket.close()
        return data


def head(method, path, key="", *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", f"X-API-Key: {key}", *lines, "", ""]).encode()


async def served(client):
    """Others are, all the time."""
    for _ in range(5):
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/api/workflows")).status_code == 200


async def test_a_thousand_slow_clients_hold_up_nobody(tmp_path):
    with enough_files():
        async with a_site(tmp_path, HASTY) as site:
            client, key = await site.client(), await site.key()
            execution_id = (await execute(client, WORKFLOW, {"contacts": []})).json()["executionId"]
            below = f"/api/workflows/executions/{execution_id}"
            sink = await site.app.database.files(execution_id, anywhere=False).create("large.jsonl")
            await sink.write(b"x" * LARGE)
            await sink.commit()
            kinds = {
                "silent": (150, b""),
                "slow head": (150, b"GET /health HTTP/1.1\r\nX-Slow: "),
                "blank lines": (100, head("GET", "/health"), b"\r\n"),
                "slow body": (
                    150,
                    head("POST", "/api/workflows", key, "Content-Length: 99", "Content-Type: application/json") + b"{",
                ),
                "slow upload": (
                    100,
                    head("POST", "/api/uploads?name=a", key, "Transfer-Encoding: chunked") + b"1\r\na\r\n",
                ),
                "unwanted body": (
                    100,
                    head("POST", "/api/workflows", "lf_x", "Transfer-Encoding: chunked"),
                    b"1\r\na\r\n",
                ),
                "download": (100, head("GET", f"{below}/artifacts/large.jsonl", key)),
                "one too many": (150, b""),
            }
            before = descriptors()
            port = int(site.url.rpartition(":")[2])
            clients = {kind: [Slow(port, *data) for _ in range(count)] for kind, (count, *data) in kinds.items()}
            memory = resident()
            for some in clients.values():
                await asyncio.gather(*(one.begin() for one in some))
            await served(client)
            assert resident() - memory < MOST_MEMORY
            async with asyncio.timeout(30):
                answers = {
                    kind: await asyncio.gather(*(one.rest() for one in some))
                    for kind, some in clients.items()
                    if kind != "download"
                }
                await served(client)
            for _ in range(600):  # of its own accord: these clients still hold on, and take nothing
                if descriptors() <= (most := before + len(clients["download"]) + 5):
                    break
                await asyncio.sleep(0.05)
            assert descriptors() <= most
            for kind in ("silent", "slow head", "one too many"):
                assert {*answers[kind]} == {b""}, kind
            assert {answer[:15] for answer in answers["blank lines"]} == {b"HTTP/1.1 200 OK"}
            assert {answer[:12] for answer in answers["slow body"] + answers["slow upload"]} == {b"HTTP/1.1 408"}
            assert {answer[:12] for answer in answers["unwanted body"]} == {b"HTTP/1.1 401"}
            for one in clients["download"]:
                one.socket.close()
            assert not list((tmp_path / "uploads").iterdir())
            await served(client)


async def test_descriptors_that_run_out_end_nothing(site, caplog):
    """What waits to be accepted is, as soon as there are some again; it is told once."""
    port = int(site.url.rpartition(":")[2])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    waiting = [Slow(port, head("GET", "/health", "", "Connection: close")) for _ in range(3)]
    taken = descriptors()
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken - 1, hard))
    try:
        await asyncio.gather(*(one.begin() for one in waiting))
        await asyncio.sleep(0.1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    async with asyncio.timeout(20):
        answers = [await one.rest() for one in waiting]
    assert {answer[:15] for answer in answers} == {b"HTTP/1.1 200 OK"}
    told = [record.name for record in caplog.records if record.name in {"asyncio", "lumeflow.server"}]
    assert told == ["lumeflow.server"]


@pytest.mark.parametrize(("limit", "most"), [(256, 64), (1024, 262), (4500, 2000), (resource.RLIM_INFINITY, 2000)])
def test_there_are_no_more_connections_than_descriptors_for_them(monkeypatch, limit, most):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert affordable(2000) == most


def test_more_descriptors_are_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    assert affordable(2000) == 2000
    assert asked == [(4500, resource.RLIM_INFINITY)]


def test_nobody_takes_all_the_room():
    room = Room(100)
    assert room.take("a", 50)
    assert not room.take("a", 1)
    assert room.take("b", 50)
    assert not room.take("c", 1)
    room.give_back("a", 50)
    assert room.take("c", 50)


async def test_large_bodies_share_what_memory_there_is(tmp_path):
    config = ServerConfig(body_memory=2 * FREE, body_timeout=5)
    async with a_site(tmp_path, config) as site:
        client, other, key = await site.client(), await site.client(), await site.key()
        port = int(site.url.rpartition(":")[2])
        lines = ("Content-Type: application/json", f"Content-Length: {3 * FREE}")
        holding = Slow(port, head("POST", "/api/workflows", key, *lines) + b" " * 2 * FREE)
        await holding.begin()
        send = {"content": b" " * 3 * FREE, "headers": {"Content-Type": "application/json"}}
        answer = problem(await client.post("/api/workflows", **send), 503, "too-busy")
        assert "upload" in answer["detail"]
        assert (await client.get("/api/workflows")).status_code == 200
        holding.socket.close()
        small = {**send, "content": b" " * 2 * FREE}
        for _ in range(100):
            if (answer := await other.post("/api/workflows", **small)).status_code != 503:
                break
            await asyncio.sleep(0.05)
        assert answer.status_code == 422


async def test_a_client_that_sends_on_can_read_why_nobody_listens(site):
    """Were the connection closed at once, the answer would be lost on its way."""
    key = await site.key()
    for start in (
        head("POST", "/api/workflows", key, "Content-Length: 10000000000"),
        head("POST", "/api/workflows", "lf_x", "Transfer-Encoding: chunked"),
        head("GET", "/health", "", "Transfer-Encoding: chunked"),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(site.url.rpartition(":")[2]))
        writer.write(start)
        for _ in range(20):
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await asyncio.sleep(0.005)
        async with asyncio.timeout(LINGER + 10):
            assert (await reader.read(12)).startswith(b"HTTP/1.1 ")
            while await reader.read(65536):
                pass
        writer.close()


@pytest.mark.parametrize(
    "more",
    [b"0\r\n" + b"X-Trailer: yes\r\n" * 30_000, b"1;" + b"e" * 400_000, b"0\r\nX-Trailer: " + b"e" * 400_000],
    ids=["trailers", "extension", "trailer"],
)
async def test_what_is_no_body_is_cut_off(site, more):
    start = head("POST", "/api/webhooks/default/any", "", "Transfer-Encoding: chunked")
    assert await raw(site, start + b"1\r\na\r\n" + more) == b""
    assert (await site.anonymous().get("/health")).status_code == 200
