"""Takes one call through key, caps, limits, faults, processing, latency and delivery, and books every step."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lumeflow.core.http import HttpResponse
from lumeflow.simulator.account import check_names, describe, latency_of, limits_of
from lumeflow.simulator.bill import Bill, Tally
from lumeflow.simulator.clock import SimulatorClock
from lumeflow.simulator.exchange import AnswerCut, Call, RefusedError, Reply, json_reply
from lumeflow.simulator.faults import ANSWERED_WITH_ERROR, Fault, FaultKind, FaultPlan
from lumeflow.simulator.limits import Limit, Limiter, Refusal
from lumeflow.simulator.settings import SimulatorSettings
from lumeflow.simulator.vendor import Endpoint, OddShape, Route, Surroundings, Vendor
from lumeflow.simulator.vendors.anthropic import Anthropic
from lumeflow.simulator.vendors.apify import Apify
from lumeflow.simulator.vendors.apollo import Apollo
from lumeflow.simulator.vendors.crm import Crm
from lumeflow.simulator.vendors.hunter import Hunter
from lumeflow.simulator.vendors.meta import Meta
from lumeflow.simulator.vendors.mixedbread import Mixedbread
from lumeflow.simulator.vendors.openai import OpenAI, OpenAICompatible
from lumeflow.simulator.vendors.openrouter import OpenRouter
from lumeflow.simulator.vendors.webhook import Webhook

VENDORS: tuple[type[Vendor], ...] = (
    Apify, Apollo, Hunter, OpenRouter, OpenAI, Anthropic, Mixedbread, Meta, Crm, OpenAICompatible, Webhook,
)  # fmt: skip
"""The first that has a call's path takes it; the last takes what others leave of the chat-completions form."""
ENDPOINTS: Mapping[str, Endpoint] = {endpoint.id: endpoint for vendor in VENDORS for endpoint in vendor.endpoints}

UNKNOWN = "x-simulator-unknown"
"""Header of the answer to a call that is no vendor's."""
_SERVER_ERRORS = (500, 502, 503)
_WITHOUT_LIMIT_HEADERS = frozenset({401, 403})
_UNLIMITED = Limit(60, 60.0)
"""What an injected rate-limit answer names where no limit is in force."""


@dataclass(slots=True)
class _Accepted:
    """A call that is let through, with what the fault plan holds for it."""

    call: Call
    vendor: Vendor
    route: Route
    tally: Tally
    fault: Fault | None = None
    odd: OddShape | None = None

    def fault_name(self) -> str:
        """As the bill counts the fault."""
        if self.odd is not None:
            return f"{FaultKind.ODD_SHAPE}.{self.odd.name}"
        return str(self.fault.kind) if self.fault else ""


