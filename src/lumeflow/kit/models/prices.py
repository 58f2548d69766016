"""What the tokens of a language model cost: configured prices first, then the published list.

The list is `genai-prices`, bundled data that needs no network. It takes some tenths of a second to import: see
`open_price_list`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from lumeflow.kit.prices import MILLIONTH
from lumeflow.plugin import Account, ErrorClass, NodeError, decimal_of

KINDS = ("prompt", "completion", "cached", "cacheWrite")
"""Kinds of tokens that can have a price of their own; the last two cost what `prompt` costs unless they have."""

_NEWEST = datetime(9999, 1, 1, tzinfo=UTC)
"""The list keeps older prices with their dates. The newest counts, so that a price does not depend on the clock."""


async def open_price_list() -> None:
    """Import the published list in a thread, so that the first call of a node does not hold up those of all others."""
    await asyncio.to_thread(_listed_cost, "", Tokens(0, 0), "openai", "")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one question and its answer.

    Attributes:
        prompt: All tokens of the question, those read from and written to a cache included.
        completion: Tokens of the answer, those of its reasoning included.
        cached: Tokens of the question that the vendor read from its cache.
        cache_written: Tokens of the question that it wrote there.
    """

    prompt: int
    completion: int
    cached: int = 0
    cache_written: int = 0

    @property
    def total(self) -> int:
        """Of question and answer together."""
        return self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class PriceList:
    """Where the price of a model is looked up.

    Attributes:
        account: Its `prices` may hold `prompt_million` and `completion_million` for all models, or the same as
            `MODEL/prompt_million` for one.
        own: Prices in USD per million that the node gives, by kind; they win.
        vendor: Name of the vendor in the published list; empty to find it by `address`.
        address: Address of the endpoint.
    """

    account: Account
    own: Mapping[str, Any]
    vendor: str = ""
    address: str = ""

    def cost(self, model: str, tokens: Tokens) -> Decimal | None:
        """USD for `tokens`; None if nobody knows the model's price."""
        prices = self._configured(model)
        if prices is not None:
            return _configured_cost(prices, tokens)
        return _listed_cost(model, tokens, self.vendor, self.address)

    def need(self, models: list[str]) -> None:
        """See that every model has a price.

        Raises:
            NodeError: (VALIDATION) one has none: asking it would seem to cost nothing.
        """
        for model in models:
            if self.cost(model, Tokens(1, 1)) is None:
                raise NodeError(
                    ErrorClass.VALIDATION,
                    f"no price is known for the model '{model[:80]}' of {self.account.provider}, and a call of unknown "
                    'price is not made: set config.prices to {"prompt": …, "completion": …} in USD per million tokens, '
                    f"or the provider's prices '{model[:80]}/prompt_million' and '{model[:80]}/completion_million'",
                    field="model",
                )

    def _configured(self, model: str) -> Mapping[str, Decimal] | None:
        if self.own:
            return {kind: decimal_of(price) for kind, price in self.own.items()}
        for prefix in (f"{model}/", ""):
            found = {
                kind: self.account.prices[prefix + name]
                for kind, name in _ACCOUNT_NAMES.items()
                if prefix + name in self.account.prices
            }
            if "prompt" in found and "completion" in found:
                return found
        return None


_ACCOUNT_NAMES = {
    "prompt": "prompt_million",
    "completion": "completion_million",
    "cached": "cached_million",
    "cacheWrite": "cache_write_million",
}


def _configured_cost(prices: Mapping[str, Decimal], tokens: Tokens) -> Decimal:
    plain = tokens.prompt - tokens.cached - tokens.cache_written
    prompt = prices["prompt"]
    dear = plain * prompt + tokens.cached * prices.get("cached", prompt)
    dear += tokens.cache_written * prices.get("cacheWrite", prompt) + tokens.completion * prices["completion"]
    return dear * MILLIONTH


@lru_cache(maxsize=4096)
def _listed_cost(model: str, tokens: Tokens, vendor: str, address: str) -> Decimal | None:
    """By the published list; computed call by call, since some prices grow with the length of the question."""
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=tokens.prompt,
        output_tokens=tokens.completion,
        cache_read_tokens=tokens.cached or None,
        cache_write_tokens=tokens.cache_written or None,
    )
    try:
        if vendor:
            return calc_price(usage, model, provider_id=vendor, genai_request_timestamp=_NEWEST).total_price
        return calc_price(usage, model, provider_api_url=address, genai_request_timestamp=_NEWEST).total_price
    except LookupError:
        return None
