"""Settings of a block that asks a language model, the same for every vendor of models."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from lumeflow.kit.calling import CallConfig
from lumeflow.kit.http.auth import Credential
from lumeflow.kit.models.prices import KINDS
from lumeflow.plugin import decimal_of, did_you_mean

MOST_TOKENS = 16_000
"""Highest limit of output tokens that is ever asked for."""

Provider = Literal["openrouter", "openai", "anthropic"]

_MOST_TEMPERATURE = {"anthropic": 1.0}


class ChatConfig(CallConfig):
    """Configuration of a block that asks a language model."""

    batches: ClassVar[bool] = True

    provider: Provider = Field(default="openrouter", description="Through whom models are reached.")
    model: str | tuple[str, ...] = Field(
        description="The model, or several: when one fails, the next is asked.", min_length=1
    )
    temperature: float | None = Field(
        default=0, ge=0, le=2, description="Randomness, 0 for none; null to leave it to the model."
    )
    max_tokens: int | None = Field(
        default=None, ge=16, le=MOST_TOKENS, description="Most tokens of an answer; by default enough for the batch."
    )
    base_url: str | None = Field(
        default=None,
        description="With the provider `openai`: another endpoint that speaks the chat-completions form, by its "
        "address up to `/chat/completions`, such as `https://llm.example.com/v1`.",
    )
    api_key: Credential | None = Field(
        default=None, description="With `baseUrl`: the endpoint's key, e.g. `{{secrets.llmKey}}`; sent nowhere else."
    )
    prices: Mapping[str, str] = Field(
        default_factory=dict,
        description="USD per million tokens, for models that no price list names: `prompt` and `completion`, and where "
        "they differ from `prompt`, `cached` and `cacheWrite`.",
    )

    @field_validator("model", mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("model")
    @classmethod
    def _named(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not all(name.strip() for name in ((value,) if isinstance(value, str) else value)):
            raise ValueError("a model's name is empty; write one such as 'mistralai/mistral-7b-instruct:free'")
        return value

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("expected an address such as 'https://llm.example.com/v1', without query")
        if parts.username or parts.password:
            raise ValueError("an address must not hold a user or a password")
        return value.rstrip("/").removesuffix("/chat/completions")

    @field_validator("prices", mode="before")
    @classmethod
    def _known_prices(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        for kind in value:
            if kind not in KINDS:
                raise ValueError(f"prices has the unknown key '{kind}'." + did_you_mean(kind, KINDS))
        if value and not {"prompt", "completion"} <= set(value):
            raise ValueError("prices needs both 'prompt' and 'completion', in USD per million tokens")
        return {kind: _price(kind, price) for kind, price in value.items()}

    @model_validator(mode="after")
    def _fits_provider(self) -> "ChatConfig":
        if self.base_url is not None and self.provider != "openai":
            raise ValueError("'baseUrl' goes with the provider 'openai': other forms are not spoken elsewhere")
        if self.api_key is not None and self.base_url is None:
            raise ValueError("'apiKey' goes with 'baseUrl': the keys of vendors are set outside of workflows")
        if self.prices and self.provider == "openrouter":
            raise ValueError("OpenRouter reports what each answer costs: leave 'prices' out")
        most = _MOST_TEMPERATURE.get(self.provider)
        if most is not None and (self.temperature or 0) > most:
            raise ValueError(f"'temperature' is at most {most:g} at {self.provider}")
        return self

    @property
    def models(self) -> list[str]:
        """The models in the order in which they are tried, each once."""
        return [self.model] if isinstance(self.model, str) else list(dict.fromkeys(self.model))


def _price(kind: str, value: Any) -> str:
    try:
        price = decimal_of(value)
    except ValueError as error:
        raise ValueError(f"prices, {kind}: {error}") from error
    if price < Decimal(0):
        raise ValueError(f"prices, {kind}: expected a number that is not negative")
    return format(price, "f")
