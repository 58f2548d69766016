"""The process that executions run in: how often the interpreter interrupts it."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_INTERVAL = 0.0005
"""Seconds, at most, that one thread keeps the interpreter from another that waits. The storage's thread needs it some
ten times a commit: beside a loop that is busy 90 % of the time, the slowest of 100 claims waits 0.3 s with Python's own
5 ms, and 0.03 s with this.
"""
GC_THRESHOLD = 20_000
"""Objects, at least, between two searches for garbage in circles. Records make none, but there are thousands of them at
a time, and looking through them after every 700 takes an eighth of the processor time of a run.
"""


@contextmanager
def tuned() -> Iterator[None]:
    """Within it, threads change more often than by default, and garbage in circles is looked for less often."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(min(interval, SWITCH_INTERVAL))
    if thresholds[0]:
        gc.set_threshold(max(thresholds[0], GC_THRESHOLD), *thresholds[1:])
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
