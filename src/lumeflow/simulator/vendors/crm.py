"""A CRM that nobody knows: every way of paging, of showing who one is, and of writing a body, for generic HTTP."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import orjson

from lumeflow.simulator.exchange import Call, Cost, RefusedError, Reply, json_reply, number
from lumeflow.simulator.hashing import Dice, hex_id
from lumeflow.simulator.limits import Limit, Refusal
from lumeflow.simulator.people.person import address_of, company_at, employment_of, invented_name
from lumeflow.simulator.settings import KEY_PREFIX
from lumeflow.simulator.vendor import Endpoint, Route, Surroundings, Vendor

TOKEN = Endpoint("crm/token", 0.05, polled=True)
CONTACTS = Endpoint("crm/contacts", 0.1, (Limit(20, 1.0),), paid=True)
PERSON = Endpoint("crm/person", 0.1, (Limit(50, 1.0),), paid=True)
BATCH = Endpoint("crm/people-batch", 0.15, (Limit(10, 1.0),), paid=True)
NOTE = Endpoint("crm/note", 0.1, (Limit(50, 1.0),), paid=True)

TOKEN_PATH = "/crm/oauth/token"
TOKEN_PREFIX = f"{KEY_PREFIX}token-"
LIST, PEOPLE, NOTES = "/crm/v1/contacts/", "/crm/v1/people", "/crm/v1/notes"
PAGE, MOST_ON_PAGE, MOST_IN_BATCH = 25, 100, 100

Page = tuple[list[dict[str, Any]], int, int]
"""Contacts, where the page begins, and where the next one does."""


class Crm(Vendor):
    """The simulated vendor. Any key that starts with `sim-` is taken in any place; tokens only while they are good."""

    name = "crm"
    endpoints = (TOKEN, CONTACTS, PERSON, BATCH, NOTE)

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._tokens: dict[str, tuple[float, int]] = {}
        self._lists: Mapping[str, Callable[[Call], Reply]] = {
            "cursor": self._by_cursor,
            "search": self._by_cursor,
            "page": self._by_page,
            "offset": self._by_offset,
            "link": self._by_link,
            "next": self._by_next,
        }

    def route(self, call: Call) -> tuple[Route, ...]:
        """Tokens, lists of contacts, people, notes."""
        method, path = call.method, call.path
        if (method, path) == ("POST", TOKEN_PATH):
            return (Route(TOKEN, self._grant),)
        kind = path.removeprefix(LIST)
        if path.startswith(LIST) and kind in self._lists and method == ("POST" if kind == "search" else "GET"):
            return (Route(CONTACTS, self._lists[kind]),)
        if (method, path) == ("POST", f"{PEOPLE}/batch"):
            return (Route(BATCH, self._batch),)
        if (method, path) == ("POST", f"{PEOPLE}/lookup"):
            return (Route(PERSON, lambda call: self._person(_asked_for(call))),)
        if path.startswith(f"{PEOPLE}/") and method in ("GET", "HEAD"):
            return (Route(PERSON, lambda call: self._person(call.path.removeprefix(f"{PEOPLE}/"))),)
        if path.startswith(NOTES) and method in ("POST", "PUT", "PATCH", "DELETE"):
            return (Route(NOTE, self._note),)
        return ()

    # --- lists

    def _page(self, begin: int, size: Any) -> Page:
        total = self._settings.crm_contacts
        count = min(_whole(size, PAGE), MOST_ON_PAGE)
        end = min(begin + count, total)
        return [self._contact(index) for index in range(begin, end)], begin, begin + count

    def _contact(self, index: int) -> dict[str, Any]:
        first, last = invented_name(Dice(self._settings.seed, "crm-contact", str(index)))
        job = employment_of(self._settings.seed, first, last)
        email = address_of(first, last, job.domain)
        return {"id": f"c-{index}", "firstName": first, "lastName": last, "email": email, "company": job.company}

    def _by_cursor(self, call: Call) -> Reply:
        asked = call.query if call.method == "GET" else call.json if isinstance(call.json, dict) else {}
        cursor = str(asked.get("cursor") or "after-0")
        found, _, onward = self._page(_whole(cursor.removeprefix("after-"), 0), asked.get("limit"))
        more = f"after-{onward}" if onward < self._settings.crm_contacts else None
        return self._listed({"contacts": found, "next": more})

    def _by_page(self, call: Call) -> Reply:
        size = min(_whole(call.query.get("limit"), PAGE), MOST_ON_PAGE)
        page = _whole(call.query.get("page"), 1)
        found, _, _ = self._page((page - 1) * size, size)
        return self._listed({"contacts": found, "page": page, "pages": -(-self._settings.crm_contacts // size)})

    def _by_offset(self, call: Call) -> Reply:
        found, begin, onward = self._page(_whole(call.query.get("offset"), 0), call.query.get("limit"))
        total = self._settings.crm_contacts
        return self._listed({"contacts": found, "offset": begin, "total": total, "more": onward < total})

    def _by_link(self, call: Call) -> Reply:
        """A bare list; the next page stands in the `Link` header."""
        found, _, onward = self._page(_whole(call.query.get("from"), 0), call.query.get("limit"))
        reply = self._listed(found)
        if onward < self._settings.crm_contacts:
            reply.headers = {
                **reply.headers,
                "link": f'<{LIST}link?from=0>; rel="first", <{_onward(call, onward)}>; rel="next"',
            }
        return reply

    def _by_next(self, call: Call) -> Reply:
        found, _, onward = self._page(_whole(call.query.get("from"), 0), call.query.get("limit"))
        more = _onward(call, onward) if onward < self._settings.crm_contacts else None
        return self._listed({"contacts": found, "links": {"next": more}})

    def _listed(self, body: Any) -> Reply:
        cost = self._settings.price("crm/page")
        if isinstance(body, dict):
            body = {**body, "usage": {"cost": number(cost)}}
        return Reply(200, orjson.dumps(body), effect=True, cost=Cost(cost))

    # --- people

    def _person(self, email: str) -> Reply:
        person = self._known(email)
        if person is None:
            return Reply(404, orjson.dumps({"error": {"code": "not_found"}}), effect=True)
        cost = self._settings.price("crm/person-found")
        body = {"person": person, "usage": {"cost": number(cost)}}
        return Reply(200, orjson.dumps(body), effect=True, cost=Cost(cost))

    def _batch(self, call: Call) -> Reply:
        emails = call.json.get("emails") if isinstance(call.json, dict) else None
        if not isinstance(emails, list) or not all(isinstance(email, str) for email in emails):
            raise RefusedError(_error(422, "emails_missing"))
        if len(emails) > MOST_IN_BATCH:
            raise RefusedError(_error(422, "too_many_emails"))
        people = [person for email in reversed(emails) if (person := self._known(email)) is not None]
        cost = self._settings.price("crm/person-found") * len(people)
        body = {"people": people, "usage": {"cost": number(cost)}}
        return Reply(200, orjson.dumps(body), effect=True, cost=Cost(cost))

    def _known(self, email: str) -> dict[str, Any] | None:
        """Somebody at the address, unless it is nobody's: not to every address does somebody belong."""
        local, _, domain = email.strip().lower().partition("@")
        if not domain:
            raise RefusedError(_error(422, "invalid_email"))
        if local == "nobody" or not Dice(self._settings.seed, "crm-person", email.lower()).chance(
            self._settings.match_rate
        ):
            return None
        first, _, last = local.partition(".")
        job = employment_of(self._settings.seed, first, last)
        return {
            "email": email,
            "title": job.title,
            "company": {"name": company_at(domain) or job.company, "domain": domain},
            "score": Dice(self._settings.seed, "crm-score", email.lower()).below(100),
        }

    # --- notes

    def _note(self, call: Call) -> Reply:
        cost = Cost(self._settings.price("crm/note-written"))
        if call.method == "DELETE":
            return Reply(204, b"", effect=True, cost=cost)
        note = {"id": hex_id(self._settings.seed, "crm-note", call.identity)}
        return Reply(201 if call.method == "POST" else 200, orjson.dumps(note), effect=True, cost=cost)

    # --- who is there

    def _grant(self, call: Call) -> Reply:
        form = _form(call)
        if form.get("grant_type") != "client_credentials":
            raise RefusedError(json_reply({"error": "unsupported_grant_type"}, 400))
        text = f"{TOKEN_PREFIX}{hex_id(self._settings.seed, 'crm-token', str(len(self._tokens)))}"
        self._tokens[text] = (self._clock.seconds() + self._settings.token_seconds, 0)
        return json_reply(
            {"access_token": text, "token_type": "Bearer", "expires_in": self._settings.token_seconds},
            headers={"cache-control": "no-store"},
        )

    def accepts(self, call: Call) -> bool:
        """A key with the prefix; a token that was given out, has not expired, and is not used up."""
        key = self.key(call) or ""
        if not key.startswith(TOKEN_PREFIX):
            return key.startswith(KEY_PREFIX)
        until, uses = self._tokens.get(key, (0.0, 0))
        most = self._settings.token_uses
        if self._clock.seconds() >= until or (most and uses >= most):
            return False
        self._tokens[key] = (until, uses + 1)
        return True

    def key(self, call: Call) -> str | None:
        """A bearer token, `X-API-Key`, `api_key` in the query, the password of Basic, or a client's secret."""
        scheme, _, text = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return _password(text)
        found = call.bearer() or call.headers.get("x-api-key") or call.query.get("api_key")
        return found or (_form(call).get("client_secret") if call.path == TOKEN_PATH else None)

    def unauthorised(self, call: Call) -> Reply:
        """401; at the token endpoint as OAuth has it."""
        if call.path == TOKEN_PATH:
            return json_reply({"error": "invalid_client"}, 401)
        return _error(401, "invalid_token")

    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """429 with `Retry-After` in whole seconds."""
        return json_reply({"error": {"code": "rate_limited"}}, 429, {"retry-after": str(ceil(refusal.wait))})

    def exhausted(self, call: Call) -> Reply:
        """402."""
        return _error(402, "out_of_credit")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx."""
        return _error(status, "internal")


def _onward(call: Call, begin: int) -> str:
    kept = {name: value for name, value in call.query.items() if name not in ("from", "api_key")}
    return f"{call.path}?{urlencode({**kept, 'from': begin})}"


def _asked_for(call: Call) -> str:
    """The address in a JSON, form or text body."""
    kind = call.headers.get("content-type", "").partition(";")[0]
    if kind == "text/plain":
        return call.body.decode("utf-8", "replace")
    body = _form(call) if kind.endswith("urlencoded") else call.json
    email = body.get("email") if isinstance(body, Mapping) else None
    if not isinstance(email, str):
        raise RefusedError(_error(422, "email_missing"))
    return email


def _form(call: Call) -> Mapping[str, str]:
    return dict(parse_qsl(call.body.decode("utf-8", "replace")))


def _password(text: str) -> str | None:
    try:
        return unquote(b64decode(text, validate=True).decode().partition(":")[2]) or None
    except ValueError:
        return None


def _whole(value: Any, default: int) -> int:
    if value is None:
        return default
    text = str(value)
    if not text.isdigit():
        raise RefusedError(_error(422, "invalid_parameter"))
    return int(text)


def _error(status: int, code: str) -> Reply:
    return json_reply({"error": {"code": code}}, status)
