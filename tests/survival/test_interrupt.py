"""Ctrl-C: answers under way get stored, the way back is told, and nothing is paid twice."""

import signal

import pytest

from tests.survival.checks import Undisturbed, assert_survived
from tests.survival.world import EXECUTION, Desk, Ended, Simulator, communicate

SLOW = {"latencyScale": 1.0}
"""As slow as in life, so that many calls are under way at any moment."""


def interrupt(desk: Desk, number: signal.Signals, *, answers: int) -> Ended:
    """Run, and send a signal once so many answers are stored."""
    with desk.process(*desk.run_words()) as process:
        desk.wait_for_answers(answers)
        process.send_signal(number)
        return communicate(process)


@pytest.mark.parametrize(("number", "answers"), [(signal.SIGINT, 8), (signal.SIGTERM, 20)])
def test_a_stopped_execution_pays_nothing_twice(
    number: signal.Signals, answers: int, desk: Desk, simulator: Simulator, undisturbed: Undisturbed
):
    simulator.reset(**SLOW)
    stopped = interrupt(desk, number, answers=answers)
    assert stopped.code == 1, stopped
    assert stopped.result["status"] == "cancelled"
    assert f"lumeflow executions resume {EXECUTION} --simulator {simulator.url}" in stopped.stderr
    assert stopped.result["inDoubt"] == []
    assert desk.open_claims() == 0
    simulator.wait_for_calls()
    resumed = desk.resume()
    assert_survived(desk, resumed, undisturbed, in_flight=0)
    assert simulator.bill().total("repeats") == 0


def test_the_second_signal_ends_at_once_and_the_resume_still_finishes(
    desk: Desk, simulator: Simulator, undisturbed: Undisturbed
):
    simulator.reset(**SLOW)
    with desk.process(*desk.run_words()) as process:
        desk.wait_for_answers(8)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert b"stopping" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        quitted = communicate(process)
    assert quitted.code == 128 + signal.SIGINT, quitted
    in_flight = desk.open_claims()
    assert in_flight > 0
    assert_survived(desk, desk.resume(), undisturbed, in_flight)
