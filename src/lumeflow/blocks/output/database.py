"""Output: a row of a table for each record."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from lumeflow.kit.outputs import refusals
from lumeflow.kit.table_columns import GrowingColumns
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ColumnKind,
    ErrorClass,
    JsonObject,
    NodeError,
    Outcome,
    RecordError,
    TemplateField,
    derived_id,
    iso,
)


class RelationConfig(BaseModel):
    """Rows of a second table that connect each written row with something else. All of their columns are their key."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, alias_generator=to_camel)

    table: str | None = Field(
        default=None, min_length=1, description="The second table; by default the first one's name with _relations."
    )
    mapping: Mapping[str, TemplateField] = Field(
        default={"source_audience_id": "{{workflow.input.id}}"},
        validate_default=True,
        min_length=1,
        description="What the row is connected with: columns and their values; {{input}} is the record. By default "
        "source_audience_id, the id of the audience that the workflow began with.",
    )
    row: Mapping[str, str] | None = Field(
        default=None,
        min_length=1,
        description="Columns that name the written row, and its columns that they are taken from; by default its key.",
    )


class DatabaseOutputConfig(BlockConfig):
    """Configuration of `output/database`."""

    destination: Literal["database"] = Field(description="Selects this block.")
    table: str = Field(min_length=1, description="Table to write to; it must exist, unless `createTable` is set.")
    mapping: dict[str, TemplateField] = Field(
        default_factory=dict,
        description="Columns and their values; {{input}} is the record. If absent, each property of the record is "
        "written to the column of its name.",
    )
    key: Sequence[str] = Field(
        default=("id",), min_length=1, description="Columns that identify a row; a row that exists is overwritten."
    )
    create_table: bool = Field(
        default=False,
        description="Make the table if it is not there, with `key` as its primary key, and add columns that it lacks.",
    )
    columns: Mapping[str, ColumnKind] = Field(
        default_factory=dict,
        description="With `createTable`: kinds of columns, in their order. Others follow from their first value.",
    )
    create_relation: bool | RelationConfig = Field(
        default=False, description="Write a row of a second table for each record too; true for one by the defaults."
    )

    @model_validator(mode="after")
    def _key_is_mapped(self) -> Self:
        unmapped = [column for column in self.key if self.mapping and column not in self.mapping and column != "id"]
        if unmapped:
            raise ValueError(f"'key' names the column '{unmapped[0]}', for which 'mapping' has no value")
        if self.columns and not self.create_table:
            raise ValueError("'columns' says how the table is made: set createTable, or leave it out")
        return self

    def relation(self) -> RelationConfig | None:
        """The relation to write, if any."""
        if isinstance(self.create_relation, RelationConfig):
            return self.create_relation
        return RelationConfig.model_validate({}) if self.create_relation else None


class DatabaseOutput(Block[DatabaseOutputConfig]):
    """Write records to a table of the database. A resumed execution overwrites its rows, it never doubles them.

    With `createTable` the table grows with the records: a column is made when its first value comes, of the kind of
    that value, or of the one that `columns` names (text, integer, number, boolean, json, timestamp, vector). Names may
    hold letters, digits and `_`.

    Input: any record. Objects and lists are stored as JSON, embeddings as packed float32.
    Output: the records, and as the node's result `{table, rowsCount, storedAt}`.
    Errors: VALIDATION for a record whose key columns are empty, or, with `createTable`, a value of another kind than
        its column; VALIDATION for the node if the table or a column does not exist, or what `createRelation` connects
        with is empty. A missing `id` is no error: it is derived from execution, node and position.
    Cost: none. Rows are on disk batch by batch; memory does not grow with their number.
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
        "createTable": True,
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"}]
    }

    def __init__(self, config: DatabaseOutputConfig) -> None:
        super().__init__(config)
        self._relation = config.relation()
        self._columns = GrowingColumns(config.columns)
        self._relation_columns = GrowingColumns({})
        self._turn = asyncio.Lock()
        self._received = 0
        self._written = 0

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Write one batch. Batches begin in order, so that of two records with one key the later one stays."""
        first, self._received = self._received, self._received + len(records)
        made = [self._row(record, ctx, first + offset) for offset, record in enumerate(records)]
        outcomes: list[Outcome] = [
            row if isinstance(row, RecordError) else record for row, record in zip(made, records, strict=True)
        ]
        pairs = [(row, record) for row, record in zip(made, records, strict=True) if not isinstance(row, RecordError)]
        if pairs:
            links = [self._link(row, record, ctx) for row, record in pairs] if self._relation else []
            with refusals("table"):
                await self._write([row for row, _ in pairs], links, ctx)
        self._written += len(pairs)
        return outcomes

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Say how much was written. A table without rows is made as well, if its columns are known."""
        if self.config.create_table and not self._received and set(self.config.key) <= self._columns.kinds.keys():
            with refusals("table"):
                await ctx.tables.make(self.config.table, self._columns.kinds, key=self.config.key)
        return {"table": self.config.table, "rowsCount": self._written, "storedAt": iso(ctx.now)}

    def _row(self, record: JsonObject, ctx: BlockContext, position: int) -> JsonObject | RecordError:
        row = {column: ctx.render(template, record) for column, template in self.config.mapping.items()}
        row = row or dict(record)
        if "id" in self.config.key and row.get("id") is None:
            row["id"] = derived_id(ctx.execution_id, ctx.node_id, str(position))
        missing = [column for column in self.config.key if row.get(column) is None]
        if missing:
            return RecordError(ErrorClass.VALIDATION, f"the key column '{missing[0]}' would be empty")
        if not self.config.create_table:
            return row
        self._columns.learn([row])
        try:
            return self._columns.fitted(row)
        except RecordError as error:
            return error

    def _link(self, row: JsonObject, record: JsonObject, ctx: BlockContext) -> JsonObject:
        """The row of the relation."""
        relation = self._relation
        if relation is None:
            return {}
        link = {column: ctx.render(template, record) for column, template in relation.mapping.items()}
        for column, taken in (relation.row or {name: name for name in self.config.key}).items():
            link[column] = row.get(taken)
        empty = next((column for column, value in link.items() if value is None), None)
        if empty is not None:
            message = f"config.createRelation: the column '{empty}' would be empty"
            raise NodeError(ErrorClass.VALIDATION, message, field="createRelation")
        return link

    async def _write(self, rows: Sequence[JsonObject], links: Sequence[JsonObject], ctx: BlockContext) -> None:
        """Store rows and relations. Columns that are new are made first, and nobody overtakes meanwhile."""
        config, relation = self.config, self._relation
        async with self._turn:
            if config.create_table:
                await self._grow(config.table, self._columns, config.key, ctx)
            writes = [asyncio.ensure_future(ctx.tables.upsert(config.table, rows, key=config.key))]
            if relation is not None:
                table, key = relation.table or f"{config.table}_relations", tuple(links[0])
                if config.create_table:
                    self._relation_columns.learn(links)
                    await self._grow(table, self._relation_columns, key, ctx)
                writes.append(asyncio.ensure_future(ctx.tables.upsert(table, links, key=key)))
        await asyncio.gather(*writes)

    async def _grow(self, table: str, columns: GrowingColumns, key: Sequence[str], ctx: BlockContext) -> None:
        if columns.made < len(columns.kinds):
            columns.made = len(columns.kinds)
            await ctx.tables.make(table, dict(columns.kinds), key=key)
