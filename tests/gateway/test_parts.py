"""The small parts: permits, circuit breaker, budget."""

import asyncio
import random
from decimal import Decimal

import pytest

from lumeflow.core.errors import CallError, ErrorClass
from lumeflow.gateway.breaker import Breaker
from lumeflow.gateway.budget import Limits
from lumeflow.gateway.permits import Permits
from tests.gateway.virtual import simulated


def now():
    return asyncio.get_running_loop().time() - 1000.0


class TestPermits:
    @simulated
    async def test_no_more_than_the_total_are_out_and_the_first_to_come_is_served_first(self):
        permits, served, out = Permits(2), [], [0, 0]

        async def use(name):
            await permits.acquire()
            served.append(name)
            out[0] += 1
            out[1] = max(out)
            await asyncio.sleep(1)
            out[0] -= 1
            permits.release()

        await asyncio.gather(*(use(name) for name in range(7)))
        assert served == list(range(7))
        assert out[1] == 2
        assert now() == pytest.approx(4.0)

    @simulated
    async def test_a_newcomer_does_not_overtake(self):
        permits = Permits(1)
        assert permits.try_acquire()
        waiting = asyncio.create_task(permits.acquire())
        await asyncio.sleep(0)
        permits.release()
        assert not permits.try_acquire()
        await waiting

    @simulated
    async def test_a_permit_given_to_a_cancelled_waiter_is_handed_on(self):
        permits = Permits(1)
        permits.try_acquire()
        waiting = asyncio.create_task(permits.acquire())
        await asyncio.sleep(0)
        permits.release()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert permits.try_acquire()

    def test_there_must_be_one(self):
        with pytest.raises(ValueError, match="at least 1"):
            Permits(0)


class TestBreaker:
    @simulated
    async def test_many_failures_in_a_row_open_it_and_a_success_between_does_not_count(self):
        breaker = Breaker(failures=3)
        assert [breaker.failed(), breaker.failed()] == [None, None]
        breaker.succeeded()
        assert [breaker.failed(), breaker.failed(), breaker.failed()] == [None, None, 1.0]
        assert not breaker.closed

    @simulated
    async def test_while_it_is_open_callers_wait_and_one_probes(self):
        breaker, entered = Breaker(failures=1, first_pause=1.0), []
        breaker.failed()

        async def caller(name):
            probe = await breaker.enter()
            entered.append((name, probe, now()))
            if probe:
                await asyncio.sleep(0.5)
                breaker.succeeded()

        await asyncio.gather(*(caller(name) for name in "abc"))
        assert entered == [("a", True, 1.0), ("b", False, 1.5), ("c", False, 1.5)]
        assert breaker.closed

    @simulated
    async def test_a_failed_probe_doubles_the_pause_up_to_a_limit(self):
        breaker, probes = Breaker(failures=1, first_pause=1.0, longest_pause=4.0), []
        breaker.failed()
        for _ in range(5):
            assert await breaker.enter()
            probes.append(now())
            breaker.failed(probe=True)
        assert probes == [1.0, 3.0, 7.0, 11.0, 15.0]

    @simulated
    async def test_a_probe_that_was_cancelled_is_replaced_at_once(self):
        breaker = Breaker(failures=1, first_pause=1.0)
        breaker.failed()
        assert await breaker.enter()
        second = asyncio.create_task(breaker.enter())
        await asyncio.sleep(1)
        breaker.abandoned()
        assert await asyncio.wait_for(second, 0.1)

    @simulated
    async def test_a_waiter_that_is_cancelled_when_its_turn_comes_passes_it_on(self):
        breaker = Breaker(failures=1, first_pause=1.0)
        breaker.failed()
        first, second = asyncio.create_task(breaker.enter()), asyncio.create_task(breaker.enter())
        await asyncio.sleep(0)
        breaker._offer_probe()
        first.cancel()
        assert await asyncio.wait_for(second, 0.1)

    @simulated
    async def test_late_failures_of_old_calls_change_nothing(self):
        breaker = Breaker(failures=1, first_pause=1.0)
        breaker.failed()
        assert breaker.failed() is None
        assert await breaker.enter()
        assert now() == 1.0

    def test_random_faults_do_not_open_it(self):
        breaker, rng = Breaker(), random.Random(7)
        for _ in range(100_000):
            if rng.random() < 0.3:
                breaker.failed()
            else:
                breaker.succeeded()
            assert breaker.closed


class TestLimits:
    def test_calls_are_counted_exactly(self):
        limits = Limits(calls=2)
        for _ in range(2):
            assert limits.reserve(Decimal(0), "vendor/match")
            limits.settle(Decimal(0), Decimal(0), calls=1)
        with pytest.raises(CallError, match="has made 2 calls, and its limit is 2") as caught:
            limits.reserve(Decimal(0), "vendor/match")
        assert caught.value.error_class is ErrorClass.LIMIT

    def test_money_is_counted_exactly(self):
        limits = Limits(cost=Decimal("0.30"))
        for _ in range(3):
            assert limits.reserve(Decimal("0.1"), "vendor/match")
            limits.settle(Decimal("0.1"), Decimal("0.1"), calls=1)
        assert limits.cost == Decimal("0.3")
        with pytest.raises(CallError, match=r"about 0\.1 USD, the execution has spent 0\.3, and its limit is 0\.3"):
            limits.reserve(Decimal("0.1"), "vendor/match")
        assert limits.reserve(Decimal(0), "vendor/find"), "what costs nothing may still go"

    def test_what_earlier_runs_spent_counts(self):
        with pytest.raises(CallError):
            Limits(cost=Decimal(1), spent_cost=Decimal("0.95")).reserve(Decimal("0.1"), "vendor/match")
        with pytest.raises(CallError):
            Limits(calls=5, spent_calls=5).reserve(Decimal(0), "vendor/match")

    def test_what_is_not_sent_is_not_counted(self):
        limits = Limits(calls=1)
        limits.reserve(Decimal(1), "vendor/match")
        limits.settle(Decimal(1), Decimal(0), calls=0)
        assert (limits.calls, limits.cost) == (0, 0)
        assert limits.reserve(Decimal(1), "vendor/match")

    @simulated
    async def test_near_the_limit_a_call_waits_for_those_in_flight_instead_of_failing_for_their_sake(self):
        limits = Limits(cost=Decimal("0.10"))
        assert limits.reserve(Decimal("0.06"), "vendor/match")
        assert not limits.reserve(Decimal("0.06"), "vendor/match")
        waiting = asyncio.create_task(limits.settled())
        await asyncio.sleep(0)
        limits.settle(Decimal("0.06"), Decimal("0.01"), calls=1)
        await waiting
        assert limits.reserve(Decimal("0.06"), "vendor/match")
