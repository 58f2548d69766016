"""The rate limiter: never more than N sends in any window, used to the full, first come first served."""

import asyncio
import random
from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumeflow.core.operation import RateHint, RateLimit
from lumeflow.gateway.rates import LimiterClosed, RateLimiter
from tests.gateway.virtual import run, simulated


def most_in_window(sends, seconds):
    """The most sends in any window that begins with one of them (half-open: a send W seconds later is outside)."""
    sends = sorted(sends)
    return max((bisect_right(sends, at + seconds - 1e-9) - index for index, at in enumerate(sends)), default=0)


async def use(limiter, ticket, sends, prepare, chance_to_drop, rng):
    slot = await limiter.acquire(ticket)
    if rng.random() < chance_to_drop:
        await asyncio.sleep(rng.uniform(0, prepare))
        slot.give_back()
        return
    await asyncio.sleep(rng.uniform(0, prepare))  # writing the claim
    await slot.turn()
    slot.sent()
    sends.append(asyncio.get_running_loop().time())
    await asyncio.sleep(0.05)
    slot.passed()


limits_of_one_operation = st.lists(
    st.builds(RateLimit, st.integers(1, 40), st.sampled_from([0.2, 1.0, 3.0, 60.0])),
    min_size=1,
    max_size=3,
    unique_by=lambda limit: limit.seconds,
)


@settings(max_examples=60, deadline=None)
@given(
    limits=limits_of_one_operation,
    prepare=st.sampled_from([0.0, 0.002, 0.05]),
    drops=st.sampled_from([0.0, 0.2]),
    pace=st.sampled_from([0.0, 0.01, 0.3]),
    seed=st.integers(0, 1000),
)
def test_no_window_ever_holds_more_than_its_limit(limits, prepare, drops, pace, seed):
    async def scenario():
        limiter, sends, rng = RateLimiter(limits, margin=0.0), [], random.Random(seed)
        tasks = []
        for ticket in range(120):
            tasks.append(asyncio.create_task(use(limiter, ticket, sends, prepare, drops, rng)))
            if pace:
                await asyncio.sleep(rng.uniform(0, pace))
        await asyncio.gather(*tasks)
        return sends

    sends = run(scenario())
    for limit in limits:
        assert most_in_window(sends, limit.seconds) <= limit.calls


def fastest(limits, calls):
    """When the last of so many calls can go, by the definition of the limits."""
    times = []
    for n in range(calls):
        times.append(max((times[n - limit.calls] + limit.seconds for limit in limits if n >= limit.calls), default=0.0))
    return times[-1]


@pytest.mark.parametrize(
    ("limits", "calls"),
    [
        ([RateLimit(150, 1.0)], 3000),
        ([RateLimit(15, 1.0), RateLimit(500, 60.0)], 5000),
        ([RateLimit(1000, 60.0)], 5000),
        ([RateLimit(1, 1.0)], 200),
    ],
)
def test_a_limit_is_used_to_the_full_although_each_call_first_writes_its_claim(limits, calls):
    async def scenario(margin):
        limiter, sends, rng = RateLimiter(limits, margin=margin), [], random.Random(1)
        await asyncio.gather(*(use(limiter, ticket, sends, 0.008, 0.0, rng) for ticket in range(calls)))
        return max(sends) - min(sends)

    ideal = fastest(limits, calls)
    assert run(scenario(0.0)) <= ideal / 0.995
    assert run(scenario(0.010)) <= ideal / 0.98


@simulated
async def test_the_margin_keeps_windows_a_little_wider():
    limiter, sends = RateLimiter([RateLimit(10, 1.0)], margin=0.010), []
    await asyncio.gather(*(use(limiter, n, sends, 0.0, 0.0, random.Random(1)) for n in range(100)))
    assert most_in_window(sends, 1.019) <= 10
    assert max(sends) - min(sends) == pytest.approx(9 * 1.020, abs=0.01), "and one of few calls more so"


@simulated
async def test_the_oldest_call_goes_first_however_late_it_comes_back():
    limiter, order = RateLimiter([RateLimit(1, 1.0)]), []

    async def caller(ticket):
        slot = await limiter.acquire(ticket)
        slot.sent()
        slot.passed()
        order.append(ticket)

    tasks = [asyncio.create_task(caller(ticket)) for ticket in (5, 6, 7)]
    await asyncio.sleep(0.5)
    tasks.append(asyncio.create_task(caller(2)))
    await asyncio.gather(*tasks)
    assert order == [5, 2, 6, 7]


