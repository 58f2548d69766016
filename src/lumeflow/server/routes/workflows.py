"""`/api/workflows`: save, read, change, delete, validate."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Response

from lumeflow.core.document.fields import ID_PATTERN
from lumeflow.core.journal import Mode
from lumeflow.server import documents, paging
from lumeflow.server.answers import Json
from lumeflow.server.caller import Caller, Reader, Writer
from lumeflow.server.etags import changed, check_match, etag_of, is_known
from lumeflow.server.examples import WORKFLOW
from lumeflow.server.models import ReportModel, VersionList, WorkflowModel, WorkflowPage
from lumeflow.server.problems import unusable
from lumeflow.server.routing import json_body, problems, raw_json, router
from lumeflow.storage import SavedWorkflow
from lumeflow.storage.workflows import BEYOND_VERSIONS

api = router("Workflows", "/api/workflows")

WorkflowId = Annotated[str, Path(pattern=ID_PATTERN, description="The document's `workflowId`.")]
Version = Annotated[int, Path(ge=1, le=documents.LAST_VERSION, description="Version of the workflow.")]
Document = Annotated[bytes, Depends(raw_json)]
ModeQuery = Annotated[Mode, Query(description="`live` also checks that the secrets are there.")]
IfMatch = Annotated[str | None, Header(description="The ETag of what was read, or `*`.", max_length=1000)]
IfNoneMatch = Annotated[str | None, Header(description="An ETag; 304 if it is still current.", max_length=1000)]
_SOME = 51
"""Workflows that are read at once: of a page of usual size all."""
_BODY = json_body("Workflow", "The document.", WORKFLOW)
TAGGED = {"headers": {"ETag": {"schema": {"type": "string"}, "description": "Names this version, for If-Match."}}}


def summary(saved: SavedWorkflow) -> dict[str, object]:
    """A line of a list."""
    return {
        "workflowId": saved.workflow_id,
        "version": saved.version,
        "name": saved.name,
        "savedAt": saved.saved_at,
    }


def whole(saved: SavedWorkflow, status: HTTPStatus = HTTPStatus.OK) -> Json:
    """A version, whole, with its ETag."""
    headers = {"ETag": etag_of(saved)}
    if status is HTTPStatus.CREATED:
        headers["Location"] = f"/api/workflows/{saved.workflow_id}"
    return Json({**summary(saved), "definition": saved.definition}, status, headers=headers)


@api.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=WorkflowModel,
    responses={**problems(409, 415), 201: TAGGED},
    openapi_extra=_BODY,
    summary="Save a new workflow",
)
async def create(caller: Writer, source: Document) -> Json:
    """Save the first version; of a workflow that was deleted, the next.

    A document with errors is refused, and the answer lists all of them.
    """
    workflow = await documents.read(caller, source)
    return whole(await documents.save_new(caller, workflow), HTTPStatus.CREATED)


@api.get("", response_model=WorkflowPage, summary="List workflows")
async def list_workflows(caller: Reader, limit: paging.Limit = 50, cursor: paging.Cursor = None) -> Json:
    """The current version of each saved workflow, by id. What was only run is none."""
    after = paging.decode("workflows", cursor, str)[0] if cursor is not None else ""
    items, following = await paging.filled(
        _saved(caller, after, limit), limit, summary, lambda saved: paging.encode("workflows", saved.workflow_id)
    )
    return Json({"items": items, "nextCursor": following})


async def _saved(caller: Caller, after: str, limit: int) -> AsyncIterator[SavedWorkflow]:
    """All of them, some at a time: they come with their documents, which may be large."""
    most = min(limit + 1, _SOME)
    while some := await caller.database.workflows.list(limit=most, after=after):
        for saved in some:
            yield saved
        if len(some) < most:
            return
        after = some[-1].workflow_id


@api.post(
    "/validate",
    response_model=ReportModel,
    responses=problems(415),
    openapi_extra=json_body("Draft", "The document.", WORKFLOW),
    summary="Validate a draft",
)
async def validate_draft(caller: Reader, source: Document, mode: ModeQuery = Mode.LIVE) -> Json:
    """All findings on a document that is not saved; also one with errors is answered with 200."""
    documents.check_size(caller, source)
    return Json((await documents.report_on(caller, source, mode)).as_json())


@api.get(
    "/{workflow_id}",
    response_model=WorkflowModel,
    responses={**problems(404), 200: TAGGED, 304: {"description": "It is still what If-None-Match names."}},
    summary="Read a workflow",
)
async def read(caller: Reader, workflow_id: WorkflowId, if_none_match: IfNoneMatch = None) -> Response:
    """The current version."""
    saved = await documents.find(caller, workflow_id)
    if is_known(if_none_match, etag_of(saved)):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag_of(saved)})
    return whole(saved)


@api.put(
    "/{workflow_id}",
    response_model=WorkflowModel,
    responses={**problems(404, 409, 412, 415, 428), 200: TAGGED},
    openapi_extra=_BODY,
    summary="Change a workflow",
)
async def update(caller: Writer, workflow_id: WorkflowId, source: Document, if_match: IfMatch = None) -> Json:
    """Save a document as the next version. Its own `version` counts only if it is higher than that.

    A document that differs in nothing changes nothing. What was saved before stays readable and executable.
    """
    current = await documents.find(caller, workflow_id)
    check_match(if_match, etag_of(current), required=True)
    workflow = await documents.read(caller, source)
    if workflow.workflow_id != workflow_id:
        raise unusable(f"the document's workflowId is '{workflow.workflow_id}', the path says '{workflow_id}'")
    saved = await documents.save_next(caller, workflow, current)
    if saved is None:
        raise changed(etag_of(await documents.find(caller, workflow_id)))
    return whole(saved)


@api.delete(
    "/{workflow_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(404, 412),
    summary="Delete a workflow",
)
async def delete(caller: Writer, workflow_id: WorkflowId, if_match: IfMatch = None) -> Response:
    """Take it out of use. Its executions stay, with the documents that they ran."""
    current = await documents.find(caller, workflow_id)
    check_match(if_match, etag_of(current), required=False)
    await caller.database.workflows.delete(workflow_id, at=caller.now)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@api.post(
    "/{workflow_id}/validate",
    response_model=ReportModel,
    responses=problems(404),
    summary="Validate a workflow",
)
async def validate(
    caller: Reader,
    workflow_id: WorkflowId,
    mode: ModeQuery = Mode.LIVE,
    version: Annotated[
        int | None, Query(ge=1, le=documents.LAST_VERSION, description="The current one if left out.")
    ] = None,
) -> Json:
    """All findings on what is saved or installed, as things stand now: secrets and blocks may have gone."""
    document = await documents.executable(caller, workflow_id, version)
    return Json((await documents.report_on(caller, document, mode)).as_json())


@api.get("/{workflow_id}/versions", response_model=VersionList, responses=problems(404), summary="List saved versions")
async def versions(
    caller: Reader, workflow_id: WorkflowId, limit: paging.Limit = 50, cursor: paging.Cursor = None
) -> Json:
    """The newest first."""
    await documents.find(caller, workflow_id)
    before = paging.decode("versions", cursor, int)[0] if cursor is not None else BEYOND_VERSIONS
    found = await caller.database.workflows.versions(workflow_id, limit=limit + 1, before=before)
    items, following = paging.page(found, limit, lambda saved: paging.encode("versions", saved.version))
    return Json({"items": [summary(saved) for saved in items], "nextCursor": following})


@api.get(
    "/{workflow_id}/versions/{version}",
    response_model=WorkflowModel,
    responses={**problems(404), 200: TAGGED},
    summary="Read a version",
)
async def read_version(caller: Reader, workflow_id: WorkflowId, version: Version) -> Json:
    """Any version that was saved."""
    return whole(await documents.find(caller, workflow_id, version))
