"""The bill: what was received, processed, repeated, refused and charged, by provider and by operation."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lumeflow.core.money import ZERO, plain
from lumeflow.simulator.exchange import Cost


@dataclass(slots=True)
class Tally:
    """Counts of one operation; at every moment `calls` is the sum of the five outcomes.

    Attributes:
        calls: Requests received.
        answered: Processed, whether or not the answer arrived.
        rejected: RefusedError for what they are: key, parameters, unknown things, plan limits, exhausted budget.
        rate_limited: RefusedError by a rate limit.
        over_concurrency: RefusedError because too many were in flight.
        failed: Answered with an injected error instead of being processed.
        distinct: Different paid requests among those processed.
        repeats: Paid requests processed although an identical one had been before.
        repeats_after_fault: Those of them whose predecessor's answer was lost, unreadable or odd by the fault plan.
        lost_answers: Processed, but the answer was lost or cannot be read.
        in_flight: Accepted and not yet answered.
        peak_in_flight: The most that `in_flight` has been.
        faults: Injected faults by kind.
        usd: Money charged, repetitions and lost answers included.
        credits: Credits charged.
        lost_usd: The part of `usd` for lost answers: what a client cannot know from answers.
        lost_credits: The same of `credits`.
    """

    calls: int = 0
    answered: int = 0
    rejected: int = 0
    rate_limited: int = 0
    over_concurrency: int = 0
    failed: int = 0
    distinct: int = 0
    repeats: int = 0
    repeats_after_fault: int = 0
    lost_answers: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    usd: Decimal = ZERO
    credits: Decimal = ZERO
    lost_usd: Decimal = ZERO
    lost_credits: Decimal = ZERO

    def as_json(self) -> dict[str, Any]:
        """As `GET /_simulator/bill` shows it; amounts are decimal strings."""
        return {
            "calls": self.calls,
            "answered": self.answered,
            "rejected": self.rejected,
            "rateLimited": self.rate_limited,
            "overConcurrency": self.over_concurrency,
            "failed": self.failed,
            "distinct": self.distinct,
            "repeats": self.repeats,
            "repeatsAfterFault": self.repeats_after_fault,
            "lostAnswers": self.lost_answers,
            "inFlight": self.in_flight,
            "peakInFlight": self.peak_in_flight,
            "faults": dict(sorted(self.faults.items())),
            "charges": {"USD": plain(self.usd), "credits": plain(self.credits)},
            "lostCharges": {"USD": plain(self.lost_usd), "credits": plain(self.lost_credits)},
        }


_ADDED_UP = (
    "calls", "answered", "rejected", "rate_limited", "over_concurrency", "failed", "distinct", "repeats",
    "repeats_after_fault", "lost_answers", "usd", "credits", "lost_usd", "lost_credits",
)  # fmt: skip


class Bill:
    """All tallies of a simulator.

    Which paid requests were processed is remembered as 64-bit hashes, the only thing that grows with the calls.
    """

    def __init__(self) -> None:
        self._operations: dict[tuple[str, str], Tally] = {}
        self._flights: dict[str, Tally] = {}
        self._all = Tally()
        self._processed: set[int] = set()
        self._spoiled: set[int] = set()
        self.unknown = 0
        """Requests for a path that no simulated vendor has."""

    def of(self, provider: str, operation: str) -> Tally:
        """The tally of one operation."""
        tally = self._operations.get((provider, operation))
        if tally is None:
            tally = self._operations[provider, operation] = Tally()
            self._flights.setdefault(provider, Tally())
        return tally

    def provider(self, name: str) -> Tally:
        """The sum over a provider's operations."""
        tallies = [tally for (provider, _), tally in self._operations.items() if provider == name]
        return _sum(tallies, self._flights.get(name, Tally()))

    def in_flight(self, provider: str) -> int:
        """Calls that a provider has accepted and not yet answered."""
        flights = self._flights.get(provider)
        return flights.in_flight if flights else 0

    def spent(self, provider: str) -> Cost:
        """What a provider has charged so far."""
        tally = self.provider(provider)
        return Cost(tally.usd, tally.credits)

    @contextmanager
    def flight(self, provider: str, tally: Tally) -> Iterator[None]:
        """Count a call as in flight while the block runs."""
        together = (tally, self._flights[provider], self._all)
        for one in together:
            one.in_flight += 1
            one.peak_in_flight = max(one.peak_in_flight, one.in_flight)
        try:
            yield
        finally:
            for one in together:
                one.in_flight -= 1

    def was_processed(self, key: int) -> bool:
        """True if an identical paid request has been processed."""
        return key in self._processed

    def effect(self, tally: Tally, key: int) -> None:
        """Count a processed paid request, or its repetition."""
        if key not in self._processed:
            self._processed.add(key)
            tally.distinct += 1
            return
        tally.repeats += 1
        if key in self._spoiled:
            self._spoiled.discard(key)
            tally.repeats_after_fault += 1

    def charge(self, tally: Tally, cost: Cost) -> None:
        """Charge a processed call."""
        tally.usd += cost.usd
        tally.credits += cost.credits

    def fault(self, tally: Tally, kind: str) -> None:
        """Count an injected fault."""
        tally.faults[kind] = tally.faults.get(kind, 0) + 1

    def spoiled(self, key: int) -> None:
        """Remember that the answer to a processed paid request gives a reason to ask again."""
        self._spoiled.add(key)

    def lost(self, tally: Tally, cost: Cost) -> None:
        """Count an answer that the client cannot read, and what it cost."""
        tally.lost_answers += 1
        tally.lost_usd += cost.usd
        tally.lost_credits += cost.credits

    def as_json(self) -> dict[str, Any]:
        """As `GET /_simulator/bill` shows it, without the limits."""
        providers: dict[str, Any] = {}
        for name in sorted({provider for provider, _ in self._operations}):
            own = {operation: t for (provider, operation), t in sorted(self._operations.items()) if provider == name}
            lines = {operation: tally.as_json() for operation, tally in own.items()}
            providers[name] = {**self.provider(name).as_json(), "operations": lines}
        totals = _sum(self._operations.values(), self._all).as_json()
        return {"providers": providers, "totals": {**totals, "unknownPaths": self.unknown}}


def _sum(tallies: Iterable[Tally], flights: Tally) -> Tally:
    total = Tally(in_flight=flights.in_flight, peak_in_flight=flights.peak_in_flight)
    for tally in tallies:
        for name in _ADDED_UP:
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        for kind, count in tally.faults.items():
            total.faults[kind] = total.faults.get(kind, 0) + count
    return total
