"""Output: a JSON file."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.json_text import dump_json
from lumeflow.kit.outputs import FileSink, output_path, refusals
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    Outcome,
    RecordError,
    TemplateField,
)


class JsonOutputConfig(BlockConfig):
    """Configuration of `output/json`."""

    destination: Literal["json"] = Field(description="Selects this block.")
    format: Literal["json", "jsonl"] = Field(
        default="json", description="One object with the records in a list, or JSON Lines: a record on each line."
    )
    path: TemplateField | None = Field(
        default=None,
        description="Path of the file, absolute or relative; `<workflowId>-<nodeId>.json` (or `.jsonl`) if absent. "
        "{{input}} holds the payload's fields that are known when the first record arrives.",
    )


class JsonOutput(Block[JsonOutputConfig]):
    """Write the payload to a JSON file. The file appears when it is complete, never half.

    Input: any record.
    Output: the records, and as the node's result `{path, recordsCount}`. With format `json` the file holds the whole
        payload, the collection first, because some fields are known only when its last record has passed. With
        `jsonl` it holds the records alone, or the payload as its one line if it has no collection. Vectors are lists
        of numbers, each in the fewest digits that give the same 32-bit float.
    Errors: VALIDATION for a record that has no JSON form; VALIDATION for the node if the path cannot be used.
    Cost: none. Memory does not grow with the number of records.
    """

    type = BlockType.OUTPUT
    name = "json"
    when = ({"destination": "json"},)
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

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Open the file."""
        path = output_path(ctx, self.config.path, self.config.format)
        with refusals("path"):
            self._sink = await ctx.files.create(path)
        if self._in_list(ctx):
            await self._sink.write(b"{" + dump_json(ctx.collection) + b":[")
        return {}

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Write one batch."""
        assert self._sink is not None
        outcomes: list[Outcome] = []
        pieces: list[bytes] = []
        for record in records:
            try:
                text = dump_json(record)
            except TypeError as error:
                outcomes.append(RecordError(ErrorClass.VALIDATION, f"the record has no JSON form: {error}"))
                continue
            pieces.append(self._separated(text, ctx))
            outcomes.append(record)
            self._count += 1
        await self._sink.write(b"".join(pieces))
        return outcomes

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Write the fields and finish the file."""
        assert self._sink is not None
        if self._in_list(ctx):
            fields = {name: value for name, value in ctx.fields.items() if name != ctx.collection}
            await self._sink.write(b"\n]" + (b"," + dump_json(fields)[1:] if fields else b"}") + b"\n")
        path = await self._sink.commit()
        return {"path": path, "recordsCount": self._count}

    async def abort(self) -> None:
        """Leave nothing behind."""
        if self._sink is not None:
            await self._sink.discard()

    def _in_list(self, ctx: BlockContext) -> bool:
        return self.config.format == "json" and ctx.collection is not None

    def _separated(self, text: bytes, ctx: BlockContext) -> bytes:
        if self._in_list(ctx):
            return (b",\n" if self._count else b"\n") + text
        return text + b"\n"
