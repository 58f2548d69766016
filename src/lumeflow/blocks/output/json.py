"""Output: a JSON file."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.json_text import dump_json
from lumeflow.kit.outputs import FileSink, json_texts, output_path, refusals
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    JsonObject,
    Outcome,
    Template,
    TemplateField,
)


class JsonOutputConfig(BlockConfig):
    """Configuration of `output/json`."""

    destination: Literal["json", "file"] = Field(description="Selects this block, `file` by `format`.")
    format: Literal["json"] | None = Field(
        default=None, description="Layout of the file, where it selects the block; `jsonl` means output/jsonl."
    )
    path: TemplateField | None = Field(
        default=None,
        description="Path of the file, absolute or relative; `<workflowId>-<nodeId>.json` if absent. "
        "{{input}} holds the payload's fields that are known when the first record arrives.",
    )


class JsonOutput(Block[JsonOutputConfig]):
    """Write the payload to a JSON file. The file appears when it is complete, never half.

    Input: any record.
    Output: the records, and as the node's result `{path, recordsCount}`. The file holds the whole payload, the
        collection first, because some fields are known only when its last record has passed. Vectors are lists of
        numbers, each in the fewest digits that give the same 32-bit float.
    Errors: VALIDATION for a record that has no JSON form; VALIDATION for the node if the path cannot be used.
    Cost: none. Memory does not grow with the number of records.
    """

    type = BlockType.OUTPUT
    name = "json"
    when = ({"destination": "json"}, {"destination": "file", "format": "json"})
    Config = JsonOutputConfig
    ordered = True
    example: ClassVar[Mapping[str, Any]] = {
        "destination": "json",
        "path": "contacts-{{execution.id}}.json",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"}],
        "metadata": {"totalContacts": 1},
    }

    def __init__(self, config: JsonOutputConfig) -> None:
        super().__init__(config)
        self._sink: FileSink | None = None
        self._count = 0

    def writes(self) -> Template | None:
        """What `config.path` says."""
        return self.config.path

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Open the file."""
        path = output_path(ctx, self.config.path, "json")
        with refusals("path"):
            self._sink = await ctx.files.create(path)
        if ctx.collection is not None:
            await self._sink.write(b"{" + dump_json(ctx.collection) + b":[")
        return {}

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Write one batch."""
        assert self._sink is not None
        outcomes, texts = json_texts(records)
        pieces = [self._separated(text, place, ctx) for place, text in enumerate(texts, self._count)]
        self._count += len(texts)
        await self._sink.write(b"".join(pieces))
        return outcomes

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Write the fields and finish the file."""
        assert self._sink is not None
        if ctx.collection is not None:
            fields = {name: value for name, value in ctx.fields.items() if name != ctx.collection}
            await self._sink.write(b"\n]" + (b"," + dump_json(fields)[1:] if fields else b"}") + b"\n")
        path = await self._sink.commit()
        return {"path": path, "recordsCount": self._count}

    async def abort(self) -> None:
        """Leave nothing behind."""
        if self._sink is not None:
            await self._sink.discard()

    def _separated(self, text: bytes, place: int, ctx: BlockContext) -> bytes:
        if ctx.collection is None:
            return text + b"\n"
        return (b",\n" if place else b"\n") + text
