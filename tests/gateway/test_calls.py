"""What becomes of a call, by how it fails and by what its operation allows. Times are virtual."""

import asyncio
from decimal import Decimal

import pytest

from lumeflow.core.errors import CallError, ErrorClass, StorageError, UsageError
from lumeflow.core.operation import ProviderDefaults, RateLimit
from lumeflow.gateway import Accounts, CallObserver, Gateway, Limits, SilentObserver
from tests.gateway.virtual import run, simulated
from tests.gateway.world import (
    CUT,
    GARBAGE,
    OPERATIONS,
    PRICE,
    TIMED_OUT,
    UNSENT,
    Match,
    MemoryLedger,
    Policy,
    Start,
    Wire,
    World,
    ok,
    status,
)

ONLY_SERVER_ERRORS = Policy(retryable_errors=(ErrorClass.SERVER_ERROR,))


@simulated
async def test_an_answer_is_stored_before_it_is_given_out():
    world = World(Wire(ok("Lena")))
    response = await world.call()
    assert response.value["value"] == "Lena"
    assert (response.charge.amount, response.replayed) == (PRICE, False)
    assert world.ledger.log == ["claim", "answer"]
    entry = world.ledger.only
    assert (entry.attempts, entry.amount, entry.node_id) == (1, PRICE, "n")
    assert entry.stored.duration_ms == 100
    assert world.heard.counts == {"sent": 1, "answered": 1}
    (answered,) = world.heard.named("answered")
    assert answered[:2] == ("n", "vendor")
    assert answered[3] == pytest.approx(0.1)


# Columns: operation, reactions of the vendor, policy, and what is left: requests written, requests counted by the
# ledger, money booked, answers lost.
ENDS_WELL = [
    ("match", [ok()], Policy(), 1, 1, "0.025", 0),
    ("match", [status(500), ok()], Policy(), 2, 2, "0.025", 0),
    ("match", [status(503), status(502), status(500), ok()], Policy(), 4, 4, "0.025", 0),
    ("match", [status(429, retry_after="2"), ok()], Policy(max_retries=0), 2, 2, "0.025", 0),
    ("match", [status(408), ok()], Policy(), 2, 2, "0.025", 0),
    ("match", [UNSENT, UNSENT, UNSENT, ok()], Policy(max_retries=0, retryable_errors=()), 1, 1, "0.025", 0),
    ("match", [TIMED_OUT, ok()], Policy(), 2, 2, "0.050", 1),
    ("match", [CUT, CUT, ok()], Policy(), 3, 3, "0.075", 2),
    ("match", [GARBAGE, ok()], Policy(), 2, 2, "0.050", 1),
    ("match", [CUT, ok(cost="0")], Policy(), 2, 2, "0", 1),  # the final answer's price is the better guess
    ("match", [status(402, retry_after="3", x_should_retry="yes"), ok()], Policy(), 2, 2, "0.025", 0),
    ("find", [TIMED_OUT, CUT, GARBAGE, ok()], Policy(max_retries=0, retryable_errors=()), 4, 4, "0.025", 3),
    (
        "find",
        [status(500), status(429), status(408), ok()],
        Policy(max_retries=0, retryable_errors=()),
        4,
        4,
        "0.025",
        0,
    ),
    ("poll", [status(500), CUT, ok(pending=True)], Policy(max_retries=0), 3, 0, "0", 0),
    ("push", [status(500), ok()], Policy(), 2, 2, "0.025", 0),
]


@pytest.mark.parametrize(("name", "script", "policy", "written", "counted", "money", "lost"), ENDS_WELL)
def test_calls_that_end_well(name, script, policy, written, counted, money, lost):
    async def scenario():
        world = World(Wire(*script))
        response = await world.call(name, policy=policy)
        assert response.value["value"] == 1
        assert len(world.wire.requests) == written
        assert world.ledger.calls == counted
        assert world.ledger.amount == Decimal(money)
        assert sum(entry.lost for entry in world.ledger.entries.values()) == lost
        assert world.heard.counts["sent"] == written
        assert world.heard.counts["retried"] == len(script) - 1
        assert world.heard.counts["doubtful"] == (lost if name == "match" else 0)
        assert world.heard.counts["failed"] == 0

    run(scenario())


