"""Apollo: people match and bulk match, with its fixed windows and their headers."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil
from typing import Any

import orjson

from lumeflow.core.money import ZERO
from lumeflow.simulator.exchange import TEXT_HEADERS, Call, Cost, RefusedError, Reply, json_reply, number
from lumeflow.simulator.hashing import Dice
from lumeflow.simulator.limits import Limit, Refusal
from lumeflow.simulator.vendor import Endpoint, OddShape, Route, Vendor
from lumeflow.simulator.vendors.apollo_person import Query, person_of, request_id

MOST_IN_BULK = 10

_ENRICHMENT = (Limit(1000, 60.0, fixed=True),)
_OTHER = (Limit(200, 60.0, fixed=True), Limit(400, 3600.0, fixed=True), Limit(2000, 86_400.0, fixed=True))
MATCH = Endpoint("apollo/people-match", 0.15, _ENRICHMENT, paid=True)
BULK_MATCH = Endpoint("apollo/people-bulk-match", 0.25, _ENRICHMENT, paid=True)
USAGE_STATS = Endpoint("apollo/usage-stats", 0.05, _OTHER, polled=True)
HEALTH = Endpoint("apollo/auth-health", 0.02, (), polled=True)
WEBHOOK_RESULT = Endpoint("apollo/webhook-result", 0.05, _OTHER, polled=True)

_PATHS = {MATCH.id: '["api/v1/people", "match"]', BULK_MATCH.id: '["api/v1/people", "bulk_match"]'}
_WINDOWS = {60.0: ("minute", "minute"), 3600.0: ("hourly", "hour"), 86_400.0: ("24-hour", "day")}
_FLAGS = ("reveal_phone_number", "run_waterfall_email", "run_waterfall_phone")


class Apollo(Vendor):
    """The simulated vendor: a paid plan that has enrichment but neither phones nor waterfall."""

    name = "apollo"
    endpoints = (MATCH, BULK_MATCH, USAGE_STATS, HEALTH, WEBHOOK_RESULT)

    def route(self, call: Call) -> tuple[Route, ...]:
        """Routes under `/api/v1`."""
        path = call.path.removeprefix("/api/v1/") if call.path.startswith("/api/v1/") else ""
        match call.method, path.split("/"):
            case "POST", ["people", "match"]:
                return (Route(MATCH, self._match),)
            case "POST", ["people", "bulk_match"]:
                return (Route(BULK_MATCH, self._bulk_match),)
            case "POST", ["usage_stats", "api_usage_stats"]:
                return (Route(USAGE_STATS, self._api_usage),)
            case "POST", ["usage_stats", "credit_usage_stats"]:
                return (Route(USAGE_STATS, self._credit_usage),)
            case "GET", ["auth", "health"]:
                return (Route(HEALTH, self._health),)
            case "GET", ["webhook_result", request]:
                return (Route(WEBHOOK_RESULT, lambda _: _no_result(request)),)
        return ()

    # --- answers

    def _match(self, call: Call) -> Reply:
        fields = {**call.query, **_body(call)}
        _check_flags(fields)
        query = Query.of(fields)
        answer: dict[str, Any] = {"person": None}
        cost = Cost()
        if self._matches(query):
            answer["person"], cost = person_of(self._settings.seed, query), self._credits(1)
        else:
            answer = self._no_match(query)
        answer["request_id"] = request_id(self._settings.seed, call.identity)
        return Reply(200, orjson.dumps(answer), effect=True, cost=cost)

    def _bulk_match(self, call: Call) -> Reply:
        body = _body(call)
        _check_flags({**call.query, **body})
        details = body.get("details")
        if not isinstance(details, list) or not details or not all(isinstance(entry, dict) for entry in details):
            raise RefusedError(_failed(400, "INVALID_REQUEST", "details must be a list of 1 to 10 people"))
        if len(details) > MOST_IN_BULK:
            message = f"details has {len(details)} people, at most {MOST_IN_BULK} are allowed"
            raise RefusedError(_failed(400, "RECORD_LIMIT_EXCEEDED", message))
        queries = [Query.of({**call.query, **body, **entry}) for entry in details]
        seed = self._settings.seed
        matches = [person_of(seed, query) if self._matches(query) else None for query in queries]
        found = len({match["id"] for match in matches if match})
        cost = self._credits(found)
        answer = {
            "status": "success", "error_code": None, "error_message": None,
            "total_requested_enrichments": len(details), "unique_enriched_records": found,
            "missing_records": matches.count(None), "credits_consumed": number(cost.credits),
            "matches": matches, "request_id": request_id(seed, call.identity),
        }  # fmt: skip
        return Reply(200, orjson.dumps(answer), effect=True, cost=cost)

    def _matches(self, query: Query) -> bool:
        """Whether Apollo knows the person.

        The real service does not find anybody by a name alone. Here some are found, because a pipeline whose comments
        give names only would otherwise end at this step.
        """
        share = self._settings.match_rate if query.strong() else self._settings.weak_match_rate
        known = query.strong() or query.weak()
        return known and Dice(self._settings.seed, "apollo-match", query.identity()).chance(share)

    def _no_match(self, query: Query) -> dict[str, Any]:
        """Each of the three ways in which Apollo says that it knows nobody."""
        drawn = Dice(self._settings.seed, "apollo-miss", query.identity()).below(10)
        if drawn < 7:
            return {"person": None}
        if drawn < 9:
            return {}
        return {"person": {"first_name": query.first, "last_name": query.last, "match_confidence": "none"}}

    def _credits(self, count: int) -> Cost:
        return Cost(self._settings.price("apollo/credit") * count, ZERO + count)

    def _api_usage(self, call: Call) -> Reply:
        now = self._clock.seconds()
        usage: dict[str, Any] = {}
        for operation, path in _PATHS.items():
            windows: dict[str, Any] = {
                name: {"limit": None, "consumed": None, "left_over": None} for _, name in _WINDOWS.values()
            }
            for limit, used in self._limiter.usage(operation, "", now):
                if limit.seconds in _WINDOWS:
                    shown = {"limit": limit.calls, "consumed": used, "left_over": limit.calls - used}
                    windows[_WINDOWS[limit.seconds][1]] = shown
            usage[path] = windows
        return json_reply(usage)

    def _credit_usage(self, call: Call) -> Reply:
        used, budget = self._bill.spent(self.name).credits, self._settings.budgets.get(self.name)
        left = None if budget is None else number(max(ZERO, budget - used))
        return json_reply({"credits": {"used": number(used), "remaining": left}})

    def _health(self, call: Call) -> Reply:
        return json_reply({"healthy": True, "is_logged_in": super().accepts(call)})

    # --- how it says no

    def accepts(self, call: Call) -> bool:
        """The health call answers everybody."""
        return call.path.endswith("/auth/health") or super().accepts(call)

    def key(self, call: Call) -> str | None:
        """Header `x-api-key` only; a key in query or body is the old, refused form."""
        return call.headers.get("x-api-key")

    def unauthorised(self, call: Call) -> Reply:
        """401 as a sentence or as JSON; both occur."""
        sentence = "Invalid access credentials."
        if self.dice(call, "401").below(2):
            return Reply(401, sentence.encode(), TEXT_HEADERS)
        details = {
            "code": "AUTH.AUTHENTICATION.API_KEY_INVALID", "message": sentence, "suggestions": [], "context": {}
        }  # fmt: skip
        return json_reply({"error": sentence, "error_details": details}, 401)

    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """429 with `retry-after` in whole seconds."""
        limit = refusal.limit
        window = {60.0: "minute", 3600.0: "hour", 86_400.0: "day"}.get(limit.seconds, f"{limit.seconds:g} seconds")
        message = f"The maximum number of api calls allowed for {call.path.removeprefix('/')} is {limit.calls} "
        message += f"times per {window}. Please upgrade your plan."
        return json_reply({"message": message}, 429, {"retry-after": str(ceil(refusal.wait))})

    def exhausted(self, call: Call) -> Reply:
        """422 with a sentence about credits."""
        return json_reply({"error": "You have insufficient credits to perform this action."}, 422)

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx."""
        return json_reply({"error": "Something went wrong on our side."}, status)

    def odd_shapes(self, endpoint: Endpoint) -> tuple[OddShape, ...]:
        """What has been seen of bulk answers: people in another order, and no room for those who are unknown."""
        return _BULK_SHAPES if endpoint is BULK_MATCH else ()

    def headers(self, route: Route) -> Mapping[str, str]:
        """Limit, use and rest of the minute, hour and day; an unlimited window has an empty limit and nothing else."""
        headers = {f"x-rate-limit-{name}": "" for name, _ in _WINDOWS.values()}
        for limit, used in self._limiter.usage(route.endpoint.id, route.resource, self._clock.seconds()):
            if limit.seconds in _WINDOWS:
                name = _WINDOWS[limit.seconds][0]
                headers[f"x-rate-limit-{name}"] = str(limit.calls)
                headers[f"x-{name}-usage"] = str(used)
                headers[f"x-{name}-requests-left"] = str(limit.calls - used)
        return headers


