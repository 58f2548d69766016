"""Accounts: how each provider is reached, from its module's defaults, the configuration and the secrets."""

import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.core.money import decimal_of
from lumeflow.core.operation import Account, ProviderDefaults, RateLimit
from lumeflow.core.secret import Secret

FindSecret = Callable[[str], Secret | None]
"""Looks a secret up by name; None if it is not configured."""

_SALT = os.urandom(32)
"""Makes the names of lanes, of one process, tell nothing of keys."""

_KEYS = ("name", "baseUrl", "key", "limits", "concurrency", "prices")


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """What the configuration says of one provider; None and empty mean the provider's default.

    Attributes:
        name: Account name, if several accounts of a provider must be told apart.
        base_url: Scheme and host, e.g. of a simulator or a proxy.
        key_name: Name of the secret that holds the key.
        limits: Rate limits by operation id, or under `*` for all others together.
        concurrency: Most calls in flight at once.
        prices: Prices in USD by name, over the provider's.
    """

    name: str | None = None
    base_url: str | None = None
    key_name: str | None = None
    limits: Mapping[str, tuple[RateLimit, ...]] = field(default_factory=dict)
    concurrency: int | None = None
    prices: Mapping[str, Decimal] = field(default_factory=dict)

    @staticmethod
    def parse(provider: str, settings: Mapping[str, Any]) -> "AccountSettings":
        """Read settings from JSON.

        `{"baseUrl": "http://127.0.0.1:8080", "key": "APOLLO_API_KEY", "concurrency": 64, "prices": {"credit": "0.02"},
        "limits": {"apollo/people-match": [{"calls": 600, "seconds": 3600}], "*": [{"calls": 50, "seconds": 60}]}}`

        Raises:
            UsageError: An unknown key or an unusable value; the message names it.
        """
        place = f"provider '{provider}'"
        for key in settings:
            if key not in _KEYS:
                raise UsageError(f"{place} has the unknown setting '{key}'." + did_you_mean(key, _KEYS))
        limits = _object(settings.get("limits"), f"{place}, limits")
        prices = _object(settings.get("prices"), f"{place}, prices")
        return AccountSettings(
            name=_text(settings.get("name"), f"{place}, name"),
            base_url=_base_url(settings.get("baseUrl"), f"{place}, baseUrl"),
            key_name=_text(settings.get("key"), f"{place}, key"),
            limits={name: _limits(value, f"{place}, limits of '{name}'") for name, value in limits.items()},
            concurrency=_concurrency(settings.get("concurrency"), f"{place}, concurrency"),
            prices={name: _price(value, f"{place}, price of '{name}'") for name, value in prices.items()},
        )


class Accounts:
    """Resolves providers to accounts.

    Args:
        providers: What the provider modules declare.
        settings: The configuration, by provider name.
        find_secret: Where keys come from.
        find_named: Where secrets come from that workflows name.
        owner: Whose accounts without a key are; empty for the installation's.

    Raises:
        UsageError: The configuration names an unknown provider.
    """

    def __init__(
        self,
        providers: Mapping[str, ProviderDefaults],
        settings: Mapping[str, AccountSettings] | None = None,
        find_secret: FindSecret = lambda name: None,
        find_named: FindSecret = lambda name: None,
        owner: str = "",
    ) -> None:
        self._providers = providers
        self._settings = settings or {}
        self._find_secret = find_secret
        self._find_named = find_named
        self._owner = owner
        self._accounts: dict[str, Account] = {}
        for name in self._settings:
            if name not in providers:
                raise UsageError(f"there is no provider '{name}' to configure." + did_you_mean(name, providers))

    def of(self, owner: str, find_secret: FindSecret, find_named: FindSecret) -> "Accounts":
        """The same providers with the keys of somebody else, or with other ones."""
        return Accounts(self._providers, self._settings, find_secret, find_named, owner)

    def resolve(self, provider: str) -> Account:
        """The account to use for a provider. Its key is looked up once and kept.

        Raises:
            UsageError: There is no such provider.
        """
        account = self._accounts.get(provider)
        if account is None:
            account = self._accounts[provider] = self._make(provider)
        return account

    def check_limits(self, operations: Collection[str]) -> None:
        """Check that limits are configured for operations that exist.

        Raises:
            UsageError: They name another one.
        """
        for provider, settings in self._settings.items():
            for name in settings.limits:
                if name != "*" and name not in operations:
                    raise UsageError(
                        f"provider '{provider}' has limits for the operation '{name}', which does not exist."
                        + did_you_mean(name, operations)
                    )

    def _make(self, provider: str) -> Account:
        defaults = self._providers.get(provider)
        if defaults is None:
            raise UsageError(f"there is no provider '{provider}'." + did_you_mean(provider, self._providers))
        settings = self._settings.get(provider, AccountSettings())
        key_name = settings.key_name or defaults.key_name
        name = settings.name or provider
        key = self._find_secret(key_name) if key_name else None
        return Account(
            name=name,
            provider=provider,
            base_url=settings.base_url or defaults.base_url.rstrip("/"),
            key=key,
            key_name=key_name,
            limits=settings.limits,
            concurrency=settings.concurrency or defaults.concurrency,
            prices={**defaults.prices, **settings.prices},
            lane=self._lane(name, key),
            secret=self._find_named,
        )

    def _lane(self, name: str, key: Secret | None) -> str:
        """Who has the same key shares the vendor's limits; who has another one does not."""
        if key is not None:
            return f"{name} {hashlib.blake2b(key.reveal().encode(), key=_SALT, digest_size=12).hexdigest()}"
        return f"{name} of {self._owner}" if self._owner else ""


def _object(value: Any, place: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UsageError(f"{place}: expected an object, found {type(value).__name__}")
    return value


def _text(value: Any, place: str) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise UsageError(f"{place}: expected a text that is not empty")


def _base_url(value: Any, place: str) -> str | None:
    text = _text(value, place)
    if text is None:
        return None
    if not text.startswith(("http://", "https://")) or "?" in text or "#" in text:
        raise UsageError(f"{place}: expected an address such as https://api.example.com, without query")
    return text.rstrip("/")


def _concurrency(value: Any, place: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10_000:
        raise UsageError(f"{place}: expected a whole number from 1 to 10000")
    return value


def _price(value: Any, place: str) -> Decimal:
    try:
        price = decimal_of(value)
    except ValueError as error:
        raise UsageError(f"{place}: {error}") from error
    if price < 0:
        raise UsageError(f"{place}: expected a number that is not negative")
    return price


def _limits(value: Any, place: str) -> tuple[RateLimit, ...]:
    if not isinstance(value, list):
        raise UsageError(f'{place}: expected a list such as [{{"calls": 15, "seconds": 1}}]')
    return tuple(_limit(entry, place) for entry in value)


def _limit(entry: Any, place: str) -> RateLimit:
    if not isinstance(entry, Mapping) or set(entry) != {"calls", "seconds"}:
        raise UsageError(f'{place}: expected {{"calls": …, "seconds": …}} and nothing else')
    calls, seconds = entry["calls"], entry["seconds"]
    if isinstance(calls, bool) or not isinstance(calls, int) or calls < 1:
        raise UsageError(f"{place}: 'calls' must be a whole number above 0")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= 86_400 * 31:
        raise UsageError(f"{place}: 'seconds' must be a number above 0 and at most 31 days")
    return RateLimit(calls, float(seconds))
