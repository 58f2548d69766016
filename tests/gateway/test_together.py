"""Many calls at once: single flight, cancellation, rates, the circuit breaker, mocks, and what blocks remember."""

import asyncio
import random
from collections import Counter
from decimal import Decimal

import orjson
import pytest

from lumeflow.core.errors import CallError, ErrorClass, NodeError, UsageError
from lumeflow.core.operation import RateLimit
from tests.gateway.test_rates import most_in_window
from tests.gateway.virtual import run, simulated
from tests.gateway.world import (
    CUT,
    GARBAGE,
    PRICE,
    TIMED_OUT,
    UNSENT,
    MemoryLedger,
    Policy,
    Poll,
    Recorder,
    Wire,
    World,
    ok,
    status,
)


def now():
    return asyncio.get_running_loop().time() - 1000.0


class TestSingleFlight:
    @simulated
    async def test_identical_calls_in_flight_are_one(self):
        world = World(Wire(ok("Lena")))
        responses = await asyncio.gather(*(world.call(node=f"n{n}") for n in range(5)))
        assert len(world.wire.requests) == 1
        assert [response.replayed for response in responses] == [False, True, True, True, True]
        assert world.ledger.amount == PRICE
        assert world.heard.counts == {"sent": 1, "answered": 1, "replayed": 4}

    @simulated
    async def test_each_caller_gets_a_value_of_its_own(self):
        world = World(Wire(ok({"name": "Lena"})))
        first, second = await asyncio.gather(world.call(), world.call())
        first.value["value"]["name"] = "changed by a block"
        assert second.value["value"]["name"] == "Lena"

    @simulated
    async def test_a_failure_reaches_all_of_them(self):
        world = World(Wire(status(422)))
        outcomes = await asyncio.gather(*(world.call() for _ in range(3)), return_exceptions=True)
        assert [outcome.error_class for outcome in outcomes] == [ErrorClass.VALIDATION] * 3
        assert len(world.wire.requests) == 1

    @simulated
    async def test_different_executions_do_not_share(self):
        world = World(Wire(ok()))
        other = world.gateway.session(execution_id="x-2", ledger=MemoryLedger(), observer=Recorder())
        await asyncio.gather(world.call(), other.call("vendor/match", {"id": "1"}, node_id="n", retry=Policy()))
        assert len(world.wire.requests) == 2

    @simulated
    async def test_if_the_first_caller_goes_the_others_get_their_answer(self):
        world = World(Wire(ok()))
        first, second = asyncio.create_task(world.call()), asyncio.create_task(world.call())
        await asyncio.sleep(0.05)
        first.cancel()
        assert (await second).value["value"] == 1
        assert first.cancelled()
        assert len(world.wire.requests) == 1

    @simulated
    async def test_a_caller_that_comes_while_the_last_one_leaves_starts_anew(self):
        world = World(Wire(ok()), limits={"*": (RateLimit(1, 5.0),)})
        await world.call(id="0")
        first = asyncio.create_task(world.call())
        await asyncio.sleep(1)
        first.cancel()
        await asyncio.sleep(0)
        assert (await world.call()).value["value"] == 1
        assert len(world.wire.requests) == 2

    @simulated
    async def test_a_caller_that_comes_after_all_have_left_a_call_under_way_joins_it(self):
        world = World(Wire(ok()))
        first = asyncio.create_task(world.call())
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.sleep(0.01)
        assert (await world.call()).replayed
        assert len(world.wire.requests) == 1