@simulated
async def test_a_slot_that_was_not_used_serves_another():
    limiter = RateLimiter([RateLimit(2, 60.0)])
    first, second = limiter.try_acquire(), limiter.try_acquire()
    assert limiter.try_acquire() is None
    waiting = asyncio.create_task(limiter.acquire(1))
    await asyncio.sleep(0.1)
    second.give_back()
    slot = await asyncio.wait_for(waiting, 0.1)
    first.sent()
    slot.sent()
    assert limiter.wait() == pytest.approx(60.11)


@simulated
async def test_a_slot_counts_from_the_moment_of_writing_not_of_granting():
    limiter = RateLimiter([RateLimit(1, 1.0)], margin=0.0)
    slot = limiter.try_acquire()
    await asyncio.sleep(5)
    assert limiter.try_acquire() is None, "held while its request is not written"
    slot.sent()
    assert limiter.wait() == pytest.approx(1.0)


@simulated
async def test_a_cancelled_waiter_takes_nothing_with_it():
    limiter = RateLimiter([RateLimit(1, 1.0)], margin=0.0)
    limiter.try_acquire().sent()
    waiting = [asyncio.create_task(limiter.acquire(ticket)) for ticket in range(3)]
    await asyncio.sleep(0.5)
    assert limiter.waiting == 3
    waiting[0].cancel()
    slot = await waiting[1]
    assert asyncio.get_running_loop().time() == pytest.approx(1001.0, abs=0.01)
    # Granted in the very moment of its cancellation: handed on.
    slot.give_back()
    waiting[2].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[2]
    assert limiter.try_acquire() is not None


@simulated
async def test_one_refusal_pauses_all_calls_together_and_they_return_one_two_four():
    limiter, sends = RateLimiter([RateLimit(100, 1.0)]), []
    loop = asyncio.get_running_loop()
    refused = [limiter.try_acquire() for _ in range(16)]
    for slot in refused:
        slot.sent()
    pauses = [slot.refused(2.0) for slot in refused]
    assert pauses == [2.0] * 16, "the refusals of one event are one pause"

    async def caller(ticket):
        slot = await limiter.acquire(ticket)
        slot.sent()
        sends.append(round(loop.time() - 1000.0, 3))
        await asyncio.sleep(0.1)
        slot.passed()

    await asyncio.gather(*(caller(ticket) for ticket in range(24)))
    # Sixteen at once were too many, so from eight on it is one more at a time.
    assert sends == [2.0] + [2.1] * 2 + [2.2] * 4 + [2.3] * 8 + [2.4] * 9


def sent_slots(limiter, number):
    slots = [limiter.try_acquire() for _ in range(number)]
    for slot in slots:
        slot.sent()
    return slots


@simulated
async def test_a_single_refusal_among_many_answers_holds_up_nobody_else():
    limiter = RateLimiter([RateLimit(1000, 1.0)])
    pauses = []
    for number, slot in enumerate(sent_slots(limiter, 40)):
        if number in (10, 39):
            pauses.append(slot.refused(60.0))
        else:
            slot.passed()
    assert pauses == [0.0, 0.0]
    assert limiter.try_acquire() is not None
    # More than one in five of the answers so far, though, is a limit that we don't know of.
    assert [slot.refused(60.0) for slot in sent_slots(limiter, 8)] == [0.0] * 7 + [60.0]
    assert limiter.try_acquire() is None


@simulated
async def test_a_hiccup_that_refuses_a_whole_window_is_no_lower_limit_but_two_of_them_are():
    limiter = RateLimiter([RateLimit(8, 1.0)])
    for slot in sent_slots(limiter, 8):
        slot.passed()
    await asyncio.sleep(1.1)
    assert [slot.refused(1.0) for slot in sent_slots(limiter, 8)] == [0.0] * 8
    await asyncio.sleep(1.1)
    assert sent_slots(limiter, 1)[0].refused(1.0) == 1.0


@simulated
async def test_without_a_hint_the_pause_grows_with_each_refusal_and_shrinks_after_success():
    limiter, pauses = RateLimiter(), []
    for _ in range(9):
        slot = await limiter.acquire(0)
        slot.sent()
        pauses.append(slot.refused(None))
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    slot = await limiter.acquire(0)
    slot.sent()
    slot.passed()
    slot = await limiter.acquire(0)
    slot.sent()
    assert slot.refused(None) == 0.5


