"""Hunter: the professional e-mail address of one person.

Two statuses mean the reverse of what they mean elsewhere: 403 is the rate limit, 429 is the used-up plan.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from lumeflow.kit.prices import charge_for, price_of
from lumeflow.kit.replies import class_of, identifier, json_object, key_of, refusal, unreadable
from lumeflow.kit.text import is_address
from lumeflow.plugin import (
    Account,
    Answer,
    ErrorClass,
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
    code, inner = errors[0] if errors else ("", None)
    status = response.status if response.status != 200 else inner or 0
    if status == 451 or code == "claimed_email":
        return Answer({**_NOBODY, "optedOut": True})
    if code in _NOT_FOUND or (status == 404 and body is not None and not code):
        return Answer(_NOBODY)
    error_class = _CLASSES.get(status, class_of(status))
    meaning = None
    if error_class is ErrorClass.QUOTA:
        meaning = f"Hunter's plan is used up for this billing period: raise the one behind {account.key_name}, or wait"
    return refusal(VENDOR, account, response, error_class=error_class, code=code, meaning=meaning)


_CLASSES: Mapping[int, ErrorClass] = {403: ErrorClass.RATE_LIMIT, 429: ErrorClass.QUOTA}
