"""Output: a file of JSON Lines."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.outputs import FileSink, json_texts, output_path, refusals
from lumeflow.plugin import Block, BlockConfig, BlockContext, BlockType, JsonObject, Outcome, Template, TemplateField


class JsonLinesOutputConfig(BlockConfig):
    """Configuration of `output/jsonl`."""

    destination: Literal["jsonl", "json", "file"] = Field(description="Selects this block, the latter two by `format`.")
    format: Literal["jsonl"] | None = Field(default=None, description="Layout of the file, where it selects the block.")
    path: TemplateField | None = Field(
        default=None,
        description="Path of the file, absolute or relative; `<workflowId>-<nodeId>.jsonl` if absent. "
        "{{input}} holds the payload's fields that are known when the first record arrives.",
    )


class JsonLinesOutput(Block[JsonLinesOutputConfig]):
    """Write the records to a file of JSON Lines: a record on each line. It appears when it is complete, never half.

    Input: any record.
    Output: the records, and as the node's result `{path, recordsCount}`. The file holds the records alone, or the
        payload as its one line if it has no collection. Vectors are lists of numbers, each in the fewest digits that
        give the same 32-bit float.
    Errors: VALIDATION for a record that has no JSON form; VALIDATION for the node if the path cannot be used.
    Cost: none. Memory does not grow with the number of records.
    """

    type = BlockType.OUTPUT
    name = "jsonl"
    when = (
        {"destination": "jsonl"},
        {"destination": "json", "format": "jsonl"},
        {"destination": "file", "format": "jsonl"},
    )
    Config = JsonLinesOutputConfig
    ordered = True
    example: ClassVar[Mapping[str, Any]] = {"destination": "jsonl", "path": "contacts-{{execution.id}}.jsonl"}
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"}],
    }

    def __init__(self, config: JsonLinesOutputConfig) -> None:
        super().__init__(config)
        self._sink: FileSink | None = None
        self._count = 0

    def writes(self) -> Template | None:
        """What `config.path` says."""
        return self.config.path

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Open the file."""
        path = output_path(ctx, self.config.path, "jsonl")
        with refusals("path"):
            self._sink = await ctx.files.create(path)
        return {}

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Write one batch."""
        assert self._sink is not None
        outcomes, texts = json_texts(records)
        self._count += len(texts)
        await self._sink.write(b"".join(text + b"\n" for text in texts))
        return outcomes

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Finish the file."""
        assert self._sink is not None
        path = await self._sink.commit()
        return {"path": path, "recordsCount": self._count}

    async def abort(self) -> None:
        """Leave nothing behind."""
        if self._sink is not None:
            await self._sink.discard()
