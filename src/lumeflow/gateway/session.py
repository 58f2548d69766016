"""The gateway as one execution sees it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import orjson

from lumeflow.core.effects import Claim, EffectKey, Stored, canonical_json, new_answer
from lumeflow.core.errors import ErrorClass, NodeError, UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.core.http import HttpResponse, Transport
from lumeflow.core.operation import Answer, Operation, Params, Response
from lumeflow.gateway.accounts import Accounts
from lumeflow.gateway.call import Call, Outcome, Surroundings
from lumeflow.gateway.effect import Effect
from lumeflow.gateway.flight import Flight
from lumeflow.gateway.lanes import Lanes, LaneSettings
from lumeflow.gateway.mocks import Canned, Mocks
from lumeflow.gateway.retry import Retries, RetryPolicy

T = TypeVar("T")
Read = Callable[[], Awaitable[Any]]
_MEMORY = "memory"


class Session:
    """Makes the calls of one execution; get one from `Gateway.session`.

    Args:
        execution_id: The execution.
        operations: All operations by id.
        accounts: How providers are reached.
        around: What its calls share.
        transport: What sends its calls.
        lanes: Their ways to the vendors.
        real: False in demo mode: no keys are needed.
        mocks: Answers given by the user.
        next_ticket: Gives each call its place in the queues.
        longest_wait: Longest wait in seconds that a vendor may ask for.
    """

    def __init__(
        self,
        *,
        execution_id: str,
        operations: Mapping[str, Operation],
        accounts: Accounts,
        around: Surroundings,
        transport: Transport,
        lanes: Lanes,
        real: bool,
        mocks: Mocks,
        next_ticket: Callable[[], int],
        longest_wait: float,
    ) -> None:
        self._execution_id = execution_id
        self._operations = operations
        self._accounts = accounts
        self._around = around
        self._transport = transport
        self._lanes = lanes
        self._real = real
        self._mocks = mocks
        self._mock_lanes = Lanes(LaneSettings(limited=False))
        self._next_ticket = next_ticket
        self._longest_wait = longest_wait
        self._calls: dict[bytes, Flight[Outcome]] = {}
        self._memories: dict[bytes, Flight[bytes]] = {}
        self._draining = False

    async def call(
        self,
        operation_id: str,
        params: Params,
        *,
        node_id: str,
        retry: RetryPolicy,
        position: str | None = None,
        call_timeout: float | None = None,
    ) -> Response:
        """Make a call, or have it answered by the ledger, an identical call in flight, a mock, or demo data.

        Args:
            operation_id: Operation id, e.g. `apollo/people-match`.
            params: What to ask: canonical JSON, without secrets.
            node_id: The node that pays.
            retry: The node's retry policy.
            position: Place of the record in the node's input; part of the identity of a call that writes.
            call_timeout: Seconds to wait for one answer; None for the operation's own timeout.

        Raises:
            CallError: It failed for good.
            StorageError: The ledger cannot be read or written; then nothing was sent, or its answer is in doubt.
            UsageError: There is no such operation, or no account for it.
        """
        operation = self._operation(operation_id)
        terms = operation.terms(params, self._accounts.resolve(operation.provider))
        account = terms.account
        place = f"{node_id}/{position or ''}" if terms.writes else None
        key = EffectKey.of(self._execution_id, account.name, operation.id, terms.identity, position=place)
        flight = self._calls.get(key.digest)
        if flight is not None and not flight.dead:
            return await self._join(flight, operation, params, node_id)
        mock = self._mocks.find(node_id, operation, params)
        call = Call(
            operation=operation,
            params=params,
            account=account,
            repeat=terms.repeat,
            identity=terms.identity,
            key=key,
            node_id=node_id,
            timeout=operation.timeout if call_timeout is None else call_timeout,
            ticket=self._next_ticket(),
            lane=(self._lanes if mock is None else self._mock_lanes).lane(account, operation),
            transport=mock or self._own_answer(operation, params) or self._transport,
            retries=Retries(retry, terms.repeat, key.digest, self._longest_wait, operation.most_lost),
            real=self._real and mock is None,
            mocked=mock is not None,
        )
        flight = self._launch(self._calls, key.digest)
        flight.start(Effect(call, self._around, flight).run, partial(_landed, self._calls, key.digest, flight))
        outcome = await flight.join()
        return Response(outcome.value, outcome.charge, outcome.replayed)

    async def remember(self, node_id: str, name: str, read: Read) -> Any:
        """Read something from outside once per execution: a resume gets the JSON value that the first run got.

        Raises:
            NodeError: (INTERNAL) what was read is not JSON.
            StorageError: The ledger cannot be read or written.
        """
        identity = {"node": node_id, "name": name}
        key = EffectKey.of(self._execution_id, _MEMORY, f"{_MEMORY}/{name}", identity)
        flight = self._memories.get(key.digest)
        if flight is None or flight.dead:
            flight = self._launch(self._memories, key.digest)
            claim = Claim(key, node_id, canonical_json(identity), self._around.clock.now())
            work = partial(self._recall, flight, claim, read)
            flight.start(work, partial(_landed, self._memories, key.digest, flight))
        return orjson.loads(await flight.join())

    async def drain(self, grace: float = 10.0) -> int:
        """End the session: what waits is cancelled, what is under way may still be answered and stored.

        Args:
            grace: Seconds to wait for it.

        Returns:
            How many calls were cut off without an answer; they are in doubt.
        """
        self._draining = True
        flights: list[Flight[Any]] = [*self._calls.values(), *self._memories.values()]
        for flight in flights:
            flight.quit()
        ended = await asyncio.gather(*(flight.end(grace) for flight in flights))
        return ended.count(False)

    async def _join(self, flight: Flight[Outcome], operation: Operation, params: Params, node_id: str) -> Response:
        outcome = await flight.join()
        terms = operation.terms(params, self._accounts.resolve(operation.provider))
        verdict = operation.judge(params, outcome.response, terms.account)
        self._around.observer.replayed(node_id)
        # Read anew, so that two records never share one value that a block may change.
        value = verdict.value if isinstance(verdict, Answer) else outcome.value
        return Response(value, outcome.charge, replayed=True)

    async def _recall(self, flight: Flight[bytes], claim: Claim, read: Read) -> bytes:
        ledger = self._around.ledger
        found = await ledger.find(claim.key)
        inherited = self._around.inherited
        if found is None and inherited is not None:
            found = await inherited.find(claim.key, claim.node_id)
        if isinstance(found, Stored):
            return found.response.body
        value = await read()
        try:
            body = orjson.dumps(value)
        except TypeError as error:
            raise NodeError(
                ErrorClass.INTERNAL, f"{claim.key.operation}: what was read must be JSON, found {type(value).__name__}"
            ) from error
        flight.hold()
        await ledger.claim(claim)
        await ledger.answer(claim.key, new_answer(HttpResponse(200, {}, body), self._around.clock.now()))
        return body

    def _own_answer(self, operation: Operation, params: Params) -> Canned | None:
        """In demo mode, the answer that the call brings with it."""
        answer = None if self._real else operation.demo(params)
        return None if answer is None else Canned(answer)

    def _operation(self, operation_id: str) -> Operation:
        operation = self._operations.get(operation_id)
        if operation is None:
            raise UsageError(f"there is no operation '{operation_id}'." + did_you_mean(operation_id, self._operations))
        return operation

    def _launch(self, flights: dict[bytes, Flight[T]], digest: bytes) -> Flight[T]:
        if self._draining:
            raise asyncio.CancelledError("the execution has ended")
        flight: Flight[T] = Flight()
        flights[digest] = flight
        return flight


def _landed(flights: dict[bytes, Flight[T]], digest: bytes, flight: Flight[T]) -> None:
    if flights.get(digest) is flight:
        del flights[digest]
