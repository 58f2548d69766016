"""Limits: never more than allowed in any window, and not fewer either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumeflow.simulator.limits import Limit, Limiter

GAPS = st.lists(st.floats(0, 1.5), max_size=120)


def accepted_times(limit: Limit, gaps: list[float]) -> tuple[list[float], list[float]]:
    limiter = Limiter({"op": (limit,)})
    now, accepted, refused = 100.0, [], []
    for gap in gaps:
        now += gap
        (accepted if limiter.acquire("op", "", now) is None else refused).append(now)
    return accepted, refused


@given(GAPS, st.integers(1, 8))
def test_a_sliding_window_never_holds_more_and_refuses_only_when_full(gaps, calls):
    accepted, refused = accepted_times(Limit(calls, 2.0), gaps)
    for at in accepted:
        assert sum(at - 2.0 < other <= at for other in accepted) <= calls
    for at in refused:
        assert sum(at - 2.0 < other <= at for other in accepted) == calls


@given(GAPS, st.integers(1, 8))
def test_a_fixed_window_opens_with_its_first_call(gaps, calls):
    accepted, refused = accepted_times(Limit(calls, 2.0, fixed=True), gaps)
    opened_at, count = float("-inf"), 0
    for at in sorted(accepted + refused):
        if at >= opened_at + 2.0:
            opened_at, count = at, 0
        if at in accepted:
            count += 1
    by_window: dict[float, int] = {}
    opened_at = float("-inf")
    for at in accepted:
        if at >= opened_at + 2.0:
            opened_at = at
        by_window[opened_at] = by_window.get(opened_at, 0) + 1
    assert all(count <= calls for count in by_window.values())


@given(GAPS)
def test_waiting_as_long_as_told_is_enough_and_not_too_long(gaps):
    limiter, now = Limiter({"op": (Limit(3, 2.0), Limit(5, 7.0, fixed=True))}), 0.0
    for gap in gaps:
        now += gap
        refusal = limiter.acquire("op", "", now)
        while refusal is not None:
            assert 0 <= refusal.wait <= refusal.limit.seconds
            if refusal.wait > 0.01:
                assert limiter.acquire("op", "", now + refusal.wait - 0.005) is not None
            now += refusal.wait + 1e-9
            refusal = limiter.acquire("op", "", now)


def test_a_refused_call_counts_nowhere():
    limiter = Limiter({"op": (Limit(10, 60.0), Limit(1, 1.0))})
    for _ in range(50):
        limiter.acquire("op", "", 0.0)
    assert limiter.usage("op", "", 0.0) == [(Limit(10, 60.0), 1), (Limit(1, 1.0), 1)]


def test_a_fixed_window_may_let_twice_as_many_through_at_its_edge_and_the_report_says_so():
    limiter = Limiter({"op": (Limit(5, 10.0, fixed=True),)})
    limiter.acquire("op", "", 0.0)
    for _ in range(4):
        limiter.acquire("op", "", 9.9)
    for _ in range(5):
        limiter.acquire("op", "", 10.0)
    line = limiter.report(["op"])[0]
    assert (line["maxInWindow"], line["maxInSlidingWindow"]) == (5, 9)


@pytest.mark.parametrize(
    ("path", "provider", "accepted"),
    [
        ("/v2/email-finder?company=Example+Rail&first_name=Mira&last_name=Holt{n}", "hunter", 15),
        ("/v2/email-verifier?email=p{n}@example.com", "hunter", 10),
        ("/v2/actors/apify~instagram-comment-scraper/runs", "apify", 60),
    ],
)
async def test_documented_limits_per_second(sim, clock, path, provider, accepted):
    for _ in range(3):
        answers = [await sim.get(path.replace("{n}", str(number))) for number in range(100)]
        assert sum(answer.status not in {403, 429} for answer in answers) == accepted
        clock.now += 1.0
    bill = sim.bill(provider)
    assert bill["rateLimited"] == 3 * (100 - accepted)
    assert max(line["maxInWindow"] for line in bill["limits"] if line["seconds"] == 1) == accepted


async def test_minute_limits_hold_beside_second_limits(sim, clock):
    statuses = []
    for second in range(59):
        clock.now = 2000.0 + second
        for number in range(15):
            path = f"/v2/email-finder?company=Example+Rail&first_name=Mira&last_name=H{second}x{number}"
            statuses.append((await sim.get(path)).status)
    assert sum(status != 403 for status in statuses) == 500


@pytest.mark.parametrize(
    ("settings", "accepted"),
    [
        ({"rate_scale": 2.0}, 30),
        ({"rate_scale": 0.01}, 1),
        ({"limits": {"hunter": [(7, 1.0)]}}, 7),
        ({"limits": {"hunter": [(7, 1.0)], "hunter/email-finder": [(4, 1.0)]}}, 4),
        ({"limits": {"hunter": []}}, 50),
        ({"limits": {"hunter": [(7, 1.0)]}, "rate_scale": 3.0}, 21),
    ],
)
async def test_limits_can_be_scaled_and_replaced(make, settings, accepted):
    sim = make(**settings)
    path = "/v2/email-finder?company=Example+Rail&first_name=Mira&last_name=Holt"
    answers = [await sim.get(f"{path}{number}") for number in range(50)]
    assert sum(answer.status != 403 for answer in answers) == accepted
