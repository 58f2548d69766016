"""What is known of one call, and of the execution that it belongs to."""

from dataclasses import dataclass, field
from typing import Any

from lumeflow.core.clock import Clock
from lumeflow.core.effects import EffectKey, Inheritance, Ledger
from lumeflow.core.http import HttpResponse, Transport
from lumeflow.core.money import Charge
from lumeflow.core.operation import Account, Operation, Params, Repeat
from lumeflow.gateway.budget import Budget
from lumeflow.gateway.lanes import Lane
from lumeflow.gateway.observer import CallObserver
from lumeflow.gateway.retry import Retries
from lumeflow.gateway.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all calls of an execution share.

    Attributes:
        tokens: The tokens of the process.
        inherited: Answers of earlier executions; None for an execution that stands alone.
        stalls: Until when (loop time) a wait for an operation's rate has been announced, so that it is announced once.
    """

    ledger: Ledger
    observer: CallObserver
    budget: Budget | None
    clock: Clock
    tokens: Tokens = field(default_factory=Tokens)
    inherited: Inheritance | None = None
    stalls: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was asked for.

    Attributes:
        operation: What to call.
        params: With what.
        account: As whom.
        repeat: What may be done when its answer was lost.
        identity: What is written down of the parameters.
        key: Its identity.
        node_id: The node that pays.
        timeout: Seconds to wait for an answer.
        ticket: Its place in all queues.
        lane: Its way to the vendor.
        transport: What sends it.
        retries: Whether it is made again.
        real: False if the answer is made up (demo, mocks), so that no key is needed.
        mocked: True if the user gave the answer: it costs nothing, unless it says so itself.
    """

    operation: Operation
    params: Params
    account: Account
    repeat: Repeat
    identity: Params
    key: EffectKey
    node_id: str
    timeout: float
    ticket: int
    lane: Lane
    transport: Transport
    retries: Retries
    real: bool
    mocked: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended well.

    Attributes:
        response: The raw answer.
        value: Its reading.
        charge: What it cost when it was made.
        replayed: True if the ledger had it.
    """

    response: HttpResponse
    value: Any
    charge: Charge
    replayed: bool = False
