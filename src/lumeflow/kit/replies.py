"""Reading vendors' answers without trusting them: JSON that may be HTML, wait hints, error codes, refusals."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from lumeflow.plugin import Account, ErrorClass, Failure, HttpRequest, HttpResponse

UNREADABLE: Final = object()
"""Stands for a body that is not JSON: cut off, HTML from an edge server, plain text."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def json_body(response: HttpResponse) -> Any:
    """The body as JSON, whatever its content type says; `UNREADABLE` if it is none."""
    try:
        return orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return UNREADABLE


def json_object(response: HttpResponse) -> Mapping[str, Any] | None:
    """The body as a JSON object; None if it is anything else."""
    value = json_body(response)
    return value if isinstance(value, dict) else None


def member(value: Any, *names: str) -> Any:
    """`value[name][name]…`; None as soon as something on the way is not an object or lacks the name."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def identifier(value: Any) -> str:
    """An error code that may stand in a message: short, without spaces. Anything else, a sentence say, gives ``''``.

    Vendors repeat parts of the request in their sentences; their codes never hold personal data.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else ""


def seconds(value: Any) -> float | None:
    """A wait hint in seconds from a JSON number or a text; None if it is none. Never negative."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        wait = float(value)
    except ValueError:
        return None
    return max(wait, 0.0) if wait == wait and wait != float("inf") else None  # noqa: PLR0124 - NaN differs from itself


def retry_after(response: HttpResponse, *hints: Any) -> float | None:
    """Seconds that the vendor asks to wait: `Retry-After` (seconds or a date), else the first usable of `hints`.

    A date is read against the answer's own `Date` header, so that the local clock plays no part.
    """
    header = response.headers.get("retry-after")
    wait = seconds(header)
    if wait is None and header:
        wait = _until(header, response.headers.get("date"))
    for hint in hints:
        if wait is not None:
            break
        wait = seconds(hint)
    return wait


def _until(then: str, now: str | None) -> float | None:
    try:
        return max((parsedate_to_datetime(then) - parsedate_to_datetime(now or "")).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def class_of(status: int) -> ErrorClass:
    """What an HTTP status means where a vendor gives it no meaning of its own."""
    if status in _CLASSES:
        return _CLASSES[status]
    if status >= 500:
        return ErrorClass.SERVER_ERROR
    return ErrorClass.VALIDATION if 400 <= status < 500 else ErrorClass.INVALID_RESPONSE


_CLASSES: Mapping[int, ErrorClass] = {
    401: ErrorClass.AUTH,
    402: ErrorClass.QUOTA,
    403: ErrorClass.AUTH,
    404: ErrorClass.NOT_FOUND,
    408: ErrorClass.TIMEOUT,
    410: ErrorClass.NOT_FOUND,
    425: ErrorClass.SERVER_ERROR,
    429: ErrorClass.RATE_LIMIT,
}

_SENTENCES: Mapping[ErrorClass, str] = {
    ErrorClass.AUTH: "{vendor} does not accept the key{why}; set {key} to a key that is valid and may make this call",
    ErrorClass.QUOTA: "{vendor} has no credit left for this account{why}; top it up, or raise the plan behind {key}",
    ErrorClass.RATE_LIMIT: "{vendor} says that its rate limit is exceeded{why}",
    ErrorClass.SERVER_ERROR: "{vendor} failed on its own side{why}",
    ErrorClass.TIMEOUT: "{vendor} ran out of time{why}",
    ErrorClass.NOT_FOUND: "{vendor} does not know what was asked for{why}; check the configured address and names",
    ErrorClass.VALIDATION: "{vendor} refused the request{why}",
    ErrorClass.INVALID_RESPONSE: "{vendor} gave an answer that cannot be read{why}",
}


def refusal(
    vendor: str,
    account: Account,
    response: HttpResponse,
    *,
    error_class: ErrorClass | None = None,
    code: Any = None,
    meaning: str | None = None,
    wait: float | None = None,
    retryable: bool | None = None,
    paid: bool = False,
) -> Failure:
    """Make the failure for an answer that is an error.

    Args:
        vendor: Name of the vendor, for the message.
        account: The account; the message names its key, never shows it.
        response: The answer; nothing of its body gets into the message.
        error_class: What it means; by default what its status means.
        code: The vendor's error code; left out of the message unless it is a plain identifier.
        meaning: What was refused and what would mend it, in place of the sentence for the class.
        wait: Seconds to wait; by default what `Retry-After` says.
        retryable: The vendor's own word on a retry.
        paid: True if the vendor charges for this answer.
    """
    error_class = error_class or class_of(response.status)
    told = identifier(code)
    why = f" ({told})" if told else ""
    template = "{meaning}{why}" if meaning else _SENTENCES[error_class]
    sentence = template.format(meaning=meaning, vendor=vendor, key=account.key_name, why=why)
    after = retry_after(response) if wait is None else wait
    return Failure(error_class, sentence, retry_after=after, retryable=retryable, paid=paid)


def unreadable(vendor: str, account: Account, response: HttpResponse, what: str, *, paid: bool) -> Failure:
    """The failure for an answer that looks like success but lacks `what`."""
    meaning = f"{vendor} gave an answer that cannot be used: {what}"
    return refusal(vendor, account, response, error_class=ErrorClass.INVALID_RESPONSE, meaning=meaning, paid=paid)


def key_of(account: Account) -> str:
    """The account's key for a header; empty if none is configured."""
    return account.key.reveal() if account.key else ""


def json_request(method: str, url: str, headers: Mapping[str, str], body: Any) -> HttpRequest:
    """A request with a JSON body."""
    return HttpRequest(method, url, {"Content-Type": "application/json", **headers}, orjson.dumps(body))