# Columns: operation, reactions, policy, class of the error, what its message holds, requests written, state left behind,
# money booked as possible.
ENDS_BADLY = [
    ("match", [status(401)], Policy(), "AUTH", "Check the secret VENDOR_API_KEY", 1, "released", "0"),
    ("match", [status(402)], Policy(), "QUOTA", "status 402", 1, "released", "0"),
    ("match", [status(404)], Policy(), "NOT_FOUND", "vendor/match failed (status 404)", 1, "released", "0"),
    ("match", [status(422, x_detail="name missing")], Policy(), "VALIDATION", "name missing", 1, "released", "0"),
    ("match", [status(500)], Policy(), "SERVER_ERROR", "Given up after 4 attempts", 4, "released", "0"),
    ("match", [status(500)], Policy(retryable_errors=()), "SERVER_ERROR", "status 500", 1, "released", "0"),
    ("match", [status(500, x_should_retry="no")], Policy(), "SERVER_ERROR", "status 500", 1, "released", "0"),
    ("match", [status(429)], Policy(retryable_errors=()), "RATE_LIMIT", "status 429", 1, "released", "0"),
    ("match", [status(429)], Policy(), "RATE_LIMIT", "Given up after 21 attempts", 21, "released", "0"),
    ("match", [TIMED_OUT], Policy(), "TIMEOUT", "listed as in doubt", 4, "lost", "0.100"),
    ("match", [TIMED_OUT], ONLY_SERVER_ERRORS, "TIMEOUT", "no answer in time", 1, "lost", "0.025"),
    ("match", [CUT], ONLY_SERVER_ERRORS, "NETWORK", "the connection broke", 1, "lost", "0.025"),
    ("match", [GARBAGE], ONLY_SERVER_ERRORS, "INVALID_RESPONSE", "no JSON", 1, "lost", "0.025"),
    ("match", [UNSENT], Policy(max_retries=0), "NETWORK", "no connection", 0, "released", "0"),
    ("find", [CUT], Policy(max_retries=0), "NETWORK", "Given up after 4 attempts", 4, "lost", "0.100"),
    ("poll", [status(500)], Policy(max_retries=0), "SERVER_ERROR", "Given up after 4 attempts", 4, None, "0"),
]


@pytest.mark.parametrize(("name", "script", "policy", "error_class", "text", "written", "state", "money"), ENDS_BADLY)
def test_calls_that_end_badly(name, script, policy, error_class, text, written, state, money):
    async def scenario():
        world = World(Wire(*script))
        with pytest.raises(CallError) as caught:
            await world.call(name, policy=policy)
        error = caught.value
        assert (str(error.error_class), error.operation) == (error_class, f"vendor/{name}")
        assert text in str(error)
        assert len(world.wire.requests) == written
        assert [entry.state for entry in world.ledger.entries.values()] == ([state] if state else [])
        assert world.ledger.amount == Decimal(money)
        assert world.heard.named("failed") == [("n", error.operation, error.error_class, str(error))]

    run(scenario())


@simulated
async def test_paid_but_unusable_answers_are_kept():
    world = World(Wire(GARBAGE, ok()))
    await world.call()
    assert world.ledger.only.unusable == [GARBAGE]


@simulated
async def test_an_answer_on_which_the_operations_code_breaks_is_kept_and_booked():
    world = World(Wire(ok(crash=True)))
    with pytest.raises(CallError, match="reading the answer failed with KeyError") as caught:
        await world.call()
    assert caught.value.error_class is ErrorClass.INTERNAL
    assert world.ledger.only.state == "lost"
    assert len(world.ledger.only.unusable) == 1
    assert world.ledger.amount == PRICE


