"""`/api/workflows/…/execute` and `/api/workflows/executions`: start, watch, stop, go on."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from lumeflow.core.clock import LONGEST_ID
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import Mode
from lumeflow.executions import AlreadyThere
from lumeflow.search import is_search
from lumeflow.server import documents, finding, listing, paging, starting, told
from lumeflow.server.answers import Json
from lumeflow.server.caller import Caller, Executor, Reader
from lumeflow.server.examples import INPUT, WORKFLOW
from lumeflow.server.execution_models import (
    EventPage,
    ExecuteDocumentRequest,
    ExecuteRequest,
    ExecutionModel,
    ExecutionPage,
    QueuedStateModel,
    RerunFailedRequest,
    RerunRequest,
    ResumeRequest,
)
from lumeflow.server.finding import ExecutionId
from lumeflow.server.idempotency import Attempt, IdempotencyKey, once
from lumeflow.server.keys import Scope
from lumeflow.server.problems import conflict, unusable
from lumeflow.server.routes.workflows import WorkflowId
from lumeflow.server.routing import problems, router
from lumeflow.server.starting import Wait

api = router("Executions", "/api/workflows")

_EXAMPLE = {"requestBody": {"content": {"application/json": {"example": {"mode": "demo", "input": INPUT}}}}}
_DOCUMENT_EXAMPLE = {
    "requestBody": {
        "content": {"application/json": {"example": {"workflow": WORKFLOW, "mode": "demo", "input": INPUT}}}
    }
}


@api.post(
    "/{workflow_id}/execute",
    status_code=HTTPStatus.ACCEPTED,
    response_model=QueuedStateModel,
    responses={**problems(404, 409), **starting.WHOLE},
    openapi_extra=_EXAMPLE,
    summary="Execute a workflow",
)
async def execute(
    caller: Executor,
    workflow_id: WorkflowId,
    wanted: ExecuteRequest,
    wait: Wait = 0,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Queue an execution and answer with its id, or wait for its end if it is a small one."""
    starting.check_mode(caller, wanted)

    async def find() -> documents.Executable:
        return await documents.executable(caller, workflow_id, wanted.version)

    content = ["execute", workflow_id, wanted]
    return await starting.execute(caller, find, wanted, wait=wait, key=idempotency_key, content=content)


