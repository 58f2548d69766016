"""Hunter: the professional e-mail address of one person, and whether an address can be written to.

Two statuses mean the reverse of what they mean elsewhere: 403 is the rate limit, 429 is the used-up plan.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from lumeflow.kit.prices import charge_for, price_of
from lumeflow.kit.replies import class_of, identifier, json_object, key_of, member, refusal, unreadable
from lumeflow.kit.text import is_address
from lumeflow.plugin import (
    Account,
    Answer,
    ErrorClass,
    Failure,
    HttpRequest,
    HttpResponse,
    Operation,
    Params,
    ProviderDefaults,
    RateLimit,
    Repeat,
    Verdict,
)

VENDOR = "Hunter"
PROVIDER = ProviderDefaults(
    name="hunter",
    base_url="https://api.hunter.io",
    key_name="HUNTER_API_KEY",
    # Starter plan, 2026: $49 for 2,000 credits.
    prices={"credit": Decimal("0.0245")},
)

_NOBODY: Mapping[str, Any] = {"email": None}
_NOT_FOUND = frozenset(
    {
        "not_found",
        "invalid_first_name",
        "invalid_last_name",
        "invalid_full_name",
        "invalid_domain",
        "invalid_email",
    }
)
"""Errors about the person asked for, not about the call: there is no address to be had."""


_CHECKED = frozenset({"valid", "invalid", "accept_all", "webmail", "disposable", "unknown"})
_UNPAID = frozenset({"webmail", "disposable", "unknown"})
_OLD_RESULTS: Mapping[str, str] = {"deliverable": "valid", "undeliverable": "invalid", "risky": "unknown"}
"""What very old answers say in place of a status."""
_NO_ADDRESS = frozenset({"invalid_email", "invalid_domain"})
_HALF = Decimal("0.5")


class EmailFinder(Operation):
    """Find the e-mail address of one person.

    Params: `first_name` and `last_name`, or `full_name`; and `domain`, `company` or `linkedin_handle`.
    Value: the vendor's `data` object with a usable `email`; `{"email": None}` if there is none;
    `{"email": None, "optedOut": True}` for a person who has asked not to be processed.
    Charged only if an address is found. The vendor does not charge the same request twice.
    """

    id: ClassVar[str] = "hunter/email-finder"
    provider: ClassVar[str] = PROVIDER.name
    repeat: ClassVar[Repeat] = Repeat.FREE
    limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(15, 1.0), RateLimit(500, 60.0))
    # The vendor takes up to 10 seconds by itself (its `max_duration`).
    timeout: ClassVar[float] = 20.0

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`GET /v2/email-finder`; the key goes in a header, since a query ends up in logs."""
        query = urlencode(sorted(params.items()))
        return HttpRequest("GET", f"{account.base_url}/v2/email-finder?{query}", {"X-API-KEY": key_of(account)})

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """An address and one credit, or none and no credit, or a failure."""
        body = json_object(response)
        errors = list(_errors(body))
        if response.status != 200 or errors:
            return _refused(response, body, errors, account)
        data = body.get("data") if body else None
        if not isinstance(data, dict):
            return unreadable(VENDOR, account, response, "no object under 'data'", paid=True)
        email = data.get("email")
        if not isinstance(email, str) or not is_address(email):
            return Answer(_NOBODY)
        return Answer(data, charge_for(1, price_of(account, PROVIDER, "credit")))

    def expected(self, params: Params, account: Account) -> Decimal:
        """One credit."""
        return price_of(account, PROVIDER, "credit")


