"""Places where a test can end the process as `kill -9` would.

`LUMEFLOW_FAULT="ledger.after-commit:3"` ends it when that point is reached for the third time. Without that variable,
which is read once, at import, `fault_point` does nothing and costs one empty function call.
"""

import os
import signal
from collections.abc import Callable
from itertools import count

VARIABLE = "LUMEFLOW_FAULT"


def arm(setting: str | None, kill: Callable[[], None]) -> Callable[[str], None]:
    """Make the function that `fault_point` is.

    Args:
        setting: `name` or `name:N`, N counted from 1; None or empty for no fault.
        kill: Ends the process.

    Raises:
        ValueError: N is not a positive whole number.
    """
    if not setting:
        return _nothing
    armed, _, number = setting.partition(":")
    if number and not (number.isdecimal() and int(number) > 0):
        raise ValueError(f"{VARIABLE} is '{setting}': expected NAME or NAME:N with N counted from 1")
    last = int(number or 1)
    hits = count(1)

    def hit(name: str) -> None:
        # next() on a count is atomic, and points are hit from the event loop and from the storage's threads.
        if name == armed and next(hits) == last:
            kill()

    return hit


def _nothing(name: str) -> None:
    """No fault is armed."""


def _kill() -> None:
    # Windows has no SIGKILL; its TerminateProcess, behind every other signal number, is as sudden.
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


fault_point = arm(os.environ.get(VARIABLE), _kill)
"""Call it with the point's name at the place where the process may be killed."""