@simulated
async def test_a_request_that_cannot_be_built_is_never_sent(monkeypatch):
    world = World(Wire(ok()))
    monkeypatch.setattr(Match, "build", lambda *args: 1 / 0)
    with pytest.raises(CallError, match="building the request failed with ZeroDivisionError"):
        await world.call()
    assert world.ledger.log == []


@simulated
async def test_backoff_starts_when_the_failure_is_known():
    world = World(Wire(status(500), status(500), ok()))
    await world.call(policy=Policy(jitter=0))
    first, second, third = world.wire.written
    assert second - first == pytest.approx(0.1 + 1.0, abs=0.05)
    assert third - second == pytest.approx(0.1 + 2.0, abs=0.05)


@simulated
async def test_no_claim_is_open_while_a_call_waits_to_be_repeated():
    world = World(Wire(status(500), ok()))
    task = asyncio.create_task(world.call())
    await asyncio.sleep(0.3)
    assert world.ledger.only.state == "released"
    await task


@simulated
async def test_unsettled_answers_are_given_out_and_asked_anew():
    world = World(Wire(ok("running", pending=True), ok("done")))
    assert (await world.call()).value["value"] == "running"
    assert world.ledger.only.state == "released"
    assert (await world.call()).value["value"] == "done"
    assert world.ledger.only.state == "answered"
    assert (await world.call()).replayed
    assert world.ledger.calls == 2


@simulated
async def test_writes_are_never_shared_and_others_are():
    world = World(Wire(ok()))
    for position in ("1", "2", "2"):
        await world.session.call("vendor/push", {"a": 1}, node_id="n", retry=Policy(), position=position)
    assert len(world.wire.requests) == 2
    await world.call("match", a=1)
    await world.call("match", a=1, node="other")
    assert len(world.wire.requests) == 3


class TestKeysAndAccounts:
    @simulated
    async def test_without_a_key_nothing_is_sent(self):
        world = World(Wire(ok()), key=None)
        with pytest.raises(CallError, match="Set VENDOR_API_KEY in the environment") as caught:
            await world.call()
        assert caught.value.error_class is ErrorClass.AUTH
        assert (world.wire.requests, world.ledger.log) == ([], [])

    @simulated
    async def test_demo_mode_needs_no_key_no_rate_and_no_network(self):
        demo = Wire(ok("demo"), latency=0.0)
        limits = {"*": (RateLimit(1, 60.0),)}
        world = World(Wire(ok()), key=None, limits=limits, session={"transport": demo})
        values = await asyncio.gather(*(world.call(id=str(n)) for n in range(50)))
        assert {response.value["value"] for response in values} == {"demo"}
        assert asyncio.get_running_loop().time() == pytest.approx(1000.0, abs=0.02)
        assert world.wire.requests == []
        assert world.ledger.log.count("answer") == 50, "the ledger is on"

    @simulated
    async def test_an_unknown_operation_is_a_usage_error_with_a_suggestion(self):
        with pytest.raises(UsageError, match="Did you mean 'vendor/match'"):
            await World(Wire()).call("mach")

    @simulated
    async def test_messages_never_hold_the_key_or_the_parameters(self):
        world = World(Wire(status(422, x_detail="key k-secret is wrong")))
        with pytest.raises(CallError) as caught:
            await world.call(email="lena@example.com")
        assert "k-secret" not in str(caught.value)
        assert "lena" not in str(caught.value)


class TestLedgerTrouble:
    @simulated
    async def test_if_the_claim_cannot_be_written_nothing_is_sent_and_the_slot_is_free(self):
        world = World(Wire(ok()), limits={"*": (RateLimit(1, 60.0),)})
        world.ledger.broken.add("claim")
        with pytest.raises(StorageError, match="disk full"):
            await world.call()
        assert world.wire.requests == []
        world.ledger.broken.clear()
        world.ledger.entries.clear()
        await world.call()
        assert asyncio.get_running_loop().time() < 1001

    @simulated
    async def test_an_answer_that_cannot_be_stored_is_not_given_out(self):
        world = World(Wire(ok()))
        world.ledger.broken.add("answer")
        with pytest.raises(StorageError):
            await world.call()
        assert world.ledger.only.state == "claimed", "in doubt for the next process"


