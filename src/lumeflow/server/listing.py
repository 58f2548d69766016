"""Lists of executions: filters and pages."""

from typing import Annotated, Any

from fastapi import Query

from lumeflow.core.journal import ExecutionFilter, Status
from lumeflow.server import paging, told
from lumeflow.server.answers import Json
from lumeflow.server.caller import Caller
from lumeflow.server.problems import unusable
from lumeflow.server.times import Time, in_utc

LISTED = (Status.QUEUED, Status.RUNNING, Status.COMPLETED, Status.FAILED, Status.CANCELLED)
StatusQuery = Annotated[Status | None, Query(description="As it is stored: an interrupted one is `running`.")]
Since = Annotated[Time | None, Query(description="Started then or later; ISO 8601 with an offset.")]
Until = Annotated[Time | None, Query(description="Started before; ISO 8601 with an offset.")]


class Page(Json):
    """A page of executions.

    Attributes:
        is_empty: True if there are none at all.
    """

    is_empty = False


def chosen(workflow_id: str | None, status: Status | None, since: Any, until: Any) -> ExecutionFilter:
    """The filter that a request asks for.

    Raises:
        Problem: Nothing can be listed so.
    """
    if status is not None and status not in LISTED:
        raise unusable(f"status: '{status}' is not stored; expected {', '.join(LISTED)}")
    return ExecutionFilter(workflow_id, status, in_utc("since", since), in_utc("until", until))


async def page_of(caller: Caller, wanted: ExecutionFilter, limit: int, cursor: str | None) -> Page:
    """A page of executions, the newest first."""
    before = paging.decode("executions", cursor, str)[0] if cursor is not None else None
    found = await caller.app.executions(limit=limit + 1, before=before, chosen=wanted)
    items, following = paging.page(found, limit, lambda entry: paging.encode("executions", entry.id))
    answer = Page({"items": [told.summary(entry) for entry in items], "nextCursor": following})
    answer.is_empty = not found and cursor is None
    return answer
