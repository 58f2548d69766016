"""Hunter: email finder and email verifier. Its 403 is a rate limit and its 429 an exhausted plan."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from lumeflow.core.money import ZERO
from lumeflow.simulator.exchange import Call, Cost, RefusedError, Reply, json_reply, number
from lumeflow.simulator.hashing import Dice
from lumeflow.simulator.limits import Limit, Refusal
from lumeflow.simulator.people.person import (
    EXAMPLE_DOMAINS,
    address_of,
    company_at,
    domain_of,
    employment_of,
    folded,
    invented_name,
    slug,
)
from lumeflow.simulator.vendor import Endpoint, OddShape, Route, Surroundings, Vendor

FINDER = Endpoint("hunter/email-finder", 0.25, (Limit(15, 1.0), Limit(500, 60.0)), paid=True)
VERIFIER = Endpoint("hunter/email-verifier", 0.3, (Limit(10, 1.0), Limit(300, 60.0)), paid=True)
USAGE = Endpoint("hunter/usage", 0.05, polled=True)
ACCOUNT = Endpoint("hunter/account", 0.05, polled=True)

TEST_KEY = "test-api-key"
"""Validates parameters and always gives the same answer, free of charge."""
PLAN_CREDITS = Decimal(25_000)
"""What `GET /usage` shows as available when no budget is set: the Scale plan."""

CLAIMED_SHARE = 0.007
"""People who asked that their data not be processed."""
MISSING_AS_404 = 0.03
"""Share of the misses that are a 404."""
PENDING_SHARE = 0.04
"""Addresses whose verification takes more than one call."""
UNVERIFIABLE_SHARE = 0.01
"""Addresses whose mail server never answers as it should."""

_FINDER_CREDITS, _VERIFIER_CREDITS = Decimal(1), Decimal("0.5")
_FREE_STATUSES = frozenset({"webmail", "disposable", "unknown"})
_RESULTS = {
    "valid": "deliverable", "invalid": "undeliverable", "accept_all": "risky", "webmail": "risky",
    "disposable": "undeliverable", "unknown": "risky",
}  # fmt: skip


class Hunter(Vendor):
    """The simulated vendor: a unified-credit plan. The same request is charged once."""

    name = "hunter"
    endpoints = (FINDER, VERIFIER, USAGE, ACCOUNT)

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._pending: dict[str, int] = {}

    def route(self, call: Call) -> tuple[Route, ...]:
        """Four GET calls."""
        answer = {
            "/v2/email-finder": Route(FINDER, self._find),
            "/v2/email-verifier": Route(VERIFIER, self._verify),
            "/v2/usage": Route(USAGE, self._usage),
            "/v2/account": Route(ACCOUNT, self._account),
        }.get(call.path)
        return (answer,) if answer and call.method == "GET" else ()

    # --- answers

    def _find(self, call: Call) -> Reply:
        params = {name: call.query.get(name) or None for name in _FINDER_PARAMETERS}
        _check_finder(params)
        test = self.key(call) == TEST_KEY
        first, last, domain = ("Lena", "Okafor", "example.com") if test else self._person(params)
        identity = f"{folded(first)}/{folded(last)}/{domain}"
        dice = Dice(self._settings.seed, "hunter-finder", identity)
        if not test and dice.chance(CLAIMED_SHARE):
            return _claimed()
        found = dice.chance(1.0 if test else self._settings.find_rate)
        if not found and dice.chance(MISSING_AS_404):
            return _error(404, "not_found", "No email address was found for this person.", effect=True)
        data = _found(first, last, domain, dice) if found else _not_found(params, domain, dice)
        body = {"data": data, "meta": {"params": {**params, "max_duration": _duration(call)}}}
        charged = _FINDER_CREDITS if found and not test else ZERO
        return Reply(200, orjson.dumps(body), effect=True, cost=self._credits(call, charged))

    def _person(self, params: Mapping[str, str | None]) -> tuple[str, str, str]:
        """First name, last name and the domain at which the address is invented: always an example domain."""
        first, last = params["first_name"] or "", params["last_name"] or ""
        if not (first and last):
            first, _, last = (params["full_name"] or "").partition(" ")
        if not first:
            first, last = invented_name(Dice(self._settings.seed, "hunter-handle", params["linkedin_handle"] or ""))
        if params["domain"]:
            return first, last, params["domain"].lower()
        company = params["company"] or employment_of(self._settings.seed, first, last).company
        return first, last, domain_of(company)

    def _verify(self, call: Call) -> Reply:
        email = call.query.get("email", "").lower()
        if not email:
            raise RefusedError(_error(400, "wrong_params", "You are missing the email parameter."))
        local, _, domain = email.partition("@")
        if not local or "." not in domain:
            raise RefusedError(_error(400, "invalid_email", "The address supplied cannot be parsed."))
        dice = Dice(self._settings.seed, "hunter-verifier", email)
        if dice.chance(CLAIMED_SHARE):
            return _claimed()
        if dice.chance(UNVERIFIABLE_SHARE):
            return Reply(222, _unfinished(dice))
        if dice.chance(PENDING_SHARE) and self._still_pending(email, 1 + dice.below(2)):
            return Reply(202, _unfinished(dice))
        status = _status_of(domain, dice)
        data = _verification(email, status, dice)
        charged = ZERO if status in _FREE_STATUSES or self.key(call) == TEST_KEY else _VERIFIER_CREDITS
        body = orjson.dumps({"data": data, "meta": {"params": {"email": email}}})
        return Reply(200, body, effect=True, cost=self._credits(call, charged))

    def _still_pending(self, email: str, calls: int) -> bool:
        seen = self._pending[email] = self._pending.get(email, 0) + 1
        return seen <= calls

    def _credits(self, call: Call, charged: Decimal) -> Cost:
        """The same request again within a billing period is free."""
        if self._bill.was_processed(call.key):
            return Cost()
        return Cost(self._settings.price("hunter/credit") * charged, charged)

    def _usage(self, call: Call) -> Reply:
        return json_reply({"data": {"reset_date": "2026-12-01", "requests": self._requests()}})

    def _account(self, call: Call) -> Reply:
        shown = {"plan_name": "Scale", "plan_level": 3, "reset_date": "2026-12-01", "requests": self._requests()}
        return json_reply({"data": shown})

    def _requests(self) -> dict[str, Any]:
        available = self._settings.budgets.get(self.name, PLAN_CREDITS)
        used = self._bill.spent(self.name).credits
        left = max(ZERO, available - used)
        return {"credits": {"used": number(used), "available": number(available), "remaining": number(left)}}

    # --- how it says no

    def accepts(self, call: Call) -> bool:
        """The test key works for finder and verifier only."""
        if self.key(call) == TEST_KEY:
            return call.path in {"/v2/email-finder", "/v2/email-verifier"}
        return super().accepts(call)

    def key(self, call: Call) -> str | None:
        """Header `X-API-KEY`, bearer token, or `api_key` in the query."""
        return call.headers.get("x-api-key") or call.bearer() or call.query.get("api_key")

    def unauthorised(self, call: Call) -> Reply:
        """401."""
        return _error(401, "authentication_failed", "No user found for the API key supplied")

    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """403, with an id or without one; no `Retry-After`."""
        details = "You have reached the limit of requests per second or minute. Please slow down."
        if self.dice(call, "403").chance(0.2):
            return json_reply({"errors": [{"code": 403, "details": details}]}, 403)
        return _error(403, "too_many_requests", details)

    def exhausted(self, call: Call) -> Reply:
        """429: the plan's requests are used up."""
        return _error(429, "too_many_requests", "You have reached the usage limit of your plan for this period.")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx."""
        return _error(status, "server_error", "Something went wrong on our side.")

    def odd_shapes(self, endpoint: Endpoint) -> tuple[OddShape, ...]:
        """An error list with status 200."""
        return (OddShape("errors_in_200", error=_errors_in_200),) if endpoint.paid else ()


_FINDER_PARAMETERS = ("domain", "company", "linkedin_handle", "first_name", "last_name", "full_name")


def _errors_in_200(call: Call) -> Reply:
    return json_reply({"errors": [{"id": "server_error", "code": 500, "details": "Something went wrong on our side."}]})


def _claimed() -> Reply:
    return _error(451, "claimed_email", "The person behind this address asked us not to process it.", effect=True)


def _error(status: int, name: str, details: str, *, effect: bool = False) -> Reply:
    reply = json_reply({"errors": [{"id": name, "code": status, "details": details}]}, status)
    reply.effect = effect
    return reply


def _duration(call: Call) -> int | None:
    text = call.query.get("max_duration")
    if text is None:
        return None
    if not text.isdigit() or not 3 <= int(text) <= 20:
        raise RefusedError(_error(400, "invalid_max_duration", "max_duration must be between 3 and 20 seconds."))
    return int(text)


def _check_finder(params: Mapping[str, str | None]) -> None:
    if not (params["domain"] or params["company"] or params["linkedin_handle"]):
        raise RefusedError(
            _error(400, "wrong_params", "You are missing the domain, company or linkedin_handle parameter.")
        )
    named = params["full_name"] or (params["first_name"] and params["last_name"])
    if not (named or params["linkedin_handle"]):
        raise RefusedError(_error(400, "wrong_params", "You are missing the first_name and last_name, or full_name."))
    for name in ("first_name", "last_name", "full_name"):
        value = params[name]
        if value and not any(letter.isalpha() for letter in value):
            raise RefusedError(_error(400, f"invalid_{name}", f"The {name} supplied is not a name."))
    domain = params["domain"]
    if domain and ("." not in domain or "@" in domain or "/" in domain):
        raise RefusedError(_error(400, "invalid_domain", "The domain supplied is not valid or has no MX record."))


def _example_domain(domain: str) -> str:
    """`domain` itself if it is for examples; else one of ours, so that nobody real is ever addressed."""
    if any(domain == example or domain.endswith(f".{example}") for example in EXAMPLE_DOMAINS):
        return domain
    return f"{slug(domain)}.example.com"


def _found(first: str, last: str, domain: str, dice: Dice) -> dict[str, Any]:
    accept_all = dice.chance(0.15)
    address = address_of(first, last, _example_domain(domain))
    source = {
        "domain": domain, "uri": f"http://{_example_domain(domain)}/team", "extracted_on": "2025-02-11",
        "last_seen_on": "2026-01-20", "still_on_page": True,
    }  # fmt: skip
    return {
        "first_name": first, "last_name": last, "email": address,
        "score": 40 + dice.below(40) if accept_all else 80 + dice.below(20),
        "domain": domain, "accept_all": accept_all, "position": "" if dice.below(2) else None,
        "twitter": None, "linkedin_url": None, "phone_number": None,
        "company": company_at(domain), "sources": [source] * dice.below(3),
        "verification": {"date": "2026-02-03", "status": "accept_all" if accept_all else "valid"},
    }  # fmt: skip


def _not_found(params: Mapping[str, str | None], domain: str, dice: Dice) -> dict[str, Any]:
    data: dict[str, Any] = {
        "first_name": params["first_name"], "last_name": params["last_name"], "email": None,
        "score": 0 if dice.chance(0.2) else None, "domain": domain, "accept_all": None, "position": None,
        "twitter": None, "linkedin_url": None, "phone_number": None, "company": None, "sources": [],
    }  # fmt: skip
    return data if dice.chance(0.1) else {**data, "verification": {"date": None, "status": None}}


def _unfinished(dice: Dice) -> bytes:
    """The body of a 202 or 222, of which nothing is documented: nothing, an empty object, or no final status."""
    return (b"", b"{}", b'{"data":{"status":null}}')[dice.below(3)]


def _status_of(domain: str, dice: Dice) -> str:
    if domain.startswith(("webmail.", "mail.")):
        return "webmail"
    if domain.startswith("disposable."):
        return "disposable"
    drawn = dice.below(100)
    if drawn < 80:
        return "valid"
    return "accept_all" if drawn < 90 else "invalid" if drawn < 97 else "unknown"


def _verification(email: str, status: str, dice: Dice) -> dict[str, Any]:
    fixed = {"webmail": 50, "disposable": 50, "invalid": 0, "valid": 95, "unknown": 30}
    data = {
        "status": status, "score": fixed.get(status, 50 + dice.below(30)), "email": email,
        "regexp": True, "gibberish": False, "disposable": status == "disposable", "webmail": status == "webmail",
        "mx_records": True, "smtp_server": True, "smtp_check": status in {"valid", "accept_all"},
        "accept_all": status == "accept_all", "block": status == "unknown", "sources": [],
    }  # fmt: skip
    if dice.chance(0.5):
        data |= {"result": _RESULTS[status], "_deprecation_notice": "Use status; result will be removed."}
    return data
