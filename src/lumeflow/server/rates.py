"""How many requests a key, or an address without one, may make."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

_MOST = 10_000
"""Keys and addresses that are remembered; the one that was quiet the longest is forgotten."""


class Buckets:
    """A token bucket for each name: `burst` at once, `rate` a minute for ever.

    Args:
        rate: Tokens a minute.
        burst: Tokens at most.
        clock: Seconds that only go forward.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._each = 60 / rate
        self._burst = burst
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str) -> int | None:
        """Take a token; None if there was one, else the seconds until there is."""
        now = self._clock()
        full_at = max(self._full_at.pop(name, now), now)
        wait = full_at + self._each - now - self._burst * self._each
        if wait <= 1e-9:
            full_at += self._each
        self._full_at[name] = full_at
        if len(self._full_at) > _MOST:
            self._full_at.popitem(last=False)
        return None if wait <= 1e-9 else math.ceil(wait)

    def knows(self, name: str) -> bool:
        """True if this name has taken tokens lately."""
        return name in self._full_at

    def is_empty(self, name: str) -> int | None:
        """As `take`, without taking."""
        now = self._clock()
        wait = max(self._full_at.get(name, now), now) + self._each - now - self._burst * self._each
        return None if wait <= 1e-9 else math.ceil(wait)