class Service:
    """One bill, one fault plan, one set of windows, and the vendors that share them."""

    def __init__(self, settings: SimulatorSettings, clock: SimulatorClock) -> None:
        """Open for calls.

        Raises:
            UsageError: The settings name a provider or an operation that does not exist.
        """
        check_names(settings, ENDPOINTS)
        self.settings = settings
        self._clock = clock
        self._bill = Bill()
        self._faults = FaultPlan(settings.seed, settings.fault_rate, settings.fault_kinds)
        self._latencies = {name: latency_of(endpoint, settings) for name, endpoint in ENDPOINTS.items()}
        self._limiter = Limiter({name: limits_of(endpoint, settings) for name, endpoint in ENDPOINTS.items()})
        surroundings = Surroundings(settings, clock, self._bill, self._limiter)
        self._vendors = tuple(vendor(surroundings) for vendor in VENDORS)

    async def serve(self, call: Call) -> HttpResponse:
        """Answer a call.

        Raises:
            AnswerCut: The fault plan lets the answer get lost.
        """
        for vendor in self._vendors:
            routes = vendor.route(call)
            if routes:
                return await self._serve(call, vendor, routes)
        self._bill.unknown += 1
        message = f"no simulated vendor has {call.method} {call.path[:200]}"
        return json_reply({"error": message}, 404, {UNKNOWN: "path"}).response()

    async def _serve(self, call: Call, vendor: Vendor, routes: tuple[Route, ...]) -> HttpResponse:
        accepted = self._admit(call, vendor, routes)
        if isinstance(accepted, Reply):
            return accepted.response()
        with self._bill.flight(vendor.name, accepted.tally):
            reply = self._process(accepted)
            await self._clock.sleep(self._latency(accepted) + reply.delay)
            return await self._deliver(accepted, reply)

    # --- at the door

    def _admit(self, call: Call, vendor: Vendor, routes: tuple[Route, ...]) -> _Accepted | Reply:
        """Let a call in on the first route that no rate limit closes, or turn it away."""
        route, tally = routes[0], self._bill.of(vendor.name, routes[0].endpoint.id)
        if not vendor.accepts(call):
            tally.calls, tally.rejected = tally.calls + 1, tally.rejected + 1
            return vendor.unauthorised(call)
        if self._full(vendor):
            tally.calls, tally.over_concurrency = tally.calls + 1, tally.over_concurrency + 1
            return vendor.rate_limited(call, self._injected(route))
        route, refusal = self._take(routes)
        tally = self._bill.of(vendor.name, route.endpoint.id)
        tally.calls += 1
        if refusal is not None:
            tally.rate_limited += 1
            return self._with_headers(vendor, route, vendor.rate_limited(call, refusal))
        if route.endpoint.paid and self._spent_all(vendor):
            tally.rejected += 1
            return self._with_headers(vendor, route, vendor.exhausted(call))
        return self._with_fault(_Accepted(call, vendor, route, tally))

    def _take(self, routes: tuple[Route, ...]) -> tuple[Route, Refusal | None]:
        """The first open route; if all are closed, the first one and what closes it."""
        now, refusals = self._clock.seconds(), []
        for route in routes:
            resource = route.resource if route.endpoint.per_resource else ""
            refusal = self._limiter.acquire(route.endpoint.id, resource, now)
            if refusal is None:
                return route, None
            refusals.append(refusal)
        return routes[0], refusals[0]

    def _full(self, vendor: Vendor) -> bool:
        cap = self.settings.concurrency.get(vendor.name)
        return cap is not None and vendor.caps_calls and self._bill.in_flight(vendor.name) >= cap

    def _spent_all(self, vendor: Vendor) -> bool:
        budget = self.settings.budgets.get(vendor.name)
        if budget is None:
            return False
        vendor.settle()
        spent = self._bill.spent(vendor.name)
        return (spent.credits or spent.usd) >= budget

    def _injected(self, route: Route) -> Refusal:
        limit = next(iter(limits_of(route.endpoint, self.settings)), _UNLIMITED)
        return Refusal(limit, float(self.settings.fault_retry_after), injected=True)

    def _with_fault(self, accepted: _Accepted) -> _Accepted:
        if self.settings.fault_rate:
            endpoint = accepted.route.endpoint
            shapes = accepted.vendor.odd_shapes(endpoint)
            fault = self._faults.draw(accepted.call.key, odd_shapes=bool(shapes), polled=endpoint.polled)
            accepted.fault = fault
            if fault and fault.kind is FaultKind.ODD_SHAPE:
                accepted.odd = shapes[fault.variant % len(shapes)]
        return accepted

    # --- the work

    def _process(self, accepted: _Accepted) -> Reply:
        """Let the vendor answer, or the fault plan in its place; book what happened at once.

        The booking does not wait for the answer to go out: a vendor too has done the work and charged for it when the
        caller hangs up.
        """
        tally, call = accepted.tally, accepted.call
        error = self._error_instead(accepted)
        if error is not None:
            tally.failed += 1
            self._bill.fault(tally, accepted.fault_name())
            accepted.fault = accepted.odd = None
            return error
        try:
            reply = accepted.route.answer(call)
        except RefusedError as refused:
            tally.rejected += 1
            accepted.fault = accepted.odd = None
            return refused.reply
        tally.answered += 1
        if reply.effect:
            self._bill.effect(tally, call.key)
            self._bill.charge(tally, reply.cost)
        return reply

    def _error_instead(self, accepted: _Accepted) -> Reply | None:
        """The injected error that stands in for the processing, if there is one."""
        fault, vendor, call = accepted.fault, accepted.vendor, accepted.call
        if accepted.odd is not None:
            return accepted.odd.error(call) if accepted.odd.error else None
        if fault is None or fault.kind not in ANSWERED_WITH_ERROR:
            return None
        if fault.kind is FaultKind.RATE_LIMIT:
            return vendor.rate_limited(call, self._injected(accepted.route))
        status = _SERVER_ERRORS[fault.variant % len(_SERVER_ERRORS)]
        return vendor.server_error(call, status) if fault.kind is FaultKind.SERVER_ERROR else vendor.html_error(status)

    def _latency(self, accepted: _Accepted) -> float:
        """Seconds to the answer, spread by 30 % to either side by what is asked for."""
        base = self._latencies[accepted.route.endpoint.id]
        return base * (0.7 + 0.6 * (accepted.call.key % 1009) / 1008) if base else 0.0

    # --- the way back

    async def _deliver(self, accepted: _Accepted, reply: Reply) -> HttpResponse:
        """Send the answer out, unless the fault plan gets in its way."""
        fault = accepted.fault
        if fault is None:
            return self._with_headers(accepted.vendor, accepted.route, reply).response()
        if accepted.odd is not None:
            return self._bent(accepted, accepted.odd, reply)
        self._bill.fault(accepted.tally, accepted.fault_name())
        self._bill.lost(accepted.tally, reply.cost)
        if reply.effect:
            self._bill.spoiled(accepted.call.key)
        if fault.kind is FaultKind.HANG:
            await self._clock.sleep(self.settings.fault_hang)
            raise AnswerCut("the simulated vendor did not answer in time", timed_out=True)
        if fault.kind is FaultKind.CUT_CONNECTION:
            raise AnswerCut("the simulated vendor cut the connection before its answer", timed_out=False)
        whole = self._with_headers(accepted.vendor, accepted.route, reply).response()
        if fault.kind is FaultKind.CUT_ANSWER:
            raise AnswerCut("the simulated vendor cut the connection in its answer", timed_out=False, partial=whole)
        return replace(whole, body=whole.body[: len(whole.body) // 2])

    def _bent(self, accepted: _Accepted, odd: OddShape, reply: Reply) -> HttpResponse:
        """The answer in an odd shape, or as it is if the shape does not apply to it."""
        whole = replace(reply, body=reply.rendered())
        bent = odd.bend(whole) if odd.bend else None
        if bent is not None:
            self._bill.fault(accepted.tally, accepted.fault_name())
            if reply.effect:
                self._bill.spoiled(accepted.call.key)
        return self._with_headers(accepted.vendor, accepted.route, bent or whole).response()

    def _with_headers(self, vendor: Vendor, route: Route, reply: Reply) -> Reply:
        more = vendor.headers(route)
        if not more or reply.status in _WITHOUT_LIMIT_HEADERS:
            return reply
        return replace(reply, headers={**reply.headers, **more})

    # --- reports

    def bill(self) -> dict[str, Any]:
        """As `GET /_simulator/bill` shows it."""
        for vendor in self._vendors:
            vendor.settle()
        shown = self._bill.as_json()
        for vendor in self._vendors:
            if vendor.name in shown["providers"]:
                names = [endpoint.id for endpoint in vendor.endpoints]
                shown["providers"][vendor.name]["limits"] = self._limiter.report(names)
        return shown

    def account(self) -> dict[str, Any]:
        """As `GET /_simulator/settings` shows it."""
        return describe(self.settings, ENDPOINTS)
