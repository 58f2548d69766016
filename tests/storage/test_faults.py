"""Fault points: nothing unless armed, and then exactly at the N-th hit."""

import os
import signal
import subprocess
import sys

import pytest

from lumeflow.core.faults import arm, fault_point


def hits(setting, *names):
    killed = []
    point = arm(setting, lambda: killed.append(len(reached)))
    reached = []
    for name in names:
        reached.append(name)
        point(name)
    return killed


@pytest.mark.parametrize(
    ("setting", "killed_at"),
    [
        (None, []),
        ("", []),
        ("b", [2]),
        ("b:1", [2]),
        ("b:3", [6]),
        ("b:4", []),
        ("nowhere", []),
    ],
)
def test_the_process_ends_at_the_nth_hit_of_its_point(setting, killed_at):
    assert hits(setting, "a", "b", "a", "b", "a", "b") == killed_at


@pytest.mark.parametrize("setting", ["a:0", "a:x", "a:-1", "a:1:2"])
def test_a_wrong_number_is_refused(setting):
    with pytest.raises(ValueError, match="expected NAME or NAME:N"):
        arm(setting, lambda: None)


def test_nothing_happens_unless_armed():
    fault_point("ledger.before-commit")


def test_an_armed_point_kills_as_the_system_does():
    code = "from lumeflow.core.faults import fault_point as p; p('x'); print('one', flush=True); p('x'); print('two')"
    environ = {**os.environ, "LUMEFLOW_FAULT": "x:2"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "one\n")
