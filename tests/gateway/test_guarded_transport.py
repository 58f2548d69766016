"""The guard at work: what a guarded request connects to, whatever names say and redirects want."""

import pytest

from lumeflow.core.errors import AnswerTooLarge, ForbiddenAddress, NotSent
from lumeflow.core.http import HttpRequest
from lumeflow.gateway import Guard, HttpTransport
from tests.gateway.test_transport import Server

PUBLIC = "93.184.216.34"


class Names:
    """Resolves every name to the next of some lists of addresses; the last one stays."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def __call__(self, host):
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
async def server():
    server = Server()
    await server.start()
    yield server
    await server.stop()


async def send(request, *, guard=None, names=None):
    transport = HttpTransport(guard=guard, resolve=names)
    try:
        return await transport.send(request, timeout=5)
    finally:
        await transport.close()


def guarded(url, method="GET"):
    return HttpRequest(method, url, guarded=True)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "127.1", "0x7f.1", "0177.1", "[::ffff:127.0.0.1]"]
)
async def test_a_server_on_this_machine_is_out_of_reach(server, host):
    with pytest.raises(ForbiddenAddress):
        await send(guarded(f"http://{host}:{server.port}/"))
    assert server.seen == []


async def test_addresses_of_the_operator_are_not_guarded(server):
    assert (await send(HttpRequest("GET", server.url))).status == 200


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1", "192.168.0.1"], ["::1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["fe80::1%1"]],
)
async def test_a_name_that_leads_inside_is_refused(server, addresses):
    names = Names(addresses)
    with pytest.raises(ForbiddenAddress, match=r"rebind\.example\.com is not on the public internet"):
        await send(guarded(f"http://rebind.example.com:{server.port}/"), names=names)
    assert (names.asked, server.seen) == (["rebind.example.com"], [])


async def test_of_several_addresses_only_the_allowed_ones_are_tried(server):
    names = Names(["10.255.255.1", "127.0.0.1"])
    url = f"http://both.example.com:{server.port}/"
    assert (await send(guarded(url), guard=Guard(["127.0.0.1"]), names=names)).status == 200


async def test_a_name_that_changes_its_mind_is_asked_once_and_connected_to_that(server):
    """Rebinding: the first answer passes the check, the second would not. It is the first that is used."""
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    url = f"http://rebind.example.com:{server.port}/"
    assert (await send(guarded(url), guard=Guard(["127.0.0.1"]), names=names)).status == 200
    names = Names(["10.0.0.1"], ["127.0.0.1"])
    with pytest.raises(ForbiddenAddress):
        await send(guarded(url), guard=Guard(["127.0.0.1"]), names=names)
    assert len(server.seen) == 1


async def test_the_socket_is_checked_even_if_all_else_were_passed(server):
    class Asleep(Guard):
        def check_url(self, url):
            pass

    with pytest.raises((ForbiddenAddress, NotSent)):
        await send(guarded(server.url), guard=Asleep())
    assert server.seen == []


async def test_an_unguarded_connection_is_not_lent_to_a_guarded_request(server):
    transport = HttpTransport()
    assert (await transport.send(HttpRequest("GET", server.url), timeout=5)).status == 200
    with pytest.raises(ForbiddenAddress):
        await transport.send(guarded(server.url), timeout=5)
    await transport.close()
    assert len(server.seen) == 1


async def test_names_that_the_operator_allows_are_connected_to_wherever_they_lead(server):
    url = f"http://crm.intranet.example:{server.port}/"
    answer = await send(guarded(url), guard=Guard(["*.intranet.example"]), names=Names(["127.0.0.1"]))
    assert answer.status == 200


@pytest.mark.parametrize("length", [True, False])
async def test_an_answer_may_be_limited_by_its_request(server, length):
    async def handle(request):
        from aiohttp import web

        if length:
            return web.Response(body=b"x" * 2000)
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x" * 2000)
        await response.write_eof()
        return response

    server.handle = handle
    assert len((await send(HttpRequest("GET", server.url, largest=2000))).body) == 2000
    with pytest.raises(AnswerTooLarge, match="larger than 1999 bytes"):
        await send(HttpRequest("GET", server.url, largest=1999))
