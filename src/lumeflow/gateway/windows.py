"""One rate limit as a sliding log: at most N sends in any W seconds, exactly, in O(1) and N numbers of memory."""

from collections import deque
from math import inf


class Window:
    """The memory of one limit.

    The limit is thought of as N tokens. A call takes the token that comes free first and holds it until its request
    is written; the token is free again W seconds after that moment. As each token is written with at most once in any
    W seconds, no window ever holds more than N sends, however long a call waits between taking and writing.

    Attributes:
        calls: N.
        seconds: W.
        held: Tokens taken by calls that are not written yet.
        log: When the other tokens were last written with, the oldest first.
    """

    __slots__ = ("calls", "held", "log", "seconds")

    def __init__(self, calls: int, seconds: float) -> None:
        self.calls = calls
        self.seconds = seconds
        self.held = 0
        self.log: deque[float] = deque()

    def free_at(self, span: float) -> float:
        """When the next token comes free: 0 for now, infinity while all are held.

        Args:
            span: Seconds for which a written token stays used: W, or more to be careful.
        """
        over = self._over()
        if over < 0:
            return 0.0
        if over >= len(self.log):
            return inf
        return self.log[over] + span

    def take(self) -> float | None:
        """Take the token that comes free first; call only while `free_at` is finite.

        Returns:
            When it was last written with; None if it was not. `give_back` wants it.
        """
        last = None
        for _ in range(self._over() + 1):
            last = self.log.popleft()
        self.held += 1
        return last

    def written(self, now: float) -> None:
        """The holder of a token writes its request now."""
        self.held -= 1
        self.log.append(now)

    def give_back(self, last: float | None) -> None:
        """Return a token unused."""
        self.held -= 1
        if last is not None:
            self.log.appendleft(last)

    def note(self, now: float) -> None:
        """Count a send whose call took no token here, as the limit became known after it was let through."""
        self.log.append(now)

    def adopt(self, other: "Window", now: float) -> None:
        """Start with the sends of the last W seconds that another window remembers."""
        self.log.extend(at for at in other.log if at > now - self.seconds)

    def __len__(self) -> int:
        return len(self.log)

    def _over(self) -> int:
        # Negative while a token is free; else the place in the log of the one to wait for. That is the first, unless
        # the vendor has lowered N.
        return len(self.log) + self.held - self.calls