class TestBudget:
    @simulated
    async def test_the_call_that_would_exceed_the_limit_is_not_made(self):
        world = World(Wire(ok()), session={"budget": Limits(cost=Decimal("0.06"))})
        outcomes = await asyncio.gather(*(world.call(id=str(n)) for n in range(5)), return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, CallError)]
        assert len(world.wire.requests) == 2
        assert [error.error_class for error in refused] == [ErrorClass.LIMIT] * 3
        assert world.ledger.amount == Decimal("0.050")

    @simulated
    async def test_calls_that_turn_out_cheaper_make_room(self):
        world = World(Wire(ok(cost="0")), session={"budget": Limits(cost=Decimal("0.03"))})
        await asyncio.gather(*(world.call(id=str(n)) for n in range(5)))
        assert len(world.wire.requests) == 5

    @simulated
    async def test_lost_answers_count_as_paid(self):
        world = World(Wire(CUT, ok()), session={"budget": Limits(cost=Decimal("0.04"))})
        with pytest.raises(CallError) as caught:
            await world.call()
        assert caught.value.error_class is ErrorClass.LIMIT

    @simulated
    async def test_polls_are_not_counted(self):
        world = World(Wire(ok()), session={"budget": Limits(calls=1)})
        for _ in range(5):
            await world.call("poll")
        await world.call("match")
        with pytest.raises(CallError, match="limit is 1"):
            await world.call("match", id="2")


class TestStartsThatMustNotBeRepeated:
    """LOOK_FIRST: the vendor is asked what became of a start whose answer was lost."""

    def vendor(self, *reactions, started):
        """Reactions to starts; `started` answers the question (None: 404)."""
        script = list(reactions)

        def answer(request):
            if request.method == "GET":
                found = started.pop(0) if len(started) > 1 else started[0]
                return status(404) if found is None else found
            return script.pop(0)

        wire = Wire()
        wire.answer_to = answer
        return wire

    @pytest.mark.parametrize("loss", [TIMED_OUT, CUT, GARBAGE, status(500), status(408)])
    def test_a_start_that_happened_is_found_and_not_repeated(self, loss):
        async def scenario():
            world = World(self.vendor(loss, started=[ok("run-1", cost="0.10")]), concurrency=1)
            response = await world.call("start", policy=Policy(max_retries=0))
            assert response.value["value"] == "run-1"
            assert [request.method for request in world.wire.requests] == ["POST", "GET"]
            assert world.ledger.amount == Decimal("0.10")
            assert world.ledger.only.lost == 0

        run(scenario())

    def test_what_the_vendor_says_of_it_is_kept_without_the_key(self):
        async def scenario():
            vendor = self.vendor(CUT, started=[ok("run of k-secret", headers={"x-for": "k-secret"})])
            world = World(vendor)
            response = await world.call("start", policy=Policy(max_retries=0))
            assert response.value["value"] == "run of ***"
            assert "k-secret" not in repr(world.ledger.entries)

        run(scenario())

    def test_a_start_that_never_happened_is_sent_again(self):
        async def scenario():
            world = World(self.vendor(CUT, ok("run-1"), started=[None]))
            response = await world.call("start", policy=Policy(max_retries=0))
            assert response.value["value"] == "run-1"
            assert [request.method for request in world.wire.requests] == ["POST", "GET", "POST"]
            assert world.ledger.amount == PRICE

        run(scenario())

    def test_questions_are_repeated_like_everything_that_is_free(self):
        async def scenario():
            trouble = [status(500), status(429, retry_after="3"), CUT, ok("run-1")]
            world = World(self.vendor(TIMED_OUT, started=trouble))
            assert (await world.call("start")).value["value"] == "run-1"
            assert len(world.wire.requests) == 5

        run(scenario())

    def test_if_the_vendor_cannot_be_asked_the_start_stays_in_doubt(self):
        async def scenario():
            world = World(self.vendor(CUT, started=[status(500)]))
            with pytest.raises(CallError, match="could not be asked what became of it") as caught:
                await world.call("start")
            assert caught.value.error_class is ErrorClass.SERVER_ERROR
            assert [request.method for request in world.wire.requests] == ["POST", "GET", "GET", "GET", "GET"]
            assert world.ledger.only.state == "lost"
            assert world.ledger.amount == PRICE

        run(scenario())

    def test_an_unusable_finding_is_not_asked_for_again_and_again(self):
        async def scenario():
            world = World(self.vendor(CUT, started=[GARBAGE]))
            with pytest.raises(CallError) as caught:
                await world.call("start", policy=Policy(max_retries=0))
            assert caught.value.error_class is ErrorClass.INVALID_RESPONSE
            assert world.ledger.only.state == "lost"

        run(scenario())


