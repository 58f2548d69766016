"""Signed webhooks, both ways: an HMAC over time, delivery id and raw body, in headers.

    Idempotency-Key: 5b1c…                  the delivery's id, the same whenever it comes again
    X-Lumeflow-Timestamp: 1767952800        when it was sent, in seconds since 1970
    X-Lumeflow-Signature: sha256=4f0d…      HMAC-SHA256 of "1767952800.5b1c….", followed by the body's bytes

Everything here is pure: time and secrets are given by the caller.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl

import orjson

from lumeflow.plugin import Secret, UsageError

SIGNATURE_HEADER = "X-Lumeflow-Signature"
TIMESTAMP_HEADER = "X-Lumeflow-Timestamp"
DELIVERY_HEADER = "Idempotency-Key"
SIGNED = "{timestamp}.{id}.{body}"
TOLERANCE = 300
"""Seconds that a delivery may be on its way, or clocks may differ."""

_PLACEHOLDER = re.compile(r"\{(timestamp|body|id)\}")
_MOST_SIGNATURES = 10
"""Of one delivery: while a secret is replaced there are two."""
_LONGEST_TIME = 40
_MILLISECONDS_FROM = 10**11
_MOST_FIELDS = 1000


class DeliveryRefused(UsageError):
    """A delivery is not what it should be; the message says what is wrong, and tells nothing of its content."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a sender signs.

    Attributes:
        signature_header: Header with the signature, or several with spaces or commas between them; each may have a
            scheme in front (`sha256=`, `v1=`, `v1,`).
        timestamp_header: Header with the time of sending; None if the sender signs none.
        delivery_header: Header with the delivery's id; of use only if `signed` holds it.
        algorithm: The hash.
        encoding: How the signature is written.
        signed: What is signed: literal text with `{timestamp}`, `{id}` and `{body}`.
        tolerance: Seconds that the timestamp may lie in the past or the future.
    """

    signature_header: str = SIGNATURE_HEADER
    timestamp_header: str | None = TIMESTAMP_HEADER
    delivery_header: str = DELIVERY_HEADER
    algorithm: Literal["sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    signed: str = SIGNED
    tolerance: int = TOLERANCE


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that was signed as it should be.

    Attributes:
        id: The same whenever it comes again. Never taken from what is not signed: whoever has caught a delivery could
            change it and send it once more. Where no id is signed, the signature is the id.
        body: Raw body.
        content_type: Its media type, in small letters without parameters; empty if it was not named.
    """

    id: str
    body: bytes
    content_type: str


def signature(rules: Rules, secret: Secret, *, body: bytes, timestamp: str = "", delivery: str = "") -> str:
    """The signature of a body, without a scheme in front."""
    values = {"timestamp": timestamp.encode(), "id": delivery.encode(), "body": body}
    pieces = _PLACEHOLDER.split(rules.signed)
    message = b"".join(values[piece] if place % 2 else piece.encode() for place, piece in enumerate(pieces))
    digest = hmac.new(secret.reveal().encode(), message, rules.algorithm).digest()
    return digest.hex() if rules.encoding == "hex" else b64encode(digest).decode()


def signing_headers(rules: Rules, secret: Secret, body: bytes, *, at: datetime, delivery: str) -> dict[str, str]:
    """The headers that sign a delivery."""
    timestamp = str(int(at.timestamp()))
    made = signature(rules, secret, body=body, timestamp=timestamp, delivery=delivery)
    times = {rules.timestamp_header: timestamp} if rules.timestamp_header else {}
    return {**times, rules.signature_header: f"{rules.algorithm}={made}"}


def verify(
    rules: Rules, secrets: Sequence[Secret], headers: Mapping[str, str], body: bytes, *, now: datetime
) -> Delivery:
    """Check that a delivery comes from somebody who has one of the secrets, and was sent just now.

    Args:
        rules: How it should be signed.
        secrets: The secret, and while it is replaced the old one too.
        headers: Headers by name, in any case.
        body: Raw body, as it was received.
        now: Aware time.

    Raises:
        DeliveryRefused: It does not, or was not.
    """
    given = {name.lower(): value for name, value in headers.items()}
    written = _header(given, rules.signature_header)
    timestamp = "" if rules.timestamp_header is None else _header(given, rules.timestamp_header)
    delivery = _header(given, rules.delivery_header) if "{id}" in rules.signed else ""
    candidates = _candidates(written)
    expected = [signature(rules, secret, body=body, timestamp=timestamp, delivery=delivery) for secret in secrets]
    # Every pair is compared, each in constant time, so that how long it takes tells nothing.
    fitting = [
        made for made in expected for one in candidates if hmac.compare_digest(_plain(one, rules), made.encode())
    ]
    if not fitting:
        raise DeliveryRefused(
            f"the signature in {rules.signature_header} does not fit the body: check the secret, and that the body is "
            "passed on byte for byte"
        )
    if rules.timestamp_header is not None:
        _check_time(timestamp, rules, now)
    return Delivery(delivery or f"signature {fitting[0]}", body, media_type(given))


def media_type(headers: Mapping[str, str]) -> str:
    """The content type out of headers in small letters, without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def body_of(delivery: Delivery) -> Any:
    """The body as JSON or as form fields; of a field that comes several times, a list.

    Raises:
        DeliveryRefused: It is neither.
    """
    if delivery.content_type == "application/x-www-form-urlencoded":
        return _form(delivery.body)
    try:
        return orjson.loads(delivery.body)
    except orjson.JSONDecodeError as error:
        kind = f" ({delivery.content_type})" if delivery.content_type else ""
        raise DeliveryRefused(
            f"the body{kind} is not JSON: {error.msg} at character {error.pos}; right is JSON, or a form with the "
            "content type application/x-www-form-urlencoded"
        ) from None


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower(), "").strip()
    if not value:
        raise DeliveryRefused(f"the header {name} is missing")
    return value


def _candidates(written: str) -> list[str]:
    """Signatures with and without what stands in front of them; a `=` may also be the filling of base64."""
    found: list[str] = []
    for word in written.replace(",", " ").split()[:_MOST_SIGNATURES]:
        found += [word, word.partition("=")[2]]
    return [candidate for candidate in found if candidate]


def _plain(candidate: str, rules: Rules) -> bytes:
    text = candidate.lower() if rules.encoding == "hex" else candidate
    return text.encode("utf-8", "replace")


def _check_time(written: str, rules: Rules, now: datetime) -> None:
    sent = _time(written)
    if sent is None:
        raise DeliveryRefused(f"the header {rules.timestamp_header} must be a time: seconds since 1970, or ISO 8601")
    if abs(now - sent) > timedelta(seconds=rules.tolerance):
        age = int((now - sent).total_seconds())
        when = f"{age} s ago" if age >= 0 else f"{-age} s in the future"
        raise DeliveryRefused(
            f"the delivery was signed {when}, and at most {rules.tolerance} s are allowed; have it sent anew, or check "
            "the clocks"
        )


def _time(written: str) -> datetime | None:
    if len(written) > _LONGEST_TIME:
        return None
    try:
        if written.isascii() and written.isdigit():
            number = int(written)
            seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
            return datetime.fromtimestamp(seconds, UTC)
        found = datetime.fromisoformat(written)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else None


def _form(body: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise DeliveryRefused("the body is not a form in UTF-8 with at most 1000 fields") from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields
