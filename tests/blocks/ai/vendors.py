"""The same scripted things said by each vendor of models, in its own envelope."""

from dataclasses import dataclass
from typing import Any

import orjson

from lumeflow.core.http import HttpRequest, HttpResponse
from tests.blocks.ai.models import lines
from tests.providers.desk import reply

_STOPS = {"stop": "end_turn", "length": "max_tokens", "refused": "refusal"}


@dataclass(frozen=True)
class Vendor:
    """How a vendor talks.

    Attributes:
        config: What makes a node ask it.
        models: Two of its models that the price list names.
        price: USD that an answer of 1,000 and 100 tokens costs with each of them.
    """

    config: dict[str, Any]
    models: tuple[str, str]
    price: tuple[str, str]

    @property
    def name(self) -> str:
        return self.config["provider"]

    def said(self, text: str | None, finish: str = "stop", model: str | None = None) -> HttpResponse:
        """An answer of 1,000 tokens asked and 100 said."""
        model = model or self.models[0]
        if self.name == "anthropic":
            usage = {"input_tokens": 1000, "output_tokens": 100}
            content = [{"type": "text", "text": text}] if text else []
            body = {"model": model, "content": content, "stop_reason": _STOPS[finish], "usage": usage}
            return reply({"id": "msg_1", "type": "message", **body})
        usage = {"prompt_tokens": 1000, "completion_tokens": 100}
        message = {"role": "assistant", "content": text}
        if finish == "refused":
            message, finish = {"role": "assistant", "content": None, "refusal": "No."}, "stop"
        return reply({"model": model, "choices": [{"finish_reason": finish, "message": message}], "usage": usage})

    def error(self, status: int, message: str = "no", **more: Any) -> HttpResponse:
        """An error in its envelope."""
        if self.name == "anthropic":
            kinds = {400: "invalid_request_error", 404: "not_found_error", 529: "overloaded_error"}
            kind = more.get("kind") or kinds.get(status, "api_error")
            return reply({"type": "error", "error": {"type": kind, "message": message}}, status)
        error = {
            "message": message,
            "type": more.get("kind", "x"),
            "code": more.get("code"),
            "param": more.get("param"),
        }
        return reply({"error": error}, status)


OPENAI = Vendor({"provider": "openai"}, ("gpt-5-mini", "gpt-4.1-mini"), ("0.00045", "0.00056"))
ANTHROPIC = Vendor({"provider": "anthropic"}, ("claude-haiku-4-5", "claude-opus-4-5"), ("0.0015", "0.0075"))
COMPATIBLE = Vendor(
    {
        "provider": "openai",
        "baseUrl": "https://llm.example.com/v1",
        "prices": {"prompt": 0.5, "completion": "1.5"},
    },
    ("llama", "qwen"),
    ("0.00065", "0.00065"),
)


class Answering:
    """A vendor that says scripted things, then answers each question by `answer` of its lines.

    Attributes:
        asked: The bodies of all questions.
    """

    def __init__(self, vendor: Vendor, *script: Any, answer: Any = None) -> None:
        self._vendor = vendor
        self._script = list(script)
        self._answer = answer or (lambda items: "fine")
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: HttpRequest) -> HttpResponse:
        body = orjson.loads(request.body)
        self.asked.append(body)
        say = self._script.pop(0) if self._script else None
        if callable(say):
            say = say(body)
        if isinstance(say, HttpResponse):
            return say
        text = say if isinstance(say, str) else self._answer(lines(body))
        return self._vendor.said(text, model=body["model"])

    @property
    def models(self) -> list[str]:
        """The models that were asked, in order."""
        return [body["model"] for body in self.asked]

    @property
    def ids(self) -> list[list[str]]:
        """The ids that each question was about."""
        return [[line["id"] for line in lines(body)] for body in self.asked]
