"""What a call brings along: its account, its limits, whether it may be repeated, its demo answer."""

import asyncio
from dataclasses import replace
from typing import ClassVar

import orjson
import pytest

from lumeflow.core.errors import CallError, ErrorClass
from lumeflow.core.http import HttpResponse
from lumeflow.core.operation import RateLimit, Repeat, Terms
from lumeflow.core.secret import Secret
from lumeflow.gateway.echoes import without_echoes
from tests.gateway import world
from tests.gateway.virtual import simulated
from tests.gateway.world import CUT, TIMED_OUT, Policy, Wire, World, ok, status


class Freelance(world.Match):
    """Every call says itself on which terms it is made."""

    id: ClassVar[str] = "vendor/freelance"

    def terms(self, params, account):
        limits = {self.id: tuple(RateLimit(*limit) for limit in params.get("limits", ()))}
        own = replace(account, name=params.get("name", "x"), lane=f"{params.get('name')} {limits}", limits=limits)
        return Terms(own, Repeat(params.get("repeat", "booked")), params.get("writes", False), {"id": params["id"]})

    def demo(self, params):
        return HttpResponse(200, {}, orjson.dumps({"value": "demo", "cost": "1"})) if "demo" in params else None


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr(world, "OPERATIONS", {**world.OPERATIONS, Freelance.id: Freelance()})


async def call(world, number=0, *, policy=None, session=None, **params):
    params = {"id": number, **params}
    return await (session or world.session).call("vendor/freelance", params, node_id="n", retry=policy or Policy())


@simulated
@pytest.mark.parametrize("reaction", [CUT, TIMED_OUT, status(500), status(503), world.GARBAGE])
async def test_what_must_not_be_repeated_is_not(reaction):
    office = World(Wire(reaction, ok()))
    with pytest.raises(CallError):
        await call(office, repeat="never")
    assert len(office.wire.requests) == 1


@simulated
async def test_a_refusal_for_the_rate_did_nothing_and_is_repeated():
    office = World(Wire(status(429), world.UNSENT, ok()))
    await call(office, repeat="never")
    assert len(office.wire.requests) == 2


@simulated
async def test_a_lost_answer_of_what_must_not_be_repeated_is_in_doubt_with_its_price():
    office = World(Wire(CUT))
    with pytest.raises(CallError, match=r"may have been carried out; it is listed as in doubt and is not made again"):
        await call(office, repeat="never")
    assert (office.ledger.only.lost, office.ledger.amount) == (1, world.PRICE)
    assert office.heard.counts["doubtful"] == 1


@simulated
async def test_nor_does_a_resume_make_it_again():
    office = World(Wire(ok(), latency=10))
    begun = asyncio.create_task(call(office, repeat="never"))
    await asyncio.sleep(1)
    begun.cancel()
    successor = office.open(office.ledger.other_owner())
    with pytest.raises(CallError, match="an earlier run made this call") as caught:
        await call(office, session=successor, repeat="never")
    assert caught.value.error_class is ErrorClass.NETWORK
    assert len(office.wire.requests) == 1


@simulated
async def test_calls_are_the_same_by_what_they_ask_for_and_not_by_how():
    office = World(Wire(ok(), latency=1))
    both = await asyncio.gather(call(office, limits=[(5, 1.0)]), call(office, limits=[(6, 1.0)]))
    assert sorted(each.replayed for each in both) == [False, True]
    assert orjson.loads(b'{"id":0}') == {"id": 0}
    assert len(office.wire.requests) == 1


@simulated
async def test_accounts_of_their_own_have_calls_limits_and_entries_of_their_own():
    office = World(Wire(ok(), latency=0.01))
    started = asyncio.get_running_loop().time()
    slow = [call(office, number, name="slow", limits=[(5, 1.0)]) for number in range(20)]
    fast = [call(office, number, name="fast") for number in range(20)]
    await asyncio.gather(*fast)
    assert asyncio.get_running_loop().time() - started < 0.5
    await asyncio.gather(*slow)
    assert 3.0 < asyncio.get_running_loop().time() - started < 3.5
    assert len(office.ledger.entries) == 40


@simulated
async def test_a_call_that_brings_its_answer_needs_nobody_in_demo_mode():
    office = World(Wire(ok()))
    demo = office.open(world.MemoryLedger(), transport=Wire(status(404)))
    assert (await call(office, session=demo, demo=True)).value["value"] == "demo"
    mocked = office.open(world.MemoryLedger(), transport=Wire(status(404)), mocks={"vendor": {"value": "mock"}})
    assert (await call(office, session=mocked, demo=True)).value["value"] == "mock"
    assert (await call(office, demo=True)).value["value"] == 1


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b'{"key": "s3cret-k/y+"}', b'{"key": "***"}'),
        (b"url?key=s3cret-k%2Fy%2B&x", b"url?key=***&x"),
        (b'{"a":"line\\"break-1"}', b'{"a":"***"}'),
        (b"nothing", b"nothing"),
        (b"a short word", b"a short word"),
    ],
)
def test_echoes_are_taken_out_in_every_spelling(body, left):
    secrets = [Secret("s3cret-k/y+"), Secret('line"break-1'), Secret("short"), Secret("")]
    response = HttpResponse(200, {"x-key": "is s3cret-k/y+", "x-other": "y"}, body)
    clean = without_echoes(response, secrets)
    assert clean.body == left
    assert clean.headers == {"x-key": "is ***", "x-other": "y"}


def test_an_answer_without_echoes_is_the_same_object():
    response = HttpResponse(200, {"a": "b"}, b"c")
    assert without_echoes(response, [Secret("s3cret-key")]) is response
