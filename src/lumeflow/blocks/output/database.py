"""Output: a row of a table for each record."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lumeflow.kit.outputs import refusals
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
    derived_id,
    iso,
)


class DatabaseOutputConfig(BlockConfig):
    """Configuration of `output/database`."""

    destination: Literal["database"] = Field(description="Selects this block.")
    table: str = Field(min_length=1, description="Table to write to; it must exist.")
    mapping: dict[str, TemplateField] = Field(
        default_factory=dict,
        description="Columns and their values; {{input}} is the record. If absent, each property of the record is "
        "written to the column of its name.",
    )
    key: Sequence[str] = Field(
        default=("id",), min_length=1, description="Columns that identify a row; a row that exists is overwritten."
    )

    @model_validator(mode="after")
    def _key_is_mapped(self) -> Self:
        unmapped = [column for column in self.key if self.mapping and column not in self.mapping and column != "id"]
        if unmapped:
            raise ValueError(f"'key' names the column '{unmapped[0]}', for which 'mapping' has no value")
        return self


class DatabaseOutput(Block[DatabaseOutputConfig]):
    """Write records to a table of the database. A resumed execution overwrites its rows, it never doubles them.

    Input: any record.
    Output: the records, and as the node's result `{table, rowsCount, storedAt}`.
    Errors: VALIDATION for a record whose key columns are empty; VALIDATION for the node if the table or a column does
        not exist. A missing `id` is no error: it is derived from execution, node and position.
    Cost: none. Rows are on disk batch by batch.
    """

    type = BlockType.OUTPUT
    name = "database"
    when = ({"destination": "database"},)
    Config = DatabaseOutputConfig
    example: ClassVar[Mapping[str, Any]] = {
        "destination": "database",
        "table": "leads",
        "mapping": {"email": "{{input.email}}", "name": "{{input.firstName}} {{input.lastName}}"},
        "key": ["email"],
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"}]
    }

    def __init__(self, config: DatabaseOutputConfig) -> None:
        super().__init__(config)
        self._received = 0
        self._written = 0

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Write one batch. Batches begin in order, so that of two records with one key the later one stays."""
        first, self._received = self._received, self._received + len(records)
        rows: list[JsonObject] = []
        outcomes: list[Outcome] = []
        for offset, record in enumerate(records):
            row = self._row(record, ctx, first + offset)
            missing = [column for column in self.config.key if row.get(column) is None]
            if missing:
                outcomes.append(RecordError(ErrorClass.VALIDATION, f"the key column '{missing[0]}' would be empty"))
            else:
                outcomes.append(record)
                rows.append(row)
        if rows:
            with refusals("table"):
                await ctx.tables.upsert(self.config.table, rows, key=self.config.key)
        self._written += len(rows)
        return outcomes

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Say how much was written."""
        return {"table": self.config.table, "rowsCount": self._written, "storedAt": iso(ctx.now)}

    def _row(self, record: JsonObject, ctx: BlockContext, position: int) -> JsonObject:
        row = {column: ctx.render(template, record) for column, template in self.config.mapping.items()}
        row = row or dict(record)
        if "id" in self.config.key and row.get("id") is None:
            row["id"] = derived_id(ctx.execution_id, ctx.node_id, str(position))
        return row
