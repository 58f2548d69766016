"""Output: a Parquet file."""

import asyncio
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from lumeflow.kit.batch_spool import BatchSpool
from lumeflow.kit.declared import declared_value
from lumeflow.kit.json_text import dump_json
from lumeflow.kit.kinds import Kind, Scalar, declared_kind, join, kind_of_all
from lumeflow.kit.outputs import FileSink, mapped, output_path, refusals
from lumeflow.kit.parquet_file import ParquetFile
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
    did_you_mean,
)

ResultT = TypeVar("ResultT")


def _known_type(name: str) -> str:
    declared_kind(name)
    return name


class ParquetOutputConfig(BlockConfig):
    """Configuration of `output/parquet`."""

    destination: Literal["parquet", "file"] = Field(description="Selects this block, `file` by `format`.")
    format: Literal["parquet"] | None = Field(
        default=None, description="Layout of the file, where it selects the block."
    )
    path: TemplateField | None = Field(
        default=None,
        description="Path of the file, absolute or relative; `<workflowId>-<nodeId>.parquet` if absent. "
        "{{input}} holds the payload's fields that are known when the first record arrives.",
    )
    mapping: dict[str, TemplateField] | None = Field(
        default=None,
        min_length=1,
        description="Columns, in order, and their values, computed from the record, {{input}}. If absent, all "
        "properties of all records in the order in which they first appear.",
    )
    types: dict[str, Annotated[str, AfterValidator(_known_type)]] = Field(
        default_factory=dict,
        description="Types of columns: text, integer, number, boolean, date, timestamp, json, or vector(1024) with its "
        "size. A column that is not named gets the narrowest type that holds all its values.",
    )
    compression: Literal["snappy", "zstd", "gzip", "none"] = Field(
        default="snappy", description="How the columns are packed: snappy is read everywhere, zstd is smaller."
    )

    @model_validator(mode="after")
    def _types_are_of_columns(self) -> Self:
        for name in self.types:
            if self.mapping is not None and name not in self.mapping:
                raise ValueError(f"types: there is no column '{name}' in mapping.{did_you_mean(name, self.mapping)}")
        return self


class ParquetOutput(Block[ParquetOutputConfig]):
    """Write the records to a Parquet file with typed columns. The file appears when it is complete, never half.

    Input: any record.
    Output: the records, and as the node's result `{path, recordsCount}`. The file has a row for each record, or one
        for a payload without a collection. Vectors of one size become fixed-size lists of 32-bit floats, objects
        structures, lists lists. A column that holds texts as well as other values becomes text, with the other values
        as JSON.
    Errors: VALIDATION for a record that has no JSON form, or a value that its column's declared type does not hold;
        VALIDATION for the node if the path cannot be used, or PyArrow is not installed.
    Cost: none. Memory does not grow with the number of records. Unless `mapping` gives all columns and `types` all
        their types, the records wait on disk until the last one has passed.
    """

    type = BlockType.OUTPUT
    name = "parquet"
    when = ({"destination": "parquet"}, {"destination": "file", "format": "parquet"})
    Config = ParquetOutputConfig
    ordered = True
    example: ClassVar[Mapping[str, Any]] = {
        "destination": "parquet",
        "path": "contacts-{{execution.id}}.parquet",
        "types": {"embedding": "vector(4)"},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "email": "mira.holt@example.com", "embedding": [0.5, 0.25, 0.0, 1.0]}],
    }

    def __init__(self, config: ParquetOutputConfig) -> None:
        super().__init__(config)
        self._declared: dict[str, Kind] = {name: declared_kind(kind) for name, kind in config.types.items()}
        self._kinds: dict[str, Kind] = {}
        self._sink: FileSink | None = None
        self._file: ParquetFile | None = None
        self._spool: BatchSpool | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._count = 0

    def writes(self) -> Template | None:
        """What `config.path` says."""
        return self.config.path

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Open the file."""
        path = output_path(ctx, self.config.path, "parquet")
        with refusals("path"):
            self._sink = await ctx.files.create(path)
        # One thread for all: each has memory of its own, and would keep what a row group took.
        self._thread = ThreadPoolExecutor(1)
        mapping = self.config.mapping
        if mapping is not None and mapping.keys() <= self._declared.keys():
            kinds = {name: self._declared[name] for name in mapping}
            self._file = await self._in_thread(ParquetFile, kinds, self.config.compression)
        else:
            self._spool = BatchSpool()
        return {}

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Write one batch, or set it aside."""
        assert self._sink is not None
        outcomes, rows = await self._in_thread(self._rows, records, ctx)
        self._count += len(rows)
        if self._file is not None:
            await self._sink.write(await self._in_thread(self._file.add, rows))
        return outcomes

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Write what was set aside, and finish the file."""
        assert self._sink is not None
        pieces = self._pieces()
        while (piece := await self._in_thread(next, pieces, None)) is not None:
            await self._sink.write(piece)
        self._end_thread()
        path = await self._sink.commit()
        return {"path": path, "recordsCount": self._count}

    async def abort(self) -> None:
        """Leave nothing behind."""
        self._end_thread()
        if self._spool is not None:
            self._spool.close()
        if self._sink is not None:
            await self._sink.discard()

    async def _in_thread(self, work: Callable[..., ResultT], *arguments: Any) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _end_thread(self) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=False)

    def _pieces(self) -> Iterator[bytes]:
        """What is still to be written."""
        file = self._file or ParquetFile(self._kinds, self.config.compression)
        if self._spool is not None:
            for rows in self._spool:
                if piece := file.add(rows):
                    yield piece
            self._spool.close()
        yield file.finish()

    def _rows(self, records: Sequence[JsonObject], ctx: BlockContext) -> tuple[list[Outcome], list[JsonObject]]:
        """An outcome for each record, and the rows of those that can be written."""
        outcomes: list[Outcome] = []
        rows: list[JsonObject] = []
        for record in records:
            try:
                rows.append(self._row(record, ctx))
            except RecordError as error:
                outcomes.append(error)
            else:
                outcomes.append(record)
        if self._spool is not None:
            self._learn(rows)
            self._spool.add(rows)
        return outcomes, rows

    def _row(self, record: JsonObject, ctx: BlockContext) -> JsonObject:
        row = dict(record) if self.config.mapping is None else mapped(self.config.mapping, record, ctx)
        try:
            dump_json({name: value for name, value in row.items() if type(value) is not array})
        except TypeError as error:
            raise RecordError(ErrorClass.VALIDATION, f"the record has no JSON form: {error}") from error
        for name, kind in self._declared.items():
            try:
                row[name] = declared_value(kind, row.get(name))
            except ValueError as error:
                message = f"column '{name}' {error}: correct it, or its type in config.types"
                raise RecordError(ErrorClass.VALIDATION, message, field=name) from error
        return row

    def _learn(self, rows: Sequence[JsonObject]) -> None:
        """Widen the columns' kinds by what some rows hold."""
        names = dict.fromkeys(name for row in rows for name in row)
        for name in names:
            if name in self._declared:
                self._kinds[name] = self._declared[name]
            else:
                found = kind_of_all([row.get(name) for row in rows])
                self._kinds[name] = join(self._kinds.get(name, Scalar.NOTHING), found)
