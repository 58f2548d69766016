"""`kill -9` at the places where it hurts most: around claim, sending, answer, storing, passing on, and each commit."""

import pytest

from tests.survival.checks import Undisturbed, assert_survived
from tests.survival.world import THOROUGH, Desk

POINTS = {
    "gateway.claimed": (9, 2, 33),
    "gateway.sent": (33, 2, 9),
    "gateway.answered": (33, 1, 9),
    "gateway.stored": (9, 1, 33),
    "engine.emit": (5, 1, 9),
    "ledger.before-commit": (12, 2, 20),
    "ledger.after-commit": (12, 1, 20),
    "records.before-commit": (1,),
    "records.after-commit": (1,),
    "store.before-commit": (5, 3, 4),
    "store.after-commit": (6, 4, 5),
}
"""Names of fault points, and at which visits the process is killed, the most telling first. An answer is parsed between
`gateway.answered` and `ledger.before-commit`. The first request of a process asks the simulator itself, and the first
commits to the store begin the execution; the last ones write the output's rows and the execution's end.
"""
VISITS = 3 if THOROUGH else 2


@pytest.mark.parametrize("fault", [f"{name}:{visit}" for name, visits in POINTS.items() for visit in visits[:VISITS]])
def test_a_killed_execution_resumes_as_if_nothing_had_happened(fault: str, desk: Desk, undisturbed: Undisturbed):
    desk.kill(fault=fault)
    in_flight = desk.open_claims()
    assert_survived(desk, desk.resume(), undisturbed, in_flight)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("gateway.sent:6", "gateway.answered:3"),
        ("gateway.answered:20", "gateway.sent:2"),
        ("ledger.after-commit:9", "gateway.claimed:5"),
        ("engine.emit:6", "ledger.before-commit:3"),
    ],
)
def test_killed_again_during_the_resume(first: str, second: str, desk: Desk, undisturbed: Undisturbed):
    desk.kill(fault=first)
    in_flight = desk.open_claims()
    desk.kill(fault=second, resuming=True)
    in_flight += desk.open_claims()
    assert_survived(desk, desk.resume(), undisturbed, in_flight)


def test_a_call_that_was_lost_twice_is_listed_with_both_prices(desk: Desk, undisturbed: Undisturbed):
    desk.simulator.reset(latencies={"openrouter/chat": 10.0})  # a second, as all are scaled
    in_flight = 0
    for words, lost in ((desk.run_words(), 0), (desk.resume_words(), 1)):
        with desk.process(*words) as process:
            desk.wait_for_rows(f"operation = 'openrouter/chat' AND state = 'claimed' AND lost = {lost}")
            process.kill()
            process.communicate()
        in_flight += desk.open_claims()
    ended = desk.resume()
    assert_survived(desk, ended, undisturbed, in_flight)
    assert max(call["lost"] for call in ended.result["inDoubt"]) == 2, ended


def test_a_completed_execution_is_returned_as_it_is(desk: Desk, undisturbed: Undisturbed):
    assert desk.run().code == 0
    again = desk.resume()
    assert_survived(desk, again, undisturbed, 0)
    assert desk.simulator.bill().calls == undisturbed.bill.calls
