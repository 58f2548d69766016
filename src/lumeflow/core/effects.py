"""Effects: calls that cost money or change something, and the ledger that remembers them.

An effect is identified by content, not by order: a run at another concurrency finds the same entries. Life of one:

    claim ──► sent ──► answered        the raw answer is stored before anybody reads it
      │         └────► lost            no answer arrived: possibly paid, listed with its price
      └──────────────► released        certainly without effect: refused, or never sent
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import orjson

from lumeflow.core.http import HttpResponse
from lumeflow.core.money import FREE, ZERO, Charge


def canonical_json(value: Any) -> bytes:
    """One spelling for one value: sorted keys, no spaces, UTF-8.

    Raises:
        TypeError: The value is not JSON.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@dataclass(frozen=True, slots=True)
class EffectKey:
    """Identity of an effect.

    Attributes:
        execution_id: The execution that owns it.
        account: Provider account, e.g. `apollo`.
        operation: Operation id, e.g. `apollo/people-match`.
        digest: SHA-256 over operation, canonical parameters and, for writes, the position.
    """

    execution_id: str
    account: str
    operation: str
    digest: bytes

    @staticmethod
    def of(execution_id: str, account: str, operation: str, params: Any, *, position: str | None = None) -> "EffectKey":
        """Make the key of a call. `position` (node and place) is given for writes, which are never shared."""
        content = canonical_json([account, operation, params, position])
        return EffectKey(execution_id, account, operation, hashlib.sha256(content).digest())


@dataclass(frozen=True, slots=True)
class Claim:
    """What is written down before a call goes out.

    Attributes:
        key: Identity of the effect.
        node_id: The node that pays.
        params: Canonical parameters as JSON, without secrets.
        at: When (real time, UTC).
        price: What the call is expected to cost: what is at stake if its answer never comes.
    """

    key: EffectKey
    node_id: str
    params: bytes
    at: datetime
    price: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Stored:
    """An answered effect, read back.

    Attributes:
        response: The raw answer.
        answered_at: When it arrived (real time, UTC).
        charge: What it cost when it was made.
        duration_ms: How long it took.
    """

    response: HttpResponse
    answered_at: datetime
    charge: Charge
    duration_ms: int


@dataclass(frozen=True, slots=True)
class InDoubt:
    """The effect was claimed by a process that ended before it stored an answer; it may have been paid.

    Attributes:
        lost: How many answers of this effect were lost so far, this one included.
        claimed_at: When it was last claimed.
    """

    lost: int
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class AnsweredEffect:
    """What is written down when an answer arrived.

    Attributes:
        response: Raw answer; stored before it is used.
        charge: What this call cost.
        lost_charge: What all its lost attempts cost, if the vendor processed them; zero if there were none.
        attempts: How many times the request was sent and answered, refused ones included, lost ones not.
        at: When the answer arrived (real time, UTC).
        duration_ms: From sending to the answer's last byte.
    """

    response: HttpResponse
    charge: Charge
    lost_charge: Decimal
    attempts: int
    at: datetime
    duration_ms: int


@dataclass(slots=True)
class NodeTotals:
    """Sums over the effects of one node.

    Attributes:
        calls: Requests sent, lost and refused ones included.
        amount: Money charged by answered calls plus `possible`.
        possible: Of that, money of calls whose answer was lost.
        lost: Number of lost answers.
        credits: Vendor credits, where counted.
    """

    calls: int = 0
    amount: Decimal = ZERO
    possible: Decimal = ZERO
    lost: int = 0
    credits: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class DoubtfulCall:
    """A call that was possibly paid twice, as it is listed to the operator."""

    node_id: str
    operation: str
    lost: int
    price: Decimal
    settled: bool
    """True once a repeated call was answered; False if the effect is still without an answer."""


@dataclass(slots=True)
class LedgerTotals:
    """Sums over the effects of an execution, by node id and by provider account."""

    nodes: dict[str, NodeTotals] = field(default_factory=dict)
    accounts: dict[str, NodeTotals] = field(default_factory=dict)
    doubtful: list[DoubtfulCall] = field(default_factory=list)


class Ledger(Protocol):
    """Durable memory of effects. Every method returns only after what it promises is on disk.

    Raises:
        StorageError: From any method, when the ledger cannot be read or written; then no call may be made.
    """

    async def find(self, key: EffectKey) -> Stored | InDoubt | None:
        """Look an effect up: answered, in doubt (claimed by a process that is gone), or unknown."""
        ...

    async def claim(self, claim: Claim) -> None:
        """Write down that the call is about to go out. A claim over an entry in doubt counts its loss."""
        ...

    async def answer(self, key: EffectKey, answered: AnsweredEffect) -> None:
        """Store the raw answer and its cost."""
        ...

    async def lose(self, key: EffectKey, price: Decimal, *, unusable: HttpResponse | None = None) -> None:
        """Note that an answer was lost, or arrived unusable (it is kept), and may have cost `price`."""
        ...

    async def release(self, key: EffectKey, attempts: int, *, answered: bool = False) -> None:
        """Note that the claim ended without effect; `attempts` requests were sent and refused.

        `answered`: the last one was answered, but the next answer will be another and none of them costs anything;
        so those that were lost before are made good, and no longer in doubt.
        """
        ...

    async def totals(self, execution_id: str) -> LedgerTotals:
        """Sum up an execution."""
        ...


class Inheritance(Protocol):
    """Answers of earlier executions that one may use which runs a part of them anew.

    Raises:
        StorageError: From `find`, when they cannot be read.
    """

    async def find(self, key: EffectKey, node_id: str) -> Stored | None:
        """The answer that an earlier execution got to the same call; None if there is none for this node to use."""
        ...

    def is_all(self, node_id: str) -> bool:
        """True if the node may use inherited answers alone, and make no calls that cost or change anything."""
        ...


def new_answer(response: HttpResponse, at: datetime, *, charge: Charge = FREE, duration_ms: int = 0) -> AnsweredEffect:
    """Make the entry of a call that was answered at its first attempt."""
    return AnsweredEffect(response, charge, ZERO, 1, at, duration_ms)
