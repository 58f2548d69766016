"""Input: a JSON file."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.json_reader import JsonSyntaxError
from lumeflow.kit.json_rows import BadRow, JsonRows, read_json_rows
from lumeflow.kit.payloads import json_type
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    NodeError,
    Outcome,
    RecordError,
    TemplateField,
    UsageError,
)

LINES_SUFFIXES = (".jsonl", ".ndjson")


class UploadInputConfig(BlockConfig):
    """Configuration of `input/upload`."""

    source: Literal["upload"] = Field(description="Selects this block.")
    path: TemplateField | None = Field(
        default=None, description="Path of the file; if absent, the execution's input gives it as `file`."
    )
    format: Literal["json", "jsonl"] | None = Field(
        default=None, description="Layout of the file; found out from its name and its beginning if absent."
    )


class UploadInput(Block[UploadInputConfig]):
    """Start a workflow with a file: a JSON list of objects, a JSON object with one such list, or JSON Lines.

    Input: none; without `path` the execution's input must hold the path under `file`.
    Output: the file's objects as records, under the name the file gives them, else `collection`, the output schema's
        name, or `records`. The other properties of an object are the payload's fields.
    Errors: a row that is not an object, and a line of JSON Lines that is not JSON, fails alone (VALIDATION, with its
        line). VALIDATION for the node if the path is missing, the file is not UTF-8, not JSON from some place on (the
        rows before it are delivered), or lacks the named list; NOT_FOUND if it cannot be read.
    Cost: none. Memory: little more than the size of the file.
    """

    type = BlockType.INPUT
    name = "upload"
    when = ({"source": "upload"},)
    Config = UploadInputConfig
    example: ClassVar[Mapping[str, Any]] = {"source": "upload", "collection": "contacts"}
    example_input: ClassVar[Mapping[str, Any]] = {"file": "contacts.json"}

    def __init__(self, config: UploadInputConfig) -> None:
        super().__init__(config)
        self._path = ""
        self._collection: str | None = None
        self._rows: JsonRows | None = None

    def output_collection(self, incoming: str | None) -> str | None:
        """The list that `open` found."""
        return self._collection or super().output_collection(incoming)

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Look through the file; what is beside its rows is sent at once."""
        self._path = self._resolve_path(ctx)
        wanted = self.config.collection or ctx.collection
        try:
            data = await ctx.files.read(self._path)
        except UsageError as error:
            raise NodeError(ErrorClass.NOT_FOUND, str(error), field="path") from error
        try:
            rows = await asyncio.to_thread(read_json_rows, data, lines=self._lines(), collection=wanted)
        except JsonSyntaxError as error:
            raise self._unreadable(error) from error
        if wanted is not None and not rows.has_rows:
            raise self._no_list(wanted, rows)
        self._rows = rows
        self._collection = (rows.collection or wanted or "records") if rows.has_rows else None
        return rows.fields

    async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        """Send the rows."""
        try:
            for number, row in enumerate(self._rows or (), start=1):
                if isinstance(row, BadRow):
                    message = f"row {number} of '{self._path}' (line {row.line}): {row.reason}"
                    yield RecordError(ErrorClass.VALIDATION, message)
                else:
                    yield row
        except JsonSyntaxError as error:
            raise self._unreadable(error) from error

    def _resolve_path(self, ctx: BlockContext) -> str:
        path = ctx.trigger.get("file") if self.config.path is None else ctx.render(self.config.path)
        if isinstance(path, str) and path.strip():
            return path
        place = "'file' in the input of the execution" if self.config.path is None else "config.path"
        found = "an empty string" if isinstance(path, str) else json_type(path)
        message = f"{place} must be the path of a JSON file; found {found}"
        raise NodeError(ErrorClass.VALIDATION, message, field="path" if self.config.path else "file")

    def _lines(self) -> bool | None:
        if self.config.format is not None:
            return self.config.format == "jsonl"
        return True if self._path.lower().endswith(LINES_SUFFIXES) else None

    def _unreadable(self, error: JsonSyntaxError) -> NodeError:
        return NodeError(ErrorClass.VALIDATION, f"cannot read '{self._path}': {error}")

    def _no_list(self, wanted: str, rows: JsonRows) -> NodeError:
        known = ", ".join(f"'{name}'" for name in rows.fields)
        message = f"'{self._path}' has no list '{wanted}'; its properties: {known or 'none'}"
        return NodeError(ErrorClass.VALIDATION, message, field="collection")
