"""Input: a row of the database, or many, from a table or a query that the operator has named."""

from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from lumeflow.kit.payloads import json_type, split_payload
from lumeflow.kit.row_filters import filters_of, operators_of
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    Comparison,
    ErrorClass,
    Filter,
    JsonObject,
    NodeError,
    Outcome,
    Selection,
    Template,
    TemplateField,
    UsageError,
)

ID_KEYS = ("sourceAudienceId", "id")
"""Keys of the execution's input that pick the row, the first one that is there."""
ENOUGH = 2
"""Rows that are read to find out whether there is exactly one."""


class DatabaseInputConfig(BlockConfig):
    """Configuration of `input/database`."""

    source: Literal["database"] = Field(description="Selects this block.")
    query: str = Field(min_length=1, description="The table, view or named query to read.")
    params: Mapping[str, TemplateField] = Field(
        default_factory=dict, description="Values for the parameters of a named query."
    )
    fields: list[str] | None = Field(default=None, min_length=1, description="Columns to read; all if absent.")
    where: dict[str, TemplateField] | None = Field(
        default=None,
        description="Columns and the values they must equal, or an object of comparisons: equals, notEquals, in, "
        "notIn, gt, gte, lt, lte, isNull. All must hold; an empty object takes all rows. Without it, and without "
        "`params`, the row is the one whose id the execution's input gives as sourceAudienceId or id.",
    )
    key: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Columns that order the rows and tell them apart, where the table has no primary key and the named "
        "query declares none.",
    )
    page_size: int = Field(default=500, ge=1, le=10_000, description="Rows that are read, and remembered, at once.")

    @field_validator("where")
    @classmethod
    def _known_comparisons(cls, value: dict[str, Template] | None) -> dict[str, Template] | None:
        for column, template in (value or {}).items():
            operators_of(column, template)
        return value


class DatabaseInput(Block[DatabaseInputConfig]):
    """Start a workflow with what the database holds. The rows are read once: a resume works with the same ones.

    A query has a name if the operator has put a file of that name into the folder `LUMEFLOW_QUERIES`: one SELECT, with
    parameters as `:owner` (`:tenant` is bound by itself), and with a line `-- key: id` that names the columns by which
    its rows are told apart.

    Input: none; without `where` and `params` the execution's input must hold the id of the row.
    Output: the columns of the one row as fields, a column that holds a list of objects as the records if `collection`
        or the output schema names it. With `where` or `params` and a collection name: all rows that match, as records,
        in the order of the key, page by page. Columns that are null are left out.
    Errors: VALIDATION if the execution's input holds no usable id, if the table, query, a column or parameter does not
        exist, or if several rows match where one is wanted; NOT_FOUND if no row does.
    Cost: none. Memory does not grow with the rows; the pages that were read are kept with the execution. A row that is
        written while others are read is seen if its key comes after theirs.
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

    def __init__(self, config: DatabaseInputConfig) -> None:
        super().__init__(config)
        self._collection: str | None = None
        self._records: Sequence[JsonObject] = ()
        self._streams = False

    def output_collection(self, incoming: str | None) -> str | None:
        """The collection that was found; before `open`, the one that the config names."""
        return self._collection or super().output_collection(incoming)

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Read the one row, and return its fields; many rows are read as they are sent."""
        wanted = self.config.collection or ctx.collection
        if self.config.where is None and not self.config.params:
            row = await self._row_by_id(ctx)
            return self._split(row, wanted if wanted in row else None)
        if wanted is None:
            return self._split(await self._only_row(ctx), None)
        self._collection, self._streams = wanted, True
        return {}

    async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        """Send the records."""
        for record in self._records:
            yield record
        if not self._streams:
            return
        selection, after, number = self._selection(ctx), None, 0
        while number == 0 or after is not None:
            page = await self._page(ctx, f"page-{number}", selection, after, self.config.page_size)
            for row in page["rows"]:
                yield row
            after, number = page["after"], number + 1

    def _split(self, row: JsonObject, collection: str | None) -> Mapping[str, Any]:
        try:
            fields, self._collection, self._records = split_payload(row, collection)
        except UsageError as error:
            raise NodeError(ErrorClass.VALIDATION, f"table '{self.config.query}': {error}") from error
        return fields

    def _selection(self, ctx: BlockContext, where: Sequence[Filter] | None = None) -> Selection:
        config = self.config
        if where is None:
            where = [term for column, given in (config.where or {}).items() for term in filters_of(column, given, ctx)]
        params = {name: ctx.render(template) for name, template in config.params.items()}
        return Selection(config.query, config.fields, where, params, config.key or ())

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
        selection = self._selection(ctx, [Filter("id", Comparison.EQUALS, row_id)])
        return (await self._few(ctx, selection, absent))[0]

    async def _only_row(self, ctx: BlockContext) -> JsonObject:
        columns = ", ".join(f"'{column}'" for column in self.config.where or self.config.params)
        wanted = f"the {columns} that config.{'where' if self.config.where else 'params'} asks for"
        message = f"table '{self.config.query}' has no row with {wanted}"
        rows = await self._few(ctx, self._selection(ctx), NodeError(ErrorClass.NOT_FOUND, message, field="where"))
        if len(rows) > 1:
            message = (
                f"more than one row of table '{self.config.query}' has {wanted}: "
                "name a 'collection' to take them as records, or narrow 'where' down to one"
            )
            raise NodeError(ErrorClass.VALIDATION, message, field="where")
        return rows[0]

    async def _few(self, ctx: BlockContext, selection: Selection, absent: NodeError) -> list[dict[str, Any]]:
        """The first rows; `absent` is raised if there are none."""
        page = await self._page(ctx, "rows", selection, None, ENOUGH, absent)
        rows: list[dict[str, Any]] = page["rows"]
        return rows

    async def _page(
        self,
        ctx: BlockContext,
        name: str,
        selection: Selection,
        after: Sequence[Any] | None,
        limit: int,
        absent: NodeError | None = None,
    ) -> Mapping[str, Any]:
        """Rows, and where the next ones begin."""

        async def read() -> Mapping[str, Any]:
            page = await ctx.tables.page(selection, after=after, limit=limit)
            if absent is not None and not page.rows:
                raise absent  # in here, so that it is not remembered: a resume finds what was loaded since
            return {"rows": [self._as_json(row) for row in page.rows], "after": page.after}

        try:
            found: Mapping[str, Any] = await ctx.remember(name, read)
        except UsageError as error:
            raise NodeError(ErrorClass.VALIDATION, str(error)) from error
        return found

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
