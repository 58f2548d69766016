"""Input: a file of rows."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from lumeflow.kit.file_input import read_head, read_rows
from lumeflow.kit.payloads import json_type
from lumeflow.kit.readers.csv_rows import HeaderRules
from lumeflow.kit.readers.json_rows import Survey
from lumeflow.kit.readers.layout import Layout
from lumeflow.kit.readers.opening import FilePlan, ReadOptions, plan_reading
from lumeflow.kit.readers.rows import BadRow, FileRefused, Reader
from lumeflow.kit.readers.text import known_encoding
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

Mark = Annotated[str, Field(min_length=1, max_length=1)]
EncodingName = Annotated[str, AfterValidator(known_encoding)]


class UploadInputConfig(BlockConfig):
    """Configuration of `input/upload`."""

    source: Literal["upload"] = Field(description="Selects this block.")
    path: TemplateField | None = Field(
        default=None, description="Path of the file; if absent, the execution's input gives it as `file`."
    )
    format: Literal["csv", "tsv", "json", "jsonl", "parquet"] | None = Field(
        default=None, description="Layout of the file; found out from its name and its beginning if absent."
    )
    encoding: EncodingName | None = Field(
        default=None, description="Encoding of a text, such as utf-8, cp1252 or shift_jis; found out if absent."
    )
    delimiter: Mark | None = Field(
        default=None, description="What stands between the cells of a table; comma, semicolon, tab or bar if absent."
    )
    quote: Mark | Literal[""] = Field(
        default='"', description="What stands around cells that hold a delimiter; empty if quotes mean nothing."
    )
    escape: Mark | None = Field(
        default=None, description="What stands before a quote inside a cell, such as \\; if absent it is doubled."
    )
    header: bool | None = Field(
        default=None,
        description="Whether the first row of a table names its columns. If absent it does, unless it holds an e-mail "
        "or web address or nothing but numbers.",
    )
    columns: list[str] | None = Field(
        default=None, min_length=1, description="Names of the columns, in place of those that the table gives, if any."
    )
    short_rows: Literal["fail", "fill"] = Field(
        default="fail",
        description="A row with fewer cells than there are columns fails, or its last columns are taken for empty.",
    )
    skip_lines: int = Field(default=0, ge=0, description="Lines before a table, such as a title.")

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        marks = [mark for mark in (self.delimiter, self.quote, self.escape) if mark]
        if len(set(marks)) < len(marks) or not {"\n", "\r"}.isdisjoint(marks):
            raise ValueError("delimiter, quote and escape must be different characters, none of them a line end")
        return self


class UploadInput(Block[UploadInputConfig]):
    """Start a workflow with a file: CSV or another table of text, JSON, JSON Lines or Parquet, packed by gzip or not.

    Input: none; without `path` the execution's input must hold the path under `file`.
    Output: the file's rows as records, under the name the file gives them, else `collection`, the output schema's
        name, or `records`. Of a JSON object the one list of objects holds the rows, and its other properties are the
        payload's fields. The cells of a table are text; empty ones, and rows of nothing else, are left out, as is the
        apostrophe that guards a formula. Columns without a name, or with one that is taken, get one.
    Errors: a row that cannot be read fails alone (VALIDATION, with its line): other cells than columns, a quote left
        open, a byte that is no character, a line that is not JSON. VALIDATION for the node if the path is missing, or
        the file is not what it should be from some place on (the rows before it are delivered) or lacks the named
        list; NOT_FOUND if it cannot be read.
    Cost: none. Memory does not grow with the file; Parquet takes its size on disk in addition.
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
        self._reader: Reader | None = None

    def output_collection(self, incoming: str | None) -> str | None:
        """The list that `open` found."""
        return self._collection or super().output_collection(incoming)

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Look at the file; what a JSON object holds beside its rows is sent at once."""
        self._path = self._resolve_path(ctx)
        wanted = self.config.collection or ctx.collection
        with self._refusals():
            head = await read_head(ctx.files, self._path)
            plan = await asyncio.to_thread(plan_reading, head, self._path, self._options())
            survey = await self._survey(ctx, plan, wanted) if plan.layout is Layout.JSON else None
        if survey is None:
            self._collection = wanted or "records"
            self._reader = plan.reader()
            return {}
        if survey.collection is not None:
            self._reader = plan.reader(survey.place)
        self._collection = survey.collection
        return survey.fields

    async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        """Send the rows."""
        reader = self._reader
        if reader is None:
            return
        number = 0
        with self._refusals():
            async with aclosing(read_rows(ctx.files, self._path, reader)) as batches:
                async for rows in batches:
                    self._pass_on(reader, ctx)
                    for row in rows:
                        number += 1
                        yield self._failed(row, number) if isinstance(row, BadRow) else row
        self._pass_on(reader, ctx)

    def _pass_on(self, reader: Reader, ctx: BlockContext) -> None:
        for note in reader.notes:
            ctx.warn(f"'{self._path}': {note}")
        reader.notes.clear()

    async def _survey(self, ctx: BlockContext, plan: FilePlan, wanted: str | None) -> Survey | None:
        """What a JSON object holds beside its rows; None for a list."""
        reader, survey = plan.survey(wanted)
        async with aclosing(read_rows(ctx.files, self._path, reader)) as batches:
            async for _ in batches:
                if survey.is_object is False:
                    return None
        if survey.is_object is False:
            return None
        if survey.is_ambiguous:
            reader, survey = plan.survey(None, whole=True)
            async for _ in read_rows(ctx.files, self._path, reader):
                pass
        if wanted is not None and survey.found.collection is None:
            known = ", ".join(f"'{name}'" for name in survey.found.fields)
            message = f"'{self._path}' has no list '{wanted}'; its properties: {known or 'none'}"
            raise NodeError(ErrorClass.VALIDATION, message, field="collection")
        if survey.found.collection is None:
            self._pass_on(reader, ctx)
        return survey.found

    def _options(self) -> ReadOptions:
        config = self.config
        return ReadOptions(
            layout=Layout(config.format) if config.format else None,
            encoding=config.encoding,
            delimiter=config.delimiter,
            quote=config.quote or None,
            escape=config.escape,
            skip_lines=config.skip_lines,
            header=HeaderRules(config.header, config.columns, config.short_rows == "fill"),
        )

    def _resolve_path(self, ctx: BlockContext) -> str:
        path = ctx.trigger.get("file") if self.config.path is None else ctx.render(self.config.path)
        if isinstance(path, str) and path.strip():
            return path
        place = "'file' in the input of the execution" if self.config.path is None else "config.path"
        found = "an empty string" if isinstance(path, str) else json_type(path)
        message = f"{place} must be the path of a file; found {found}"
        raise NodeError(ErrorClass.VALIDATION, message, field="path" if self.config.path else "file")

    def _failed(self, row: BadRow, number: int) -> RecordError:
        line = "" if row.line is None else f" (line {row.line})"
        return RecordError(ErrorClass.VALIDATION, f"row {number} of '{self._path}'{line}: {row.reason}")

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Turn what is wrong with the file into the node's error."""
        try:
            yield
        except UsageError as error:
            raise NodeError(ErrorClass.NOT_FOUND, str(error), field="path") from error
        except FileRefused as error:
            raise NodeError(ErrorClass.VALIDATION, f"cannot read '{self._path}': {error}") from error
