"""Leave to send: everything that a call waits for before it may go out."""

from decimal import Decimal

from lumeflow.core.money import ZERO
from lumeflow.gateway import messages
from lumeflow.gateway.budget import Budget
from lumeflow.gateway.call import Call
from lumeflow.gateway.lanes import Lane
from lumeflow.gateway.rates import LimiterClosed, Queueing, Slot


class Passage:
    """Leave to make one request: a rate slot, a permit, and a reservation in the budget. Close it in any case."""

    __slots__ = ("_budget", "_expected", "_lane", "_permit", "_probe", "_reported", "_reserved", "price", "slot")

    def __init__(self, lane: Lane, slot: Slot, probe: bool, budget: Budget | None, expected: Decimal) -> None:
        self._lane = lane
        self.slot = slot
        self._probe = probe
        self._budget = budget
        self._expected = expected
        self._permit = True
        self._reserved = budget is not None
        self._reported = False
        self.price = ZERO
        """What the call cost, for the budget; set before `close`."""

    def landed(self) -> None:
        """The answer is here, or will not come: somebody else may send."""
        if self._permit:
            self._permit = False
            self._lane.permits.release()

    def passed(self) -> None:
        """The vendor is up and did not refuse for the rate."""
        self._reported = True
        self.slot.passed()
        self._lane.breaker.succeeded()

    def refused(self, retry_after: float | None) -> float:
        """The vendor refused for the rate. Returns for how many seconds all calls of the lane pause, 0 for none."""
        self._reported = True
        self._lane.breaker.succeeded()
        return self.slot.refused(retry_after)

    def failed(self) -> float | None:
        """The vendor is down, as far as this call can tell. Returns seconds if this opened the circuit."""
        self._reported = True
        if self.slot.was_sent:
            self.slot.passed()
        return self._lane.breaker.failed(probe=self._probe)

    def close(self) -> None:
        """Give back what is still held."""
        self.landed()
        if not self.slot.was_sent:
            self.slot.give_back()
        elif not self._reported:
            self.slot.passed()
        if self._probe and not self._reported:
            self._lane.breaker.abandoned()
        if self._budget is not None and self._reserved:
            self._reserved = False
            self._budget.settle(self._expected, self.price, calls=int(self.slot.was_sent))


async def admit(call: Call, budget: Budget | None, expected: Decimal, queueing: Queueing) -> Passage:
    """Wait for leave to send: circuit closed, a rate slot, a permit, room in the budget, in this order.

    The rate slot comes before the permit, so that calls which wait for one operation's rate don't hold back the other
    operations of the account. If anything changed during a wait, all is given back and the call, which keeps its ticket
    and so its place, starts over.

    Raises:
        CallError: (LIMIT) the budget is used up, or (RATE_LIMIT) the vendor asked for a wait that is too long.
    """
    lane = call.lane
    while True:
        probe = False if lane.breaker.closed else await lane.breaker.enter()
        slot: Slot | None = None
        permit = False
        try:
            slot = lane.limiter.try_acquire()
            if slot is None:
                slot = await lane.limiter.acquire(call.ticket, queueing)
            permit = lane.permits.try_acquire()
            if not permit:
                await lane.permits.acquire()
                permit = True
            stale = lane.limiter.paused or not (probe or lane.breaker.closed)
            if not stale and (budget is None or budget.reserve(expected, call.operation.id)):
                return Passage(lane, slot, probe, budget, expected)
        except LimiterClosed as closed:
            _undo(lane, slot, permit, probe)
            raise messages.closed(call.operation, closed.seconds) from None
        except BaseException:
            _undo(lane, slot, permit, probe)
            raise
        _undo(lane, slot, permit, probe)
        if not stale and budget is not None:
            await budget.settled()


def _undo(lane: Lane, slot: Slot | None, permit: bool, probe: bool) -> None:
    if permit:
        lane.permits.release()
    if slot is not None:
        slot.give_back()
    if probe:
        lane.breaker.abandoned()
