"""OpenRouter: chat completions with structured output, fallback models, exact cost, and five shapes of errors."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from math import ceil
from typing import Any

import orjson

from lumeflow.core.money import ZERO
from lumeflow.simulator.exchange import Call, Cost, RefusedError, Reply, json_reply, number
from lumeflow.simulator.hashing import token
from lumeflow.simulator.limits import Limit, Refusal
from lumeflow.simulator.model.reading import content_of, cut, last_question, system_text, tokens_in
from lumeflow.simulator.model.tasks import answer
from lumeflow.simulator.vendor import Endpoint, OddShape, Route, Surroundings, Vendor
from lumeflow.simulator.vendors.openrouter_shapes import CHAT_SHAPES, availability, classic

CHAT = Endpoint("openrouter/chat", 0.5, (), paid=True)
CHAT_FREE = Endpoint("openrouter/chat-free", 0.5, (Limit(20, 60.0), Limit(1000, 86_400.0)), paid=True)
GENERATION = Endpoint("openrouter/generation", 0.05, polled=True)
KEY = Endpoint("openrouter/key", 0.05, polled=True)

CREATED = 1_760_000_000
"""What answers give as their time: they follow from the request alone."""
KEPT_GENERATIONS = 1000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and cost of one answer."""

    prompt_tokens: int
    completion_tokens: int
    cost: Decimal

    def as_json(self) -> dict[str, Any]:
        """The `usage` of an answer."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "cost": number(self.cost),
            "is_byok": False,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
            "cost_details": {"upstream_inference_cost": None},
        }


class OpenRouter(Vendor):
    """The simulated vendor. Its model reads the last user message and follows `response_format`."""

    name = "openrouter"
    endpoints = (CHAT, CHAT_FREE, GENERATION, KEY)

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._generations: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def route(self, call: Call) -> tuple[Route, ...]:
        """Chat goes to the first usable model; the limits of a free one may send it on to the next."""
        match call.method, call.path:
            case "POST", "/api/v1/chat/completions":
                return self._chat_routes(call)
            case "GET", "/api/v1/generation":
                return (Route(GENERATION, self._generation),)
            case "GET", "/api/v1/key":
                return (Route(KEY, self._key_status),)
        return ()

    def _chat_routes(self, call: Call) -> tuple[Route, ...]:
        body = call.json if isinstance(call.json, dict) else {}
        models = [model for model in _models(body) if self._usable(model)]
        if not models:
            return (Route(CHAT, self._no_model),)
        return tuple(
            Route(CHAT_FREE if model.endswith(":free") else CHAT, partial(self._chat, model=model)) for model in models
        )

    def _usable(self, model: str) -> bool:
        return "/" in model and model not in self._settings.models_down

    # --- answers

    def _chat(self, call: Call, model: str) -> Reply:
        body: dict[str, Any] = call.json
        messages = _messages(body)
        text = answer(last_question(messages), body.get("response_format"), system_text(messages))
        text, short = cut(text, _most_tokens(body))
        usage = self._usage(model, sum(tokens_in(content) for _, content in messages), tokens_in(text))
        finish = "length" if short else "stop"
        generation = f"gen-{CREATED}-{token(self._settings.seed, 20, 'generation', call.identity)}"
        vendor = model.partition("/")[0]
        self._keep(generation, model, vendor, usage, finish)
        message = {"role": "assistant", "content": text, "refusal": None, "reasoning": None}
        choice = {"index": 0, "finish_reason": finish, "native_finish_reason": finish, "message": message}
        shown = {
            "id": generation, "object": "chat.completion", "created": CREATED, "model": model, "provider": vendor,
            "system_fingerprint": None, "choices": [choice], "usage": usage.as_json(),
        }  # fmt: skip
        return Reply(200, orjson.dumps(shown), effect=True, cost=Cost(usage.cost, ZERO))

    def _usage(self, model: str, prompt_tokens: int, completion_tokens: int) -> Usage:
        prompt_price, completion_price = self._settings.model_price(model)
        cost = (prompt_price * prompt_tokens + completion_price * completion_tokens).scaleb(-6)
        return Usage(prompt_tokens, completion_tokens, cost)

    def _keep(self, generation: str, model: str, vendor: str, usage: Usage, finish: str) -> None:
        self._generations[generation] = {
            "id": generation, "model": model, "provider_name": vendor, "total_cost": number(usage.cost),
            "tokens_prompt": usage.prompt_tokens, "tokens_completion": usage.completion_tokens,
            "native_tokens_prompt": usage.prompt_tokens, "native_tokens_completion": usage.completion_tokens,
            "latency": 500, "generation_time": 400, "finish_reason": finish, "is_byok": False,
            "upstream_inference_cost": None,
        }  # fmt: skip
        if len(self._generations) > KEPT_GENERATIONS:
            self._generations.popitem(last=False)

    def _no_model(self, call: Call) -> Reply:
        body = call.json
        if not isinstance(body, dict):
            raise RefusedError(classic(400, "invalid_request", "The request body is not a JSON object"))
        models = _models(body)
        if not models:
            raise RefusedError(classic(400, "invalid_request", "Input required: specify model"))
        if any("/" in model for model in models):
            raise RefusedError(
                availability(503, "capacity_exhausted", "No provider is available", models, retry_after=None)
            )
        message = f"{models[0][:80]} is not a valid model ID"
        raise RefusedError(availability(400, "model_not_found", message, models, retry_after=None))

    def _generation(self, call: Call) -> Reply:
        kept = self._generations.get(call.query.get("id", ""))
        if kept is None:
            raise RefusedError(classic(404, "not_found", f"Generation {call.query.get('id', '')[:60]} not found"))
        return json_reply({"data": kept})

    def _key_status(self, call: Call) -> Reply:
        spent, budget = self._bill.spent(self.name).usd, self._settings.budgets.get(self.name)
        left = None if budget is None else number(max(ZERO, budget - spent))
        used = number(spent)
        data = {
            "limit": None if budget is None else number(budget), "limit_remaining": left, "limit_reset": None,
            "usage": used, "usage_daily": used, "usage_monthly": used, "byok_usage": 0, "is_free_tier": False,
        }  # fmt: skip
        return json_reply({"data": data})

    # --- how it says no

    def key(self, call: Call) -> str | None:
        """Bearer token."""
        return call.bearer()

    def unauthorised(self, call: Call) -> Reply:
        """401 in the classic shape."""
        return classic(
            401, "authentication", "No auth credentials found" if self.key(call) is None else "User not found."
        )

    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """429 in the classic shape for a limit of the platform; want of capacity comes in one of three shapes."""
        wait = ceil(refusal.wait)
        models = _models(call.json if isinstance(call.json, dict) else {})
        drawn = self.dice(call, "429").below(3)
        if not refusal.injected or drawn == 0:
            headers = {
                "x-ratelimit-limit": str(refusal.limit.calls), "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": str(CREATED * 1000 + wait * 1000), "retry-after": str(wait),
            }  # fmt: skip
            return classic(429, "rate_limit_exceeded", f"Rate limit exceeded: {refusal.limit.calls} requests", headers)
        if drawn == 1:
            return availability(429, "capacity_exhausted", "The model is busy", models, retry_after=wait)
        message = "Too many requests in flight for the remaining balance"
        source = {"limit_source": "openrouter_in_flight_budget"}
        return classic(402, "payment_required", message, {"retry-after": str(wait)}, source)

    def exhausted(self, call: Call) -> Reply:
        """402 without `Retry-After`: final."""
        return classic(402, "payment_required", "Insufficient credits. Add more at the credits page.")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx, classic or as a matter of availability."""
        if self.dice(call, "5xx").below(2):
            models = _models(call.json if isinstance(call.json, dict) else {})
            return availability(status, "capacity_exhausted", "Provider unavailable", models, retry_after=None)
        return classic(status, "provider_unavailable", "Provider returned error")

    def odd_shapes(self, endpoint: Endpoint) -> tuple[OddShape, ...]:
        """Errors with status 200, answers without text, in a code fence or with an item missing, a 524 page."""
        return CHAT_SHAPES if endpoint in {CHAT, CHAT_FREE} else ()


def _models(body: Mapping[str, Any]) -> list[str]:
    """The models to try in order, each once."""
    listed = body.get("models")
    named = [body.get("model"), *(listed if isinstance(listed, list) else ())]
    return list(dict.fromkeys(model for model in named if isinstance(model, str) and model))


def _messages(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Role and text of each message."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(entry, dict) for entry in messages):
        raise RefusedError(classic(400, "invalid_request", "Input required: specify messages"))
    if body.get("stream"):
        raise RefusedError(classic(400, "invalid_request", "The simulator does not stream; send stream: false"))
    return [(str(entry.get("role")), content_of(entry.get("content"))) for entry in messages]


def _most_tokens(body: Mapping[str, Any]) -> int | None:
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    return most if isinstance(most, int) and most > 0 else None
