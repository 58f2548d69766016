"""Apollo: what is known of a person, or of ten, for one credit each if there is anybody."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from lumeflow.kit.people_identity import assign, is_person
from lumeflow.kit.prices import charge_for, price_of
from lumeflow.kit.replies import (
    class_of,
    identifier,
    json_object,
    json_request,
    key_of,
    member,
    refusal,
    seconds,
    unreadable,
)
from lumeflow.plugin import (
    Account,
    Answer,
    Charge,
    ErrorClass,
    Failure,
    HttpRequest,
    HttpResponse,
    Operation,
    Params,
    ProviderDefaults,
    RateHint,
    RateLimit,
    Repeat,
    Verdict,
    decimal_of,
)

VENDOR = "Apollo"
PROVIDER = ProviderDefaults(
    name="apollo",
    base_url="https://api.apollo.io",
    key_name="APOLLO_API_KEY",
    # The vendor's own fair-use arithmetic values a credit at $0.025.
    prices={"credit": Decimal("0.025")},
)

_WINDOWS = (("minute", 60.0), ("hourly", 3600.0), ("24-hour", 86_400.0))
_NO_CREDITS = re.compile(
    rb"\b(?:insufficient|not enough|no more|no|out of|exceeded|exhausted)\b[^.<]{0,40}\bcredits?\b"
    rb"|\bcredits?\b[^.<]{0,40}\b(?:exceeded|exhausted|used up|ran out|run out)\b",
    re.IGNORECASE,
)
"""How the vendor has been seen to say that the plan's credits are used up; no status of its own is documented."""

_LOCKED_EMAIL = "email_not_unlocked@"
"""Begins a placeholder that stands where an address has not been paid for."""


class _ApolloOperation(Operation):
    """What both look-ups share: key, limits, and how they are told."""

    provider: ClassVar[str] = PROVIDER.name
    repeat: ClassVar[Repeat] = Repeat.BOOKED
    limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(1000, 60.0),)

    def rates(self, response: HttpResponse) -> RateHint | None:
        """The account's limits per minute, hour and day; a window without limit has an empty header."""
        limits = []
        for name, length in _WINDOWS:
            text = response.headers.get(f"x-rate-limit-{name}", "")
            if text.isascii() and text.isdigit() and int(text) > 0:
                limits.append(RateLimit(int(text), length))
        return RateHint(tuple(limits)) if limits else None


