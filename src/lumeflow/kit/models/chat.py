"""Asking a language model once: whom, in which way, with which limits, and what to do about an empty answer."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from lumeflow.core.errors import STOPS_NODE
from lumeflow.kit.models.chat_config import MOST_TOKENS, ChatConfig
from lumeflow.kit.models.chat_style import BY_OBJECT, BY_SCHEMA, BY_WORDS, Message, Style
from lumeflow.kit.models.completion import Completion, Finish, Parameter
from lumeflow.kit.models.prices import open_price_list
from lumeflow.plugin import BlockContext, CallError, ErrorClass, NodeError

__all__ = ["ALL_OPERATIONS", "MOST_TOKENS", "OPERATIONS", "ChatConfig", "Desk", "Message"]

CHAT, CHAT_FREE = "openrouter/chat", "openrouter/chat-free"
OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "openrouter": (CHAT, CHAT_FREE),
    "openai": ("openai/chat", "openai-compatible/chat"),
    "anthropic": ("anthropic/messages",),
}
"""Operations that ask a model, by provider."""
ALL_OPERATIONS = tuple(name for names in OPERATIONS.values() for name in names)

EMPTY_RETRIES = 2
THINKING_TOKENS = 4000
"""Room for what a model thinks before it answers; it counts as part of the answer, but only what is used is paid."""
_THINKS = re.compile(r"(?:gpt-5|o[134])(?![0-9])")
"""Models of OpenAI that always think."""
_FORMS: Mapping[str, tuple[str, ...]] = {
    "openrouter": (BY_SCHEMA, BY_WORDS),
    "openai": (BY_SCHEMA, BY_OBJECT, BY_WORDS),
    "anthropic": (BY_SCHEMA, BY_WORDS),
}
_NO_SCHEMAS: Mapping[str, frozenset[int]] = {
    "openrouter": frozenset({400, 404, 422}),
    "openai": frozenset({400, 422}),
    "anthropic": frozenset({400, 422}),
}
"""Statuses by which vendors also refuse a schema without saying so: at OpenRouter no endpoint is found for it."""
_MOST_STYLES = 6
"""More ways to ask than a model can refuse one after the other."""
_NEXT_MODEL = frozenset({Finish.FILTERED, Finish.TOO_LONG, Finish.UNSUPPORTED})


class Desk:
    """Where one node asks its model. One for each block instance."""

    def __init__(self, config: ChatConfig) -> None:
        self._provider = config.provider
        self._temperature = config.temperature
        self._limited = config.max_tokens is not None
        self._more: dict[str, Any] = {"prices": dict(config.prices)} if config.prices else {}
        if config.base_url is not None:
            self._more["baseUrl"] = config.base_url
        if config.api_key is not None:
            # As it is written: the secret itself is known to the request alone.
            self._more["apiKey"] = config.api_key.source
        self._operation = _operation(config)
        # OpenRouter goes through the list by itself.
        models, whole = config.models, config.provider == "openrouter"
        self._routes = [models] if whole else [models[place:] for place in range(len(models))]
        self._styles = {route[0]: Style(_FORMS[config.provider]) for route in self._routes}
        self._unknown: set[str] = set()

    async def open(self) -> None:
        """Get ready before the first question."""
        if self._provider != "openrouter" and "prices" not in self._more:
            await open_price_list()

    async def ask(
        self,
        ctx: BlockContext,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        schema: Mapping[str, Any] | None,
        schema_name: str,
        asked: Counter[bytes],
    ) -> Completion:
        """Ask the first model that answers. An answer without text (a cold start) is asked for again, a limit that
        was too low is raised once: doubled, or where not a word was said, made much larger.

        Args:
            ctx: The context.
            messages: What to say.
            max_tokens: Limit of the answer.
            schema: JSON Schema of the answer; None for free text.
            schema_name: Its name.
            asked: What was asked in this batch before. A question that is put once more gets a number, or the ledger
                would give the same answer again.

        Raises:
            NodeError: (NOT_FOUND) there is no such model; (VALIDATION) its price is not known, or it does not take
                what every question holds.
            CallError: The call failed.
        """
        question = _Question(ctx, messages, schema, schema_name, asked)
        known = [route for route in self._routes if route[0] not in self._unknown] or self._routes[-1:]
        for route in known[:-1]:
            completion = await self._try(route, question, max_tokens)
            if completion is not None:
                return completion
        return await self._ask_last(known[-1], question, max_tokens)

    async def _try(self, route: list[str], question: "_Question", max_tokens: int) -> Completion | None:
        """Ask a model in whose place others can answer; None if it fails.

        That it failed is remembered. On a resume it may be well again, but another's answer has been paid for.
        """
        found: list[Completion] = []

        async def answers() -> bool:
            try:
                completion = await self._ask_model(route, question, max_tokens)
            except CallError as error:
                if error.error_class in STOPS_NODE:
                    raise
                if error.error_class is ErrorClass.NOT_FOUND:
                    self._unknown.add(route[0])
                return False
            found.append(completion)
            return completion.finish not in _NEXT_MODEL

        text = orjson.dumps(self._params(route, question, max_tokens))
        times = question.asked[text]
        name = f"model/{hashlib.blake2b(text, digest_size=16).hexdigest()}/{times}"
        if not await question.ctx.remember(name, answers):
            question.asked[text] = max(question.asked[text], times + 1)
            return None
        return found[0] if found else await self._ask_model(route, question, max_tokens)

    async def _ask_last(self, route: list[str], question: "_Question", max_tokens: int) -> Completion:
        try:
            completion = await self._ask_model(route, question, max_tokens)
        except CallError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                raise NodeError(ErrorClass.NOT_FOUND, str(error), field="model") from error
            raise
        if completion.parameter is not None:
            field = completion.parameter.value
            reason = f"the model '{route[0]}' does not take what '{field}' asks for, and cannot be asked without it"
            raise NodeError(ErrorClass.VALIDATION, reason, field=field)
        return completion

    async def _ask_model(self, route: list[str], question: "_Question", max_tokens: int) -> Completion:
        completion = await self._ask_for_text(route, question, max_tokens)
        if completion.finish is Finish.LENGTH and max_tokens < MOST_TOKENS:
            # Where not a word was said, thinking has taken all of it.
            more = 2 * max_tokens if completion.text.strip() else max(8 * max_tokens, THINKING_TOKENS)
            completion = await self._ask_for_text(route, question, min(more, MOST_TOKENS))
        return completion

    async def _ask_for_text(self, route: list[str], question: "_Question", max_tokens: int) -> Completion:
        params = self._params(route, question, max_tokens)
        text = orjson.dumps(params)
        for _ in range(1 + EMPTY_RETRIES):
            if question.asked[text]:
                params["again"] = question.asked[text]
            question.asked[text] += 1
            completion = await self._send(route[0], question, params)
            if completion.text.strip() or completion.finish is not Finish.STOP:
                break
        return completion

    async def _send(self, model: str, question: "_Question", params: Mapping[str, Any]) -> Completion:
        """Ask in the ways that are left, until the model takes one."""
        style = self._styles[model]
        for _ in range(_MOST_STYLES):
            try:
                completion = await self._call(question, params, style)
            except CallError as error:
                form = style.forms[0] if question.schema is not None else BY_WORDS
                if form == BY_WORDS or error.status not in _NO_SCHEMAS[self._provider]:
                    raise
                # Perhaps it is the schema; what is found out is kept only if the question is answered without it.
                style = replace(style, forms=(BY_WORDS,))
                completion = await self._call(question, params, style)
                self._styles[model] = style
            if completion.parameter is None:
                break
            now = self._styles[model]
            # Another question may have found it out meanwhile.
            better = now if now != style else style.without(completion.parameter)
            if better is None:
                break
            if now == style and completion.parameter is not Parameter.LIMIT:
                question.ctx.warn(
                    f"the model '{model}' does not take {completion.parameter.value}; it is asked without"
                )
            self._styles[model] = style = better
        return completion

    def _params(self, route: list[str], question: "_Question", max_tokens: int) -> dict[str, Any]:
        limit = min(max_tokens + self._thinking(route[0]), MOST_TOKENS)
        params = {**self._more, "models": route, "messages": list(question.messages), "max_tokens": limit}
        return params if self._temperature is None else {**params, "temperature": self._temperature}

    def _thinking(self, model: str) -> int:
        """Tokens to allow beyond the answer; none where the user has set the limit."""
        thinks = self._provider == "openai" and not self._limited and _THINKS.match(model)
        return THINKING_TOKENS if thinks else 0

    async def _call(self, question: "_Question", params: Mapping[str, Any], style: Style) -> Completion:
        put = style.params(params, question.schema, question.schema_name)
        completion: Completion = (await question.ctx.call(self._operation, put)).value
        return completion


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, whatever the model; see `Desk.ask`."""

    ctx: BlockContext
    messages: Sequence[Message]
    schema: Mapping[str, Any] | None
    schema_name: str
    asked: Counter[bytes]


def _operation(config: ChatConfig) -> str:
    if config.provider == "openrouter":
        return CHAT_FREE if all(model.endswith(":free") for model in config.models) else CHAT
    names = OPERATIONS[config.provider]
    return names[-1] if config.base_url is not None else names[0]
