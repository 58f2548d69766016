"""Scripted language models for tests: each answers the questions it is asked in turn."""

from collections.abc import Callable
from typing import Any

import orjson

from lumeflow.core.http import HttpRequest, HttpResponse
from tests.providers.desk import reply

Say = Callable[[dict[str, Any]], HttpResponse] | HttpResponse | str | None


def said(text: str | None, finish: str = "stop", *, model: str = "test/model", cost: float = 0.001) -> HttpResponse:
    """An answer in the vendor's envelope."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}
    return reply({"model": model, "choices": [choice], "usage": {"total_tokens": 10, "cost": cost}})


def lines(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The JSON lines of the last message of a question."""
    text = body["messages"][-1]["content"]
    return [orjson.loads(line) for line in text.splitlines() if line.startswith("{")]


def contacts_for(items: list[dict[str, Any]]) -> str:
    """A perfect answer: the author of every comment is its contact."""
    return orjson.dumps(
        {"items": [{"id": item["id"], "contacts": [{"firstName": item["text"], "confidence": 0.9}]} for item in items]}
    ).decode()


class Model:
    """Says the scripted things one after the other, then answers perfectly.

    Attributes:
        asked: The bodies of all questions.
    """

    def __init__(self, *script: Say, answer: Callable[[list[dict[str, Any]]], str] = contacts_for) -> None:
        self._script = list(script)
        self._answer = answer
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: HttpRequest) -> HttpResponse:
        body = orjson.loads(request.body)
        self.asked.append(body)
        say = self._script.pop(0) if self._script else None
        if callable(say):
            return say(body)
        if isinstance(say, HttpResponse):
            return say
        return said(self._answer(lines(body)) if say is None else say)

    @property
    def ids(self) -> list[list[str]]:
        """The ids that each question was about."""
        return [[line["id"] for line in lines(body)] for body in self.asked]
