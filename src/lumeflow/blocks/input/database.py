"""Input: a row of the database, or many."""

from array import array
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.payload_input import PayloadInput
from lumeflow.kit.payloads import SplitPayload, json_type, split_payload
from lumeflow.plugin import (
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    NodeError,
    Template,
    TemplateField,
    UsageError,
)

ID_KEYS = ("sourceAudienceId", "id")
"""Keys of the execution's input that pick the row, the first one that is there."""


class DatabaseInputConfig(BlockConfig):
    """Configuration of `input/database`."""

    source: Literal["database"] = Field(description="Selects this block.")
    query: str = Field(min_length=1, description="Name of the table to read.")
    fields: list[str] | None = Field(default=None, min_length=1, description="Columns to read; all if absent.")
    where: dict[str, TemplateField] | None = Field(
        default=None,
        min_length=1,
        description="Columns and the values they must equal. If absent, the row is the one whose id the execution's "
        "input gives as sourceAudienceId or id.",
    )


class DatabaseInput(PayloadInput[DatabaseInputConfig]):
    """Start a workflow with what the database holds. The rows are read once: a resume works with the same ones.

    Input: none; without `where` the execution's input must hold the id of the row.
    Output: the columns of the one row as fields, a column that holds a list of objects as the records if `collection`
        or the output schema names it. With `where` and a collection name: all rows that match, as records. Columns
        that are null are left out.
    Errors: VALIDATION if the execution's input holds no usable id, if the table or a column does not exist, or if
        several rows match where one is wanted; NOT_FOUND if no row does.
    Cost: none.
    """

    type = BlockType.INPUT
    name = "database"
    when = ({"source": "database"},)
    Config = DatabaseInputConfig
    example: ClassVar[Mapping[str, Any]] = {
        "source": "database",
        "query": "source_audiences",
        "fields": ["id", "name", "type", "urls"],
    }
    example_input: ClassVar[Mapping[str, Any]] = {"sourceAudienceId": "aud-1"}

    async def load(self, ctx: BlockContext, collection: str | None) -> SplitPayload:
        """Read the rows."""
        if self.config.where is None:
            row = await self._row_by_id(ctx)
            return self._split(row, collection if collection in row else None)
        where = {column: self._wanted(ctx, column, value) for column, value in self.config.where.items()}
        if collection is not None:
            return SplitPayload({}, collection, await self._read(ctx, where))
        return self._split(await self._only_row(ctx, where), None)

    def _split(self, row: JsonObject, collection: str | None) -> SplitPayload:
        try:
            return split_payload(row, collection)
        except UsageError as error:
            raise NodeError(ErrorClass.VALIDATION, f"table '{self.config.query}': {error}") from error

    def _wanted(self, ctx: BlockContext, column: str, template: Template) -> Any:
        value = ctx.render(template)
        if value is None and not template.is_constant:
            message = f"config.where.{column} is null: what its expression reads is not there"
            raise NodeError(ErrorClass.VALIDATION, message, field=f"where.{column}")
        return value

    async def _row_by_id(self, ctx: BlockContext) -> JsonObject:
        table = self.config.query
        key = next((key for key in ID_KEYS if ctx.trigger.get(key) is not None), None)
        if key is None:
            wanted = f"the input of the execution holds neither '{ID_KEYS[0]}' nor '{ID_KEYS[1]}'"
            remedy = f'give the id of a row of table \'{table}\', as in {{"{ID_KEYS[0]}": "…"}}'
            raise NodeError(ErrorClass.VALIDATION, f"{wanted}: {remedy}", field=ID_KEYS[0])
        row_id = ctx.trigger[key]
        if isinstance(row_id, bool) or not isinstance(row_id, str | int):
            message = f"'{key}' in the input of the execution must be a string; found {json_type(row_id)}"
            raise NodeError(ErrorClass.VALIDATION, message, field=key)
        message = f"table '{table}' has no row with the id {str(row_id)[:80]!r} that '{key}' asks for"
        remedy = f"load it with: lumeflow db load {table} FILE"
        absent = NodeError(ErrorClass.NOT_FOUND, f"{message}; {remedy}", field=key)
        return (await self._read(ctx, {"id": row_id}, absent))[0]

    async def _only_row(self, ctx: BlockContext, where: Mapping[str, Any]) -> JsonObject:
        columns = ", ".join(f"'{column}'" for column in where)
        message = f"table '{self.config.query}' has no row with the {columns} that config.where asks for"
        rows = await self._read(ctx, where, NodeError(ErrorClass.NOT_FOUND, message, field="where"))
        if len(rows) > 1:
            message = (
                f"{len(rows)} rows of table '{self.config.query}' have the {columns} that config.where asks for: "
                "name a 'collection' to take them as records, or narrow 'where' down to one"
            )
            raise NodeError(ErrorClass.VALIDATION, message, field="where")
        return rows[0]

    async def _read(
        self, ctx: BlockContext, where: Mapping[str, Any], absent: NodeError | None = None
    ) -> list[dict[str, Any]]:
        """The rows; `absent` is raised if there are none."""

        async def read() -> list[dict[str, Any]]:
            rows = await ctx.tables.find(self.config.query, where, self.config.fields)
            if absent is not None and not rows:
                raise absent  # in here, so that it is not remembered: a resume finds what was loaded since
            return [self._as_json(row) for row in rows]

        try:
            rows: list[dict[str, Any]] = await ctx.remember("rows", read)
        except UsageError as error:
            raise NodeError(ErrorClass.VALIDATION, str(error)) from error
        return rows

    def _as_json(self, row: JsonObject) -> dict[str, Any]:
        """A row as JSON: vectors as lists; columns that are null are left out."""
        values: dict[str, Any] = {}
        for column, cell in row.items():
            if isinstance(cell, bytes):
                message = f"column '{column}' of table '{self.config.query}' holds bytes, which have no JSON form"
                raise NodeError(ErrorClass.VALIDATION, f"{message}: leave it out of config.fields", field="fields")
            if cell is not None:
                values[column] = cell.tolist() if isinstance(cell, array) else cell
        return values
