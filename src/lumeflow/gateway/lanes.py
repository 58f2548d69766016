"""Lanes: what stands between calls and a vendor. One for each account and operation, shared by all executions."""

from dataclasses import dataclass

from lumeflow.core.operation import Account, Operation, RateLimit
from lumeflow.gateway.breaker import Breaker
from lumeflow.gateway.caution import LONGEST_PAUSE
from lumeflow.gateway.permits import Permits
from lumeflow.gateway.rates import MARGIN, RateLimiter


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """How lanes are made.

    Attributes:
        limited: False for demo and mocked calls: no rate limits, only pauses after a refusal.
        margin: Seconds added to every rate window, against jitter on the way.
        longest_pause: Longest wait in seconds that a vendor may ask for.
    """

    limited: bool = True
    margin: float = MARGIN
    longest_pause: float = LONGEST_PAUSE


@dataclass(slots=True)
class Lane:
    """The rate limiter of an operation with the concurrency and the circuit breaker of its account."""

    limiter: RateLimiter
    permits: Permits
    breaker: Breaker


class Lanes:
    """All lanes that share one set of limits."""

    def __init__(self, settings: LaneSettings | None = None) -> None:
        self._settings = settings or LaneSettings()
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._limiters: dict[tuple[str, str], RateLimiter] = {}
        self._permits: dict[str, Permits] = {}
        self._breakers: dict[str, Breaker] = {}

    def lane(self, account: Account, operation: Operation) -> Lane:
        """The lane of an operation; made when it is first asked for."""
        name = account.lane or account.name
        lane = self._lanes.get((name, operation.id))
        if lane is None:
            lane = Lane(
                self._limiter(name, account, operation),
                self._permits.setdefault(name, Permits(account.concurrency)),
                self._breakers.setdefault(name, Breaker()),
            )
            self._lanes[name, operation.id] = lane
        return lane

    @property
    def longest_queue(self) -> int:
        """Calls that wait for the rate of one operation, where most do."""
        return max((limiter.waiting for limiter in self._limiters.values()), default=0)

    def _limiter(self, lane: str, account: Account, operation: Operation) -> RateLimiter:
        # Limits configured under `*` hold for all operations together that have none of their own there.
        configured = account.limits.get(operation.id)
        name, limits, fixed = operation.id, operation.limits, False
        if configured is not None:
            limits, fixed = configured, True
        elif "*" in account.limits:
            name, limits, fixed = "*", account.limits["*"], True
        limiter = self._limiters.get((lane, name))
        if limiter is None:
            limiter = self._limiters[lane, name] = self._new_limiter(limits, fixed)
        return limiter

    def _new_limiter(self, limits: tuple[RateLimit, ...], fixed: bool) -> RateLimiter:
        settings = self._settings
        return RateLimiter(
            limits if settings.limited else (),
            margin=settings.margin,
            learns=settings.limited,
            fixed=fixed,
            longest_pause=settings.longest_pause,
        )