class PeopleMatch(_ApolloOperation):
    """Find one person.

    Params: any of `first_name`, `last_name`, `name`, `email`, `organization_name`, `domain`, `linkedin_url`, `id`.
    Value: the vendor's `person` object, or None if nobody matched (which costs nothing). In it, addresses that are mere
    placeholders are null, and a `contact` of the team's own CRM that belongs to somebody else is left out.
    """

    id: ClassVar[str] = "apollo/people-match"

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST /api/v1/people/match`."""
        return _request(account, "match", params)

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """A person and one credit; nobody and none; or a failure."""
        if response.status != 200:
            return _failure(response, account, "match")
        body = json_object(response)
        if body is None:
            return unreadable(VENDOR, account, response, "no JSON object", paid=True)
        if "person" not in body and ("error" in body or "error_code" in body):
            return _failure(response, account, "match")
        person = body.get("person")
        if not is_person(person):
            return Answer(None)
        return Answer(_cleaned(person), charge_for(1, price_of(account, PROVIDER, "credit")))

    def expected(self, params: Params, account: Account) -> Decimal:
        """One credit."""
        return price_of(account, PROVIDER, "credit")


class PeopleBulkMatch(_ApolloOperation):
    """Find up to ten people.

    Params: `details`, a list of what `PeopleMatch` takes for one person.
    Value: `{"people": […], "strangers": int}`: for each detail the vendor's object, cleaned as in `PeopleMatch`, or
    None; and how many people were sent who could not be told to be any of those asked for.
    Charged what the vendor reports in credits, whoever matched; one for each person found if it does not report.
    """

    id: ClassVar[str] = "apollo/people-bulk-match"
    most_lost: ClassVar[int | None] = 1

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST /api/v1/people/bulk_match`."""
        return _request(account, "bulk_match", params)

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """People by identity, and the credits of the call; or a failure."""
        if response.status != 200:
            return _failure(response, account, "bulk_match")
        body = json_object(response)
        if body is None:
            return unreadable(VENDOR, account, response, "no JSON object", paid=True)
        matches = body.get("matches")
        if not isinstance(matches, list) and "person" in body:
            return _mocked(body["person"], params)
        if not isinstance(matches, list):
            if body.get("error") or body.get("error_code"):
                return _failure(response, account, "bulk_match")
            return unreadable(VENDOR, account, response, "no list under 'matches'", paid=True)
        cleaned = [_cleaned(match) if is_person(match) else None for match in matches]
        people = assign(params["details"], cleaned)
        found = [person for person in cleaned if person is not None]
        strangers = sum(1 for person in found if not any(person is known for known in people))
        return Answer({"people": people, "strangers": strangers}, _credits(body, found, account))

    def expected(self, params: Params, account: Account) -> Decimal:
        """A credit for each person."""
        return len(params["details"]) * price_of(account, PROVIDER, "credit")


def _request(account: Account, call: str, body: Params) -> HttpRequest:
    headers = {"x-api-key": key_of(account), "Cache-Control": "no-cache"}
    return json_request("POST", f"{account.base_url}/api/v1/people/{call}", headers, body)


def _mocked(person: Any, params: Params) -> Answer:
    """The mock `{"person": …}`, which a user may give for all calls of the vendor, stands for each person."""
    found = _cleaned(person) if is_person(person) else None
    return Answer({"people": [found] * len(params["details"]), "strangers": 0})


def _credits(body: Mapping[str, Any], found: Sequence[Mapping[str, Any]], account: Account) -> Charge:
    """What a bulk call cost: the credits reported, which may be a fraction, or 0 beside people who were paid before."""
    price = price_of(account, PROVIDER, "credit")
    try:
        consumed = decimal_of(body.get("credits_consumed"))
    except ValueError:
        consumed = Decimal(-1)
    if consumed < 0:  # absent, or no number
        consumed = Decimal(len({person.get("id") or id(person) for person in found}))
    return charge_for(consumed, price)


def _failure(response: HttpResponse, account: Account, call: str) -> Failure:
    """An error in any of the vendor's forms: JSON of several shapes, plain text, HTML."""
    body = json_object(response) or {}
    code = identifier(member(body, "error_details", "code")) or identifier(body.get("error_code"))
    if response.status in {400, 403, 422} and _NO_CREDITS.search(response.body):
        return refusal(VENDOR, account, response, error_class=ErrorClass.QUOTA, code=code)
    if response.status == 403:
        key = f"the key in {account.key_name}"
        meaning = f"Apollo does not let {key} call people/{call}: its scope or the plan lacks it"
        return refusal(VENDOR, account, response, code=code, meaning=meaning)
    wait = seconds(body.get("retry_after_seconds")) if "retry-after" not in response.headers else None
    error_class = class_of(response.status)
    return refusal(VENDOR, account, response, error_class=error_class, code=code, wait=wait)


def _cleaned(person: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = {**person, "email": _address(person.get("email"))}
    if isinstance(person.get("personal_emails"), list):
        cleaned["personal_emails"] = [email for email in person["personal_emails"] if _address(email)]
    contact = person.get("contact")
    if isinstance(contact, dict) and _same_person(contact, person):
        cleaned["contact"] = {**contact, "email": _address(contact.get("email"))}
    else:
        cleaned.pop("contact", None)
    return cleaned


def _address(email: Any) -> str | None:
    return email if isinstance(email, str) and email and not email.lower().startswith(_LOCKED_EMAIL) else None


def _same_person(contact: Mapping[str, Any], person: Mapping[str, Any]) -> bool:
    """False if what the team saved speaks of somebody else, by id or by both names."""
    ids = contact.get("person_id"), person.get("id")
    if all(ids) and ids[0] != ids[1]:
        return False
    names = [(contact.get(name), person.get(name)) for name in ("first_name", "last_name")]
    known = [(str(ours).casefold(), str(theirs).casefold()) for ours, theirs in names if ours and theirs]
    return len(known) < 2 or any(ours == theirs for ours, theirs in known)
