"""Asking a language model once: whom, in which way, with which limits, and what to do about an empty answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from lumeflow.core.errors import STOPS_NODE
from lumeflow.kit.chat_config import MOST_TOKENS, ChatConfig
from lumeflow.kit.chat_style import BY_OBJECT, BY_SCHEMA, BY_WORDS, Message, Style
from lumeflow.kit.completion import Completion, Finish
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
        self._more: dict[str, Any] = {"prices": dict(config.prices)} if config.prices else {}
        if config.base_url is not None:
            self._more["baseUrl"] = config.base_url
        self._operation = _operation(config)
        # OpenRouter goes through the list by itself.
        models, whole = config.models, config.provider == "openrouter"
        self._routes = [models] if whole else [models[place:] for place in range(len(models))]
        self._styles = {route[0]: Style(_FORMS[config.provider]) for route in self._routes}
        self._unknown: set[str] = set()

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
        was too low is raised once.

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
            try:
                completion = await self._ask_model(route, question, max_tokens)
            except CallError as error:
                if error.error_class in STOPS_NODE:
                    raise
                if error.error_class is ErrorClass.NOT_FOUND:
                    self._unknown.add(route[0])
                continue
            if completion.finish not in _NEXT_MODEL:
                return completion
        return await self._ask_last(known[-1], question, max_tokens)

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
            completion = await self._ask_for_text(route, question, min(2 * max_tokens, MOST_TOKENS))
        return completion

    async def _ask_for_text(self, route: list[str], question: "_Question", max_tokens: int) -> Completion:
        params = {**self._more, "models": route, "messages": list(question.messages), "max_tokens": max_tokens}
        if self._temperature is not None:
            params["temperature"] = self._temperature
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
            self._styles[model] = style = better
        return completion

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
