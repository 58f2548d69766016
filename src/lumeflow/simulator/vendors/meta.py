"""Meta: custom audiences of ad accounts. Errors in one envelope, under any status; limits told in three headers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import orjson

from lumeflow.simulator.exchange import JSON_HEADERS, Call, RefusedError, Reply
from lumeflow.simulator.hashing import hashed
from lumeflow.simulator.limits import Limit, Refusal
from lumeflow.simulator.vendor import Endpoint, OddShape, Route, Surroundings, Vendor
from lumeflow.simulator.vendors.meta_upload import Upload, error

_LIMITS = (Limit(190_000, 3600.0),)
CREATE = Endpoint("meta/create-audience", 0.3, _LIMITS, per_resource=True)
LIST = Endpoint("meta/list-audiences", 0.1, _LIMITS, per_resource=True, polled=True)
USERS = Endpoint("meta/add-users", 0.8, _LIMITS, per_resource=True)
STATE = Endpoint("meta/audience", 0.1, _LIMITS, per_resource=True, polled=True)

WITHOUT_TERMS = "2655"
"""Ad accounts whose number ends so have not accepted the terms of custom audiences."""
DELETED = "404"
"""Audiences whose number ends so have been deleted."""
MATCHED_SHARE = 0.6
"""People of an upload whom Meta knows."""
MOST_BODY_BYTES = 20 * 1024 * 1024
"""Of larger requests the edge makes a page."""

_PATH = re.compile(r"/v(\d+)\.\d+/(act_\d+/customaudiences|\d+(?:/users)?)")
_OLDEST_VERSION = 22
_PAGE = 50
_SOURCES = frozenset({"USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED"})


@dataclass(slots=True)
class _Audience:
    """An audience and what was uploaded to it; of the rows only hashes are kept."""

    id: str
    account: str
    name: str
    description: str
    rows: set[int] = field(default_factory=set)
    sessions: dict[int, tuple[int, bool]] = field(default_factory=dict)
    """Of each session the newest batch, and whether it was marked as the last."""


class Meta(Vendor):
    """The simulated vendor. Audiences that were created here exist, and all others whose number begins with 2385."""

    name = "meta"
    endpoints = (CREATE, LIST, USERS, STATE)

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._audiences: dict[str, _Audience] = {}

    def route(self, call: Call) -> tuple[Route, ...]:
        """Four calls; limits hold for each ad account."""
        match = _PATH.fullmatch(call.path)
        if match is None:
            return ()
        node, _, edge = match[2].partition("/")
        found = {
            ("POST", "customaudiences"): (CREATE, self._create),
            ("GET", "customaudiences"): (LIST, self._list),
            ("POST", "users"): (USERS, self._add),
            ("GET", ""): (STATE, self._state),
        }.get((call.method, edge))
        if found is None:
            return ()
        audience = self._audiences.get(node)
        return (Route(found[0], found[1], audience.account if audience else node),)

    # --- answers

    def _create(self, call: Call) -> Reply:
        account = self._node(call)
        body = _body(call)
        if account.endswith(WITHOUT_TERMS):
            raise RefusedError(error(2655, "The terms of custom audiences have not been accepted.", subcode=1870034))
        if not isinstance(body.get("name"), str) or not body["name"]:
            raise RefusedError(error(100, "(#100) The parameter name is required."))
        if body.get("subtype") != "CUSTOM" or body.get("customer_file_source") not in _SOURCES:
            raise RefusedError(error(100, "(#100) The parameter customer_file_source is required."))
        number = hashed(self._settings.seed, "meta-audience", account, str(len(self._audiences))) % 10**12
        audience = _Audience(f"23850{number:012d}", account, body["name"], str(body.get("description") or ""))
        if audience.id.endswith(DELETED):
            audience.id = f"{audience.id[:-1]}5"
        self._audiences[audience.id] = audience
        return self._answer(call, {"id": audience.id}, account, CREATE, effect=True)

    def _list(self, call: Call) -> Reply:
        account = self._node(call)
        own = [audience for audience in self._audiences.values() if audience.account == account]
        own.reverse()
        start = int(call.query.get("after") or 0)
        page = own[start : start + _PAGE]
        shown = [{"id": one.id, "name": one.name, "description": one.description} for one in page]
        end = start + len(page)
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(own):
            paging["next"] = f"https://graph.facebook.com{call.path}?after={end}"
        return self._answer(call, {"data": shown, "paging": paging}, account, LIST)

    def _add(self, call: Call) -> Reply:
        audience = self._audience(call)
        if len(call.body) > MOST_BODY_BYTES:
            raise RefusedError(self._page(413, "Request Entity Too Large"))
        upload = Upload(_body(call), audience.sessions)
        audience.rows.update(upload.rows)
        dice = self.dice(call, "shape")
        answer: dict[str, Any] = {
            "audience_id": audience.id,
            "session_id": dice.pick([str(upload.session), upload.session]),
            "num_received": upload.received,
            "num_invalid_entries": len(upload.invalid),
            "invalid_entry_samples": upload.samples() or dice.pick([{}, []]),
        }
        if dice.chance(0.1):
            del answer["session_id"]
        if dice.chance(0.1) and not upload.invalid:
            del answer["invalid_entry_samples"]
        return self._answer(call, answer, audience.account, USERS, effect=True)

    def _state(self, call: Call) -> Reply:
        audience = self._audience(call)
        matched = int(len(audience.rows) * MATCHED_SHARE)
        deliverable = matched >= 100
        shown: dict[str, Any] = {
            "operation_status": {"code": 200, "description": "Normal"},
            "delivery_status": {
                "code": 200 if deliverable else 300,
                "description": "This audience is ready for use." if deliverable else "The audience is too small.",
            },
            "approximate_count_lower_bound": matched if deliverable else -1,
            "approximate_count_upper_bound": ceil(matched * 1.2) if deliverable else -1,
        }
        wanted = [name for name in call.query.get("fields", "").split(",") if name in shown]
        answer = {**{name: shown[name] for name in wanted}, "id": audience.id}
        return self._answer(call, answer, audience.account, STATE)

    def _node(self, call: Call) -> str:
        _, version, node, *_ = call.path.split("/")
        if int(version[1:].partition(".")[0]) < _OLDEST_VERSION:
            raise RefusedError(error(2635, "(#2635) You are calling a deprecated version of the Ads API."))
        return node

    def _audience(self, call: Call) -> _Audience:
        number = self._node(call)
        found = self._audiences.get(number)
        if found is None and number.startswith("2385") and not number.endswith(DELETED):
            found = self._audiences[number] = _Audience(number, number, "Existing", "")
        if found is None:
            if number.endswith(DELETED):
                raise RefusedError(error(100, "(#100) The audience has been deleted.", subcode=1487366))
            raise RefusedError(error(100, "(#100) Unsupported request: object does not exist.", subcode=33))
        return found

    def _answer(
        self, call: Call, body: Mapping[str, Any], account: str, endpoint: Endpoint, *, effect: bool = False
    ) -> Reply:
        """An answer with what the headers tell of the account's limits."""
        usage = self._limiter.usage(endpoint.id, account, self._clock.seconds())
        percent = max((100 * used / limit.calls for limit, used in usage), default=0.0)
        reset = max((limit.seconds for limit, _ in usage), default=0.0)
        headers = _usage_headers(account, percent, ceil(reset), 0)
        return Reply(200, orjson.dumps(body), {**JSON_HEADERS, **headers}, effect=effect)

    # --- how it says no

    def key(self, call: Call) -> str | None:
        """Bearer token, or `access_token` in query or body."""
        given = call.bearer() or call.query.get("access_token")
        if given is None and isinstance(call.json, dict):
            given = call.json.get("access_token")
        return given if isinstance(given, str) else None

    def unauthorised(self, call: Call) -> Reply:
        """190, with one of two statuses."""
        subcode = self.dice(call, "190").pick([460, 463, 467, None])
        return error(190, "Error validating access token.", status=401 if subcode else 400, subcode=subcode)

    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """One of the codes for it; the wait in whole minutes in one header, in seconds in the other."""
        code, subcode, status = self.dice(call, "limit").pick(
            [(80003, 2446079, 400), (80003, None, 429), (17, 2446079, 400), (613, 1487742, 400), (4, None, 403)]
        )
        account = call.path.split("/")[2]
        minutes = 0 if refusal.injected else ceil(refusal.wait / 60)
        headers = _usage_headers(account, 100.0, ceil(refusal.wait), minutes)
        reply = error(code, f"(#{code}) Too many calls to this ad account.", status=status, subcode=subcode)
        return Reply(reply.status, reply.body, {**reply.headers, **headers})

    def exhausted(self, call: Call) -> Reply:
        """Calls cost nothing, so this never happens."""
        return error(368, "The action attempted has been deemed abusive.", status=400)

    def server_error(self, call: Call, status: int) -> Reply:
        """Code 1 or 2."""
        code = self.dice(call, "5xx").pick([1, 2])
        return error(code, "An unexpected error has occurred. Please retry.", status=status, transient=True)

    def odd_shapes(self, endpoint: Endpoint) -> tuple[OddShape, ...]:
        """An error in an answer of status 200, and an audience that cannot be updated just now."""
        busy = OddShape("not_updated", error=lambda call: error(2650, "(#2650) Failed to update the custom audience."))
        transient = OddShape(
            "error_in_200", error=lambda call: error(2, "Service temporarily unavailable.", status=200, transient=True)
        )
        return (transient, busy) if endpoint is USERS else (transient,)

    def _page(self, status: int, reason: str) -> Reply:
        return Reply(status, f"<html><body><h1>{status} {reason}</h1></body></html>".encode(), {})


