"""One billable call of a vendor, described once: request, judgement, price, limits, repeatability."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

from lumeflow.core.errors import ErrorClass
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.money import FREE, ZERO, Charge
from lumeflow.core.secret import Secret

Params = Mapping[str, Any]
"""What a block asks for: JSON, canonical (nothing that varies between runs), without secrets."""


class Repeat(Enum):
    """What may be done when an answer was lost."""

    FREE = "free"
    """Repeat at will: it costs nothing, or the vendor does not charge a repetition."""
    BOOKED = "booked"
    """Repeat, and book the lost one as possibly paid."""
    LOOK_FIRST = "look-first"
    """Ask the vendor what became of it (`Operation.recover`) before anything is started again."""
    NEVER = "never"
    """Don't: it may have been carried out. The call fails and is listed as in doubt."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RateHint:
    """What an answer's headers say of the account's limits.

    Attributes:
        limits: The limits in force, if the vendor names them; they replace the configured ones of the same window.
        pause: Seconds to wait before the next call; 0 for none.
    """

    limits: tuple[RateLimit, ...] = ()
    pause: float = 0.0


def _no_secret(name: str) -> Secret | None:
    return None


@dataclass(frozen=True, slots=True)
class Account:
    """How to reach a vendor for one customer of ours.

    Attributes:
        name: Account name; limits, circuit breaker and ledger entries belong to it. Usually the provider's name.
        provider: Provider name.
        base_url: Scheme and host, without trailing slash.
        key: The vendor's API key; None if none is configured.
        key_name: Name of the secret and of its environment variable, for messages, e.g. `APOLLO_API_KEY`.
        limits: Limits by operation id, or by `*` for all, where they differ from the operation's own.
        concurrency: Most calls in flight at once.
        prices: Configured prices that override the provider's defaults, by name.
        lane: Name under which calls share limits, permits and circuit breaker, another for each key; empty for the
            account's name.
        secret: Looks up a secret that a workflow names; None if it is not configured.
        token: The token of the operation's `grant`; None if it has none.
    """

    name: str
    provider: str
    base_url: str
    key: Secret | None
    key_name: str
    limits: Mapping[str, tuple[RateLimit, ...]] = field(default_factory=dict)
    concurrency: int = 128
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    lane: str = ""
    secret: Callable[[str], Secret | None] = _no_secret
    token: Secret | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms one call is made. Most vendors have the same for all calls of an operation.

    Attributes:
        account: As whom.
        repeat: What may be done when an answer was lost.
        writes: True if the call changes something; its key then holds node and position.
        identity: What is asked for, as it is written down: the part of the parameters by which two calls are the same.
    """

    account: Account
    repeat: Repeat
    writes: bool
    identity: Params


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer.

    Attributes:
        value: What the block gets; computed again from the raw answer at each replay.
        charge: What the call cost.
        settled: False for an answer that will change (a run still under way): it is not remembered, ask again.
    """

    value: Any
    charge: Charge = FREE
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is an error.

    Attributes:
        error_class: Its class; AUTH and QUOTA stop the node.
        message: For the operator: what the vendor refused and what would mend it. No secret, no personal data.
        retry_after: Seconds the vendor asks to wait; None if it does not say.
        retryable: The vendor's own word on a retry; None to decide by class.
        paid: True if the vendor charges for it (an unreadable answer of status 200): kept and booked.
    """

    error_class: ErrorClass
    message: str
    retry_after: float | None = None
    retryable: bool | None = None
    paid: bool = False


Verdict = Answer | Failure


@dataclass(frozen=True, slots=True)
class Token:
    """A token that calls are made with, until it expires.

    Attributes:
        secret: The token.
        seconds: How long it is good; None if the vendor does not say.
    """

    secret: Secret
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """How to get the token that an operation needs (OAuth 2). Tokens live in memory and are written down nowhere.

    Attributes:
        request: Asks for one. Equal requests share their token.
        read: Reads the answer. Pure, and never raises.
    """

    request: HttpRequest
    read: Callable[[HttpResponse], Token | Failure]


Send = Callable[[HttpRequest], Awaitable[HttpResponse]]


class Operation(ABC):
    """One call of a vendor. Stateless; one instance serves all executions.

    Attributes:
        id: `provider/name`.
        provider: Provider name; accounts are configured by it.
        repeat: What may be done when an answer was lost.
        most_lost: Most repetitions of one call after lost answers; None for as many as the node's policy allows.
        remembered: False for a call that costs nothing and must be asked anew (polling).
        writes: True if the call changes something at the vendor; its key then holds node and position.
        limits: Default rate limits of an account, from the vendor's documentation.
        timeout: Seconds to wait for an answer.
    """

    id: ClassVar[str]
    provider: ClassVar[str]
    repeat: ClassVar[Repeat] = Repeat.BOOKED
    most_lost: ClassVar[int | None] = None
    remembered: ClassVar[bool] = True
    writes: ClassVar[bool] = False
    limits: ClassVar[tuple[RateLimit, ...]] = ()
    timeout: ClassVar[float] = 30.0

    @abstractmethod
    def build(self, params: Params, account: Account) -> HttpRequest:
        """Make the request. Pure."""

    @abstractmethod
    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """Read an answer. Pure, and never raises: what cannot be read is a `Failure`."""

    def terms(self, params: Params, account: Account) -> Terms:
        """On which terms a call is made, where they follow from its parameters. Pure, and never raises."""
        return Terms(account, self.repeat, self.writes, params)

    def grant(self, params: Params, account: Account) -> Grant | None:
        """How to get the token that the request needs as `account.token`; None if it needs none. Pure."""
        return None

    def demo(self, params: Params) -> HttpResponse | None:
        """The answer of demo mode, if the call brings its own; None to ask the simulator."""
        return None

    def expected(self, params: Params, account: Account) -> Decimal:
        """Price of one call before it is made: for estimates, budgets, and calls whose answer never came."""
        return ZERO

    def rates(self, response: HttpResponse) -> RateHint | None:
        """Limits that the answer's headers name; None if the vendor does not tell."""
        return None

    async def recover(self, params: Params, account: Account, claimed_at: datetime, send: Send) -> HttpResponse | None:
        """For `LOOK_FIRST`: find what a lost call started. Returns its answer, or None if it certainly never ran."""
        return None


@dataclass(frozen=True, slots=True)
class Response:
    """What a block gets from a call.

    Attributes:
        value: The operation's reading of the answer.
        charge: What it cost (when it was made, if this is a replay).
        replayed: True if the answer came from the ledger and no call was made.
    """

    value: Any
    charge: Charge
    replayed: bool


@dataclass(frozen=True, slots=True)
class ProviderDefaults:
    """What a provider module declares once: how its vendor is reached and what it costs by default.

    Attributes:
        name: Provider name, as in `config.provider`.
        base_url: The vendor's public address, without trailing slash.
        key_name: Environment variable and secret that holds the key, e.g. `APOLLO_API_KEY`.
        concurrency: Most calls in flight at once that the vendor stands well.
        prices: Prices in USD by name; configuration may override them.
    """

    name: str
    base_url: str
    key_name: str
    concurrency: int = 128
    prices: Mapping[str, Decimal] = field(default_factory=dict)
