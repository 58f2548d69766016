"""`kill -9` at random moments of runs over real HTTP, with rate limits in force.

A few in every test run; with `LUMEFLOW_SURVIVAL=all` the whole fifty.
"""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.survival.checks import Undisturbed, assert_survived
from tests.survival.world import THOROUGH, Desk, Ended, Simulator, communicate

KILLS = 50 if THOROUGH else 8
CROWD = {"commentsPerUrl": 100, "limits": {"apollo": [[150, 1.0]], "hunter": [[75, 1.0]], "openrouter": [[20, 1.0]]}}
"""300 comments; Apollo's limit makes a run take a little over a second."""


@pytest.fixture(scope="module")
def crowd(
    tmp_path_factory: pytest.TempPathFactory, make_desk: Callable[[Path], Desk], simulator: Simulator
) -> tuple[Undisturbed, float]:
    """The execution without a crash, and how many seconds its process took."""
    simulator.reset(**CROWD)
    # A folder of its own each time: a test process may come back to this module.
    desk = make_desk(tmp_path_factory.mktemp("crowd"))
    words = desk.run_words()
    started = time.monotonic()
    ended = desk.cli(*words)
    seconds = time.monotonic() - started
    assert ended.code == 0, ended
    return Undisturbed(ended.result, desk.records(), simulator.bill()), seconds


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_a_random_moment(
    seed: int, desk: Desk, simulator: Simulator, crowd: tuple[Undisturbed, float]
) -> None:
    expected, seconds = crowd
    simulator.reset(**CROWD)
    dice = random.Random(seed)
    in_flight = 0
    kill_after(desk, desk.run_words(), dice.uniform(0.3, 1.0) * seconds)
    if desk.exists():
        in_flight += desk.open_claims()
        if dice.random() < 0.3:
            kill_after(desk, desk.resume_words(), dice.uniform(0.3, 1.0) * seconds)
            in_flight += desk.open_claims()
        ended = desk.resume()
    else:
        ended = desk.run()
    assert_survived(desk, ended, expected, in_flight)


def kill_after(desk: Desk, words: list[str], seconds: float) -> None:
    """Start a command, and kill it after a while, wherever it is; it may have ended."""
    with desk.process(*words) as process:
        time.sleep(seconds)
        process.kill()
        ended: Ended = communicate(process)
    assert ended.code in {-signal.SIGKILL, 0}, ended