class TestCancellation:
    @simulated
    async def test_a_call_that_waits_for_its_rate_leaves_nothing(self):
        world = World(Wire(ok()), limits={"*": (RateLimit(1, 60.0),)})
        await world.call(id="0")
        waiting = asyncio.create_task(world.call(id="1"))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert len(world.ledger.entries) == 1
        assert await world.session.drain() == 0
        assert now() == pytest.approx(1.1, abs=0.1)

    @simulated
    async def test_a_call_under_way_is_finished_and_stored_in_the_background(self):
        world = World(Wire(ok()))
        task = asyncio.create_task(world.call())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert world.ledger.only.state == "claimed"
        assert await world.session.drain() == 0
        assert world.ledger.only.state == "answered"
        second = World(Wire(), ledger=world.ledger.other_owner())
        assert (await second.call()).replayed

    @simulated
    async def test_a_call_under_way_that_fails_is_not_repeated_for_nobody(self):
        world = World(Wire(status(500), ok()))
        task = asyncio.create_task(world.call())
        await asyncio.sleep(0.05)
        task.cancel()
        await world.session.drain()
        assert len(world.wire.requests) == 1
        assert world.ledger.only.state == "released"

    @simulated
    async def test_a_claim_whose_call_was_not_sent_yet_is_released_and_its_slot_is_free(self):
        world = World(Wire(ok()), ledger=MemoryLedger(commit=1.0), limits={"*": (RateLimit(1, 60.0),)})
        task = asyncio.create_task(world.call())
        await asyncio.sleep(0.5)
        task.cancel()
        await world.session.drain()
        assert world.ledger.log == ["claim", "release"]
        assert world.wire.requests == []
        other = world.open(MemoryLedger())
        await other.call("vendor/match", {"id": "2"}, node_id="n", retry=Policy())
        assert now() < 5

    @simulated
    async def test_draining_does_not_wait_longer_than_its_grace(self):
        world = World(Wire(ok(), latency=1000.0))
        tasks = [asyncio.create_task(world.call(id=str(n))) for n in range(3)]
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        assert await world.session.drain(grace=10.0) == 3
        assert now() == pytest.approx(11.0, abs=0.1)
        assert {entry.state for entry in world.ledger.entries.values()} == {"claimed"}, "in doubt for the next process"
        assert world.wire.in_flight == 0

    @simulated
    async def test_draining_ends_calls_whose_callers_still_wait(self):
        world = World(Wire(status(500)))
        task = asyncio.create_task(world.call())
        await asyncio.sleep(0.5)
        assert await world.session.drain() == 0
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(asyncio.CancelledError):
            await world.call(id="late")

    def test_cancelled_at_any_moment_everything_is_given_back(self):
        async def scenario(moment):
            world = World(
                Wire(status(500), CUT, ok(), connect=0.01), concurrency=1, limits={"*": (RateLimit(3, 60.0),)}
            )
            task = asyncio.create_task(world.call("find"))
            await asyncio.sleep(moment)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await world.session.drain()
            assert world.wire.in_flight == 0
            assert all(entry.state != "claimed" for entry in world.ledger.entries.values())
            # The permit and all slots that were not used are free again.
            left = 3 - len(world.wire.requests)
            world.wire.script = [ok()]
            session = world.open(MemoryLedger())
            started = now()
            for n in range(left):
                await session.call("vendor/find", {"id": f"after {n}"}, node_id="n", retry=Policy())
            assert now() - started < 1

        for step in range(120):
            run(scenario(step * 0.025))