@simulated
async def test_after_a_refusal_windows_are_wider_for_a_while_and_recover():
    limiter = RateLimiter([RateLimit(10, 1.0)], margin=0.0)
    slot = limiter.try_acquire()
    slot.sent()
    slot.refused(0.1)
    sends = []
    await asyncio.gather(*(use(limiter, n, sends, 0.0, 0.0, random.Random(1)) for n in range(400)))
    spans = [later - earlier for earlier, later in zip(sends, sends[10:], strict=False)]
    assert 1.02 <= max(spans[10:20]) <= 1.05
    assert max(spans[-20:]) == pytest.approx(1.0, abs=0.001)


@simulated
async def test_a_wait_that_is_too_long_fails_those_who_wait_and_those_who_come():
    limiter = RateLimiter([RateLimit(1, 1.0)], longest_pause=900)
    slot = limiter.try_acquire()
    waiting = asyncio.create_task(limiter.acquire(1))
    await asyncio.sleep(0)
    slot.sent()
    assert slot.refused(7200.0) == 7200.0
    with pytest.raises(LimiterClosed) as caught:
        await waiting
    assert caught.value.seconds == 7200.0
    await asyncio.sleep(3600)
    with pytest.raises(LimiterClosed):
        limiter.try_acquire()
    await asyncio.sleep(3601)
    assert limiter.try_acquire() is not None


class TestWhatTheVendorSaysOfItsLimits:
    @simulated
    async def test_a_lower_limit_holds_at_once(self):
        limiter, sends = RateLimiter([RateLimit(100, 1.0)], margin=0.0), []
        await asyncio.gather(*(use(limiter, n, sends, 0.0, 0.0, random.Random(1)) for n in range(100)))
        limiter.learn(RateHint((RateLimit(10, 1.0),)))
        sends.clear()
        await asyncio.gather(*(use(limiter, n, sends, 0.0, 0.0, random.Random(1)) for n in range(50)))
        assert most_in_window(sends, 1.0) <= 10
        assert min(sends) >= 1001.0

    @simulated
    async def test_a_higher_limit_lets_waiters_go(self):
        limiter = RateLimiter([RateLimit(1, 60.0)])
        limiter.try_acquire().sent()
        waiting = asyncio.create_task(limiter.acquire(1))
        await asyncio.sleep(1)
        limiter.learn(RateHint((RateLimit(2, 60.0),)))
        await asyncio.wait_for(waiting, 0.1)

    @simulated
    async def test_a_new_window_counts_what_is_known_of_it(self):
        limiter, sends = RateLimiter([RateLimit(50, 60.0)], margin=0.0), []
        await asyncio.gather(*(use(limiter, n, sends, 0.0, 0.0, random.Random(1)) for n in range(20)))
        under_way = limiter.try_acquire()
        limiter.learn(RateHint((RateLimit(22, 3600.0),)))
        under_way.sent()
        assert limiter.try_acquire() is not None
        assert limiter.try_acquire() is None
        assert limiter.limits == (RateLimit(50, 60.0), RateLimit(22, 3600.0))

    @simulated
    async def test_the_users_own_limit_is_only_lowered(self):
        limiter = RateLimiter([RateLimit(10, 60.0)], fixed=True)
        limiter.learn(RateHint((RateLimit(1000, 60.0),)))
        assert limiter.limits == (RateLimit(10, 60.0),)
        limiter.learn(RateHint((RateLimit(5, 60.0),)))
        assert limiter.limits == (RateLimit(5, 60.0),)

    @simulated
    async def test_a_pause_holds_all_calls(self):
        limiter = RateLimiter()
        limiter.learn(RateHint(pause=3.0))
        await limiter.acquire(0)
        assert asyncio.get_running_loop().time() == pytest.approx(1003.0)

    @simulated
    async def test_nonsense_is_passed_over(self):
        limiter = RateLimiter([RateLimit(10, 60.0)])
        limiter.learn(RateHint((RateLimit(0, 60.0), RateLimit(5, 0.0))))
        assert limiter.limits == (RateLimit(10, 60.0),)


@simulated
async def test_memory_is_bounded_by_the_limit():
    limiter, sends = RateLimiter([RateLimit(100, 1.0)]), []
    await asyncio.gather(*(use(limiter, n, sends, 0.0, 0.0, random.Random(1)) for n in range(2000)))
    (window,) = limiter._windows
    assert len(sends) == 2000
    assert len(window) <= 100
    assert window.held == 0
    assert not limiter._waiters
