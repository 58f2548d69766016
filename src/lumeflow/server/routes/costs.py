"""`/api/costs`: what executions cost."""

from enum import StrEnum
from typing import Annotated

from fastapi import Query

from lumeflow.core.clock import LONGEST_ID
from lumeflow.core.document.fields import ID_PATTERN
from lumeflow.core.money import CURRENCY
from lumeflow.core.result import exact_number
from lumeflow.server import paging
from lumeflow.server.answers import Json
from lumeflow.server.caller import Reader
from lumeflow.server.models import CostPage
from lumeflow.server.routing import router
from lumeflow.server.times import Day
from lumeflow.storage.repositories.costs import CostFilter, CostGroup, CostSum

_LINE = r"^[^\x00-\x1f\x7f]*$"

api = router("Costs", "/api/costs")

OfWorkflow = Annotated[str | None, Query(alias="workflowId", pattern=ID_PATTERN, description="Only of this workflow.")]
OfExecution = Annotated[
    str | None,
    Query(
        alias="executionId", min_length=1, max_length=LONGEST_ID, pattern=_LINE, description="Only of this execution."
    ),
]


class By(StrEnum):
    """What is summed up."""

    WORKFLOW = "workflow"
    NODE = "node"
    PROVIDER = "provider"
    DAY = "day"
    EXECUTION = "execution"


def _told(one: CostSum) -> dict[str, object]:
    return {
        "key": one.key,
        "calls": one.calls,
        "lost": one.lost,
        "amount": exact_number(one.amount),
        "possiblyPaidTwice": exact_number(one.possible),
        "credits": exact_number(one.credits),
        "currency": CURRENCY,
    }


@api.get("", response_model=CostPage, summary="Sum up costs")
async def costs(
    caller: Reader,
    by: Annotated[By, Query(description="What each line sums up.")] = By.WORKFLOW,
    workflow_id: OfWorkflow = None,
    execution_id: OfExecution = None,
    since: Annotated[Day | None, Query(description="From this day on (UTC).")] = None,
    until: Annotated[Day | None, Query(description="Before this day.")] = None,
    limit: paging.Limit = 50,
    cursor: paging.Cursor = None,
) -> Json:
    """By workflow, node, provider, day or execution; exact amounts, equal to the ledger's.

    Executions that have not ended count with what they have spent so far. Of one whose process is gone, the calls that
    it had in flight count as possibly paid. Executions in demo mode count, too, with the prices that their calls would
    have had: `by=execution` tells them apart by what each execution's `mode` is.
    """
    after = paging.decode(f"costs-{by}", cursor, str)[0] if cursor is not None else ""
    days = [None if day is None else day.isoformat() for day in (since, until)]
    chosen = CostFilter(workflow_id, execution_id, *days)
    found = await caller.database.costs.by(CostGroup[by.name], chosen, limit=limit + 1, after=after)
    items, following = paging.page(found, limit, lambda one: paging.encode(f"costs-{by}", one.key))
    return Json({"items": [_told(one) for one in items], "nextCursor": following})
