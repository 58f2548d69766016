"""Which document a workflow id means."""

from collections.abc import Mapping
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.storage.workflows import SqlWorkflows
from lumeflow.workflows import names, source


async def find_document(
    stored: SqlWorkflows, workflow_id: str, version: int | None = None
) -> Mapping[str, Any] | bytes:
    """The saved version that is asked for. Where none is: the newest saved version; else the workflow that is installed
    under this name; else what was last run so.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    if version is not None:
        return (await stored.get(workflow_id, version)).definition
    try:
        return await find_saved(stored, workflow_id)
    except UsageError:
        run = await stored.last_run(workflow_id)
        if run is None:
            raise
        return run.definition


async def find_saved(stored: SqlWorkflows, workflow_id: str) -> Mapping[str, Any] | bytes:
    """The newest saved version; else the workflow that is installed under this name.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    saved = await stored.newest(workflow_id)
    if saved is not None:
        return saved.definition
    installed = names()
    if workflow_id in installed:
        return source(workflow_id)
    message = f"there is no workflow '{workflow_id[:60]}'."
    raise UsageError(message + did_you_mean(workflow_id, {*await stored.ids(), *installed}))
