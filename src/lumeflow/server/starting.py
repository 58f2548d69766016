"""Starting an execution for a request: once, however often the request comes."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from lumeflow.core.journal import Mode
from lumeflow.executions import AlreadyThere
from lumeflow.preparation import NamedByInput
from lumeflow.server import documents, finding, told
from lumeflow.server.answers import Json
from lumeflow.server.caller import Caller
from lumeflow.server.execution_models import ExecutionModel, RunRequest, StartRequest
from lumeflow.server.idempotency import Attempt, once
from lumeflow.server.keys import Scope
from lumeflow.server.problems import conflict, unusable
from lumeflow.server.times import in_utc
from lumeflow.service import ExecutionState

Wait = Annotated[float, Query(ge=0, le=60, description="Seconds to wait for the end: 200 with all of it, else 202.")]
WHOLE: dict[int | str, dict[str, Any]] = {200: {"model": ExecutionModel, "description": "It has ended within `wait`."}}

Submit = Callable[[Mapping[str, Any]], Awaitable[str]]
"""Queues an execution with these options of `ExecutionService.submit`; returns its id."""
Find = Callable[[], Awaitable[documents.Executable]]
"""Finds the document that is to be executed."""


def check_mode(caller: Caller, wanted: RunRequest) -> None:
    """Go on only if the key may execute in this mode, and nothing is asked for that it does not have.

    Raises:
        Problem: It may not, or something is.
    """
    if wanted.mode is Mode.LIVE:
        caller.need(Scope.LIVE)
        if wanted.mocks:
            raise unusable("mocks: they are demo answers: leave them out, or set mode to 'demo'")


async def start(
    caller: Caller, wanted: RunRequest, submit: Submit, *, wait: float, key: str | None, content: Any
) -> Response:
    """Queue an execution and answer with its state, or with all of it once it has ended within `wait` seconds.

    Args:
        caller: Who asks.
        wanted: How it is to be run.
        submit: Queues it.
        wait: Seconds to wait for its end.
        key: The request's `Idempotency-Key`.
        content: What makes two requests the same.

    Raises:
        Problem: It cannot be executed, or its id is taken.
    """

    async def act(attempt: Attempt) -> Json:
        execution_id = await _submitted(caller, submit, wanted, attempt)
        headers = finding.location(execution_id)
        if wait and (await wait_for(caller, execution_id, wait)).ended:
            return Json(told.whole(*await finding.whole(caller, execution_id)), headers=headers)
        return Json(told.state(await finding.state(caller, execution_id)), HTTPStatus.ACCEPTED, headers=headers)

    return await once(caller, key, content, act)


async def execute(
    caller: Caller, find: Find, wanted: StartRequest, *, wait: float, key: str | None, content: Any
) -> Response:
    """Start an execution of a document; see `start`.

    The document is looked for only if the request was not answered before: it may be gone since.

    Raises:
        Problem: There is none, it cannot be executed, or its id is taken.
    """

    async def submit(options: Mapping[str, Any]) -> str:
        document = await find()
        if wanted.limits:
            await documents.check_limits(caller, document, wanted.limits)
        return await caller.service.submit(caller.tenant, document, wanted.input, variables=wanted.variables, **options)

    return await start(caller, wanted, submit, wait=wait, key=key, content=content)


async def wait_for(caller: Caller, execution_id: str, seconds: float) -> ExecutionState:
    """Wait for an execution's end, as long as the server allows it; returns where it stands then."""
    return await caller.service.wait(caller.tenant, execution_id, min(seconds, caller.server.config.longest_wait))


async def is_own(caller: Caller, attempt: Attempt, given: str | None, taken: AlreadyThere) -> bool:
    """True if an execution whose id is taken is the one that this very request has started before.

    Nobody else has an id that is derived from the request; one that the client gave may be another request's.
    """
    if given is None:
        return attempt.derived is not None
    there = await caller.database.journal.get(taken.execution.id) if attempt.is_again else None
    return there is not None and taken.is_alike(there)


async def _submitted(caller: Caller, submit: Submit, wanted: RunRequest, attempt: Attempt) -> str:
    """Start it; returns its id. A derived id gives way to one that the input asks for, as that of a signed delivery."""
    try:
        return await _submitted_as(caller, submit, wanted, attempt, wanted.execution_id, attempt.derived)
    except NamedByInput as error:
        if wanted.execution_id is not None:
            raise
        return await _submitted_as(caller, submit, wanted, attempt, error.wanted, None)


async def _submitted_as(
    caller: Caller, submit: Submit, wanted: RunRequest, attempt: Attempt, given: str | None, derived: str | None
) -> str:
    execution_id = given or derived
    options = {
        "mode": wanted.mode,
        "mocks": wanted.mocks,
        "now": in_utc("now", wanted.now),
        "execution_id": execution_id,
        "priority": wanted.priority,
        "limits": wanted.limits,
        "not_before": in_utc("notBefore", wanted.not_before),
    }
    try:
        return await submit(options)
    except AlreadyThere as error:
        if await is_own(caller, attempt, given, error):
            return error.execution.id
        raise conflict("execution-exists", str(error)) from None
