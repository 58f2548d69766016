"""The rate limiter of one account and operation, shared by all executions of the process.

Never more than N sends in any window, for any number of windows at once, and used to the full: a call that waits is
let through a little before its token comes free, so that writing its claim to the ledger costs no rate, and sends
exactly when it does. Waiters go by ticket, the oldest call first; one timer serves them all.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterable
from itertools import count
from math import inf

from lumeflow.core.operation import RateHint, RateLimit
from lumeflow.gateway.caution import LONGEST_PAUSE, Caution
from lumeflow.gateway.windows import Window

MARGIN = 0.010
"""Seconds added to every window, against jitter on the way to the vendor; see `_margin`."""
_FEW = 20
_MARGIN_LIMIT = 0.02
"""Part of a window that its margin may take because it holds few calls."""
_LEAD_LIMIT = 0.100
_LATER, _EARLIER = 0.0005, 0.0045
"""By how many seconds a call in time, and one that was late, move the moment at which the next is let through: nine
in ten are in time."""
_STALL = 1.0
"""A wait of so many seconds is told to those who wait."""

Queueing = Callable[[float], None]
"""Told for about how many seconds the queue stands still; may be told several times of one stall."""


def _quietly(seconds: float) -> None:
    """For callers that need not be told."""


class LimiterClosed(Exception):
    """The vendor asked for a wait that is too long to sit out.

    Attributes:
        seconds: What is left of it.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Slot:
    """Leave to send one request. Ends by exactly one of `give_back`, `passed` and `refused`.

    Attributes:
        was_sent: True once the request was written.
    """

    __slots__ = ("_epoch", "_limiter", "_ready_at", "_taken", "_waited", "_windows", "was_sent")

    def __init__(
        self, limiter: "RateLimiter", windows: tuple[Window, ...], ready_at: float, epoch: int, *, waited: bool
    ) -> None:
        self._limiter = limiter
        self._windows = windows
        self._taken = [window.take() for window in windows]
        self._ready_at = ready_at
        self._epoch = epoch
        self._waited = waited
        self.was_sent = False

    async def turn(self) -> None:
        """Wait until the tokens are really free, some milliseconds at most; call it right before sending."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._waited:
            self._limiter.note_readiness(late=now > self._ready_at)
        while now < self._ready_at:
            await asyncio.sleep(self._ready_at - now)
            now = loop.time()

    def sent(self) -> None:
        """The request is being written now; the windows count from this moment."""
        if self.was_sent:
            return
        self.was_sent = True
        now = asyncio.get_running_loop().time()
        for window in self._windows:
            window.written(now)
        self._limiter.slot_sent(self._windows, now)

    def give_back(self) -> None:
        """The request was not sent: somebody else may use the slot."""
        for window, last in zip(self._windows, self._taken, strict=True):
            window.give_back(last)
        self._limiter.slot_returned(self._epoch)

    def passed(self) -> None:
        """The vendor let the call through, or will not tell any more."""
        self._limiter.slot_passed(self._epoch)

    def refused(self, retry_after: float | None) -> float:
        """The vendor refused the call for its rate. Returns for how many seconds all calls pause, 0 for none."""
        return self._limiter.slot_refused(self._epoch, retry_after)


class RateLimiter:
    """Limits of one account and operation. All times are those of the running event loop.

    Args:
        limits: The limits at the start; none means that only the vendor's refusals hold calls back.
        margin: Seconds added to every window.
        learns: Whether limits that the vendor names are taken over.
        fixed: True if `limits` are the user's own; the vendor's word then only lowers them.
        longest_pause: Longest pause in seconds that the vendor may ask for.
    """

    def __init__(
        self,
        limits: Iterable[RateLimit] = (),
        *,
        margin: float = MARGIN,
        learns: bool = True,
        fixed: bool = False,
        longest_pause: float = LONGEST_PAUSE,
    ) -> None:
        self._windows: tuple[Window, ...] = ()
        self._caution = Caution(longest_pause)
        self._keep(tuple(Window(limit.calls, limit.seconds) for limit in limits))
        self._own = {limit.seconds: limit.calls for limit in limits} if fixed else {}
        self._margin = margin
        self._learns = learns
        self._hinted: tuple[RateLimit, ...] = ()
        self._waiters: list[tuple[int, int, asyncio.Future[Slot], Queueing]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._lead = 0.010

    @property
    def limits(self) -> tuple[RateLimit, ...]:
        """The limits in force."""
        return tuple(RateLimit(window.calls, window.seconds) for window in self._windows)

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return len(self._waiters)

    @property
    def paused(self) -> bool:
        """True while all calls pause after a refusal."""
        return self._caution.paused_until > asyncio.get_running_loop().time()

    def wait(self) -> float:
        """Seconds until the next call may go, as far as this can be told; 0 if it may go now."""
        ready = self._ready_at()
        return 0.0 if ready == inf else max(0.0, ready - asyncio.get_running_loop().time())

    def try_acquire(self) -> Slot | None:
        """A slot at once, if one is free and nobody waits.

        Raises:
            LimiterClosed: The vendor asked for a wait that is too long.
        """
        now = asyncio.get_running_loop().time()
        if now < self._caution.closed_until:
            raise LimiterClosed(self._caution.closed_until - now)
        return None if self._waiters else self._grant(now, waited=False)

    async def acquire(self, ticket: int, queueing: Queueing = _quietly) -> Slot:
        """Wait for a slot; the lowest ticket comes first.

        Args:
            ticket: Place in the queue.
            queueing: Told when the queue stands still for long.

        Raises:
            LimiterClosed: The vendor asked for a wait that is too long.
        """
        slot = self.try_acquire()
        if slot is not None:
            return slot
        future: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (ticket, next(self._order), future, queueing))
        if self._timer is None:
            self._pump()
        elif self.wait() >= _STALL:
            queueing(self.wait())
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                future.result().give_back()
            raise

    def learn(self, hint: RateHint) -> None:
        """Take over what an answer says of the limits."""
        if not self._learns:
            return
        if hint.pause > 0:
            self._caution.pause(hint.pause, asyncio.get_running_loop().time())
            self._fail_if_closed()
        if hint.limits != self._hinted:
            self._hinted = hint.limits
            for limit in hint.limits:
                self._set_limit(limit)
            self._pump()

    def note_readiness(self, *, late: bool) -> None:
        """A call that had waited was ready to send after its tokens came free (late) or before."""
        moved = self._lead + _EARLIER if late else self._lead - _LATER
        self._lead = min(max(moved, 0.0), _LEAD_LIMIT)

    def slot_sent(self, windows: tuple[Window, ...], now: float) -> None:
        """A slot was used; it held tokens of `windows`."""
        if windows is not self._windows:
            for window in self._windows:
                if window not in windows:
                    window.note(now)
        if self._waiters and self._timer is None:
            self._pump()

    def slot_returned(self, epoch: int) -> None:
        """A slot was not used."""
        self._caution.returned(epoch)
        self._pump()

    def slot_passed(self, epoch: int) -> None:
        """The vendor let a call through."""
        if self._caution.passed(epoch, max((window.calls for window in self._windows), default=100)):
            self._pump()

    def slot_refused(self, epoch: int, retry_after: float | None) -> float:
        """The vendor refused a call. Returns for how many seconds all calls pause, 0 for none."""
        now = asyncio.get_running_loop().time()
        self._caution.refused(epoch, retry_after, now)
        self._fail_if_closed()
        self._pump()
        return max(0.0, self._caution.paused_until - now, self._caution.closed_until - now)

    def _fail_if_closed(self) -> None:
        left = self._caution.closed_until - asyncio.get_running_loop().time()
        if left <= 0:
            return
        for _, _, future, _ in self._waiters:
            if not future.done():
                future.set_exception(LimiterClosed(left))
        self._waiters.clear()

    def _set_limit(self, limit: RateLimit) -> None:
        if limit.calls < 1 or limit.seconds <= 0:
            return
        calls = min(limit.calls, self._own.get(limit.seconds, limit.calls))
        for window in self._windows:
            if window.seconds == limit.seconds:
                window.calls = calls
                self._keep(self._windows)
                return
        fresh = Window(calls, limit.seconds)
        if self._windows:
            fresh.adopt(max(self._windows, key=len), asyncio.get_running_loop().time())
        self._keep((*self._windows, fresh))

    def _keep(self, windows: tuple[Window, ...]) -> None:
        self._windows = windows
        self._caution.calls = min((window.calls for window in windows), default=None)

    def _ready_at(self) -> float:
        ready = self._caution.paused_until
        for window in self._windows:
            free = window.free_at(window.seconds * self._caution.stretch + _margin(window, self._margin))
            ready = max(ready, free)
        return ready

    def _grant(self, now: float, *, waited: bool) -> Slot | None:
        caution = self._caution
        if caution.holds or caution.paused_until > now:
            return None
        ready = self._ready_at()
        if ready - self._lead > now:
            return None
        caution.took()
        return Slot(self, self._windows, ready, caution.epoch, waited=waited)

    def _pump(self) -> None:
        waiters = self._waiters
        if not waiters:
            return
        now = asyncio.get_running_loop().time()
        while waiters:
            future = waiters[0][2]
            if future.done():
                heapq.heappop(waiters)
                continue
            slot = self._grant(now, waited=True)
            if slot is None:
                self._set_timer(now)
                return
            heapq.heappop(waiters)
            future.set_result(slot)

    def _set_timer(self, now: float) -> None:
        ready = self._ready_at()
        if self._caution.holds or ready == inf:
            return  # an answer, or a request that is written, makes the next move
        at = self._caution.paused_until if self._caution.paused_until > now else ready - self._lead
        if self._timer is not None:
            if self._timer.when() <= at:
                return  # it fires early, and is set again then
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(at, self._on_timer)
        if at - now >= _STALL:
            for _, _, _, queueing in self._waiters:
                queueing(at - now)

    def _on_timer(self) -> None:
        self._timer = None
        self._pump()


def _margin(window: Window, margin: float) -> float:
    """Seconds to add to a window. One of few calls gets more: they travel in a bunch, so that a single late moment has
    all of them refused, and each is a large part of what the window lets through.
    """
    return max(margin, min(margin * (1 + _FEW / window.calls), _MARGIN_LIMIT * window.seconds))
