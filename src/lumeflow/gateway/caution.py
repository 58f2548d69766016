"""What a rate limiter does when the vendor refuses calls although the limits were kept.

A refusal among many answers (two clocks that differ a little, a hiccup) is the business of that call alone: it waits,
and the windows are kept a little wider for a while. So are those of one window in which a hiccup had many refused, once
the vendor has let a window full of calls through. More than one in five means that the limit is really lower than
known, or used by others as well: then all calls pause once, together. After that, as in TCP, only so many may be
under way at a time: one, two, four… as answers come back, up to half of what was too much, and from there one more for
each round. Refusals of calls that were under way before the pause are part of the same event and don't count again.
"""

from collections import deque

LONGEST_PAUSE = 900.0
"""Seconds; a vendor that asks to wait longer has used up a quota, and calls fail at once until then."""

_FIRST_PAUSE = 0.5
_LAST_PAUSE = 60.0
_RECENT = 20
"""Answers among which refusals are counted where no limit is known."""
_FEWEST, _MOST = 40, 300
"""The same where one is: as many as two windows hold, within these bounds."""
_ONE_IN = 5
_STEP, _STEP_LIMIT = 0.01, 1.05
"""By how much a single refusal widens the windows, and how far such refusals go."""
_LEAP, _LEAP_LIMIT = 0.05, 1.25
"""The same for a pause."""
_RECOVERY = 0.0125
"""What a window full of calls takes off again."""
_MANY = 256.0
"""Calls under way at which the number is no longer bounded here."""


class Caution:
    """The state of this. Times are those of the event loop.

    Args:
        longest_pause: Seconds; see `LONGEST_PAUSE`.

    Attributes:
        calls: How many calls the smallest window holds; None if there is no limit to be kept.
        epoch: Number of the pause; a call belongs to the epoch in which it got its slot.
        paused_until: No call goes before.
        closed_until: Calls fail at once before: the vendor asked for a wait that is too long.
        stretch: How many times wider than agreed the windows are kept.
    """

    __slots__ = (
        "_allowed",
        "_enough",
        "_longest_pause",
        "_out",
        "_pauses",
        "_recent",
        "_refused",
        "calls",
        "closed_until",
        "epoch",
        "paused_until",
        "stretch",
    )

    def __init__(self, longest_pause: float) -> None:
        self._longest_pause = longest_pause
        self._allowed: float | None = None
        self._enough = _MANY
        self._out = 0
        self._pauses = 0
        self._recent: deque[bool] = deque()
        self._refused = 0
        self.calls: int | None = None
        self.epoch = 0
        self.paused_until = 0.0
        self.closed_until = 0.0
        self.stretch = 1.0

    @property
    def holds(self) -> bool:
        """True while nobody may go before an answer is back."""
        return self._allowed is not None and self._out >= int(self._allowed)

    def took(self) -> None:
        """A call got a slot."""
        self._out += 1

    def returned(self, epoch: int) -> None:
        """It gave it back unused."""
        if epoch == self.epoch:
            self._out -= 1

    def passed(self, epoch: int, calls: int) -> bool:
        """The vendor let a call through; `calls` is the size of the largest window.

        Returns:
            True if others may go because of it.
        """
        if epoch != self.epoch:
            return False
        self._out -= 1
        self._pauses = 0
        self._note(refused=False)
        if self.stretch > 1.0:
            self.stretch = max(1.0, self.stretch - _RECOVERY / calls)
        if self._allowed is None:
            return False
        self._allowed += 1.0 if self._allowed < self._enough else 1.0 / int(self._allowed)
        if self._allowed > _MANY:
            self._allowed = None
        return True

    def refused(self, epoch: int, retry_after: float | None, now: float) -> None:
        """The vendor refused a call."""
        if retry_after is not None and retry_after > self._longest_pause:
            self.pause(retry_after, now)
        if epoch != self.epoch:
            if self.paused_until > now:
                self.pause(retry_after or 0.0, now)
            return
        self._out -= 1
        self._note(refused=True)
        if self._refused * _ONE_IN > self._counted():
            self._stop(retry_after, now)
        elif self.stretch < _STEP_LIMIT:
            self.stretch += _STEP

    def pause(self, seconds: float, now: float) -> None:
        """Let no call go for a while; if that is too long, let calls fail."""
        if seconds > self._longest_pause:
            self.closed_until = max(self.closed_until, now + seconds)
        else:
            self.paused_until = max(self.paused_until, now + seconds)

    def _stop(self, retry_after: float | None, now: float) -> None:
        default = min(_LAST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self._pauses, 10))
        self.pause(default if retry_after is None else retry_after, now)
        self._pauses += 1
        self.epoch += 1
        self._recent.clear()
        self._refused = 0
        self._enough = max(1.0, (self._allowed or self._out + 1.0) / 2)
        self._allowed = 1.0
        self._out = 0
        self.stretch = min(_LEAP_LIMIT, self.stretch + _LEAP)

    def _note(self, *, refused: bool) -> None:
        self._recent.append(refused)
        self._refused += refused
        if len(self._recent) > self._span():
            self._refused -= self._recent.popleft()

    def _span(self) -> int:
        return _RECENT if self.calls is None else min(max(_FEWEST, 2 * self.calls), _MOST)

    def _counted(self) -> int:
        """Among how many answers the refusals are: at least a whole span, once the limit has proved to be right."""
        passed = len(self._recent) - self._refused
        proven = self.calls is not None and passed >= min(self.calls, self._span() // 2)
        return self._span() if proven else len(self._recent)