def _body(call: Call) -> Mapping[str, Any]:
    """The body; objects in it may come as JSON texts."""
    body = call.json
    if not isinstance(body, dict):
        raise RefusedError(error(100, "(#100) The body must be JSON."))
    read = {}
    for name, value in body.items():
        is_text = isinstance(value, str) and value[:1] in {"{", "["}
        try:
            read[name] = orjson.loads(value) if is_text else value
        except orjson.JSONDecodeError:
            read[name] = value
    return read


def _usage_headers(account: str, percent: float, seconds: int, minutes: int) -> dict[str, str]:
    tier = "standard_access"
    case = {
        "type": "custom_audience", "call_count": ceil(percent), "total_cputime": 3, "total_time": 5,
        "estimated_time_to_regain_access": minutes, "ads_api_access_tier": tier,
    }  # fmt: skip
    util = {"acc_id_util_pct": round(percent, 1), "reset_time_duration": seconds, "ads_api_access_tier": tier}
    return {
        "x-business-use-case-usage": orjson.dumps({account.removeprefix("act_"): [case]}).decode(),
        "x-ad-account-usage": orjson.dumps(util).decode(),
        "x-app-usage": orjson.dumps({"call_count": 1, "total_time": 1, "total_cputime": 1}).decode(),
    }
