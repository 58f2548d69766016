"""Output: a CSV file."""

import asyncio
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.batch_spool import BatchSpool
from lumeflow.kit.cells import cell, flatten, harmless
from lumeflow.kit.outputs import FileSink, mapped, output_path, refusals
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    Outcome,
    RecordError,
    Template,
    TemplateField,
)

BOM = b"\xef\xbb\xbf"


class CsvOutputConfig(BlockConfig):
    """Configuration of `output/csv`."""

    destination: Literal["csv", "file"] = Field(description="Selects this block, `file` by `format`.")
    format: Literal["csv"] | None = Field(default=None, description="Layout of the file, where it selects the block.")
    path: TemplateField | None = Field(
        default=None,
        description="Path of the file, absolute or relative; `<workflowId>-<nodeId>.csv` if absent. "
        "{{input}} holds the payload's fields that are known when the first record arrives.",
    )
    mapping: dict[str, TemplateField] | None = Field(
        default=None,
        min_length=1,
        description="Columns, in order, and their values, computed from the record, {{input}}. If absent, all "
        "properties of all records in the order in which they first appear; those of objects become `company.name`.",
    )
    delimiter: Literal[",", ";", "\t", "|"] = Field(default=",", description="What stands between cells.")
    bom: bool = Field(
        default=False, description="Begin with a byte order mark, by which Excel sees that the file is UTF-8."
    )
    raw: bool = Field(
        default=False, description="Leave texts as they are that a spreadsheet may run as formulas; else they get a '."
    )
    embeddings: bool = Field(
        default=False, description="Write vectors as well, as JSON text; those that `mapping` names always are."
    )


class CsvOutput(Block[CsvOutputConfig]):
    """Write the records to a CSV file (RFC 4180, UTF-8). The file appears when it is complete, never half.

    Input: any record.
    Output: the records, and as the node's result `{path, recordsCount}`. The file has a row for each record, or one
        for a payload without a collection. Null is an empty cell; lists, numbers and booleans are written as in JSON.
        Texts that begin like a formula get an apostrophe in front, so that no spreadsheet runs what a stranger wrote
        into a profile; `input/upload` takes it off again.
    Errors: VALIDATION for a record that has no JSON form; VALIDATION for the node if the path cannot be used.
    Cost: none. Memory does not grow with the number of records; without `mapping` they wait on disk, because all
        columns are known only when the last one has passed.
    """

    type = BlockType.OUTPUT
    name = "csv"
    when = ({"destination": "csv"}, {"destination": "file", "format": "csv"})
    Config = CsvOutputConfig
    ordered = True
    example: ClassVar[Mapping[str, Any]] = {
        "destination": "csv",
        "path": "contacts-{{execution.id}}.csv",
        "mapping": {"Name": "{{input.firstName}} {{input.lastName}}", "E-mail": "{{input.email}}"},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"}],
    }

    def __init__(self, config: CsvOutputConfig) -> None:
        super().__init__(config)
        self._sink: FileSink | None = None
        self._columns: dict[str, int] = {}
        self._spool: BatchSpool | None = None
        self._count = 0

    def writes(self) -> Template | None:
        """What `config.path` says."""
        return self.config.path

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Open the file."""
        path = output_path(ctx, self.config.path, "csv")
        with refusals("path"):
            self._sink = await ctx.files.create(path)
        if self.config.mapping is None:
            self._spool = BatchSpool()
        else:
            self._columns = {name: place for place, name in enumerate(self.config.mapping)}
            await self._sink.write(self._head())
        return {}

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Write one batch, or set it aside."""
        assert self._sink is not None
        outcomes, rows = await asyncio.to_thread(self._rows, records, ctx)
        self._count += len(rows)
        if self._spool is None:
            await self._sink.write(self._text(rows))
        return outcomes

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Write what was set aside, and finish the file."""
        assert self._sink is not None
        if self._spool is not None:
            await self._sink.write(self._head())
            batches = iter(self._spool)
            while (rows := await asyncio.to_thread(next, batches, None)) is not None:
                await self._sink.write(await asyncio.to_thread(self._text, rows))
            self._spool.close()
        path = await self._sink.commit()
        return {"path": path, "recordsCount": self._count}

    async def abort(self) -> None:
        """Leave nothing behind."""
        if self._spool is not None:
            self._spool.close()
        if self._sink is not None:
            await self._sink.discard()

    def _rows(self, records: Sequence[JsonObject], ctx: BlockContext) -> tuple[list[Outcome], list[list[str]]]:
        """An outcome for each record, and the cells of those that can be written."""
        outcomes: list[Outcome] = []
        rows: list[list[str]] = []
        for record in records:
            try:
                rows.append(self._cells(record, ctx))
            except RecordError as error:
                outcomes.append(error)
            except TypeError as error:
                outcomes.append(RecordError(ErrorClass.VALIDATION, f"the record has no JSON form: {error}"))
            else:
                outcomes.append(record)
        if self._spool is not None:
            self._spool.add(rows)
        return outcomes, rows

    def _cells(self, record: JsonObject, ctx: BlockContext) -> list[str]:
        """The cells of a record, as far as there are columns; new properties become new columns."""
        raw = self.config.raw
        if self.config.mapping is not None:
            values = mapped(self.config.mapping, record, ctx).values()
            return _checked([cell(value, raw=raw) for value in values])
        found = [(name, cell(value, raw=raw)) for name, value in flatten(record, embeddings=self.config.embeddings)]
        _checked([part for pair in found for part in pair])
        for name, _ in found:
            self._columns.setdefault(name, len(self._columns))
        cells = [""] * len(self._columns)
        for name, text in found:
            cells[self._columns[name]] = text
        return cells

    def _head(self) -> bytes:
        names = list(self._columns) if self.config.raw else [harmless(name) for name in self._columns]
        return (BOM if self.config.bom else b"") + self._text([names] if names else [])

    def _text(self, rows: Iterable[list[str]]) -> bytes:
        """Rows as text, all of the same length: those set aside before a column was known lack its cell."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.config.delimiter)
        width = len(self._columns)
        writer.writerows(row if len(row) == width else row + [""] * (width - len(row)) for row in rows)
        return text.getvalue().encode()


def _checked(cells: list[str]) -> list[str]:
    """The cells, which must be Unicode throughout.

    Raises:
        TypeError: They are not.
    """
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        raise TypeError("a text holds half of a surrogate pair") from None
    return cells
