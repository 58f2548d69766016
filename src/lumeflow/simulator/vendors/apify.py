"""Apify: runs of the Facebook and Instagram comment actors and of any other, their datasets and their inputs."""

from collections.abc import Mapping
from dataclasses import replace

import orjson

from lumeflow.simulator.exchange import JSON_HEADERS, Call, Cost, RefusedError, Reply, json_reply
from lumeflow.simulator.faults import FaultKind
from lumeflow.simulator.limits import Limit, Refusal
from lumeflow.simulator.vendor import Endpoint, OddShape, Route, Surroundings, Vendor
from lumeflow.simulator.vendors.apify_input import error, input_of, number_of, options_of
from lumeflow.simulator.vendors.apify_items import Feed
from lumeflow.simulator.vendors.apify_runs import ACTORS, TERMINAL, Actor, Pace, Prices, Run, any_actor

LONGEST_WAIT = 60.0
"""Seconds that `waitForFinish` may ask for."""
LONGEST_SYNC = 300.0
"""Seconds after which a synchronous run answers 408 while the run goes on."""

_EACH = (Limit(60, 1.0),)
RUN_START = Endpoint("apify/run-start", 0.15, (Limit(400, 1.0),), per_resource=True, paid=True)
RUN_SYNC = Endpoint("apify/run-sync", 0.15, (Limit(400, 1.0),), per_resource=True, paid=True)
RUN_LIST = Endpoint("apify/run-list", 0.05, _EACH, per_resource=True, polled=True)
RUN_GET = Endpoint("apify/run-get", 0.03, _EACH, per_resource=True, polled=True)
RUN_ABORT = Endpoint("apify/run-abort", 0.05, _EACH, per_resource=True)
DATASET_ITEMS = Endpoint("apify/dataset-items", 0.05, _EACH, per_resource=True)
RECORD_GET = Endpoint("apify/record-get", 0.03, (Limit(200, 1.0),), per_resource=True)

_NOT_SERVED = frozenset({"desc", "fields", "flatten", "omit", "unwind", "view"})
_MARGIN = 0.001
"""Seconds that a long poll waits beyond the end of a run, so that it certainly sees it."""


