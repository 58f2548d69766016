"""A small world around the gateway: a vendor with one operation of each kind, a ledger in memory, a scripted wire."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import orjson

from lumeflow.core.effects import AnsweredEffect, Claim, EffectKey, InDoubt, LedgerTotals, Stored
from lumeflow.core.errors import AnswerLost, ErrorClass, NotSent, StorageError
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.money import ZERO, Basis, Charge
from lumeflow.core.operation import (
    Account,
    Answer,
    Failure,
    Operation,
    Params,
    ProviderDefaults,
    RateHint,
    RateLimit,
    Repeat,
    Send,
    Verdict,
)
from lumeflow.core.secret import Secret
from lumeflow.gateway import Accounts, AccountSettings, Gateway, NoticingTransport, Session

PRICE = Decimal("0.025")
STATUSES = {
    401: ErrorClass.AUTH,
    402: ErrorClass.QUOTA,
    404: ErrorClass.NOT_FOUND,
    408: ErrorClass.TIMEOUT,
    422: ErrorClass.VALIDATION,
    429: ErrorClass.RATE_LIMIT,
}


class VendorOperation(Operation):
    """`POST /NAME` with the parameters as JSON; answers `{"value": …, "cost": "0.025"}`."""

    provider: ClassVar[str] = "vendor"

    def build(self, params: Params, account: Account) -> HttpRequest:
        key = account.key.reveal() if account.key else ""
        return HttpRequest("POST", f"{account.base_url}/{self.id}", {"X-Key": key}, orjson.dumps(dict(params)))

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        if response.status != 200:
            error_class = STATUSES.get(response.status, ErrorClass.SERVER_ERROR)
            after = response.headers.get("retry-after")
            word = response.headers.get("x-should-retry")
            message = f"the vendor refused ({response.headers.get('x-detail', 'no detail')})"
            return Failure(error_class, message, float(after) if after else None, word == "yes" if word else None)
        try:
            body = orjson.loads(response.body)
        except ValueError:
            return Failure(ErrorClass.INVALID_RESPONSE, "the answer is no JSON", paid=True)
        if body.get("unusable"):
            return Failure(ErrorClass.INVALID_RESPONSE, "the answer is of no use", paid=True)
        if body.get("crash"):
            raise KeyError("crash")
        basis = Basis.REPORTED if "reported" in body else Basis.COMPUTED
        return Answer(body, Charge(Decimal(body.get("cost", "0")), None, basis), settled=not body.get("pending", False))

    def expected(self, params: Params, account: Account) -> Decimal:
        return PRICE

    def rates(self, response: HttpResponse) -> RateHint | None:
        minute = response.headers.get("x-limit-minute")
        return RateHint((RateLimit(int(minute), 60.0),)) if minute else None


class Match(VendorOperation):
    """Paid; a lost answer may be repeated, and is booked."""

    id: ClassVar[str] = "vendor/match"
    repeat: ClassVar[Repeat] = Repeat.BOOKED


class Find(VendorOperation):
    """Paid, but a repetition is free."""

    id: ClassVar[str] = "vendor/find"
    repeat: ClassVar[Repeat] = Repeat.FREE


class Start(VendorOperation):
    """Must not be started twice: the vendor is asked first."""

    id: ClassVar[str] = "vendor/start"
    repeat: ClassVar[Repeat] = Repeat.LOOK_FIRST

    async def recover(self, params: Params, account: Account, claimed_at: datetime, send: Send) -> HttpResponse | None:
        response = await send(HttpRequest("GET", f"{account.base_url}/started/{params['id']}"))
        return response if response.status == 200 else None


class Poll(VendorOperation):
    """Free, and never remembered."""

    id: ClassVar[str] = "vendor/poll"
    repeat: ClassVar[Repeat] = Repeat.FREE
    remembered: ClassVar[bool] = False


class Push(VendorOperation):
    """Changes something."""

    id: ClassVar[str] = "vendor/push"
    writes: ClassVar[bool] = True


OPERATIONS: Mapping[str, Operation] = {operation.id: operation() for operation in (Match, Find, Start, Poll, Push)}


def ok(value: Any = 1, *, cost: str = "0.025", headers: Mapping[str, str] | None = None, **more: Any) -> HttpResponse:
    """A good answer."""
    return HttpResponse(200, headers or {}, orjson.dumps({"value": value, "cost": cost, **more}))


def status(code: int, **headers: str) -> HttpResponse:
    """An answer that is an error."""
    return HttpResponse(code, {name.replace("_", "-"): value for name, value in headers.items()}, b"<html>")


GARBAGE = HttpResponse(200, {}, b'{"val')
TIMED_OUT = AnswerLost("no answer in time", timed_out=True)
CUT = AnswerLost("the connection broke", timed_out=False)
UNSENT = NotSent("no connection")

Reaction = HttpResponse | Exception


class Wire(NoticingTransport):
    """Answers by a script, or by a function of the request; keeps account of what was written when.

    Attributes:
        script: Reactions to the requests in order; the last one stays.
        latency: Seconds from writing to the answer.
        connect: Seconds before writing.
        written: Loop times at which requests were written.
        requests: All that was written.
    """

    def __init__(self, *script: Reaction, latency: float = 0.1, connect: float = 0.0) -> None:
        self.script = list(script) or [ok()]
        self.answer_to: Callable[[HttpRequest], Reaction | Awaitable[Reaction]] | None = None
        self.latency = latency
        self.connect = connect
        self.written: list[float] = []
        self.requests: list[HttpRequest] = []
        self.in_flight = 0
        self.peak = 0

    async def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ASYNC109
        return await self.send_noticed(request, seconds=timeout, on_write=lambda: None)

    async def send_noticed(self, request: HttpRequest, *, seconds: float, on_write: Callable[[], None]) -> HttpResponse:
        if self.connect:
            await asyncio.sleep(self.connect)
        reaction = self._react(request)
        if isinstance(reaction, NotSent):
            raise reaction
        on_write()
        self.written.append(asyncio.get_running_loop().time())
        self.requests.append(request)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            if isinstance(reaction, AnswerLost) and reaction.timed_out:
                await asyncio.sleep(seconds)
            else:
                await asyncio.sleep(self.latency)
        finally:
            self.in_flight -= 1
        if isinstance(reaction, Exception):
            raise reaction
        return reaction

    async def close(self) -> None:
        pass

    def _react(self, request: HttpRequest) -> Any:
        if self.answer_to is not None:
            return self.answer_to(request)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@dataclass
class Entry:
    """One effect in the ledger."""

    state: str
    owner: str
    node_id: str
    claimed_at: datetime
    lost: int = 0
    lost_amount: Decimal = ZERO
    refused: int = 0
    attempts: int = 0
    amount: Decimal = ZERO
    unusable: list[HttpResponse] = field(default_factory=list)
    stored: Stored | None = None


class MemoryLedger:
    """The ledger's port in memory. What it promises takes `commit` seconds; `broken` makes that fail.

    `other_owner()` gives a ledger of a successor process on the same entries.
    """

    def __init__(self, owner: str = "first", *, commit: float = 0.004) -> None:
        self.entries: dict[bytes, Entry] = {}
        self.log: list[str] = []
        self.commit = commit
        self.owner = owner
        self.broken: set[str] = set()

    def other_owner(self) -> "MemoryLedger":
        successor = MemoryLedger(f"after {self.owner}", commit=self.commit)
        successor.entries = self.entries
        return successor

    @property
    def only(self) -> Entry:
        (entry,) = self.entries.values()
        return entry

    @property
    def calls(self) -> int:
        return sum(entry.attempts + entry.refused + entry.lost for entry in self.entries.values())

    @property
    def amount(self) -> Decimal:
        return sum((entry.amount + entry.lost_amount for entry in self.entries.values()), ZERO)

    async def _durably(self, step: str) -> None:
        if step in self.broken:
            raise StorageError(f"disk full at {step}")
        await asyncio.sleep(self.commit)
        self.log.append(step)

    async def find(self, key: EffectKey) -> Stored | InDoubt | None:
        entry = self.entries.get(key.digest)
        if entry is None:
            return None
        if entry.stored is not None:
            return entry.stored
        lost = entry.lost + (entry.state == "claimed" and entry.owner != self.owner)
        return InDoubt(lost, entry.claimed_at) if lost else None

    async def claim(self, claim: Claim) -> None:
        entry = self.entries.get(claim.key.digest)
        if entry is None:
            entry = self.entries[claim.key.digest] = Entry("new", self.owner, claim.node_id, claim.at)
        assert entry.stored is None, "claimed, but answered already"
        entry.lost += entry.state == "claimed" and entry.owner != self.owner
        assert entry.state != "claimed" or entry.owner != self.owner, "claimed twice by one owner"
        entry.state, entry.owner, entry.claimed_at = "claimed", self.owner, claim.at
        await self._durably("claim")

    async def answer(self, key: EffectKey, answered: AnsweredEffect) -> None:
        await self._durably("answer")
        entry = self.entries[key.digest]
        assert entry.state == "claimed", f"answered, but {entry.state}"
        entry.state = "answered"
        entry.attempts, entry.amount, entry.lost_amount = (
            answered.attempts,
            answered.charge.amount,
            answered.lost_charge,
        )
        entry.stored = Stored(answered.response, answered.at, answered.charge, answered.duration_ms)

    async def lose(self, key: EffectKey, price: Decimal, *, unusable: HttpResponse | None = None) -> None:
        await self._durably("lose")
        entry = self.entries[key.digest]
        assert entry.state == "claimed", f"lost, but {entry.state}"
        entry.state = "lost"
        entry.lost += 1
        entry.lost_amount += price
        if unusable is not None:
            entry.unusable.append(unusable)

    async def release(self, key: EffectKey, attempts: int, *, answered: bool = False) -> None:
        await self._durably("release")
        entry = self.entries[key.digest]
        assert entry.state == "claimed", f"released, but {entry.state}"
        entry.state = "released"
        entry.refused += attempts
        if answered:
            entry.refused += entry.lost
            entry.lost, entry.lost_amount = 0, Decimal(0)

    async def totals(self, execution_id: str) -> LedgerTotals:
        return LedgerTotals()


class Recorder:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args: self.heard.append((name, *args))

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [entry[1:] for entry in self.heard if entry[0] == name]

    @property
    def counts(self) -> Counter[str]:
        return Counter(entry[0] for entry in self.heard)


@dataclass(frozen=True)
class Policy:
    """A retry policy."""

    max_retries: int = 3
    backoff_multiplier: float = 2.0
    initial_delay: float = 1000.0
    max_delay: float = 30_000.0
    jitter: float = 0.5
    retryable_errors: Sequence[ErrorClass] = (
        ErrorClass.TIMEOUT,
        ErrorClass.RATE_LIMIT,
        ErrorClass.SERVER_ERROR,
        ErrorClass.NETWORK,
        ErrorClass.INVALID_RESPONSE,
    )


class LoopClock:
    """The loop's time as a date."""

    def now(self) -> datetime:
        return datetime(2026, 1, 9, tzinfo=UTC) + timedelta(seconds=asyncio.get_running_loop().time())