@api.post(
    "/execute",
    status_code=HTTPStatus.ACCEPTED,
    response_model=QueuedStateModel,
    responses={**problems(409), **starting.WHOLE},
    openapi_extra=_DOCUMENT_EXAMPLE,
    summary="Execute a document",
)
async def execute_document(
    caller: Executor,
    wanted: ExecuteDocumentRequest,
    wait: Wait = 0,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """As for a saved workflow, of a document that becomes no version of one. It is kept with its execution.

    The key needs the scope `write` as well: one without it runs what others have saved, and nothing of its own.
    """
    caller.need(Scope.WRITE)
    documents.check_size(caller, wanted.workflow)
    starting.check_mode(caller, wanted)

    async def find() -> documents.Executable:
        if wanted.limits:  # they are put into the document, which has to be one for that
            await documents.check(caller, wanted.workflow)
        return wanted.workflow

    content = ["execute-document", wanted]
    return await starting.execute(caller, find, wanted, wait=wait, key=idempotency_key, content=content)


@api.get("/executions", response_model=ExecutionPage, summary="List executions")
async def list_all(
    caller: Reader,
    status: listing.StatusQuery = None,
    since: listing.Since = None,
    until: listing.Until = None,
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
    before: Annotated[
        str | None,
        Query(min_length=1, max_length=LONGEST_ID, description="Older than this execution; not with cursor."),
    ] = None,
) -> Json:
    """Of all workflows, the newest first."""
    if before is not None:
        if cursor is not None or not before.isprintable():
            raise unusable("before: expected the id of an execution, and no cursor beside it")
        cursor = paging.encode("executions", before)
    return await listing.page_of(caller, listing.chosen(None, status, since, until), limit, cursor)


@api.get(
    "/{workflow_id}/executions",
    response_model=ExecutionPage,
    responses=problems(404),
    summary="List executions of a workflow",
)
async def list_of_workflow(
    caller: Reader,
    workflow_id: WorkflowId,
    status: listing.StatusQuery = None,
    since: listing.Since = None,
    until: listing.Until = None,
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
) -> Json:
    """Of one workflow, the newest first."""
    answer = await listing.page_of(caller, listing.chosen(workflow_id, status, since, until), limit, cursor)
    if answer.is_empty and await caller.database.workflows.last_run(workflow_id) is None:
        await documents.find(caller, workflow_id)
    return answer


@api.get(
    "/executions/{execution_id}",
    response_model=ExecutionModel,
    responses=problems(404),
    summary="Read an execution",
)
async def read(caller: Reader, execution_id: ExecutionId, wait: Wait = 0) -> Json:
    """Status, live progress, nodes, costs, output and error; with `wait`, once it has ended or the time is over."""
    if wait and not (await finding.state(caller, execution_id)).ended:
        await starting.wait_for(caller, execution_id, wait)
    return Json(told.whole(*await finding.whole(caller, execution_id)))


@api.get(
    "/executions/{execution_id}/timeline",
    response_model=EventPage,
    responses=problems(404),
    summary="Read the timeline",
)
async def timeline(
    caller: Reader,
    execution_id: ExecutionId,
    limit: paging.Limit = 100,
    cursor: paging.Cursor = None,
    after: Annotated[int, Query(ge=0, lt=2**62, description="Begin behind the event of this number.")] = 0,
) -> Json:
    """What happened, in order. `nextCursor` is there as long as more may come: ask again with it later."""
    found = await finding.state(caller, execution_id)
    if cursor is not None:
        after = paging.decode("timeline", cursor, int)[0]
    if not 0 <= after < 2**62:
        raise unusable("the cursor is not one of this list", code="invalid-cursor")
    events = (await caller.database.journal.timeline(execution_id, after=after, limit=limit)).events
    last = events[-1][0] if events else after
    more = len(events) == limit or not found.ended
    following = paging.encode("timeline", last) if more else None
    return Json({"items": [told.event(number, event) for number, event in events], "nextCursor": following})


@api.post(
    "/executions/{execution_id}/cancel",
    response_model=QueuedStateModel,
    responses=problems(404, 409),
    summary="Cancel an execution",
)
async def cancel(caller: Executor, execution_id: ExecutionId) -> Json:
    """At once if it waits, else as soon as the calls in flight are stored. One that has ended stays as it is."""
    await finding.stored(caller, execution_id)
    try:
        await caller.service.cancel(caller.tenant, execution_id)
    except UsageError as error:
        raise conflict("not-cancellable", str(error)) from None
    return Json(told.state(await finding.state(caller, execution_id)))


@api.post(
    "/executions/{execution_id}/resume",
    status_code=HTTPStatus.ACCEPTED,
    response_model=QueuedStateModel,
    responses=problems(404, 409),
    summary="Resume an execution",
)
async def resume(caller: Executor, execution_id: ExecutionId, wanted: ResumeRequest | None = None) -> Json:
    """Go on with one that failed, was cancelled or interrupted, or try its failed records again.

    Calls that were answered are not made again.
    """
    execution = await finding.stored(caller, execution_id)
    if execution.mode is Mode.LIVE:
        caller.need(Scope.LIVE)
    wanted = wanted or ResumeRequest()
    if wanted.limits:
        await documents.check_limits(caller, execution.definition, wanted.limits)
    try:
        await caller.service.resume(caller.tenant, execution_id, limits=wanted.limits, priority=wanted.priority)
    except UsageError as error:
        raise conflict("not-resumable", str(error)) from None
    return Json(told.state(await finding.state(caller, execution_id)), HTTPStatus.ACCEPTED)


@api.post(
    "/executions/{execution_id}/rerun-failed",
    status_code=HTTPStatus.ACCEPTED,
    response_model=QueuedStateModel,
    responses=problems(404, 409),
    summary="Re-run the failed records",
)
async def rerun_failed(
    caller: Executor,
    execution_id: ExecutionId,
    wanted: RerunFailedRequest | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A new execution of the failed records alone, from the nodes where they failed; what was answered is not paid."""
    return await _rerun(caller, execution_id, None, wanted or RerunFailedRequest(), idempotency_key)


@api.post(
    "/executions/{execution_id}/rerun",
    status_code=HTTPStatus.ACCEPTED,
    response_model=QueuedStateModel,
    responses=problems(404, 409),
    summary="Re-run from a node",
)
async def rerun(
    caller: Executor, execution_id: ExecutionId, wanted: RerunRequest, idempotency_key: IdempotencyKey = None
) -> Response:
    """A new execution that computes a node and all behind it afresh, with new calls; those before it pay nothing."""
    return await _rerun(caller, execution_id, wanted.from_node, wanted, idempotency_key)


async def _rerun(
    caller: Caller, execution_id: str, node_id: str | None, wanted: RerunFailedRequest, key: str | None
) -> Response:
    execution = await finding.stored(caller, execution_id)
    if execution.mode is Mode.LIVE:
        caller.need(Scope.LIVE)
    if is_search(execution.definition):
        raise conflict("not-rerunnable", "a SEARCH has no nodes, and no part of it can be run again: resume it")
    if node_id is not None and node_id not in {node.get("id") for node in execution.definition.get("nodes", ())}:
        raise unusable(f"fromNode: the execution's workflow has no node '{node_id}'")
    if wanted.limits:
        await documents.check_limits(caller, execution.definition, wanted.limits)

    async def act(attempt: Attempt) -> Json:
        new_id = wanted.execution_id or attempt.derived
        options: Any = {"new_id": new_id, "priority": wanted.priority, "limits": wanted.limits}
        try:
            if node_id is None:
                made = await caller.service.rerun_failed(caller.tenant, execution_id, **options)
            else:
                made = await caller.service.rerun_from(caller.tenant, execution_id, node_id, **options)
        except AlreadyThere as error:
            if not await starting.is_own(caller, attempt, wanted.execution_id, error):
                raise conflict("execution-exists", str(error)) from None
            made = error.execution.id
        except UsageError as error:
            raise conflict("not-rerunnable", str(error)) from None
        headers = finding.location(made)
        return Json(told.state(await finding.state(caller, made)), HTTPStatus.ACCEPTED, headers=headers)

    return await once(caller, key, ["rerun", execution_id, node_id, wanted], act)
