"""`/api/searches`: the job type `SEARCH`, six steps from posts to contacts without a workflow."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from lumeflow.search import SEARCH_ID
from lumeflow.server import documents, listing, paging, starting
from lumeflow.server.answers import Json
from lumeflow.server.caller import Executor, Reader
from lumeflow.server.execution_models import ExecutionPage, QueuedStateModel, SearchRequest
from lumeflow.server.idempotency import IdempotencyKey
from lumeflow.server.problems import unusable
from lumeflow.server.routing import problems, router
from lumeflow.server.starting import Wait
from lumeflow.service import JobKind

api = router("Searches", "/api/searches")

_EXAMPLE = {
    "requestBody": {"content": {"application/json": {"example": {"sourceAudienceId": "demo-audience", "mode": "demo"}}}}
}


@api.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    response_model=QueuedStateModel,
    responses={**problems(409), **starting.WHOLE},
    openapi_extra=_EXAMPLE,
    summary="Start a search",
)
async def search(
    caller: Executor, wanted: SearchRequest, wait: Wait = 0, idempotency_key: IdempotencyKey = None
) -> Response:
    """Queue an execution of the hard-coded pipeline on a source audience: contacts of those who commented its posts.

    It is an execution as any other: it is read, watched, cancelled and resumed below `/api/workflows/executions`. It
    has steps in place of nodes, and no part of it can be run again alone.
    """
    starting.check_mode(caller, wanted)
    audience = {"id": wanted.source_audience_id}
    if not audience["id"].isprintable() or not await caller.database.tables.find("source_audiences", audience, ["id"]):
        raise unusable(f"sourceAudienceId: there is no source audience '{wanted.source_audience_id[:80]}'")
    documents.check_search_limits(wanted.limits)

    async def submit(options: Mapping[str, Any]) -> str:
        given = {"sourceAudienceId": wanted.source_audience_id}
        return await caller.service.submit(caller.tenant, None, given, kind=JobKind.SEARCH, **options)

    content = ["search", wanted]
    return await starting.start(caller, wanted, submit, wait=wait, key=idempotency_key, content=content)


@api.get("", response_model=ExecutionPage, summary="List searches")
async def list_searches(
    caller: Reader,
    status: listing.StatusQuery = None,
    since: listing.Since = None,
    until: listing.Until = None,
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
) -> Json:
    """The newest first."""
    return await listing.page_of(caller, listing.chosen(SEARCH_ID, status, since, until), limit, cursor)
