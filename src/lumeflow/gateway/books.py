"""A call's entry in the ledger, and what the observer hears of it."""

from datetime import datetime
from decimal import Decimal

from lumeflow.core.clock import Clock
from lumeflow.core.effects import AnsweredEffect, Claim, InDoubt, Inheritance, Ledger, Stored, canonical_json
from lumeflow.core.errors import CallError
from lumeflow.core.faults import fault_point
from lumeflow.core.http import HttpResponse
from lumeflow.core.money import FREE, ZERO, Basis, Charge
from lumeflow.core.operation import Answer, Repeat
from lumeflow.gateway import messages
from lumeflow.gateway.call import Call
from lumeflow.gateway.observer import CallObserver

_IN_DOUBT = frozenset({Repeat.BOOKED, Repeat.NEVER})


class Books:
    """Keeps them for one call. What is not to be remembered is only told to the observer.

    Attributes:
        claimed_at: When the call was last claimed; known after `claim`.
        lost: How many of its answers were lost, those of earlier processes included.
    """

    __slots__ = ("_call", "_clock", "_ledger", "_questions", "_remembered", "claimed_at", "lost", "observer")

    def __init__(self, call: Call, ledger: Ledger, observer: CallObserver, clock: Clock) -> None:
        self._call = call
        self._ledger = ledger
        self._clock = clock
        self._remembered = call.operation.remembered
        self._questions = 0
        self.observer = observer
        self.lost = 0
        self.claimed_at: datetime

    async def find(self, inherited: Inheritance | None) -> Stored | InDoubt | None:
        """What an earlier run left, or an earlier execution.

        Raises:
            CallError: The call's node may only use answers that there are, and there is none.
        """
        if not self._remembered:
            return None
        call = self._call
        found = await self._ledger.find(call.key)
        if isinstance(found, InDoubt):
            self.lost = found.lost
        elif found is None and inherited is not None:
            found = await inherited.find(call.key, call.node_id)
            is_harmless = call.repeat is Repeat.FREE and not self.price()
            if found is None and inherited.is_all(call.node_id) and not is_harmless:
                raise self.failed(messages.not_inherited(call))
        return found

    async def claim(self) -> None:
        """The call is about to go out."""
        self.claimed_at = self._clock.now()
        if self._remembered:
            call = self._call
            params = canonical_json(call.identity)
            await self._ledger.claim(Claim(call.key, call.node_id, params, self.claimed_at, self.price()))

    def asked(self, questions: int) -> None:
        """So many requests asked what became of it; they are written down together with its end."""
        self._questions += questions

    async def release(self, attempts: int, *, answered: bool = False) -> None:
        """It ended without effect, after `attempts` requests; see `Ledger.release`."""
        if self._remembered:
            questions, self._questions = self._questions, 0
            await self._ledger.release(self._call.key, attempts + questions, answered=answered)

    async def lose(self, unusable: HttpResponse | None) -> Decimal:
        """Its answer was lost, or paid for in vain. Returns what that may have cost."""
        price = self.price()
        self.lost += 1
        if self._remembered:
            await self._ledger.lose(self._call.key, price, unusable=unusable)
            self.doubtful()
        return price

    async def answer(self, answer: Answer, response: HttpResponse, duration: float) -> Charge:
        """It was answered: store the raw answer, unless the next one will be different. Returns what it cost."""
        call = self._call
        charge = answer.charge
        if call.mocked and charge.basis is not Basis.REPORTED:
            charge = FREE
        if not answer.settled:
            await self.release(1, answered=True)
        elif self._remembered:
            lost = charge.amount * self.lost if self.lost and call.repeat is Repeat.BOOKED else ZERO
            # Requests that were refused or lost have been counted by `release` and `lose`.
            sent = 1 + self._questions
            entry = AnsweredEffect(response, charge, lost, sent, self._clock.now(), round(duration * 1000))
            await self._ledger.answer(call.key, entry)
            fault_point("gateway.stored")
        self.observer.answered(call.node_id, call.account.name, charge, duration)
        return charge

    def doubtful(self) -> None:
        """A repetition is possibly paid a second time."""
        if self._call.repeat in _IN_DOUBT:
            self.observer.doubtful(self._call.node_id, self._call.operation.id, self.price())

    def price(self) -> Decimal:
        """What the call is expected to cost."""
        return ZERO if self._call.mocked else self._call.operation.expected(self._call.params, self._call.account)

    def failed(self, error: CallError) -> CallError:
        """The call failed for good; returns `error`, to be raised."""
        self.observer.failed(self._call.node_id, error.operation, error.error_class, str(error))
        return error