class TestRates:
    def test_limits_hold_when_measured_at_the_wire(self):
        async def scenario(connect):
            limits = {"vendor/match": (RateLimit(15, 1.0), RateLimit(60, 10.0))}
            world = World(Wire(ok(), connect=connect), limits=limits)
            await asyncio.gather(*(world.call(id=str(n)) for n in range(300)))
            return world.wire.written

        for connect in (0.0, 0.08):
            written = run(scenario(connect))
            assert most_in_window(written, 1.0) <= 15
            assert most_in_window(written, 10.0) <= 60

    def test_a_limit_is_used_to_the_full_with_ledger_and_all(self):
        async def scenario():
            world = World(Wire(ok(), latency=0.15), limits={"*": (RateLimit(150, 1.0),)}, concurrency=500)
            await asyncio.gather(*(world.call(id=str(n)) for n in range(1500)))
            return world.wire.written

        written = run(scenario())
        assert most_in_window(written, 1.0) <= 150
        assert max(written) - min(written) <= 9.0 / 0.98

    @simulated
    async def test_claims_are_written_right_before_sending_not_while_waiting(self):
        world = World(Wire(ok()), limits={"*": (RateLimit(10, 1.0),)})
        tasks = [asyncio.create_task(world.call(id=str(n))) for n in range(100)]
        for _ in range(60):
            await asyncio.sleep(0.05)
            open_claims = sum(entry.state == "claimed" for entry in world.ledger.entries.values())
            assert open_claims <= world.wire.in_flight + 10
        assert len(world.ledger.entries) <= 40
        await asyncio.gather(*tasks)

    @simulated
    async def test_calls_go_out_in_the_order_in_which_they_were_asked_for_retries_first(self):
        order = []

        def answer(request):
            number = orjson.loads(request.body)["id"]
            order.append(number)
            return status(500) if number == "3" and order.count("3") == 1 else ok()

        wire = Wire()
        wire.answer_to = answer
        world = World(wire, limits={"*": (RateLimit(5, 1.0),)})
        await asyncio.gather(*(world.call(id=str(n), policy=Policy(jitter=0)) for n in range(20)))
        # Five in each window; within one they are at the same moment. The third is refused, and waits for a second
        # before it is in line again, before all that were asked for later.
        windows = [sorted(map(int, order[start : start + 5])) for start in range(0, 21, 5)]
        assert windows == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [3, 10, 11, 12, 13], [14, 15, 16, 17, 18], [19]]

    @simulated
    async def test_limits_under_a_star_hold_for_all_operations_together(self):
        limits = {"*": (RateLimit(10, 1.0),), "vendor/poll": (RateLimit(100, 1.0),)}
        world = World(Wire(ok()), limits=limits)
        names = ["match", "find"] * 20
        await asyncio.gather(*(world.call(name, id=str(n)) for n, name in enumerate(names)))
        assert most_in_window(world.wire.written, 1.0) <= 10
        world.wire.written.clear()
        await asyncio.gather(*(world.call("poll", id=str(n)) for n in range(100)))
        assert max(world.wire.written) - min(world.wire.written) < 0.1

    @simulated
    async def test_calls_in_flight_are_bounded_for_the_account(self):
        world = World(Wire(ok()), concurrency=7)
        await asyncio.gather(*(world.call("find" if n % 2 else "match", id=str(n)) for n in range(50)))
        assert world.wire.peak == 7

    @simulated
    async def test_calls_that_wait_for_one_operations_rate_do_not_hold_up_another(self):
        world = World(Wire(ok()), concurrency=5, limits={"vendor/match": (RateLimit(1, 60.0),)})
        slow = [asyncio.create_task(world.call("match", id=str(n))) for n in range(20)]
        await asyncio.sleep(1)
        await asyncio.gather(*(world.call("find", id=str(n)) for n in range(20)))
        assert now() < 2
        for task in slow:
            task.cancel()
        await world.session.drain()

    @simulated
    async def test_executions_share_the_limits(self):
        world = World(Wire(ok()), limits={"*": (RateLimit(10, 1.0),)})
        other = world.gateway.session(execution_id="x-2", ledger=MemoryLedger(), observer=Recorder())
        calls = [world.call(id=str(n)) for n in range(30)]
        calls += [other.call("vendor/match", {"id": str(n)}, node_id="n", retry=Policy()) for n in range(30)]
        await asyncio.gather(*calls)
        assert most_in_window(world.wire.written, 1.0) <= 10

    @simulated
    async def test_a_refusal_pauses_everybody_and_hardly_any_other_call_is_refused(self):
        # The vendor's limit is lower than what we know: 20 a second, sliding.
        accepted, refused = [], []

        def answer(request):
            at = now()
            if sum(at - 1.0 < other <= at for other in accepted) >= 20:
                refused.append(at)
                return status(429, retry_after="1")
            accepted.append(at)
            return ok()

        wire = Wire()
        wire.answer_to = answer
        world = World(wire, concurrency=64)
        await asyncio.gather(*(world.call(id=str(n)) for n in range(400)))
        assert len(accepted) == 400
        assert len(refused) < 0.4 * len(accepted), "and this without knowing the limit"
        assert world.heard.counts["rate_limited"] >= len(refused)
        assert now() < 2.5 * 400 / 20

    @simulated
    async def test_limits_named_by_the_vendor_are_learnt(self):
        world = World(Wire(ok(headers={"x-limit-minute": "5"})))
        await world.call(id="first")
        await asyncio.gather(*(world.call(id=str(n)) for n in range(20)))
        assert most_in_window(world.wire.written[1:], 60.0) <= 5

    @simulated
    async def test_a_wait_of_hours_ends_the_calls_with_a_message(self):
        world = World(Wire(status(429, retry_after="7200")))
        with pytest.raises(CallError, match="vendor asks to wait 2 h 0 min") as caught:
            await world.call()
        assert caught.value.error_class is ErrorClass.RATE_LIMIT
        with pytest.raises(CallError, match=r"allows the next call in 2 h 0 min.*Resume the execution then"):
            await world.call(id="2")
        assert len(world.wire.requests) == 1

    @simulated
    async def test_a_long_queue_is_told_once_for_each_stall(self):
        world = World(Wire(ok()), limits={"*": (RateLimit(10, 30.0),)})
        await asyncio.gather(*(world.call(id=str(n)) for n in range(40)))
        pauses = [round(pause) for _, _, pause in world.heard.named("rate_limited")]
        assert pauses == [30, 30, 30]