class TestResume:
    """What a second process does with what the first one left behind."""

    async def interrupted(self, name):
        """A ledger whose owner died between sending and storing."""
        ledger = MemoryLedger()
        world = World(Wire(ok(), latency=1000.0), ledger=ledger)
        task = asyncio.create_task(world.call(name))
        await asyncio.sleep(1)
        assert ledger.only.state == "claimed"
        task.cancel()
        return ledger.other_owner()

    @simulated
    async def test_stored_answers_are_read_again_and_not_paid_again(self):
        first = World(Wire(ok("Lena")))
        await first.call()
        second = World(Wire(status(500)), ledger=first.ledger.other_owner(), key=None)
        response = await second.call()
        assert (response.value["value"], response.charge.amount, response.replayed) == ("Lena", PRICE, True)
        assert second.wire.requests == []
        assert second.heard.counts == {"replayed": 1}

    @simulated
    async def test_a_stored_answer_that_is_now_read_as_a_failure_fails_without_being_paid_again(self, monkeypatch):
        first = World(Wire(ok()))
        await first.call()
        second = World(Wire(ok()), ledger=first.ledger.other_owner())
        failure = Match().judge({}, status(404), None)
        monkeypatch.setattr(Match, "judge", lambda *args: failure)
        with pytest.raises(CallError) as caught:
            await second.call()
        assert caught.value.error_class is ErrorClass.NOT_FOUND
        assert second.wire.requests == []

    @simulated
    async def test_a_paid_call_in_doubt_is_repeated_booked_and_reported(self):
        ledger = await self.interrupted("match")
        world = World(Wire(ok(cost="0.03")), ledger=ledger)
        await world.call()
        assert world.heard.named("doubtful") == [("n", "vendor/match", PRICE)]
        assert (ledger.only.lost, ledger.amount) == (1, Decimal("0.06"))

    @simulated
    async def test_losses_of_all_processes_add_up(self):
        ledger = await self.interrupted("match")
        world = World(Wire(CUT, ok()), ledger=ledger)
        await world.call()
        assert (ledger.only.lost, ledger.calls, ledger.amount) == (2, 3, 3 * PRICE)

    @simulated
    async def test_a_free_call_in_doubt_is_just_repeated(self):
        ledger = await self.interrupted("find")
        world = World(Wire(ok()), ledger=ledger)
        await world.call("find")
        assert world.heard.named("doubtful") == []
        assert ledger.amount == PRICE

    @simulated
    async def test_a_start_in_doubt_is_looked_for(self):
        ledger = await self.interrupted("start")
        world = World(Wire(ok("run-1")), ledger=ledger)
        response = await world.call("start")
        assert response.value["value"] == "run-1"
        assert [request.method for request in world.wire.requests] == ["GET"]
        assert (ledger.only.lost, ledger.amount) == (0, PRICE)

    @simulated
    async def test_a_start_in_doubt_that_never_happened_is_made(self):
        ledger = await self.interrupted("start")
        world = World(Wire(status(404), ok("run-1")), ledger=ledger)
        assert (await world.call("start")).value["value"] == "run-1"
        assert [request.method for request in world.wire.requests] == ["GET", "POST"]
        assert (ledger.only.lost, ledger.amount) == (0, PRICE)

    @simulated
    async def test_without_a_key_nobody_is_asked(self):
        ledger = await self.interrupted("start")
        world = World(Wire(ok()), ledger=ledger, key=None)
        with pytest.raises(CallError, match="VENDOR_API_KEY"):
            await world.call("start")
        assert world.wire.requests == []


