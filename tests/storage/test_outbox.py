"""When jobs are handed to the writer's thread."""

import asyncio

import pytest

from lumeflow.storage import outbox
from lumeflow.storage.jobs import Job, Work
from lumeflow.storage.outbox import BURST, FEW, RELAXED, Outbox, Urgency

ANY = Work(lambda tx, values: values)
HOUR = 3600.0
"""A pace that never passes while a test runs."""


class Given:
    """An outbox, and the numbers of the jobs that it handed over, a list for each time."""

    def __init__(self, pace: float) -> None:
        self.lists: list[list[int]] = []
        self.outbox = Outbox(lambda jobs: self.lists.append([job.arg for job in jobs]), pace=pace)

    def add(self, number: int, urgency: Urgency = Urgency.PACED) -> None:
        self.outbox.add(Job(ANY, number, "default", None, asyncio.get_running_loop().create_future()), urgency)

    async def burst(self) -> None:
        for number in range(BURST):
            self.add(number)
            await turn()
        self.lists.clear()


async def turn() -> None:
    """One turn of the loop: time for what is due at once, and for nothing else."""
    await asyncio.sleep(0)


@pytest.fixture
async def given():
    given = Given(HOUR)
    yield given
    given.outbox.ship()  # cancels what is planned


async def test_one_that_rested_hands_over_at_the_end_of_the_turn(given):
    given.add(1)
    assert given.lists == []
    await turn()
    assert given.lists == [[1]]


async def test_what_one_turn_submits_goes_together_and_in_order(given):
    for number in range(5):
        given.add(number, [Urgency.LAZY, Urgency.PACED, Urgency.NOW, Urgency.PACED, Urgency.LAZY][number])
    await turn()
    assert given.lists == [[0, 1, 2, 3, 4]]


async def test_after_a_rest_a_burst_needs_no_pace_and_then_it_is_kept(given):
    for number in range(BURST + 3):
        given.add(number)
        await turn()
    assert given.lists == [[number] for number in range(BURST)]
    given.outbox.ship()
    assert given.lists[BURST:] == [[BURST, BURST + 1, BURST + 2]]
    given.add(99)
    await turn()
    assert len(given.lists) == BURST + 1, "there were others to wait for, so the pace is kept"


async def test_what_must_be_now_does_not_wait_for_the_pace_and_takes_the_others_along(given):
    await given.burst()
    given.add(1)
    given.add(2, Urgency.LAZY)
    await turn()
    assert given.lists == []
    given.add(3, Urgency.NOW)
    await turn()
    assert given.lists == [[1, 2, 3]]


async def test_what_need_not_wait_long_after_much_that_was_urgent():
    given = Given(pace=0.05)
    for number in range(200):
        given.add(number, Urgency.NOW)
        await turn()
    given.add(999)
    await asyncio.sleep(0.15)  # two hundred paces would be ten seconds
    assert given.lists[-1] == [999]


async def test_the_pace_bounds_the_number_of_commits():
    given = Given(pace=0.02)
    began = asyncio.get_running_loop().time()
    number = 0
    while (elapsed := asyncio.get_running_loop().time() - began) < 0.3:
        for _ in range(FEW + 1):  # also where the machine is slow, none waits in vain
            given.add(number)
            number += 1
        await asyncio.sleep(0.001)
    assert len(given.lists) <= BURST + elapsed / 0.02 + 1
    await asyncio.sleep(0.05)
    assert [n for numbers in given.lists for n in numbers] == list(range(number)), "nothing lost, all in order"


async def test_a_wait_that_gathered_nobody_else_earns_another_burst(given):
    # One who makes his calls one after the other would otherwise wait for the pace twice a call.
    await given.burst()
    given.add(0)
    await turn()
    assert given.lists == []
    given.outbox.ship()  # as when the pace has passed
    for number in range(1, BURST):
        given.add(number)
        await turn()
    assert given.lists == [[number] for number in range(BURST)]
    given.add(BURST)
    await turn()
    assert len(given.lists) == BURST


async def test_while_nobody_is_in_a_hurry_a_burst_is_a_third_as_long(given):
    given.outbox.is_relaxed = lambda: True
    for number in range(BURST + 3):
        given.add(number)
        await turn()
    assert len(given.lists) == BURST // RELAXED + 1


async def test_rest_earns_the_next_burst():
    given = Given(pace=0.005)
    await given.burst()
    await asyncio.sleep(BURST * 0.005 * 1.5)
    for number in range(3):
        given.add(number)
        await turn()
    assert given.lists == [[0], [1], [2]]


async def test_without_a_pace_every_turn_hands_over():
    given = Given(pace=0.0)
    for number in range(100):
        given.add(number)
        await turn()
    assert given.lists == [[number] for number in range(100)]


async def test_what_nobody_waits_for_lingers_and_then_goes_alone(given, monkeypatch):
    monkeypatch.setattr(outbox, "LINGER", 0.02)
    given.add(1, Urgency.LAZY)
    await turn()
    given.add(2, Urgency.LAZY)
    assert given.lists == []
    await asyncio.sleep(0.1)
    assert given.lists == [[1, 2]]


async def test_shipping_hands_over_at_once_and_only_once(given):
    given.add(1, Urgency.LAZY)
    given.outbox.ship()
    given.outbox.ship()
    assert given.lists == [[1]]
    await turn()
    assert given.lists == [[1]]