def _bent_matches(bend: Callable[[list[Any]], list[Any]]) -> Callable[[Reply], Reply | None]:
    def bent(reply: Reply) -> Reply | None:
        answer = orjson.loads(reply.rendered())
        matches = bend(answer["matches"])
        if matches == answer["matches"]:
            return None
        return replace(reply, body=orjson.dumps({**answer, "matches": matches}))

    return bent


def _without_misses(matches: list[Any]) -> list[Any]:
    return [match for match in matches if match]


_BULK_SHAPES = (
    OddShape("reordered", bend=_bent_matches(lambda matches: matches[::-1])),
    OddShape("misses_dropped", bend=_bent_matches(_without_misses)),
    OddShape("reordered_and_dropped", bend=_bent_matches(lambda matches: _without_misses(matches)[::-1])),
)


def _body(call: Call) -> dict[str, Any]:
    if not call.body:
        return {}
    if not isinstance(call.json, dict):
        raise RefusedError(_failed(422, "UNKNOWN_ERROR", "The request body is not a JSON object"))
    return call.json


def _check_flags(fields: Mapping[str, Any]) -> None:
    asked = [flag for flag in _FLAGS if fields.get(flag) in (True, "true")]
    if asked and not fields.get("webhook_url") and not fields.get("poll_only"):
        raise RefusedError(json_reply({"error": f"Please add a valid 'webhook_url' to use '{asked[0]}'"}, 400))
    if asked:
        message = f"{asked[0]} is not part of the simulated plan"
        raise RefusedError(json_reply({"error": message, "error_code": "API_INACCESSIBLE"}, 403))


def _no_result(request: str) -> Reply:
    try:
        int(request)
    except ValueError:
        raise RefusedError(json_reply({"error_code": "invalid_request_id"}, 400)) from None
    raise RefusedError(json_reply({"error_code": "request_id_unknown"}, 404))


def _failed(status: int, code: str, message: str) -> Reply:
    return json_reply({"status": "failed", "error_code": code, "error_message": message}, status)
