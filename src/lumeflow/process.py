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
GC_THRESHOLDS = (10_000, 4, 50)
"""Objects, at least, between two searches for garbage in circles among the youngest; searches after which those that
stayed are looked through as well; and how many of these go before one through everything. Records make no such
garbage, but there are thousands of them at a time: looking through them after every 700 takes an eighth of the
processor time of a run. An execution makes some when it ends, and whoever waits meanwhile waits for the whole search:
0.25 s where 200,000 objects are looked through at once, as with (20,000, 10, 10).
"""


@contextmanager
def tuned() -> Iterator[None]:
    """Within it, threads change more often than by default, and garbage in circles is looked for less often."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(min(interval, SWITCH_INTERVAL))
    if thresholds[0]:
        gc.set_threshold(*GC_THRESHOLDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
