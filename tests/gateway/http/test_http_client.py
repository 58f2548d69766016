"""The client against servers that speak HTTP byte by byte."""

import asyncio
import gzip
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta

import pytest

from lumeflow.core.errors import AnswerLost, NotSent
from lumeflow.core.http import HttpRequest
from lumeflow.gateway import HttpTransport
from lumeflow.gateway.http import client as client_module


class Wire:
    """A server that gives each connection a list of answers, one for each request.

    Attributes:
        requests: Every request's bytes, by connection.
    """

    def __init__(self, *answers, close=False, tls=None):
        self.answers = list(answers)
        self.close = close
        self.tls = tls
        self.requests = []
        self.arrival = asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/x"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        mine = []
        self.requests.append(mine)
        try:
            while True:
                mine.append(await reader.readuntil(b"\r\n\r\n"))
                self.arrival.set()
                answer = self.answers.pop(0)
                for piece in answer if isinstance(answer, list) else [answer]:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if self.close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # also at the end of the test
        finally:
            writer.close()


@pytest.fixture
async def transport():
    transport = HttpTransport()
    yield transport
    await transport.close()


async def ask(transport, wire, method="GET", **given):
    return await transport.send(HttpRequest(method, wire.url, **given), timeout=5)


def answer(body=b"hello", *, status="200 OK", headers=(), length=True):
    lines = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {len(body)}"] if length else [])]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*pieces):
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in (*pieces, b""))
    return answer(body, headers=["Transfer-Encoding: chunked"], length=False)


async def test_a_connection_carries_one_request_after_the_other(transport):
    async with Wire(answer(b"one"), chunked(b"tw", b"o"), answer(b"", status="204 No Content", length=False), answer(b"4")) as wire:  # fmt: skip
        bodies = [(await ask(transport, wire)).body for _ in range(4)]
    assert bodies == [b"one", b"two", b"", b"4"]
    assert len(wire.requests) == 1


async def test_an_answer_may_come_in_any_pieces(transport):
    whole = chunked(b"hello ", b"world")
    async with Wire([whole[at : at + 1] for at in range(len(whole))]) as wire:
        assert (await ask(transport, wire)).body == b"hello world"


async def test_head_has_no_body_whatever_its_headers_say(transport):
    async with Wire(answer(b"", headers=["Content-Length: 5000"], length=False), answer(b"next"), close=True) as wire:
        first = await ask(transport, wire, "HEAD")
        assert (first.status, first.body) == (200, b"")
        assert (await ask(transport, wire)).body == b"next"


async def test_announcements_come_before_the_answer(transport):
    early = answer(b"", status="103 Early Hints", headers=["Link: </style.css>"], length=False)
    async with Wire(answer(b"", status="100 Continue", length=False) + early + answer(b"hello")) as wire:
        found = await ask(transport, wire)
    assert (found.status, found.body, "link" in found.headers) == (200, b"hello", False)


async def test_an_answer_without_a_length_ends_with_the_connection(transport):
    async with Wire(answer(b"until the end", length=False), answer(b"again"), close=True) as wire:
        assert (await ask(transport, wire)).body == b"until the end"
        assert (await ask(transport, wire)).body == b"again"
    assert len(wire.requests) == 2


async def test_a_server_that_wants_to_close_gets_its_way(transport):
    async with Wire(answer(headers=["Connection: close"]), answer(b"2")) as wire:
        await ask(transport, wire)
        assert (await ask(transport, wire)).body == b"2"
    assert len(wire.requests) == 2


async def test_headers_of_one_name_are_joined_and_cookies_left_out(transport):
    async with Wire(answer(headers=["X-Tag: a", "x-tag: b", "Set-Cookie: session=secret"])) as wire:
        headers = (await ask(transport, wire)).headers
    assert headers == {"x-tag": "a, b"}