class Apify(Vendor):
    """The simulated vendor. Keeps its runs, a few numbers each; no item is ever stored."""

    name = "apify"
    endpoints = (RUN_START, RUN_SYNC, RUN_LIST, RUN_GET, RUN_ABORT, DATASET_ITEMS, RECORD_GET)
    caps_calls = False

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._actors = {name: actor for actor in ACTORS for name in (actor.id, actor.name)}
        self._runs: dict[str, Run] = {}
        self._by_dataset: dict[str, Run] = {}
        self._by_store: dict[str, Run] = {}
        self._starts: dict[int, int] = {}
        self._unsettled: list[Run] = []

    # --- where calls lead

    def route(self, call: Call) -> tuple[Route, ...]:
        """Routes of the five calls that enrichment needs, with their older names."""
        parts = call.path.split("/")[2:] if call.path.startswith("/v2/") else []
        found = self._route(call.method, parts)
        return (found,) if found else ()

    def _route(self, method: str, parts: list[str]) -> Route | None:
        match (method, *parts):
            case ("POST", "actors" | "acts", actor, "runs"):
                return Route(RUN_START, lambda call: self._start(call, actor), actor)
            case ("GET", "actors" | "acts", actor, "runs"):
                return Route(RUN_LIST, lambda call: self._list(call, actor), actor)
            case ("POST", "actors" | "acts", actor, "run-sync-get-dataset-items"):
                return Route(RUN_SYNC, lambda call: self._run_sync(call, actor), actor)
            case ("GET", "actor-runs", run):
                return Route(RUN_GET, lambda call: self._get(call, run), run)
            case ("POST", "actor-runs", run, "abort"):
                return Route(RUN_ABORT, lambda call: self._abort(call, run), run)
            case ("GET", "actor-runs", run, "dataset", "items"):
                return Route(DATASET_ITEMS, lambda call: self._items(call, self._find(self._runs, run)), run)
            case ("GET", "datasets", dataset, "items"):
                return Route(
                    DATASET_ITEMS, lambda call: self._items(call, self._find(self._by_dataset, dataset)), dataset
                )
            case ("GET", "key-value-stores", store, "records", record):
                return Route(RECORD_GET, lambda call: self._record(store, record), store)
        return None

    # --- runs

    def _start(self, call: Call, actor_id: str) -> Reply:
        wait = number_of(call, "waitForFinish", 0.0)
        run = self._new_run(call, actor_id)
        if not wait:
            return Reply(201, orjson.dumps({"data": run.announced()}), effect=True)
        return replace(self._shown(run, min(wait, LONGEST_WAIT)), status=201, effect=True)

    def _run_sync(self, call: Call, actor_id: str) -> Reply:
        run = self._new_run(call, actor_id)
        waits = run.ends() - self._clock.seconds()
        if waits > LONGEST_SYNC:
            message = "The run exceeded the time limit of 300 seconds for this endpoint."
            late = error(408, "run-timeout-exceeded", message)
            return Reply(408, late.body, effect=True, delay=LONGEST_SYNC)
        delay = waits + _MARGIN if waits > 0 else 0.0
        return Reply(201, lambda: self._items(call, run).rendered(), effect=True, delay=delay)

    def _new_run(self, call: Call, actor_id: str) -> Run:
        actor = self._actor(actor_id)
        options, (urls, per_url, nested) = options_of(call), input_of(call, actor)
        if self._too_many_runs():
            message = "The limit of runs at the same time has been reached."
            raise RefusedError(error(402, "concurrent-runs-limit-exceeded", message))
        settings = self._settings
        count = self._starts[call.key] = self._starts.get(call.key, 0) + 1
        blocked = settings.fault_rate if FaultKind.SOFT_ERROR_ITEM in settings.fault_kinds else 0.0
        run = Run(
            name=f"{call.identity}/{count}",
            actor=actor,
            feed=Feed(
                settings.seed, actor.network, urls, min(per_url, settings.comments_per_url), nested, blocked, actor.name
            ),
            options=options,
            pace=Pace(settings.first_item_after, settings.items_per_second, settings.latency_scale),
            prices=Prices(settings.price("apify/actor-start"), settings.price(actor.price)),
            raw_input=call.body,
            started=self._clock.seconds(),
            started_at=self._clock.date(),
        )
        self._runs[run.id] = self._by_dataset[run.dataset_id] = self._by_store[run.store_id] = run
        self._unsettled.append(run)
        return run

    def _too_many_runs(self) -> bool:
        self.settle()
        cap = self._settings.concurrency.get(self.name)
        return cap is not None and len(self._unsettled) >= cap

    def _get(self, call: Call, run_id: str) -> Reply:
        wait = min(number_of(call, "waitForFinish", 0.0), LONGEST_WAIT)
        return self._shown(self._find(self._runs, run_id), wait)

    def _abort(self, call: Call, run_id: str) -> Reply:
        run = self._find(self._runs, run_id)
        run.abort(self._clock.seconds(), gracefully=call.query.get("gracefully") in {"true", "1"})
        return self._shown(run, 0.0)

    def _list(self, call: Call, actor_id: str) -> Reply:
        actor, now = self._actor(actor_id), self._clock.seconds()
        runs = [run for run in self._runs.values() if run.actor is actor]
        if call.query.get("desc") in {"1", "true"}:
            runs.reverse()
        offset, limit = int(number_of(call, "offset", 0)), int(number_of(call, "limit", 1000))
        page = [run.short(now) for run in runs[offset : offset + limit]]
        desc = call.query.get("desc") in {"1", "true"}
        shown = {"total": len(runs), "offset": offset, "limit": limit, "desc": desc, "count": len(page), "items": page}
        return json_reply({"data": shown})

    def _shown(self, run: Run, wait: float) -> Reply:
        """The run as it will be when the wait is over."""

        def body() -> bytes:
            return orjson.dumps({"data": run.full(self._clock.seconds())})

        rest = run.ends() - self._clock.seconds()
        return Reply(200, body, delay=min(wait, rest + _MARGIN) if rest > 0 else 0.0)

    def settle(self) -> None:
        """Book what the runs have cost since the last time."""
        if not self._unsettled:
            return
        now, tally = self._clock.seconds(), self._bill.of(self.name, RUN_START.id)
        for run in self._unsettled:
            charged = run.charged(now)
            self._bill.charge(tally, Cost(charged - run.booked))
            run.booked = charged
        self._unsettled = [run for run in self._unsettled if run.status(now) not in TERMINAL]

    # --- data

    def _items(self, call: Call, run: Run) -> Reply:
        if call.query.get("format", "json") != "json":
            raise RefusedError(error(400, "invalid-value", "The simulator serves the format json only."))
        for name in _NOT_SERVED & call.query.keys():
            raise RefusedError(error(400, "invalid-value", f"The simulator does not serve the parameter {name}."))
        total = run.produced(self._clock.seconds())
        offset = int(number_of(call, "offset", 0))
        limit = int(number_of(call, "limit", total))
        items = [orjson.dumps(item) for item in run.items.page(offset, min(total, offset + limit))]
        headers = {
            **JSON_HEADERS,
            "x-apify-pagination-total": str(total),
            "x-apify-pagination-offset": str(offset),
            "x-apify-pagination-limit": str(limit),
            "x-apify-pagination-count": str(len(items)),
            "x-apify-pagination-desc": "false",
        }
        return Reply(200, b"[" + b",".join(items) + b"]", headers)

    def _record(self, store: str, record: str) -> Reply:
        run = self._find(self._by_store, store)
        if record != "INPUT":
            raise RefusedError(error(404, "record-not-found", "Record was not found"))
        return Reply(200, run.raw_input)

    def _actor(self, actor_id: str) -> Actor:
        found = self._actors.get(actor_id) or any_actor(actor_id)
        if found is None:
            raise RefusedError(error(404, "actor-not-found", "Actor was not found"))
        return self._actors.setdefault(actor_id, found)

    def _find(self, runs: Mapping[str, Run], name: str) -> Run:
        if name not in runs:
            raise RefusedError(error(404, "record-not-found", "The requested resource was not found"))
        return runs[name]

    # --- how it says no

    def key(self, call: Call) -> str | None:
        """Bearer token, or `token` in the query."""
        return call.bearer() or call.query.get("token")

    def unauthorised(self, call: Call) -> Reply:
        """401 in two forms: no token, unknown token."""
        if self.key(call) is None:
            return error(401, "token-not-provided", "Authentication token was not provided")
        return error(401, "user-or-token-not-found", "User was not found or authentication token is not valid")

    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """429 without `Retry-After`."""
        message = "You have exceeded the rate limit per resource"
        return error(429, "rate-limit-exceeded", message, {"x-ratelimit-limit": str(refusal.limit.calls)})

    def exhausted(self, call: Call) -> Reply:
        """402."""
        message = "Exceeded the monthly usage hard limit; the actor cannot be started."
        return error(402, "not-enough-usage-to-run-paid-actor", message)

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx."""
        return error(status, "internal-server-error", "An unknown server error occurred")

    def odd_shapes(self, endpoint: Endpoint) -> tuple[OddShape, ...]:
        """A finished run whose cost is not known yet."""
        return (OddShape("null_usage", bend=_without_usage),) if endpoint is RUN_GET else ()


def _without_usage(reply: Reply) -> Reply | None:
    shown = orjson.loads(reply.rendered())
    if shown["data"]["status"] not in TERMINAL:
        return None
    shown["data"]["usageTotalUsd"] = None
    return Reply(reply.status, orjson.dumps(shown), reply.headers)
