"""Anthropic: messages with structured output, its error envelope with request ids, and an exact charge."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from math import ceil
from typing import Any

import orjson

from lumeflow.core.clock import iso
from lumeflow.core.money import ZERO
from lumeflow.simulator.exchange import Call, Cost, RefusedError, Reply, json_reply
from lumeflow.simulator.hashing import token
from lumeflow.simulator.limits import Limit, Refusal
from lumeflow.simulator.model.reading import content_of, cut, last_question, tokens_in
from lumeflow.simulator.model.tasks import answer, by_schema
from lumeflow.simulator.vendor import Endpoint, OddShape, Route, Vendor
from lumeflow.simulator.vendors.openai_shapes import without_last_item

MESSAGES = Endpoint("anthropic/messages", 0.5, (Limit(50, 60.0),), paid=True)

_KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 404: "not_found_error",
    429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


class Anthropic(Vendor):
    """The simulated vendor. Its model reads the last user message and follows `output_config`."""

    name = "anthropic"
    endpoints = (MESSAGES,)

    def route(self, call: Call) -> tuple[Route, ...]:
        """One POST."""
        return (Route(MESSAGES, self._message),) if (call.method, call.path) == ("POST", "/v1/messages") else ()

    # --- answers

    def _message(self, call: Call) -> Reply:
        body = call.json
        if not isinstance(body, dict):
            raise self._refused(call, 400, "The request body is not valid JSON")
        if not call.headers.get("anthropic-version"):
            raise self._refused(call, 400, "anthropic-version: header is required")
        model, most = self._model(call, body), body.get("max_tokens")
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise self._refused(call, 400, "max_tokens: Field required")
        temperature = body.get("temperature", 1)
        if isinstance(temperature, bool) or not isinstance(temperature, (int, float)) or not 0 <= temperature <= 1:
            raise self._refused(call, 400, "temperature: range: 0..1")
        messages, system = self._messages(call, body), content_of(body.get("system"))
        text, short = cut(self._said(body, last_question(messages), system), most)
        prompt = sum(tokens_in(content) for _, content in messages) + tokens_in(system)
        completion = tokens_in(text)
        shown = {
            "id": f"msg_{token(self._settings.seed, 20, 'message', call.identity)}", "type": "message",
            "role": "assistant", "model": model, "content": [{"type": "text", "text": text}] if text else [],
            "stop_reason": "max_tokens" if short else "end_turn", "stop_sequence": None,
            "usage": {
                "input_tokens": prompt, "output_tokens": completion, "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0, "service_tier": "standard",
            },
        }  # fmt: skip
        return Reply(200, orjson.dumps(shown), effect=True, cost=Cost(self._cost(model, prompt, completion), ZERO))

    def _said(self, body: Mapping[str, Any], question: str, system: str) -> str:
        config = body.get("output_config")
        wanted = config.get("format") if isinstance(config, dict) else None
        if isinstance(wanted, dict) and wanted.get("type") == "json_schema":
            return by_schema(question, wanted.get("schema"))
        return answer(question, None, system)

    def _cost(self, model: str, prompt: int, completion: int) -> Decimal:
        prompt_price, completion_price = self._settings.model_price(f"{self.name}/{model}")
        return (prompt_price * prompt + completion_price * completion).scaleb(-6)

    def _model(self, call: Call, body: Mapping[str, Any]) -> str:
        model = body.get("model")
        if not isinstance(model, str) or not model:
            raise self._refused(call, 400, "model: Field required")
        # The names with a dot are those that OpenRouter gives the same models.
        if "." in model or model not in self._settings.models_of(self.name):
            raise self._refused(call, 404, f"model: {model[:80]}")
        if model in self._settings.models_down or f"{self.name}/{model}" in self._settings.models_down:
            raise self._refused(call, 529, "Overloaded")
        return model

    def _messages(self, call: Call, body: Mapping[str, Any]) -> list[tuple[str, str]]:
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(entry, dict) for entry in messages):
            raise self._refused(call, 400, "messages: Field required")
        if any(entry.get("role") not in {"user", "assistant"} for entry in messages):
            raise self._refused(call, 400, "messages: Unexpected role; the system prompt is a top-level parameter")
        if body.get("stream"):
            raise self._refused(call, 400, "The simulator does not stream; send stream: false")
        return [(str(entry["role"]), content_of(entry.get("content"))) for entry in messages]

    # --- how it says no

    def _error(self, call: Call, status: int, message: str, headers: Mapping[str, str] | None = None) -> Reply:
        request = f"req_{token(self._settings.seed, 20, 'request', call.identity)}"
        error = {"type": _KINDS.get(status, "api_error"), "message": message}
        return json_reply({"type": "error", "error": error, "request_id": request}, status, headers)

    def _refused(self, call: Call, status: int, message: str) -> RefusedError:
        return RefusedError(self._error(call, status, message))

    def key(self, call: Call) -> str | None:
        """Header `x-api-key`."""
        return call.headers.get("x-api-key")

    def unauthorised(self, call: Call) -> Reply:
        """401."""
        return self._error(call, 401, "invalid x-api-key" if self.key(call) else "x-api-key header is required")

    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """429 with `retry-after` in seconds."""
        message = "This request would exceed your organization's rate limit"
        return self._error(call, 429, message, {"retry-after": str(ceil(refusal.wait))})

    def exhausted(self, call: Call) -> Reply:
        """400 with a sentence, or the documented 402; both occur."""
        message = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing."
        return self._error(call, 402 if self.dice(call, "402").below(2) else 400, message)

    def server_error(self, call: Call, status: int) -> Reply:
        """500, or 529 where it is overloaded."""
        if status == 503:
            return self._error(call, 529, "Overloaded", {"x-should-retry": "true"})
        return self._error(call, status, "Internal server error")

    def odd_shapes(self, endpoint: Endpoint) -> tuple[OddShape, ...]:
        """An error with status 200, empty content, code fences, thinking before the text, a missing item."""
        return _SHAPES

    def headers(self, route: Route) -> Mapping[str, str]:
        """Limit, rest and reset of the requests, and the date that the reset is read against."""
        now = self._clock.date()
        headers = {"date": now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        for limit, used in self._limiter.usage(route.endpoint.id, route.resource, self._clock.seconds())[:1]:
            reset = now + timedelta(seconds=used * limit.seconds / limit.calls)
            headers["anthropic-ratelimit-requests-limit"] = str(limit.calls)
            headers["anthropic-ratelimit-requests-remaining"] = str(max(limit.calls - used, 0))
            headers["anthropic-ratelimit-requests-reset"] = iso(reset)
        return headers


def _error_in_200(call: Call) -> Reply:
    return json_reply({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


def _text(reply: Reply) -> str:
    blocks = orjson.loads(reply.rendered()).get("content") or [{}]
    return str(blocks[0].get("text", ""))


def _with(reply: Reply, *blocks: Mapping[str, Any]) -> Reply:
    shown = {**orjson.loads(reply.rendered()), "content": list(blocks)}
    return Reply(reply.status, orjson.dumps(shown), reply.headers)


def _empty(reply: Reply) -> Reply | None:
    return _with(reply)


def _fenced(reply: Reply) -> Reply | None:
    return _with(reply, {"type": "text", "text": f"```json\n{_text(reply)}\n```"})


def _thinking(reply: Reply) -> Reply | None:
    thought = {"type": "thinking", "thinking": "Let me see.", "signature": "EXAMPLE"}
    return _with(reply, thought, {"type": "text", "text": _text(reply)})


def _item_missing(reply: Reply) -> Reply | None:
    text = without_last_item(_text(reply))
    return None if text is None else _with(reply, {"type": "text", "text": text})


_SHAPES = (
    OddShape("error_in_200", error=_error_in_200),
    OddShape("empty_content", bend=_empty),
    OddShape("fenced_json", bend=_fenced),
    OddShape("thinking_first", bend=_thinking),
    OddShape("item_missing", bend=_item_missing),
)
