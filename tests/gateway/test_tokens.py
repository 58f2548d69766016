"""Tokens: fetched once, shared, renewed when they expire or are refused, never written down. Times are virtual."""

import asyncio
from typing import ClassVar

import orjson
import pytest

from lumeflow.core.errors import AnswerLost, CallError, ErrorClass, ForbiddenAddress, NotSent
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.operation import Account, Failure, Grant, Token
from lumeflow.core.secret import Secret
from lumeflow.gateway import Accounts, Gateway
from tests.gateway import world
from tests.gateway.virtual import simulated
from tests.gateway.world import MemoryLedger, Policy, Recorder, Wire

TOKENS = "https://id.example.com/token"


class Shielded(world.Match):
    """A call that needs a token."""

    id: ClassVar[str] = "vendor/shielded"

    def grant(self, params, account: Account):
        return Grant(HttpRequest("POST", TOKENS, {"Authorization": "Basic x"}), read)

    def build(self, params, account):
        token = account.token
        assert token is not None
        return HttpRequest(
            "POST", "https://vendor.example.com/", {"Authorization": token.reveal()}, b"{}", secrets=(token,)
        )


def read(response):
    if response.status == 200:
        body = orjson.loads(response.body)
        return Token(Secret(body["token"]), body.get("seconds"))
    classes = {400: ErrorClass.AUTH, 429: ErrorClass.RATE_LIMIT}
    return Failure(
        classes.get(response.status, ErrorClass.SERVER_ERROR), "no token", 3.0 if response.status == 429 else None
    )


class Vendor:
    """Gives out tokens and takes those that are good."""

    def __init__(self, *, seconds=None, uses=10**6, refuse=()):
        self.seconds, self.uses = seconds, uses
        self.refuse = list(refuse)
        self.given = []
        self.used = {}
        self.refused = 0

    def __call__(self, request):
        if request.url == TOKENS:
            if self.refuse:
                refusal = self.refuse.pop(0)
                return refusal if isinstance(refusal, Exception) else HttpResponse(refusal)
            self.given.append(f"token-{len(self.given)}")
            return HttpResponse(200, {}, orjson.dumps({"token": self.given[-1], "seconds": self.seconds}))
        token = request.headers["Authorization"]
        self.used[token] = self.used.get(token, 0) + 1
        if self.used[token] > self.uses:
            self.refused += 1
            return HttpResponse(401)
        return HttpResponse(200, {}, orjson.dumps({"value": token.removeprefix("token-"), "cost": "0.025"}))


class Office:
    def __init__(self, vendor):
        self.vendor, self.heard, self.ledger = vendor, Recorder(), MemoryLedger()
        self.wire = Wire()
        self.wire.answer_to = vendor
        operation = Shielded()
        providers = {"vendor": world.ProviderDefaults("vendor", "https://vendor.example.com", "")}
        self.gateway = Gateway({operation.id: operation}, Accounts(providers), self.wire, clock=world.LoopClock())
        self.session = self.open()

    def open(self, **more):
        return self.gateway.session(execution_id="x", ledger=self.ledger, observer=self.heard, **more)

    async def call(self, number=0, policy=None):
        return await self.session.call("vendor/shielded", {"id": number}, node_id="n", retry=policy or Policy())


@simulated
async def test_many_calls_share_one_token():
    office = Office(Vendor())
    await asyncio.gather(*(office.call(number) for number in range(100)))
    assert office.vendor.given == ["token-0"]
    assert office.ledger.calls == 101  # the call that fetched the token bears that request too
    assert office.heard.counts["sent"] == office.heard.counts["answered"] == 101


@simulated
async def test_a_token_is_renewed_before_it_expires():
    office = Office(Vendor(seconds=100))
    await office.call(0)
    await asyncio.sleep(80)
    await office.call(1)
    assert len(office.vendor.given) == 1
    await asyncio.sleep(11)
    await office.call(2)
    assert len(office.vendor.given) == 2
    assert office.vendor.refused == 0