class World:
    """A gateway with one session on it."""

    def __init__(
        self,
        wire: Wire,
        *,
        ledger: MemoryLedger | None = None,
        limits: Mapping[str, tuple[RateLimit, ...]] | None = None,
        concurrency: int = 128,
        key: str | None = "k-secret",
        margin: float = 0.010,
        session: Mapping[str, Any] | None = None,
    ) -> None:
        self.wire = wire
        self.ledger = ledger or MemoryLedger()
        self.heard = Recorder()
        settings = AccountSettings(limits=limits or {}, concurrency=concurrency)
        providers = {"vendor": ProviderDefaults("vendor", "https://vendor.example.com", "VENDOR_API_KEY")}
        accounts = Accounts(providers, {"vendor": settings}, lambda name: Secret(key) if key else None)
        self.gateway = Gateway(OPERATIONS, accounts, wire, clock=LoopClock(), margin=margin)
        self.session: Session = self.open(self.ledger, **(session or {}))

    def open(self, ledger: MemoryLedger, **more: Any) -> Session:
        return self.gateway.session(execution_id="x-1", ledger=ledger, observer=self.heard, **more)

    async def call(self, name: str = "match", *, node: str = "n", policy: Policy | None = None, **params: Any) -> Any:
        params = params or {"id": "1"}
        return await self.session.call(f"vendor/{name}", params, node_id=node, retry=policy or Policy())