class TestCircuit:
    @simulated
    async def test_while_the_vendor_is_down_calls_wait_and_all_succeed_in_the_end(self):
        wire = Wire()
        wire.answer_to = lambda request: UNSENT if now() < 20 else ok()
        world = World(wire, concurrency=50)
        await asyncio.gather(*(world.call(id=str(n)) for n in range(500)))
        assert world.heard.counts["circuit_opened"] == 1
        assert world.heard.counts["retried"] < 60
        assert now() < 60

    @simulated
    async def test_an_error_of_ours_does_not_open_it(self):
        world = World(Wire(status(422)))
        outcomes = await asyncio.gather(*(world.call(id=str(n)) for n in range(100)), return_exceptions=True)
        assert {outcome.error_class for outcome in outcomes} == {ErrorClass.VALIDATION}
        assert world.heard.counts["circuit_opened"] == 0

    @simulated
    async def test_the_probe_can_be_cancelled(self):
        wire = Wire(latency=0.5)
        wire.answer_to = lambda request: status(500) if now() < 5 else ok()
        world = World(wire, concurrency=30)
        tasks = [asyncio.create_task(world.call("find", id=str(n), policy=Policy(max_retries=9))) for n in range(30)]
        await asyncio.sleep(2)
        for task in tasks[:25]:
            task.cancel()
        await asyncio.gather(*tasks[25:])
        assert now() < 60


class TestMocks:
    def world(self, mocks, **more):
        return World(Wire(status(500)), key=None, session={"mocks": mocks, **more})

    @simulated
    async def test_a_mock_is_served_as_the_vendors_answer_and_costs_nothing(self):
        world = self.world({"vendor": {"value": "mocked", "cost": "0.025"}})
        response = await world.call()
        assert response.value["value"] == "mocked"
        assert response.charge.amount == 0
        assert world.ledger.amount == 0
        assert world.wire.requests == []
        assert (await world.call()).replayed

    @simulated
    async def test_it_costs_what_it_says_itself(self):
        world = self.world({"vendor": {"value": 1, "cost": "0.5", "reported": True}})
        assert (await world.call()).charge.amount == Decimal("0.5")

    @simulated
    async def test_the_node_goes_before_the_operation_and_the_operation_before_the_provider(self):
        mocks = {"vendor": {"value": "provider"}, "vendor/match": {"value": "operation"}, "n": {"value": "node"}}
        world = self.world(mocks)
        values = [
            (await world.call("match")).value["value"],
            (await world.call("match", node="m", id="2")).value["value"],
            (await world.call("find", node="m")).value["value"],
        ]
        assert values == ["node", "operation", "provider"]

    @simulated
    async def test_of_several_the_parameters_pick_one_and_always_the_same(self):
        mocks = {"vendor": [{"value": n} for n in range(3)]}
        first = [(await self.world(mocks).call(id=str(n))).value["value"] for n in range(30)]
        again = [(await self.world(mocks).call(id=str(n))).value["value"] for n in range(30)]
        assert first == again
        assert set(first) == {0, 1, 2}

    @simulated
    async def test_a_mock_that_the_vendor_would_not_send_fails_at_once(self):
        world = self.world({"vendor": {"unusable": True}})
        with pytest.raises(
            CallError, match="The answer is its mock, which must be the body that vendor sends"
        ) as caught:
            await world.call(policy=Policy(max_retries=5))
        assert "doubt" not in str(caught.value)
        assert "Given up after" not in str(caught.value)

    @simulated
    async def test_what_is_not_mocked_goes_its_way(self):
        world = World(Wire(ok("real")), session={"mocks": {"other-node": {"value": "mocked"}}})
        assert (await world.call()).value["value"] == "real"

    @pytest.mark.parametrize(
        ("mocks", "text"), [({"vendor/mach": {}}, "Did you mean 'vendor/match'"), ({"vendor": []}, "empty list")]
    )
    def test_mocks_that_cannot_be_meant(self, mocks, text):
        with pytest.raises(UsageError, match=text):
            self.world(mocks)