@simulated
async def test_a_token_that_is_refused_is_renewed_at_once_and_the_call_made_again():
    office = Office(Vendor(uses=3))
    for number in range(10):
        await office.call(number, Policy(max_retries=0))
    assert (len(office.vendor.given), office.vendor.refused) == (4, 3)
    assert office.heard.named("retried") == []
    assert office.ledger.amount == world.PRICE * 10
    assert office.ledger.calls == len(office.wire.requests)


@simulated
async def test_one_renewal_serves_all_that_were_refused_together():
    office = Office(Vendor())
    await office.call(0)
    office.vendor.used["token-0"] = 10**6
    await asyncio.gather(*(office.call(number) for number in range(1, 50)))
    assert office.vendor.given == ["token-0", "token-1"]
    assert office.vendor.refused == 49


@simulated
async def test_a_vendor_that_takes_no_token_at_all_stops_the_node():
    office = Office(Vendor(uses=0))
    with pytest.raises(CallError) as caught:
        await office.call()
    assert caught.value.error_class is ErrorClass.AUTH
    assert len(office.vendor.given) == 4
    assert office.ledger.amount == 0


@simulated
async def test_a_client_that_is_refused_is_not_asked_for_again():
    office = Office(Vendor(refuse=[400]))
    with pytest.raises(CallError, match="no token") as caught:
        await office.call()
    assert (caught.value.error_class, caught.value.status) == (ErrorClass.AUTH, 400)
    assert len(office.wire.requests) == 1
    assert office.ledger.entries == {}


@simulated
@pytest.mark.parametrize(
    "refusal",
    [500, 429, NotSent("no connection"), AnswerLost("cut", timed_out=False), AnswerLost("slow", timed_out=True)],
)
async def test_trouble_at_the_token_endpoint_is_waited_out(refusal):
    office = Office(Vendor(refuse=[refusal, refusal]))
    assert (await office.call()).value["value"] == "0"
    assert office.ledger.only.lost == 0
    assert office.ledger.amount == world.PRICE


@simulated
async def test_a_token_endpoint_at_a_forbidden_address_is_told():
    office = Office(Vendor(refuse=[ForbiddenAddress("intranet.example is not on the public internet")]))
    with pytest.raises(CallError, match="not on the public internet") as caught:
        await office.call()
    assert caught.value.error_class is ErrorClass.VALIDATION


@simulated
async def test_whoever_fetches_and_goes_away_leaves_the_fetching_to_the_next():
    office = Office(Vendor())
    office.wire.latency = 1.0
    first = asyncio.create_task(office.call(0))
    await asyncio.sleep(0.5)
    second = asyncio.create_task(office.call(1))
    await asyncio.sleep(0.1)
    first.cancel()
    assert (await second).value["value"] == "1"


@simulated
async def test_a_resume_needs_no_token_for_what_is_answered():
    office = Office(Vendor())
    await office.call()
    sent = len(office.wire.requests)
    office.session = office.open()
    assert (await office.call()).replayed
    assert len(office.wire.requests) == sent


@simulated
async def test_a_mocked_call_fetches_no_token():
    office = Office(Vendor())

    class Open(Shielded):
        def build(self, params, account):
            return HttpRequest("POST", "https://vendor.example.com/", {}, b"{}")

    office.gateway = Gateway(
        {"vendor/shielded": Open()},
        Accounts({"vendor": world.ProviderDefaults("vendor", "https://vendor.example.com", "")}),
        office.wire,
        clock=world.LoopClock(),
    )
    office.session = office.open(mocks={"vendor": {"value": "mock"}})
    assert (await office.call()).value["value"] == "mock"
    assert office.wire.requests == []


@simulated
async def test_no_token_is_stored_even_if_the_vendor_repeats_it():
    def answer(request):
        if request.url == TOKENS:
            return HttpResponse(200, {}, b'{"token": "a-much-longer-token"}')
        echo = request.headers["Authorization"]
        return HttpResponse(200, {"x-echo": echo}, orjson.dumps({"value": echo}))

    fresh = Office(Vendor())
    fresh.wire.answer_to = answer
    response = await fresh.call()
    assert response.value["value"] == "***"
    stored = fresh.ledger.only.stored.response
    assert b"longer" not in stored.body
    assert stored.headers["x-echo"] == "***"
