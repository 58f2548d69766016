"""OpenAI: chat completions with structured output, parameters that some models refuse, a cache, and an exact charge.

The same form at any other address is `openai-compatible`, the stand-in for everybody else who speaks it.
"""

from collections.abc import Mapping
from decimal import Decimal
from math import ceil
from typing import Any, ClassVar

import orjson

from lumeflow.core.money import ZERO
from lumeflow.simulator.exchange import Call, Cost, RefusedError, Reply
from lumeflow.simulator.hashing import token
from lumeflow.simulator.limits import Limit, Refusal
from lumeflow.simulator.model.reading import content_of, cut, last_question, system_text, tokens_in
from lumeflow.simulator.model.tasks import answer
from lumeflow.simulator.vendor import Endpoint, OddShape, Route, Vendor
from lumeflow.simulator.vendors.openai_shapes import CHAT_SHAPES, error_reply

CHAT = Endpoint("openai/chat", 0.5, (Limit(500, 60.0),), paid=True)
COMPATIBLE = Endpoint("openai-compatible/chat", 0.5, (), paid=True)

CREATED = 1_760_000_000
"""What answers give as their time: they follow from the request alone."""
CACHE_FROM, CACHE_STEP = 1024, 128
"""A question's beginning is cached from so many tokens on, in steps of so many."""
_REASONING = ("gpt-5", "o1", "o3", "o4")
"""Models that take neither a temperature nor `max_tokens`."""
_FORMATS = frozenset({"text", "json_object", "json_schema"})