class TestRemember:
    @simulated
    async def test_a_resume_gets_what_the_first_run_read(self):
        world = World(Wire())

        async def read():
            return {"b": [1, 2], "a": "x"}

        assert await world.session.remember("n", "audience", read) == {"b": [1, 2], "a": "x"}

        async def changed():
            raise AssertionError("read again")

        second = World(Wire(), ledger=world.ledger.other_owner())
        value = await second.session.remember("n", "audience", changed)
        assert list(value.items()) == [("b", [1, 2]), ("a", "x")], "order and all"
        assert world.ledger.amount == 0

    @simulated
    async def test_names_and_nodes_are_apart_and_reads_in_flight_are_shared(self):
        world, reads = World(Wire()), Counter()

        def reader(name):
            async def read():
                reads[name] += 1
                await asyncio.sleep(0.1)
                return name

            return read

        places = [("n", "a"), ("n", "a"), ("n", "b"), ("m", "a")]
        values = await asyncio.gather(
            *(world.session.remember(node, name, reader(node + name)) for node, name in places)
        )
        assert values == ["na", "na", "nb", "ma"]
        assert reads == {"na": 1, "nb": 1, "ma": 1}

    @simulated
    async def test_what_is_no_json_is_a_bug_of_the_block(self):
        async def read():
            return object()

        with pytest.raises(NodeError, match="must be JSON, found object"):
            await World(Wire()).session.remember("n", "thing", read)

    @simulated
    async def test_a_read_that_fails_fails_the_caller_and_is_not_remembered(self):
        world = World(Wire())

        async def broken():
            raise UsageError("no such table")

        with pytest.raises(UsageError):
            await world.session.remember("n", "thing", broken)
        assert world.ledger.entries == {}


@pytest.mark.parametrize("seed", range(6))
def test_a_fifth_of_all_requests_failing_in_every_way_changes_no_result(seed):
    """And what the ledger books is what the vendor charged, to the last digit."""

    async def scenario():
        rng, charged, faults = random.Random(seed), Counter(), Counter()

        def answer(request):
            number = orjson.loads(request.body)["id"]
            fault = rng.choice(
                [status(500), status(429, retry_after="0.2"), status(503), UNSENT, TIMED_OUT, CUT, GARBAGE]
            )
            if rng.random() < 0.2 and faults[number] < 2:
                faults[number] += 1
                charged[number] += fault in (TIMED_OUT, CUT, GARBAGE)
                return fault
            charged[number] += 1
            return ok(int(number) * 7)

        wire = Wire()
        wire.answer_to = answer
        world = World(wire, limits={"*": (RateLimit(100, 1.0),)})
        responses = await asyncio.gather(*(world.call(id=str(n)) for n in range(500)))
        assert [response.value["value"] for response in responses] == [n * 7 for n in range(500)]
        assert world.ledger.amount == PRICE * sum(charged.values())
        assert world.ledger.calls == len(wire.requests)
        assert most_in_window(wire.written, 1.0) <= 100
        assert world.heard.counts["circuit_opened"] == 0
        assert sum(faults.values()) > 50

    run(scenario())


@simulated
async def test_polls_join_each_other_but_are_never_remembered():
    assert not Poll.remembered
    world = World(Wire(ok()))
    await asyncio.gather(world.call("poll"), world.call("poll"))
    await world.call("poll")
    assert len(world.wire.requests) == 2
    assert world.ledger.log == []
