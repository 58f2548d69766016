"""What can be chosen about a simulator, and the prices it charges."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.simulator.faults import DEFAULT_FAULT_KINDS, FaultKind

SIMULATOR_KEY = "sim-key"
"""A key that every simulated vendor accepts; so does any other that starts with `sim-`."""
KEY_PREFIX = "sim-"

DEFAULT_PRICES: Mapping[str, Decimal] = MappingProxyType(
    {
        # Store page of instagram-comment-scraper, 2026: $1.90 per 1,000 comments on a paid plan.
        "apify/instagram-comment": Decimal("0.0019"),
        # Not confirmed for this actor; an integrator measured $0.0023 per result on a sibling in August 2026.
        "apify/facebook-comment": Decimal("0.0023"),
        # Of any other actor: as dear as the dearest of those above.
        "apify/result": Decimal("0.0023"),
        "apify/actor-start": Decimal(0),
        # The vendor's own fair-use arithmetic values a credit at $0.025.
        "apollo/credit": Decimal("0.025"),
        # Starter plan, 2026: $49 for 2,000 unified credits.
        "hunter/credit": Decimal("0.0245"),
        # Third-party price collections, 2026: $0.10 per million tokens.
        "mixedbread/million-tokens": Decimal("0.10"),
        # Of a vendor that does not exist.
        "crm/page": Decimal("0.002"),
        "crm/person-found": Decimal("0.01"),
        "crm/note-written": Decimal("0.001"),
    }
)
"""USD per unit, by name."""

MODEL_PRICES: Mapping[str, tuple[Decimal, Decimal]] = MappingProxyType(
    {
        # List prices of autumn 2026, USD per million tokens: prompt, completion.
        "openai/gpt-5-mini": (Decimal("0.25"), Decimal("2.00")),
        "openai/gpt-4.1-mini": (Decimal("0.40"), Decimal("1.60")),
        "anthropic/claude-haiku-4.5": (Decimal("1.00"), Decimal("5.00")),
        "anthropic/claude-opus-4.5": (Decimal("5.00"), Decimal("25.00")),
        # The same, by the names that Anthropic itself gives them.
        "anthropic/claude-haiku-4-5": (Decimal("1.00"), Decimal("5.00")),
        "anthropic/claude-opus-4-5": (Decimal("5.00"), Decimal("25.00")),
    }
)
CACHED_PRICES: Mapping[str, Decimal] = MappingProxyType(
    {"openai/gpt-5-mini": Decimal("0.025"), "openai/gpt-4.1-mini": Decimal("0.10")}
)
"""USD per million prompt tokens that OpenAI itself reads from its cache."""
OTHER_MODEL_PRICE = (Decimal("0.50"), Decimal("1.50"))
"""Of a model that the table does not name: an unknown model is never free."""


@dataclass(frozen=True, kw_only=True)
class SimulatorSettings:
    """Everything that decides how a simulator behaves.

    `limits`, `concurrency`, `latencies` and `budgets` go by provider (`apollo`); the first and the third also by
    operation (`apollo/people-match`), which wins.

    Attributes:
        seed: All data and all faults follow from it.
        comments_per_url: Comments under each post; the actor's `resultsLimit` caps what is delivered.
        latency_scale: Multiplies every latency; 0 answers at once.
        rate_scale: Multiplies the number of calls of each limit.
        limits: `(calls, seconds)` pairs that replace a provider's or an operation's own limits; empty for none.
        concurrency: Most calls in flight at a provider; for `apify`, most runs at once.
        latencies: Seconds that replace a provider's or an operation's own latency.
        first_item_after: Seconds from the start of a run to its first item.
        items_per_second: Items that a run produces.
        fault_rate: Share of attempts that fail, 0 to 1.
        fault_kinds: Kinds to choose from; a kind that is named twice comes twice as often.
        fault_hang: Seconds that a hanging answer takes before the connection is cut.
        fault_retry_after: Seconds that the vendors name in `Retry-After` of an injected rate-limit answer.
        match_rate: Share of people whom Apollo knows by e-mail, profile, or name with employer.
        weak_match_rate: The same by name alone.
        find_rate: Share of people whose address Hunter finds.
        crm_contacts: Contacts that the CRM lists.
        token_seconds: How long the CRM's tokens are good.
        token_uses: Calls after which a token of the CRM is refused although it has not expired; 0 for none.
        budgets: Credits (Apollo, Hunter) or USD (the others) that may be spent before the vendor says there is no more.
        prices: Overrides of `DEFAULT_PRICES`.
        model_prices: Overrides of `MODEL_PRICES`.
        models_down: Language models that answer with an error, so that fallback lists can be tried.

    Raises:
        UsageError: A value is out of range or a name is unknown.
    """

    seed: int = 7
    comments_per_url: int = 200
    latency_scale: float = 1.0
    rate_scale: float = 1.0
    limits: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    concurrency: Mapping[str, int] = field(default_factory=lambda: {"apify": 32})
    latencies: Mapping[str, float] = field(default_factory=dict)
    first_item_after: float = 0.1
    items_per_second: float = 2000.0
    fault_rate: float = 0.0
    fault_kinds: tuple[FaultKind, ...] = DEFAULT_FAULT_KINDS
    fault_hang: float = 30.0
    fault_retry_after: int = 1
    match_rate: float = 0.75
    weak_match_rate: float = 0.55
    find_rate: float = 0.70
    crm_contacts: int = 120
    token_seconds: float = 3600.0
    token_uses: int = 0
    budgets: Mapping[str, Decimal] = field(default_factory=dict)
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    model_prices: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    models_down: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("fault_rate", "match_rate", "weak_match_rate", "find_rate"):
            self._require(name, 0 <= getattr(self, name) <= 1, "a share from 0 to 1")
        for name in ("rate_scale", "items_per_second"):
            self._require(name, getattr(self, name) > 0, "a number above 0")
        for name in (
            "latency_scale",
            "comments_per_url",
            "first_item_after",
            "fault_hang",
            "fault_retry_after",
            "crm_contacts",
            "token_seconds",
            "token_uses",
        ):
            self._require(name, getattr(self, name) >= 0, "0 or more")
        object.__setattr__(self, "fault_kinds", tuple(_fault_kind(kind) for kind in self.fault_kinds))
        for name, limits in self.limits.items():
            sound = all(calls >= 1 and seconds > 0 for calls, seconds in limits)
            if not sound:
                raise UsageError(f"setting limits, {name}: a limit is at least 1 call in more than 0 seconds")
        for name in self.prices:
            known(name, DEFAULT_PRICES, "price")

    def price(self, name: str) -> Decimal:
        """USD of one unit, e.g. `apollo/credit`."""
        return self.prices.get(name, DEFAULT_PRICES[name])

    def model_price(self, model: str) -> tuple[Decimal, Decimal]:
        """USD per million prompt tokens and completion tokens; models that end in `:free` cost nothing."""
        if model in self.model_prices:
            return self.model_prices[model]
        if model.endswith(":free"):
            return Decimal(0), Decimal(0)
        return MODEL_PRICES.get(model, OTHER_MODEL_PRICE)

    def cached_price(self, model: str) -> Decimal:
        """USD per million prompt tokens out of the vendor's cache."""
        own = self.model_prices.get(model)
        return CACHED_PRICES.get(model, self.model_price(model)[0]) if own is None else own[0]

    def models_of(self, vendor: str) -> frozenset[str]:
        """Models that a vendor itself serves, without its name in front."""
        named = {*MODEL_PRICES, *self.model_prices}
        return frozenset(name.partition("/")[2] for name in named if name.startswith(f"{vendor}/"))

    def changed(self, changes: Mapping[str, Any]) -> "SimulatorSettings":
        """These settings with others from JSON, named in camelCase: `{"faultRate": 0.2, "limits": {…}}`.

        Raises:
            UsageError: A name is unknown or a value cannot be read.
        """
        fields = {_camel(entry.name): entry.name for entry in dataclasses.fields(self)}
        values: dict[str, Any] = {}
        for name, value in changes.items():
            known(name, fields, "setting")
            try:
                values[fields[name]] = _READERS.get(name, _same_type(getattr(self, fields[name])))(value)
            except (TypeError, ValueError, InvalidOperation, AttributeError) as error:
                raise UsageError(f"setting {name}: cannot be read from {type(value).__name__}: {error}") from error
        return dataclasses.replace(self, **values)

    def _require(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise UsageError(f"setting {_camel(name)}: found {getattr(self, name)}, expected {expected}")


def known(name: str, names: Mapping[str, Any], what: str) -> None:
    """Check that `name` is one of `names`.

    Raises:
        UsageError: It is not; the message names the nearest one.
    """
    if name not in names:
        near = get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(names))}"
        raise UsageError(f"unknown {what} {name!r}: {hint}")


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _fault_kind(name: str) -> FaultKind:
    known(name, {kind.value: kind for kind in FaultKind}, "fault kind")
    return FaultKind(name)


def _same_type(default: Any) -> Callable[[Any], Any]:
    kind = type(default)

    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or (kind is int and value != int(value)):
            raise TypeError(f"expected {kind.__name__}")
        return kind(value)

    return read


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError("expected a number")
    return Decimal(str(value))


def _limit(value: Any) -> tuple[int, float]:
    calls, seconds = (value["calls"], value["seconds"]) if isinstance(value, dict) else value
    return int(calls), float(seconds)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "limits": lambda value: {name: tuple(_limit(entry) for entry in entries) for name, entries in value.items()},
    "concurrency": lambda value: {name: int(cap) for name, cap in value.items()},
    "latencies": lambda value: {name: float(seconds) for name, seconds in value.items()},
    "budgets": lambda value: {name: _decimal(amount) for name, amount in value.items()},
    "prices": lambda value: {name: _decimal(amount) for name, amount in value.items()},
    "modelPrices": lambda value: {name: (_decimal(pair[0]), _decimal(pair[1])) for name, pair in value.items()},
    "faultKinds": tuple,
    "modelsDown": tuple,
}
