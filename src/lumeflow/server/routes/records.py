"""`…/executions/{id}/records/{kind}`: what came out, what failed, what was left out; by page and as a file."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Path, Query
from starlette.responses import StreamingResponse

from lumeflow.core.document.fields import ID_PATTERN
from lumeflow.core.journal import RecordKind, RecordPlace
from lumeflow.server import finding, paging, told
from lumeflow.server.answers import Json
from lumeflow.server.caller import Reader
from lumeflow.server.downloads import MEDIA_TYPES, Format, attachment, written
from lumeflow.server.execution_models import RecordPage
from lumeflow.server.finding import ExecutionId
from lumeflow.server.problems import unusable
from lumeflow.server.routing import problems, router

api = router("Records", "/api/workflows/executions")


class Kept(StrEnum):
    """Which records."""

    OUTPUT = "output"
    FAILED = "failed"
    SKIPPED = "skipped"


KindPath = Annotated[Kept, Path(description="`output`, `failed` (with the reason), or `skipped` on purpose.")]
NodeQuery = Annotated[str | None, Query(pattern=ID_PATTERN, description="Only what this node kept.")]
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()},
            MEDIA_TYPES[Format.JSON]: {"schema": {"type": "array", "items": {"type": "object"}}},
        },
    }
}


@api.get(
    "/{execution_id}/records/{kind}",
    response_model=RecordPage,
    responses=problems(404),
    summary="Read records by page",
)
async def page(
    caller: Reader,
    execution_id: ExecutionId,
    kind: KindPath,
    node: NodeQuery = None,
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
) -> Json:
    """Records with their data, by node and position; fewer in a page where they are large."""
    await finding.stored(caller, execution_id)
    after = _place(cursor) if cursor is not None else None
    items, following = await paging.filled(
        caller.database.journal.kept(execution_id, RecordKind(kind), node, after=after),
        limit,
        told.record,
        lambda last: paging.encode("records", last.node_id, last.position, "/".join(map(str, last.lineage))),
    )
    return Json({"items": items, "nextCursor": following})


@api.get(
    "/{execution_id}/records/{kind}/download",
    response_class=StreamingResponse,
    responses={**problems(404), **_FILES},
    summary="Download records as a file",
)
async def download(
    caller: Reader,
    execution_id: ExecutionId,
    kind: KindPath,
    form: Annotated[Format, Query(alias="format", description="How to write them.")] = Format.JSON,
    node: NodeQuery = None,
    raw: Annotated[bool, Query(description="CSV: leave texts that a spreadsheet may run as formulas.")] = False,
    embeddings: Annotated[bool, Query(description="CSV: write embeddings as well.")] = False,
) -> StreamingResponse:
    """All of them. In CSV, texts that a spreadsheet may run as formulas are guarded, and embeddings left out, unless
    asked otherwise.
    """
    await finding.stored(caller, execution_id)
    reasons = kind is not Kept.OUTPUT

    async def read() -> Any:
        async for record in caller.database.journal.kept(execution_id, RecordKind(kind), node):
            yield told.record(record) if reasons else record.data

    name = f"{execution_id}-{kind}.{form}"
    return StreamingResponse(
        written(form, read, raw=raw, embeddings=embeddings), media_type=MEDIA_TYPES[form], headers=attachment(name)
    )


def _place(cursor: str) -> RecordPlace:
    node, position, lineage = paging.decode("records", cursor, str, int, str)
    try:
        steps = tuple(int(step) for step in lineage.split("/")) if lineage else ()
    except ValueError:
        raise unusable("the cursor is not one of this list", code="invalid-cursor") from None
    return RecordPlace(node, position, steps)
