"""Blocks that ask a language model about each record and put what it says into one field."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from lumeflow.kit.calling import CallBlock
from lumeflow.kit.models.asking import Item, Survey
from lumeflow.kit.models.chat import ChatConfig, Desk
from lumeflow.kit.models.prompt_task import PromptTask
from lumeflow.kit.models.prompts import pinned_prompt
from lumeflow.kit.text import text_of
from lumeflow.plugin import BlockContext, JsonObject, RecordError


class AnnotatingConfig(ChatConfig):
    """Configuration of a block that annotates records."""

    batch_size: int | None = Field(default=20, ge=1, le=200, description="Records in one question.")
    max_text_length: int = Field(default=2000, ge=50, description="Characters of each value that the model sees.")


AnnotatingConfigT = TypeVar("AnnotatingConfigT", bound=AnnotatingConfig)


class AnnotatingBlock(CallBlock[AnnotatingConfigT]):
    """Sends what the model may see of each record, a line for each, and takes one value for each.

    A block says where the prompt and the field are, what the model sees, and how to read one part of the answer. A
    record of which the model would see nothing passes through unasked.

    Attributes:
        schema_name: Name of the answer's schema.
        lines_name: The prompt's variable for the lines.
        tokens_each: Tokens that the answer about one record may take.
        seen: Fields of a record that the model sees where `mapping` says nothing.
    """

    schema_name: ClassVar[str]
    lines_name: ClassVar[str] = "records"
    tokens_each: ClassVar[int]
    seen: ClassVar[Sequence[str]]

    def __init__(self, config: AnnotatingConfigT) -> None:
        super().__init__(config)
        self._desk = Desk(config)
        self._prompt: Any = None
        self._models: dict[int, str] = {}

    def prompt_reference(self) -> str:
        """The prompt: `name` or `name@version`."""
        raise NotImplementedError

    def output_field(self) -> str:
        """The field that the value goes into."""
        raise NotImplementedError

    def prompt_variables(self) -> Mapping[str, Any]:
        """Values of the prompt's further variables."""
        return {}

    def read(self, part: Any) -> Any:
        """Read the part of the answer about one record.

        Raises:
            ValueError: It is unusable; the message says why, for the model.
        """
        raise NotImplementedError

    def note(self, value: Any) -> None:
        """Count a value for the metadata."""

    def summary(self) -> Mapping[str, Any]:
        """What the metadata say at the end, besides the model and the time."""
        return {}

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """See that the prompt is there before anything is paid for."""
        await self._desk.open()
        self._prompt = await pinned_prompt(ctx, self.prompt_reference())
        return {}

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> list[JsonObject | RecordError]:
        """Ask about the records of which there is something to see."""
        lines = ((f"r{number}", self._line(record, ctx)) for number, record in enumerate(records, start=1))
        items = {item_id: Item(item_id, line) for item_id, line in lines if line}
        answers = await Survey(self._desk, self._task(), ctx).run(list(items.values()))
        if answers.model:
            self._models[ctx.position] = answers.model
        results: list[JsonObject | RecordError] = []
        for number, record in enumerate(records, start=1):
            item_id = f"r{number}"
            results.append(self._annotated(record, answers.outcome(item_id)) if item_id in items else record)
        return results

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Sum up. Of several models that answered, the one of the first batch is named."""
        named = {"modelUsed": self._models[min(self._models)]} if self._models else {}
        return {"metadata": {**self.summary(), **named, "processingTime": ctx.elapsed_ms}}

    def _task(self) -> PromptTask[Any]:
        return PromptTask(
            self._prompt,
            schema_name=self.schema_name,
            lines_name=self.lines_name,
            read=self.read,
            tokens_each=self.tokens_each,
            max_tokens=self.config.max_tokens,
            variables=self.prompt_variables(),
        )

    def _line(self, record: JsonObject, ctx: BlockContext) -> dict[str, Any]:
        mapping = self.config.mapping
        values = (
            ((name, ctx.render(template, record)) for name, template in mapping.items())
            if mapping
            else ((name, record.get(name)) for name in self.seen)
        )
        most = self.config.max_text_length
        return {name: text[:most] for name, value in values if name != "id" and (text := _text(value))}

    def _annotated(self, record: JsonObject, answer: Any) -> JsonObject | RecordError:
        if isinstance(answer, RecordError):
            return answer
        self.note(answer)
        return {**record, self.output_field(): answer}


def _text(value: Any) -> str:
    """A value as the model sees it; a list as its texts one after the other, objects not at all."""
    if isinstance(value, list):
        return "; ".join(text for entry in value if (text := text_of(entry)))
    return text_of(value)
