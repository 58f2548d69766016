"""Workflow documents as they come in and go out: read in a thread, saved as versions."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from lumeflow.core.document import Workflow
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import Report
from lumeflow.core.journal import Mode
from lumeflow.preparation import with_limits
from lumeflow.preparation.lookup import find_saved
from lumeflow.search import SEARCH_ID, is_search, search_definition, search_settings
from lumeflow.server.answers import dump
from lumeflow.server.caller import Caller
from lumeflow.server.problems import Problem, conflict, invalid_workflow, not_found, unusable
from lumeflow.storage import SavedWorkflow, workflows

RESERVED = frozenset({"blocks", "execute", "executions", "validate"})
"""Workflow ids that would be taken for other paths of the API."""
LAST_VERSION = workflows.LAST_VERSION
MOST = {"nodes": 500, "edges": 2000}
"""What a document may have, so that others need not wait while it is checked and planned."""
Executable = Mapping[str, Any] | bytes


async def report_on(caller: Caller, source: bytes | Mapping[str, Any], mode: Mode) -> Report:
    """All findings on a document, by the secrets that the tenant has now."""
    app = caller.app
    if mode is Mode.LIVE:
        await app.vault.load()
    return await asyncio.to_thread(app.validate, source, mode=mode)


def check_size(caller: Caller, source: Executable) -> None:
    """Go on only if a document that was sent is not too large to be checked while others wait.

    Raises:
        Problem: It is.
    """
    limit = caller.server.config.document_limit
    if len(source if isinstance(source, bytes) else dump(source)) > limit:
        raise _too_large(f"the document has more than {limit:,} bytes: records belong into an execution's input")
    for key, most in MOST.items():
        found = _parsed(source).get(key)
        if isinstance(found, list) and len(found) > most:
            raise _too_large(f"the workflow has {len(found):,} {key}; there may be {most:,}: make several of it")


def _parsed(source: Executable) -> Mapping[str, Any]:
    if not isinstance(source, bytes):
        return source
    try:
        found = orjson.loads(source)
    except orjson.JSONDecodeError:
        return {}  # its reader tells more of that
    return found if isinstance(found, dict) else {}


def _too_large(detail: str) -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "document-too-large", detail)


async def read(caller: Caller, source: bytes) -> Workflow:
    """A document that can be saved; secrets may still be missing.

    Raises:
        Problem: It has errors, or an id or a version that cannot be used here.
    """
    check_size(caller, source)
    report = await report_on(caller, source, Mode.DEMO)
    if not report.ok:
        raise invalid_workflow(report)
    workflow = await asyncio.to_thread(Workflow.load, source)
    if workflow.workflow_id in RESERVED:
        raise unusable(f"workflowId: '{workflow.workflow_id}' is a path of the API: choose another id")
    if workflow.workflow_id == SEARCH_ID:
        raise unusable(f"workflowId: executions of the job type SEARCH are listed as '{SEARCH_ID}': choose another")
    if workflow.version > LAST_VERSION:
        raise unusable(f"version: at most {LAST_VERSION}")
    return workflow


async def find(caller: Caller, workflow_id: str, version: int | None = None) -> SavedWorkflow:
    """A saved workflow.

    Raises:
        Problem: There is none, or not this version of it.
    """
    try:
        return await caller.database.workflows.get(workflow_id, version)
    except UsageError as error:
        if version is not None and "no version" in str(error):
            raise not_found("version", f"{workflow_id} v{version}") from None
        raise not_found("workflow", workflow_id) from None


async def executable(caller: Caller, workflow_id: str, version: int | None) -> Executable:
    """A saved version, or a workflow that is installed with lumeflow.

    Raises:
        Problem: There is none.
    """
    if version is not None:
        return (await find(caller, workflow_id, version)).definition
    try:
        return await find_saved(caller.database.workflows, workflow_id)
    except UsageError:
        raise not_found("workflow", workflow_id) from None


async def check(caller: Caller, document: Executable) -> None:
    """Go on only if a document can be executed, its secrets apart.

    Raises:
        Problem: It has errors.
    """
    report = await report_on(caller, document, Mode.DEMO)
    if not report.ok:
        raise invalid_workflow(report)


async def check_limits(caller: Caller, document: Executable, limits: Mapping[str, Any]) -> None:
    """Go on only if these limits can take the place of the document's.

    Raises:
        Problem: They cannot.
    """
    definition = Workflow.load(document).as_json() if isinstance(document, bytes) else document
    if is_search(definition):
        check_search_limits(limits)
        return
    await check(caller, with_limits(definition, limits))


def check_search_limits(limits: Mapping[str, Any]) -> None:
    """Go on only if a search can have these limits.

    Raises:
        UsageError: It cannot.
    """
    search_settings(with_limits(search_definition(), limits))


async def save_new(caller: Caller, workflow: Workflow) -> SavedWorkflow:
    """Save the first version of a workflow; of one that was deleted, the next.

    Raises:
        Problem: There is such a workflow.
    """
    try:
        saved = await caller.database.workflows.create(workflow.as_json(), at=caller.now)
    except UsageError as error:
        raise unusable(str(error)) from None
    if saved is None:
        raise conflict(
            "workflow-exists", f"workflow '{workflow.workflow_id}' exists: change it with PUT, or choose another id"
        )
    return saved


async def save_next(caller: Caller, workflow: Workflow, current: SavedWorkflow) -> SavedWorkflow | None:
    """Save a change as the next version; the current one if nothing changed, None if somebody was faster."""
    definition = workflow.as_json()
    if _without_version(definition) == _without_version(current.definition):
        return current
    if current.version >= LAST_VERSION:
        raise unusable(f"version {current.version} is the last that there can be")
    version = max(workflow.version, current.version + 1)
    try:
        return await caller.database.workflows.save({**definition, "version": version}, at=caller.now)
    except UsageError:
        return None


def _without_version(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in definition.items() if key != "version"}
