"""The life of one call, from the question whether it was made before to an answer that is stored.

    find ──► answered: replay
      └────► admit ──► claim ──► send ──► judge ──► store ──► done
                │                  │        └─ refused: release ────┐
                │                  └─ lost: look first, or book it ─┤
                └───────────────────────── again ◄──────────────────┘

Nothing paid is cut off: from the claim to the end of the attempt the flight is held, whoever goes away.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from lumeflow.core.effects import Stored
from lumeflow.core.errors import (
    AnswerLost,
    AnswerTooLarge,
    CallError,
    ErrorClass,
    ForbiddenAddress,
    LumeflowError,
    NotSent,
    StorageError,
)
from lumeflow.core.faults import fault_point
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.money import ZERO
from lumeflow.core.operation import Account, Answer, Failure, Repeat, Verdict
from lumeflow.gateway import messages
from lumeflow.gateway.admission import Passage, admit
from lumeflow.gateway.authority import Authority
from lumeflow.gateway.books import Books
from lumeflow.gateway.call import Call, Outcome, Surroundings
from lumeflow.gateway.echoes import secrets_of, without_echoes
from lumeflow.gateway.flight import Flight
from lumeflow.gateway.lookup import Lookup
from lumeflow.gateway.redirects import send_following
from lumeflow.gateway.retry import Ending, Problem

_log = logging.getLogger(__name__)

_DOWN = frozenset({ErrorClass.SERVER_ERROR, ErrorClass.TIMEOUT})
_UNCLEAR = frozenset({ErrorClass.SERVER_ERROR, ErrorClass.TIMEOUT, ErrorClass.INVALID_RESPONSE})
"""Errors after which the vendor may have done the work all the same; a `LOOK_FIRST` call then asks first."""


class Effect:
    """Carries one call out. Used once."""

    __slots__ = ("_around", "_attempts", "_authority", "_books", "_call", "_flight", "_observer", "_written_at")

    def __init__(self, call: Call, around: Surroundings, flight: Flight[Outcome]) -> None:
        self._call = call
        self._around = around
        self._flight = flight
        self._observer = around.observer
        self._books = Books(call, around.ledger, around.observer, around.clock)
        self._authority = Authority(call, around.tokens, self._books)
        self._attempts = 0
        self._written_at = 0.0

    async def run(self) -> Outcome:
        """Answer the call.

        Raises:
            CallError: It failed for good.
            StorageError: The ledger cannot be read or written.
            CancelledError: Nobody waits for it any more, and nothing is under way.
        """
        result: Outcome | Problem | None = None
        found = await self._books.find(self._around.inherited)
        if isinstance(found, Stored):
            return self._replay(found)
        if found is not None:
            result = await self._clear_up(found.claimed_at)
        while not isinstance(result, Outcome):
            if result is not None:
                await self._again(result)
            result = await self._attempt()
        return result

    def _replay(self, stored: Stored) -> Outcome:
        verdict = self._judge(stored.response)
        if isinstance(verdict, Failure):
            raise self._final(_refusal(verdict, stored.response))
        self._observer.replayed(self._call.node_id)
        return Outcome(stored.response, verdict.value, stored.charge, replayed=True)

    async def _clear_up(self, claimed_at: datetime) -> Outcome | Problem | None:
        """A process that is gone made this call, and nobody knows with what result."""
        if self._call.repeat is not Repeat.LOOK_FIRST:
            self._books.doubtful()
            if self._call.repeat is Repeat.NEVER:
                raise self._books.failed(messages.not_again(self._call))
            return None
        response = await self._look(claimed_at)
        self._flight.hold()
        if response is None:
            await self._books.release(0)
            self._flight.let_go()
            return None
        self._written_at = asyncio.get_running_loop().time()
        return await self._settle(response, None, looked_up=True)

    async def _again(self, problem: Problem) -> None:
        self._flight.let_go()
        if problem.ending is Ending.EXPIRED:
            return
        delay = None if self._call.mocked else self._call.retries.after(problem)  # a mock answers the same again
        if delay is None:
            raise self._final(problem)
        self._observer.retried(self._call.node_id, problem.error_class, self._attempts, delay)
        if delay > 0.0:
            await asyncio.sleep(delay)

    def _final(self, problem: Problem) -> CallError:
        return self._books.failed(messages.final_error(problem, self._call, self._attempts))

    # One attempt.

    async def _attempt(self) -> Outcome | Problem:
        self._need_key()
        account = await self._authority.account()
        if isinstance(account, Problem):
            return account
        request = self._build(account)
        budget = self._around.budget if self._call.operation.remembered else None
        price = ZERO if budget is None else self._books.price()
        try:
            passage = await admit(self._call, budget, price, self._queueing)
        except CallError as error:
            raise self._books.failed(error) from None
        self._flight.hold()
        try:
            return await self._pass(passage, request)
        finally:
            passage.close()

    async def _pass(self, passage: Passage, request: HttpRequest) -> Outcome | Problem:
        call = self._call
        self._attempts += 1
        try:
            await self._books.claim()
            await passage.slot.turn()
            if self._flight.abandoned:
                self._flight.let_go()
            fault_point("gateway.claimed")
            response = await send_following(
                call.transport, request, seconds=call.timeout, on_write=lambda: self._written(passage)
            )
        except ForbiddenAddress as error:
            await self._books.release(0)
            return Problem(Ending.UNSENT, ErrorClass.VALIDATION, str(error), retryable=False)
        except NotSent as error:
            self._report_down(passage)
            await self._books.release(0)
            return Problem(Ending.UNSENT, ErrorClass.NETWORK, str(error))
        except AnswerTooLarge as error:
            passage.passed()
            return await self._lose(passage, _too_large(error), None)
        except AnswerLost as error:
            self._report_down(passage)
            return await self._lose(passage, _lost(error), None)
        except asyncio.CancelledError:
            if not passage.slot.was_sent:
                with suppress(StorageError):  # cut off before the claim was even queued
                    await self._books.release(0)
            raise
        passage.landed()
        fault_point("gateway.answered")
        response = without_echoes(response, secrets_of(request, call.account))
        return await self._settle(response, passage, looked_up=False)

    def _need_key(self) -> None:
        call = self._call
        if call.real and call.account.key is None and call.account.key_name:
            raise self._books.failed(messages.no_key(call.operation, call.account))

    def _build(self, account: Account) -> HttpRequest:
        call = self._call
        try:
            return call.operation.build(call.params, account)
        except LumeflowError:
            raise
        except Exception as error:
            raise self._books.failed(messages.broken(call.operation, "building the request", error)) from error

    def _written(self, passage: Passage) -> None:
        passage.slot.sent()
        self._written_at = asyncio.get_running_loop().time()
        self._observer.sent(self._call.node_id, self._call.account.name)

    # What came of it. There is no passage if an earlier process had made the call.

    async def _settle(self, response: HttpResponse, passage: Passage | None, *, looked_up: bool) -> Outcome | Problem:
        try:
            verdict = self._judge(response)
        except CallError:
            await self._book(passage, response)  # kept, for whoever corrects the operation's code
            raise
        if passage is not None and not looked_up:
            self._report(passage, verdict, response)
        if isinstance(verdict, Answer):
            return await self._store(verdict, response, passage)
        problem = _refusal(verdict, response)
        if self._authority.renews(verdict, response):
            problem = replace(problem, ending=Ending.EXPIRED)
        if passage is not None and not looked_up and self._must_look(verdict):
            return await self._lose(passage, problem, response)
        if verdict.paid:
            await self._book(passage, response)
        else:
            await self._books.release(1)
        return problem

    async def _store(self, answer: Answer, response: HttpResponse, passage: Passage | None) -> Outcome:
        duration = asyncio.get_running_loop().time() - self._written_at
        charge = await self._books.answer(answer, response, duration)
        _pay(passage, charge.amount)
        return Outcome(response, answer.value, charge)

    async def _lose(self, passage: Passage, problem: Problem, unusable: HttpResponse | None) -> Outcome | Problem:
        if self._call.repeat is not Repeat.LOOK_FIRST:
            await self._book(passage, unusable)
            return problem
        passage.landed()  # the questions need a permit of their own
        try:
            response = await self._look(self._books.claimed_at)
        except CallError:
            await self._book(passage, unusable)
            raise
        if response is None:
            await self._books.release(1)
            return Problem(Ending.UNSTARTED, problem.error_class, problem.message, problem.status)
        return await self._settle(response, passage, looked_up=True)

    async def _book(self, passage: Passage | None, unusable: HttpResponse | None) -> None:
        _pay(passage, await self._books.lose(unusable))

    async def _look(self, claimed_at: datetime) -> HttpResponse | None:
        self._need_key()
        lookup = Lookup(self._call, self._observer)
        try:
            return await lookup.run(claimed_at)
        except CallError as error:
            raise self._books.failed(error) from error.__cause__
        finally:
            self._books.asked(lookup.asked)

    def _must_look(self, failure: Failure) -> bool:
        return self._call.repeat is Repeat.LOOK_FIRST and (failure.paid or failure.error_class in _UNCLEAR)

    def _judge(self, response: HttpResponse) -> Verdict:
        call = self._call
        try:
            return call.operation.judge(call.params, response, call.account)
        except Exception as error:
            raise self._books.failed(messages.broken(call.operation, "reading the answer", error)) from error

    # What the lane and the observer are told.

    def _queueing(self, seconds: float) -> None:
        name = self._call.operation.id
        now = asyncio.get_running_loop().time()
        if now >= self._around.stalls.get(name, 0.0):
            self._around.stalls[name] = now + seconds
            self._observer.rate_limited(self._call.node_id, self._call.account.name, seconds)

    def _report(self, passage: Passage, verdict: Verdict, response: HttpResponse) -> None:
        call = self._call
        if isinstance(verdict, Failure) and verdict.error_class is ErrorClass.RATE_LIMIT:
            pause = passage.refused(verdict.retry_after)
            self._observer.rate_limited(call.node_id, call.account.name, max(pause, verdict.retry_after or 0.0))
        elif isinstance(verdict, Failure) and verdict.error_class in _DOWN:
            self._report_down(passage)
        else:
            passage.passed()
        try:
            hint = call.operation.rates(response)
        except Exception as error:
            # The answer is worth more than its headers.
            _log.warning("%s: reading an answer's rate limits failed with %s", call.operation.id, type(error).__name__)
        else:
            if hint is not None:
                call.lane.limiter.learn(hint)

    def _report_down(self, passage: Passage) -> None:
        pause = passage.failed()
        if pause is not None:
            self._observer.circuit_opened(self._call.node_id, self._call.account.name, pause)


def _refusal(failure: Failure, response: HttpResponse) -> Problem:
    return Problem(
        Ending.LOST if failure.paid else Ending.REFUSED,
        failure.error_class,
        failure.message,
        response.status,
        failure.retry_after,
        failure.retryable,
    )


def _lost(error: AnswerLost) -> Problem:
    return Problem(Ending.LOST, ErrorClass.TIMEOUT if error.timed_out else ErrorClass.NETWORK, str(error))


def _too_large(error: AnswerTooLarge) -> Problem:
    return Problem(Ending.LOST, ErrorClass.INVALID_RESPONSE, str(error), retryable=False)


def _pay(passage: Passage | None, amount: Decimal) -> None:
    if passage is not None:
        passage.price = amount