class TestPlacesToDie:
    @simulated
    async def test_fault_points_stand_around_every_commit_and_the_call(self, monkeypatch):
        world = World(Wire(ok()))
        steps = world.ledger.log
        send = world.wire.send_noticed

        async def noticed(*args, **kwargs):
            steps.append("send")
            return await send(*args, **kwargs)

        monkeypatch.setattr(world.wire, "send_noticed", noticed)
        for module in ("effect", "books"):
            monkeypatch.setattr(f"lumeflow.gateway.{module}.fault_point", steps.append)
        await world.call()
        assert steps == ["claim", "gateway.claimed", "send", "gateway.answered", "answer", "gateway.stored"]


class TestOperationsWithBugs:
    @simulated
    async def test_headers_that_cannot_be_read_do_not_cost_the_answer(self, monkeypatch, caplog):
        monkeypatch.setattr(Match, "rates", lambda *args: int("no number"))
        world = World(Wire(ok("Lena")))
        assert (await world.call()).value["value"] == "Lena"
        assert "vendor/match: reading an answer's rate limits failed with ValueError" in caplog.text

    @simulated
    async def test_a_question_that_breaks_leaves_the_start_in_doubt(self, monkeypatch):
        async def broken(*args):
            raise KeyError("id")

        monkeypatch.setattr(Start, "recover", broken)
        world = World(Wire(CUT))
        with pytest.raises(CallError, match=r"could not be asked what became of it .KeyError.") as caught:
            await world.call("start")
        assert caught.value.error_class is ErrorClass.INTERNAL
        assert world.ledger.only.state == "lost"

    @simulated
    async def test_its_own_errors_are_passed_on(self, monkeypatch):
        def refuse(*args):
            raise CallError(ErrorClass.VALIDATION, "no such actor", operation="vendor/match")

        monkeypatch.setattr(Match, "build", refuse)
        with pytest.raises(CallError, match="no such actor"):
            await World(Wire()).call()


@simulated
async def test_questions_wait_for_unreachable_vendors_too():
    wire = Wire(CUT, UNSENT, status(404), ok("run-1"))
    world = World(wire)
    assert (await world.call("start")).value["value"] == "run-1"
    assert [request.method for request in wire.requests] == ["POST", "GET", "POST"]


@simulated
async def test_providers_without_keys_need_none():
    providers = {"vendor": ProviderDefaults("vendor", "https://vendor.example.com", "")}
    gateway = Gateway(OPERATIONS, Accounts(providers), Wire(ok()))
    session = gateway.session(execution_id="x", ledger=MemoryLedger(), observer=SilentObserver())
    response = await session.call("vendor/match", {"id": "1"}, node_id="n", retry=Policy())
    assert response.value["value"] == 1
    await gateway.close()


@simulated
async def test_the_silent_observer_hears_everything():
    """It has every method that the gateway calls."""
    wire = Wire(status(500), status(429), CUT, ok(), status(422))
    world = World(wire)
    world.session = world.open(world.ledger)
    silent = world.gateway.session(execution_id="y", ledger=MemoryLedger(), observer=SilentObserver())
    for _ in range(2):
        await silent.call("vendor/match", {"id": "1"}, node_id="n", retry=Policy())
    with pytest.raises(CallError):
        await silent.call("vendor/match", {"id": "2"}, node_id="n", retry=Policy())
    told = {name for name in vars(CallObserver) if not name.startswith("_")}
    assert told <= {name for name in vars(SilentObserver) if not name.startswith("_")}