async def test_packed_and_chunked_at_once(transport):
    packed = gzip.compress(b"hello " * 1000)
    body = chunked(packed[:10], packed[10:]).replace(b"Transfer", b"Content-Encoding: GZIP\r\nTransfer", 1)
    async with Wire(body) as wire:
        assert (await ask(transport, wire)).body == b"hello " * 1000


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", "not compressed"),
        (answer(gzip.compress(b"hello")[:-4], headers=["Content-Encoding: gzip"]), "cut off"),
        (answer(headers=["Content-Encoding: br"]), "not asked for"),
        (answer(headers=[f"X-Long: {'x' * 300_000}"]), "too large"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", "another protocol"),
        (b"", "closed the connection"),
    ],
)  # fmt: skip
async def test_what_is_no_whole_answer_is_lost(transport, sent, told):
    async with Wire(sent, close=True) as wire:
        with pytest.raises(AnswerLost, match=told) as caught:
            await ask(transport, wire)
    assert not caught.value.timed_out


async def test_what_nobody_asked_for_is_not_taken_for_the_next_answer(transport):
    async with Wire(answer(b"mine") + answer(b"stray"), answer(b"yours")) as wire:
        assert (await ask(transport, wire)).body == b"mine"
        assert (await ask(transport, wire)).body == b"yours"
    assert len(wire.requests) == 2


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used(transport):
    async with Wire(answer(b"one"), answer(b"two"), close=True) as wire:
        assert (await ask(transport, wire)).body == b"one"
        await asyncio.sleep(0.05)
        assert (await ask(transport, wire)).body == b"two"


async def test_idle_connections_are_closed_after_a_while(transport, monkeypatch):
    monkeypatch.setattr(client_module, "_IDLE_SECONDS", 0.05)
    async with Wire(answer(b"one"), answer(b"two")) as wire:
        await ask(transport, wire)
        await asyncio.sleep(0.15)
        await ask(transport, wire)
    assert [len(each) for each in wire.requests] == [1, 1]


async def test_a_cancelled_call_takes_its_connection_along(transport):
    async with Wire([b"HTTP/1.1 200 OK\r\n"], answer(b"two")) as wire:
        call = asyncio.create_task(ask(transport, wire))
        await wire.arrival.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (await ask(transport, wire)).body == b"two"
    assert len(wire.requests) == 2


async def test_a_name_is_looked_up_once_for_all_who_ask():
    asked = []

    async def resolve(host):
        asked.append(host)
        await asyncio.sleep(0.01)
        return ["127.0.0.1"]

    transport = HttpTransport(resolve=resolve)
    async with Wire(*[answer() for _ in range(20)]) as wire:
        wire.url = wire.url.replace("127.0.0.1", "vendor.example.com")
        await asyncio.gather(*(ask(transport, wire) for _ in range(20)))
        await transport.close()
    assert asked == ["vendor.example.com"]
    assert wire.requests[0][0].split(b"\r\n")[1] == f"Host: vendor.example.com:{wire.port}".encode()


async def test_a_failed_look_up_is_tried_again():
    results = [OSError(None, "no such host"), ["127.0.0.1"]]

    async def resolve(host):
        found = results.pop(0)
        if isinstance(found, OSError):
            raise found
        return found

    transport = HttpTransport(resolve=resolve)
    async with Wire(answer()) as wire:
        wire.url = wire.url.replace("127.0.0.1", "vendor.example.com")
        with pytest.raises(NotSent, match="no such host"):
            await ask(transport, wire)
        assert (await ask(transport, wire)).status == 200
        await transport.close()


async def test_another_address_is_tried_where_one_does_not_answer():
    async def resolve(host):
        return ["::1", "127.0.0.1"]

    transport = HttpTransport(resolve=resolve)
    async with Wire(answer()) as wire:
        wire.url = wire.url.replace("127.0.0.1", "vendor.example.com")
        assert (await ask(transport, wire)).status == 200
        await transport.close()


def certificate(folder):
    """A server's certificate for 127.0.0.1, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


async def test_tls_with_a_certificate_that_is_trusted_and_one_that_is_not(transport, tmp_path, monkeypatch):
    path = certificate(tmp_path)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(path)
    async with Wire(answer(b"one"), answer(b"two"), tls=served) as wire:
        with pytest.raises(NotSent, match="no connection to"):
            await ask(transport, wire)
        trusting = ssl.create_default_context(cafile=str(path))
        monkeypatch.setattr(client_module, "_tls", lambda: trusting)
        assert [(await ask(transport, wire)).body for _ in range(2)] == [b"one", b"two"]
        await transport.close()