class OpenAI(Vendor):
    """The simulated vendor. Its model reads the last user message and follows `response_format`."""

    name = "openai"
    endpoints: ClassVar[tuple[Endpoint, ...]] = (CHAT,)

    def route(self, call: Call) -> tuple[Route, ...]:
        """One POST."""
        return (Route(CHAT, self._chat),) if (call.method, call.path) == ("POST", "/v1/chat/completions") else ()

    # --- answers

    def _chat(self, call: Call) -> Reply:
        body = call.json
        if not isinstance(body, dict):
            raise _invalid("We could not parse the JSON body of your request.")
        model = self._model(body)
        messages = self._messages(body)
        self._check_parameters(body, model)
        text = answer(last_question(messages), body.get("response_format"), system_text(messages))
        text, short = cut(text, _most_tokens(body))
        usage = self._usage(messages, text)
        identity = token(self._settings.seed, 24, "chatcmpl", call.identity)
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "length" if short else "stop"}
        shown = {
            "id": f"chatcmpl-{identity}", "object": "chat.completion", "created": CREATED, "model": model,
            "choices": [choice], "usage": usage, "service_tier": "default", "system_fingerprint": None,
        }  # fmt: skip
        return Reply(200, orjson.dumps(shown), effect=True, cost=Cost(self._cost(model, usage), ZERO))

    def _model(self, body: Mapping[str, Any]) -> str:
        model = body.get("model")
        if not isinstance(model, str) or not model:
            raise _invalid("you must provide a model parameter")
        if not self._serves(model):
            message = f"The model `{model[:80]}` does not exist or you do not have access to it."
            raise RefusedError(error_reply(404, message, "invalid_request_error", "model_not_found"))
        if model in self._settings.models_down or f"{self.name}/{model}" in self._settings.models_down:
            raise RefusedError(self.server_error_reply(503))
        return model

    def _serves(self, model: str) -> bool:
        return model in self._settings.models_of(self.name)

    def _messages(self, body: Mapping[str, Any]) -> list[tuple[str, str]]:
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(entry, dict) for entry in messages):
            raise _invalid("Invalid type for 'messages': expected an array of objects.", "messages", "invalid_type")
        if body.get("stream"):
            raise _invalid("The simulator does not stream; send stream: false", "stream", "unsupported_value")
        return [(str(entry.get("role")), content_of(entry.get("content"))) for entry in messages]

    def _check_parameters(self, body: Mapping[str, Any], model: str) -> None:
        if model.startswith(_REASONING):
            if "max_tokens" in body:
                message = "Unsupported parameter: 'max_tokens' is not supported with this model. "
                message += "Use 'max_completion_tokens' instead."
                raise _invalid(message, "max_tokens", "unsupported_parameter")
            if body.get("temperature", 1) != 1:
                message = "Unsupported value: 'temperature' does not support this value with this model. "
                message += "Only the default (1) value is supported."
                raise _invalid(message, "temperature", "unsupported_value")
        wanted = body.get("response_format")
        kind = wanted.get("type") if isinstance(wanted, dict) else "text"
        if kind not in _FORMATS:
            raise _invalid("Invalid value for 'response_format'.", "response_format.type", "invalid_value")
        told = orjson.dumps(body["messages"]).lower()
        if kind == "json_object" and b"json" not in told:
            raise _invalid("'messages' must contain the word 'json' in some form.", "messages", None)

    def _usage(self, messages: list[tuple[str, str]], text: str) -> dict[str, Any]:
        prompt, completion = sum(tokens_in(content) for _, content in messages), tokens_in(text)
        beginning = sum(tokens_in(content) for _, content in messages[:-1])
        cached = beginning // CACHE_STEP * CACHE_STEP if beginning >= CACHE_FROM else 0
        return {
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }  # fmt: skip

    def _cost(self, model: str, usage: Mapping[str, Any]) -> Decimal:
        name = f"{self.name}/{model}"
        prompt_price, completion_price = self._settings.model_price(name)
        cached: int = usage["prompt_tokens_details"]["cached_tokens"]
        fresh, completion = int(usage["prompt_tokens"]) - cached, int(usage["completion_tokens"])
        cost = prompt_price * fresh + completion_price * completion
        return (cost + self._settings.cached_price(name) * cached).scaleb(-6)

    # --- how it says no

    def key(self, call: Call) -> str | None:
        """Bearer token."""
        return call.bearer()

    def unauthorised(self, call: Call) -> Reply:
        """401."""
        if self.key(call) is None:
            return error_reply(401, "You didn't provide an API key.", "invalid_request_error", None)
        return error_reply(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")

    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """429 with `retry-after`, and in milliseconds."""
        headers = {"retry-after": str(ceil(refusal.wait)), "retry-after-ms": str(ceil(refusal.wait * 1000))}
        message = f"Rate limit reached for requests. Limit {refusal.limit.calls}. Please try again later."
        return error_reply(429, message, "requests", "rate_limit_exceeded", headers)

    def exhausted(self, call: Call) -> Reply:
        """429 as well, but no waiting helps."""
        message = "You exceeded your current quota, please check your plan and billing details."
        return error_reply(429, message, "insufficient_quota", "insufficient_quota")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx, now and then with the word that it may be tried again."""
        headers = {"x-should-retry": "true"} if self.dice(call, "5xx").below(2) else None
        return self.server_error_reply(status, headers)

    def server_error_reply(self, status: int, headers: Mapping[str, str] | None = None) -> Reply:
        """5xx."""
        message = "The server had an error while processing your request. Sorry about that!"
        return error_reply(status, message, "server_error", None, headers)

    def odd_shapes(self, endpoint: Endpoint) -> tuple[OddShape, ...]:
        """Refusals, empty texts, code fences, a missing item, an error with status 200."""
        return CHAT_SHAPES

    def headers(self, route: Route) -> Mapping[str, str]:
        """Limit, rest and reset of the requests, as OpenAI writes them; without a limit, nothing."""
        found = self._limiter.usage(route.endpoint.id, route.resource, self._clock.seconds())
        if not found:
            return {}
        limit, used = found[0]
        reset = used * limit.seconds / limit.calls
        return {
            "x-ratelimit-limit-requests": str(limit.calls),
            "x-ratelimit-remaining-requests": str(max(limit.calls - used, 0)),
            "x-ratelimit-reset-requests": f"{int(reset // 60)}m{reset % 60:.3f}s",
        }


class OpenAICompatible(OpenAI):
    """Everybody else who speaks the form, under any path that ends in `/chat/completions`. No key is needed."""

    name = "openai-compatible"
    endpoints = (COMPATIBLE,)

    def route(self, call: Call) -> tuple[Route, ...]:
        """One POST, whatever stands before it."""
        found = call.method == "POST" and call.path.endswith("/chat/completions")
        return (Route(COMPATIBLE, self._chat),) if found else ()

    def accepts(self, call: Call) -> bool:
        """True: models on one's own machines have no keys."""
        return True

    def _serves(self, model: str) -> bool:
        return True


def _most_tokens(body: Mapping[str, Any]) -> int | None:
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    return most if isinstance(most, int) and most > 0 else None


def _invalid(message: str, param: str | None = None, code: str | None = None) -> RefusedError:
    return RefusedError(error_reply(400, message, "invalid_request_error", code, param=param))
