"""`/api/tables/{table}/rows`: the audiences that workflows begin with, and those that they stored."""

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path, Query, Request

from lumeflow.core.tables import Comparison, Filter, Selection
from lumeflow.server import paging
from lumeflow.server.answers import Json
from lumeflow.server.caller import Caller, Reader, Writer
from lumeflow.server.models import RowCount, RowPage
from lumeflow.server.problems import FieldError, not_found, unusable
from lumeflow.server.routing import problems, raw_json, router
from lumeflow.storage.load import BadRows, load_rows

api = router("Tables", "/api/tables")


class TableName(StrEnum):
    """The tables that can be read and written here; the first column of each is its `id`."""

    SOURCE_AUDIENCES = "source_audiences"
    SHARED_AUDIENCES = "shared_audiences"
    SHARED_AUDIENCE_CONTACTS = "shared_audience_contacts"
    AUDIENCE_RELATIONS = "audience_relations"


ID_COLUMNS = {
    TableName.SOURCE_AUDIENCES: "id",
    TableName.SHARED_AUDIENCES: "id",
    TableName.SHARED_AUDIENCE_CONTACTS: "shared_audience_id",
    TableName.AUDIENCE_RELATIONS: "source_audience_id",
}
"""What `id` asks for."""

TablePath = Annotated[TableName, Path(description="The table.")]
_ID = "The id of an audience: `id`, or of contacts `shared_audience_id`, and of relations `source_audience_id`."
IdQuery = Annotated[
    str | None, Query(alias="id", min_length=1, max_length=500, description=f"Only rows of this id. {_ID}")
]
WantedId = Annotated[str, Query(alias="id", min_length=1, max_length=500, description=_ID)]
_EXAMPLE = [
    {
        "id": "spring-campaign",
        "name": "Spring",
        "type": "instagram",
        "urls": ["https://www.instagram.com/p/Cexample01/"],
    }
]
_BODY = {
    "requestBody": {
        "required": True,
        "description": "Rows, by the names of their columns.",
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"type": "object"}},
                "examples": {"audience": {"value": _EXAMPLE}},
            }
        },
    }
}


@api.get("/{table}/rows", response_model=RowPage, summary="Read rows")
async def read(
    caller: Reader, table: TablePath, wanted: IdQuery = None, limit: paging.Limit = 50, cursor: paging.Cursor = None
) -> Json:
    """Rows in the order of their key, with all of their columns."""
    where = () if wanted is None else (Filter(ID_COLUMNS[table], Comparison.EQUALS, _readable(wanted)),)
    after = None if cursor is None else await _place(caller, table, cursor)
    found = await caller.database.tables.page(Selection(table.value, where=where), after=after, limit=limit)
    following = None if found.after is None else paging.encode(table.value, *found.after)
    return Json({"items": found.rows, "nextCursor": following})


@api.post("/{table}/rows", response_model=RowCount, responses=problems(415), openapi_extra=_BODY, summary="Store rows")
async def store(caller: Writer, table: TablePath, request: Request) -> Json:
    """Store rows, all of them or none. One whose key is there already is overwritten in the columns that are given."""
    body = await raw_json(request)
    try:
        rows = await load_rows(caller.database.tables, table.value, body, name="rows.json")
    except BadRows as error:
        errors = [FieldError(where="body", field=problem.place, message=problem.reason) for problem in error.problems]
        message = f"{len(errors)} {'row' if len(errors) == 1 else 'rows'} cannot be stored; nothing was stored"
        raise unusable(message, code="bad-rows", errors=errors[:100]) from None
    return Json({"rows": rows})


@api.delete("/{table}/rows", response_model=RowCount, responses=problems(404), summary="Delete rows")
async def delete(caller: Writer, table: TablePath, wanted: WantedId) -> Json:
    """Delete all rows of an id. What executions kept of them goes with the executions."""
    rows = await caller.database.tables.delete(table.value, {ID_COLUMNS[table]: _readable(wanted)})
    if not rows:
        raise not_found(f"row of {table.value}", wanted)
    return Json({"rows": rows}, HTTPStatus.OK)


def _readable(wanted: str) -> str:
    if not wanted.isprintable():
        raise unusable(
            "id: it must be printable", errors=[FieldError(where="query", field="id", message="unprintable")]
        )
    return wanted


async def _place(caller: Caller, table: TableName, cursor: str) -> Sequence[Any]:
    known = await caller.database.tables.describe(table.value)
    types = [int if known.columns[name].is_whole else str for name in known.key]
    return paging.decode(table.value, cursor, *types)
