"""What passes between the simulator and a simulated vendor: the call as received, the reply, a refusal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from lumeflow.core.errors import AnswerLost
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.money import ZERO, plain

JSON_HEADERS: Mapping[str, str] = {"content-type": "application/json; charset=utf-8"}
HTML_HEADERS: Mapping[str, str] = {"content-type": "text/html; charset=utf-8"}
TEXT_HEADERS: Mapping[str, str] = {"content-type": "text/plain; charset=utf-8"}

_KEY_PARAMETERS = frozenset({"token", "api_key", "access_token"})


class AnswerCut(AnswerLost):
    """The call was processed, and charged if it costs anything, but its answer does not arrive.

    Attributes:
        partial: Answer of which the first half was already under way; None if not a byte was sent.
    """

    def __init__(self, message: str, *, timed_out: bool, partial: HttpResponse | None = None) -> None:
        super().__init__(message, timed_out=timed_out)
        self.partial = partial


class Call:
    """One request as received, taken apart once.

    Attributes:
        method: Upper-case method.
        path: Path without scheme, host and query.
        query: Query parameters; the last of a name wins.
        headers: Values by lower-case name.
        body: Raw body.
    """

    def __init__(self, request: HttpRequest) -> None:
        parts = urlsplit(request.url)
        self.method = request.method
        self.path = unquote(parts.path)
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True)) if parts.query else {}
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.body = request.body

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is none (a body of `null` too)."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    @cached_property
    def key(self) -> int:
        """64-bit hash of what is asked for: method, path, sorted query without keys, body in canonical form, and the
        `Idempotency-Key`, if there is one.
        """
        query = sorted(item for item in self.query.items() if item[0] not in _KEY_PARAMETERS)
        body = self.body
        if body[:1] in {b"{", b"["} and self.json is not None:
            body = orjson.dumps(self.json, option=orjson.OPT_SORT_KEYS)
        text = f"{self.method} {self.path}?{query}\n{self.headers.get('idempotency-key', '')}"
        return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass") + body, digest_size=8).digest(), "little")

    @cached_property
    def identity(self) -> str:
        """The same hash as text, to derive further choices from."""
        return f"{self.key:016x}"

    def bearer(self) -> str | None:
        """The token of `Authorization: Bearer`, if there is one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a processed call costs.

    Attributes:
        usd: Money.
        credits: Credits, at vendors that count in such.
    """

    usd: Decimal = ZERO
    credits: Decimal = ZERO


NOTHING = Cost()


@dataclass(slots=True)
class Reply:
    """A vendor's answer.

    Attributes:
        status: HTTP status.
        body: Raw body, or a function that makes it when the delay is over.
        headers: Values by lower-case name.
        effect: True if the call did what is paid for; an identical one later is then a repetition.
        cost: What it costs.
        delay: Seconds to wait beyond the operation's latency (long polls).
    """

    status: int
    body: bytes | Callable[[], bytes]
    headers: Mapping[str, str] = field(default_factory=lambda: JSON_HEADERS)
    effect: bool = False
    cost: Cost = NOTHING
    delay: float = 0.0

    def rendered(self) -> bytes:
        """The body; call it when the delay is over."""
        return self.body if isinstance(self.body, bytes) else self.body()

    def response(self) -> HttpResponse:
        """The answer as it goes out."""
        return HttpResponse(self.status, self.headers, self.rendered())


class RefusedError(Exception):
    """The vendor does not process the call: bad parameters, unknown things, plan limits. Nothing is charged."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"status {reply.status}")
        self.reply = reply


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer without effect."""
    return Reply(status, orjson.dumps(value), {**JSON_HEADERS, **headers} if headers else JSON_HEADERS)


def number(amount: Decimal) -> orjson.Fragment:
    """An exact decimal as a JSON number."""
    return orjson.Fragment(plain(amount))
