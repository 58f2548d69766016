"""The account that a simulator plays: which limits, latencies and prices are in force after the settings."""

from collections.abc import Mapping
from typing import Any

from lumeflow.core.money import plain
from lumeflow.simulator.limits import Limit
from lumeflow.simulator.settings import DEFAULT_PRICES, MODEL_PRICES, SimulatorSettings, known
from lumeflow.simulator.vendor import Endpoint

Endpoints = Mapping[str, Endpoint]


def check_names(settings: SimulatorSettings, endpoints: Endpoints) -> None:
    """Check the names by which settings go.

    Raises:
        UsageError: A provider or an operation does not exist.
    """
    providers = {endpoint.provider: True for endpoint in endpoints.values()}
    for what, names in (("limits", settings.limits), ("latencies", settings.latencies)):
        for name in names:
            known(name, {**providers, **endpoints}, f"provider or operation in {what}")
    for what, own in (("concurrency", settings.concurrency), ("budgets", settings.budgets)):
        for name in own:
            known(name, providers, f"provider in {what}")


def limits_of(endpoint: Endpoint, settings: SimulatorSettings) -> tuple[Limit, ...]:
    """The limits in force for an operation.

    A provider's override holds for each of its operations that is limited or paid; windows stay fixed where the
    vendor's are.
    """
    limits = endpoint.limits
    override = settings.limits.get(endpoint.id)
    if override is None and (limits or endpoint.paid):
        override = settings.limits.get(endpoint.provider)
    if override is not None:
        fixed = any(limit.fixed for limit in limits)
        limits = tuple(Limit(calls, float(seconds), fixed) for calls, seconds in override)
    scale = settings.rate_scale
    return tuple(Limit(max(1, int(limit.calls * scale)), limit.seconds, limit.fixed) for limit in limits)


def latency_of(endpoint: Endpoint, settings: SimulatorSettings) -> float:
    """Seconds to an answer, before the spread."""
    own = settings.latencies.get(endpoint.id, settings.latencies.get(endpoint.provider, endpoint.latency))
    return own * settings.latency_scale


def describe(settings: SimulatorSettings, endpoints: Endpoints) -> dict[str, Any]:
    """As `GET /_simulator/settings` shows it; money as decimal strings, latencies and waits in seconds."""
    limits: dict[str, dict[str, Any]] = {}
    for name, endpoint in endpoints.items():
        scope = "resource" if endpoint.per_resource else "account"
        shown = [{**limit.as_json(), "scope": scope} for limit in limits_of(endpoint, settings)]
        limits.setdefault(endpoint.provider, {})[name] = shown
    models = {**MODEL_PRICES, **settings.model_prices}
    return {
        "seed": settings.seed,
        "commentsPerUrl": settings.comments_per_url,
        "latencyScale": settings.latency_scale,
        "rateScale": settings.rate_scale,
        "faultRate": settings.fault_rate,
        "faultKinds": list(settings.fault_kinds),
        "faultHang": settings.fault_hang,
        "limits": limits,
        "concurrency": dict(settings.concurrency),
        "latencies": {name: latency_of(endpoint, settings) for name, endpoint in endpoints.items()},
        "budgets": {name: plain(amount) for name, amount in settings.budgets.items()},
        "prices": {name: plain(settings.price(name)) for name in DEFAULT_PRICES},
        "modelPrices": {model: [plain(price) for price in settings.model_price(model)] for model in models},
    }