class EmailVerifier(Operation):
    """Find out whether an address can be written to.

    Params: `email`, and `again`, a number that makes another question of the same one (it is not sent).
    Value: the vendor's `data` object with one of the six statuses. `{"status": "pending"}` while the vendor is still at
    it (202): unsettled, so that the same question later is the same call; it counts as one request. `{"status":
    "failed"}` if the address's mail server answered in an unexpected way (222). `{"status": "invalid"}` for what is no
    address at all; `{"status": None, "optedOut": True}` for a person who has asked not to be processed.
    Charged half a credit; nothing for webmail, disposable and unknown addresses, nor for what is not a result. The
    vendor does not charge the same request twice.
    """

    id: ClassVar[str] = "hunter/email-verifier"
    provider: ClassVar[str] = PROVIDER.name
    repeat: ClassVar[Repeat] = Repeat.FREE
    limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(10, 1.0), RateLimit(300, 60.0))
    # The vendor tries for up to 20 seconds before it answers 202.
    timeout: ClassVar[float] = 30.0

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`GET /v2/email-verifier`."""
        query = urlencode({"email": params["email"]})
        return HttpRequest("GET", f"{account.base_url}/v2/email-verifier?{query}", {"X-API-KEY": key_of(account)})

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """A status and its price; a status to come; or a failure."""
        body = json_object(response)
        errors = list(_errors(body))
        if response.status not in {200, *_UNFINISHED} or errors:
            return _unverified(response, errors, account)
        if response.status in _UNFINISHED:
            return _UNFINISHED[response.status]
        data, status = member(body, "data"), _final_status(body)
        if status is None or not isinstance(data, dict):
            return unreadable(VENDOR, account, response, "no final status under 'data'", paid=True)
        credit = price_of(account, PROVIDER, "credit")
        return Answer({**data, "status": status}, charge_for(0 if status in _UNPAID else _HALF, credit))

    def expected(self, params: Params, account: Account) -> Decimal:
        """Half a credit."""
        return _HALF * price_of(account, PROVIDER, "credit")


_UNFINISHED: Mapping[int, Answer] = {
    202: Answer({"status": "pending"}, settled=False),
    222: Answer({"status": "failed"}),
}
"""Statuses that look like success and are no results; of their bodies nothing is known."""


def _final_status(body: Mapping[str, Any] | None) -> str | None:
    """The final status of a verification; None if there is none."""
    status = member(body, "data", "status")
    if status is None:
        status = _OLD_RESULTS.get(str(member(body, "data", "result")))
    return status if isinstance(status, str) and status in _CHECKED else None


def _errors(body: Mapping[str, Any] | None) -> Iterator[tuple[str, int | None]]:
    """Id and code of each entry of an `errors` list, which may also stand in an answer of status 200."""
    errors = body.get("errors") if body else None
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            code = error.get("code")
            yield identifier(error.get("id")), code if isinstance(code, int) else None


def _refused(
    response: HttpResponse, body: Mapping[str, Any] | None, errors: list[tuple[str, int | None]], account: Account
) -> Verdict:
    code, status = _told(response, errors)
    if status == 451 or code == "claimed_email":
        return Answer({**_NOBODY, "optedOut": True})
    if code in _NOT_FOUND or (status == 404 and body is not None and not code):
        return Answer(_NOBODY)
    return _failure(response, code, status, account)


def _unverified(response: HttpResponse, errors: list[tuple[str, int | None]], account: Account) -> Verdict:
    code, status = _told(response, errors)
    if status == 451 or code == "claimed_email":
        return Answer({"status": None, "optedOut": True})
    if code in _NO_ADDRESS:
        return Answer({"status": "invalid"})
    return _failure(response, code, status, account)


def _told(response: HttpResponse, errors: list[tuple[str, int | None]]) -> tuple[str, int]:
    """The error's id, and the status that counts: in an answer of status 2xx, the one that its error names."""
    code, inner = errors[0] if errors else ("", None)
    return code, response.status if response.status >= 300 else inner or 0


def _failure(response: HttpResponse, code: str, status: int, account: Account) -> Failure:
    error_class = _CLASSES.get(status, class_of(status))
    meaning = None
    if error_class is ErrorClass.QUOTA:
        meaning = f"Hunter's plan is used up for this billing period: raise the one behind {account.key_name}, or wait"
    return refusal(VENDOR, account, response, error_class=error_class, code=code, meaning=meaning)


_CLASSES: Mapping[int, ErrorClass] = {403: ErrorClass.RATE_LIMIT, 429: ErrorClass.QUOTA}
