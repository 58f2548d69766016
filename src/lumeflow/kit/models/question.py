"""Any question to a language model about each record: what the blocks named after a vendor have in common."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from pydantic import Field, field_validator, model_validator

from lumeflow.kit.calling import CallBlock, FillingConfig, filled, found_at, without_secrets
from lumeflow.kit.models.asking import Item, Survey, json_lines, listed_parts
from lumeflow.kit.models.chat import MOST_TOKENS, ChatConfig, Desk, Message
from lumeflow.kit.models.json_answers import json_in
from lumeflow.kit.models.prompts import messages_of, pinned_prompt
from lumeflow.kit.replies import UNREADABLE
from lumeflow.kit.schema_check import Check, schema_check
from lumeflow.plugin import BlockContext, JsonObject, RecordError, Template, TemplateField

TOKENS_FOR_AN_ANSWER = 1000


class QuestionConfig(ChatConfig, FillingConfig):
    """Configuration of a block that asks any question."""

    prompt: TemplateField | None = Field(default=None, description="The question, with {{expressions}}.")
    system: str | None = Field(default=None, description="Instructions that stand before the question.")
    prompt_template: str | None = Field(
        default=None, description="A prompt file in place of `prompt`: `name` or `name@version`; `mapping` feeds it."
    )
    answer_schema: Mapping[str, Any] | None = Field(
        default=None, description="JSON Schema of the answer about one record; without one the answer is text."
    )
    output_field: str = Field(
        default="answer", min_length=1, description="Where the answer goes, unless fieldMapping says."
    )
    batch_size: int | None = Field(
        default=1, ge=1, le=200, description="Records in one question; more than one needs `mapping`."
    )

    @field_validator("prompt")
    @classmethod
    def _no_secret_in_it(cls, value: Template | None) -> Template | None:
        return None if value is None else without_secrets(value)

    @field_validator("answer_schema")
    @classmethod
    def _valid(cls, value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if value is not None:
            schema_check(value)
        return value

    @model_validator(mode="after")
    def _complete(self) -> "QuestionConfig":
        if (self.prompt is None) == (self.prompt_template is None):
            raise ValueError("set either 'prompt' (the question itself) or 'promptTemplate' (name of a prompt file)")
        if (self.batch_size or 1) > 1 and not self.mapping:
            raise ValueError("with 'batchSize' above 1, 'mapping' must say what of each record the model gets to see")
        if self.field_mapping and self.answer_schema is None and self.prompt_template is None:
            raise ValueError("'fieldMapping' takes values out of a structured answer: set 'answerSchema' as well")
        return self


QuestionConfigT = TypeVar("QuestionConfigT", bound=QuestionConfig)


class QuestionBlock(CallBlock[QuestionConfigT]):
    """Asks about each record; a block of a vendor adds name, configuration and example."""

    def __init__(self, config: QuestionConfigT) -> None:
        super().__init__(config)
        self._desk = Desk(config)
        self._prompt: Any = None
        self._rule: _Rule | None = None

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """See that the prompt is there before anything is paid for."""
        await self._desk.open()
        if self.config.prompt_template is not None:
            self._prompt = await pinned_prompt(ctx, self.config.prompt_template)
        schema = self.config.answer_schema or (self._prompt.answer_schema if self._prompt is not None else None)
        self._rule = _Rule(schema, schema_check(schema)) if schema else None
        return {}

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> list[JsonObject | RecordError]:
        """Ask about the records of a batch, together or about the only one."""
        single = self.batch_size == 1
        items = [Item(f"r{number}", self._line(record, ctx)) for number, record in enumerate(records, start=1)]
        task = _Question(self.config, self._prompt, self._rule, ctx, records[0] if single else None)
        answers = await Survey(self._desk, task, ctx).run(items)
        outcomes = (answers.outcome(item.id) for item in items)
        return [self._outcome(record, answer) for record, answer in zip(records, outcomes, strict=True)]

    def _line(self, record: JsonObject, ctx: BlockContext) -> dict[str, Any]:
        return {name: ctx.render(template, record) for name, template in self.config.mapping.items()}

    def _outcome(self, record: JsonObject, answer: Any) -> JsonObject | RecordError:
        if isinstance(answer, RecordError):
            return answer
        if self.config.field_mapping:
            return filled(record, found_at(self.config.field_mapping, answer), overwrite=self.config.overwrite)
        return {**record, self.config.output_field: answer}


@dataclass(frozen=True, slots=True)
class _Rule:
    """What an answer about one record must satisfy."""

    schema: Mapping[str, Any]
    check: Check


class _Question:
    """The task of one batch, or of one record."""

    def __init__(
        self, config: QuestionConfig, prompt: Any, rule: "_Rule | None", ctx: BlockContext, record: JsonObject | None
    ) -> None:
        """Prepare the question; `record` is given if it is about one record only."""
        own = rule.schema if rule else None
        self._config, self._prompt, self._ctx, self._record = config, prompt, ctx, record
        self._rule = rule
        self.schema = own if record is not None else _listed(own)
        self.schema_name = "answer" if record is not None else "answers"

    def messages(self, items: Sequence[Item], problem: str) -> Sequence[Message]:
        if self._prompt is not None:
            about = items[0].line if self._record is not None else {"items": json_lines(items)}
            return messages_of(self._prompt, {**about, "problem": problem})
        system = [{"role": "system", "content": self._config.system}] if self._config.system else []
        parts = [self._asked(), "" if self._record is not None else json_lines(items)]
        parts.append(f"Your previous answer could not be used: {problem}. Answer again." if problem else "")
        return [*system, {"role": "user", "content": "\n\n".join(part for part in parts if part)}]

    def max_tokens(self, items: Sequence[Item]) -> int:
        return self._config.max_tokens or min(TOKENS_FOR_AN_ANSWER * len(items), MOST_TOKENS)

    def parts(self, text: str, items: Sequence[Item]) -> Iterable[tuple[str, Any]]:
        if self._record is None:
            return ((item_id, part.get("answer")) for item_id, part in listed_parts(text))
        answer = text.strip() if self._rule is None else json_in(text)
        if answer is UNREADABLE:
            raise ValueError("the answer was not JSON")
        return ((items[0].id, answer),)

    def read(self, part: Any) -> Any:
        if self._rule is not None:
            self._rule.check(part)
        elif not isinstance(part, str):
            raise ValueError("'answer' must be text")
        return part

    def _asked(self) -> str:
        assert self._config.prompt is not None
        value = self._ctx.render(self._config.prompt, self._record)
        return value if isinstance(value, str) else orjson.dumps(value).decode()


def _listed(schema: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The schema of answers about several records: each with the id of its record."""
    item = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "answer": schema or {"type": "string"}},
        "required": ["id", "answer"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"items": {"type": "array", "items": item}},
        "required": ["items"],
        "additionalProperties": False,
    }
