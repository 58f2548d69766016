"""Asking a language model once: which operation, with which limits, and what to do about an empty answer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field, field_validator

from lumeflow.kit.calling import CallConfig
from lumeflow.kit.completion import Completion, Finish
from lumeflow.plugin import BlockContext, CallError, ErrorClass, NodeError

CHAT, CHAT_FREE = "openrouter/chat", "openrouter/chat-free"
OPERATIONS = (CHAT, CHAT_FREE)

EMPTY_RETRIES = 2
MOST_TOKENS = 16_000
"""Highest limit of output tokens that is ever asked for."""

Message = dict[str, str]


class ChatConfig(CallConfig):
    """Configuration of a block that asks a language model."""

    batches: ClassVar[bool] = True

    provider: Literal["openrouter"] = Field(default="openrouter", description="Through whom models are reached.")
    model: str | tuple[str, ...] = Field(
        description="The model, or several: when one fails, the next is asked.", min_length=1
    )
    temperature: float | None = Field(
        default=0, ge=0, le=2, description="Randomness, 0 for none; null to leave it to the model."
    )
    max_tokens: int | None = Field(
        default=None, ge=16, le=MOST_TOKENS, description="Most tokens of an answer; by default enough for the batch."
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

    @property
    def models(self) -> list[str]:
        """The models in the order in which they are tried."""
        return [self.model] if isinstance(self.model, str) else list(self.model)


class Desk:
    """Where one node asks its model. One for each block instance."""

    def __init__(self, config: ChatConfig) -> None:
        self._models = config.models
        self._temperature = config.temperature
        self._operation = CHAT_FREE if all(model.endswith(":free") for model in self._models) else CHAT
        self._takes_schema = True

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
        """Ask; an answer without text (a cold start) is asked for again, a limit that was too low is raised once.

        Args:
            ctx: The context.
            messages: What to say.
            max_tokens: Limit of the answer.
            schema: JSON Schema of the answer; None for free text.
            schema_name: Its name.
            asked: What was asked in this batch before. A question that is put once more gets a number, or the ledger
                would give the same answer again.

        Raises:
            NodeError: (NOT_FOUND) there is no such model.
            CallError: The call failed.
        """
        completion = await self._ask_for_text(ctx, messages, max_tokens, schema, schema_name, asked)
        if completion.finish is Finish.LENGTH and max_tokens < MOST_TOKENS:
            more = min(2 * max_tokens, MOST_TOKENS)
            completion = await self._ask_for_text(ctx, messages, more, schema, schema_name, asked)
        return completion

    async def _ask_for_text(
        self,
        ctx: BlockContext,
        messages: Sequence[Message],
        max_tokens: int,
        schema: Mapping[str, Any] | None,
        schema_name: str,
        asked: Counter[bytes],
    ) -> Completion:
        params: dict[str, Any] = {"models": self._models, "messages": list(messages), "max_tokens": max_tokens}
        if self._temperature is not None:
            params["temperature"] = self._temperature
        question = orjson.dumps(params)
        for _ in range(1 + EMPTY_RETRIES):
            if asked[question]:
                params["again"] = asked[question]
            asked[question] += 1
            completion = await self._send(ctx, params, schema, schema_name)
            if completion.text.strip() or completion.finish is not Finish.STOP:
                break
        return completion

    async def _send(
        self, ctx: BlockContext, params: Mapping[str, Any], schema: Mapping[str, Any] | None, schema_name: str
    ) -> Completion:
        if schema is not None and self._takes_schema:
            try:
                return await self._call(ctx, {**params, "schema": schema, "schemaName": schema_name})
            except CallError as error:
                if error.status not in {400, 404, 422}:
                    raise
            # Models without structured output refuse the request; the prompt describes the answer as well.
            completion = await self._call_known(ctx, params)
            self._takes_schema = False
            return completion
        return await self._call_known(ctx, params)

    async def _call_known(self, ctx: BlockContext, params: Mapping[str, Any]) -> Completion:
        try:
            return await self._call(ctx, params)
        except CallError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                raise NodeError(ErrorClass.NOT_FOUND, str(error), field="model") from error
            raise

    async def _call(self, ctx: BlockContext, params: Mapping[str, Any]) -> Completion:
        completion: Completion = (await ctx.call(self._operation, params)).value
        return completion
