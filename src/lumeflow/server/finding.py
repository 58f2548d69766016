"""Finding executions, for the endpoints below one."""

from typing import Annotated

from fastapi import Path

from lumeflow.core.clock import LONGEST_ID
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import Execution
from lumeflow.server.caller import Caller
from lumeflow.server.problems import not_found
from lumeflow.service import ExecutionState

ExecutionId = Annotated[str, Path(min_length=1, max_length=LONGEST_ID, description="The execution's id.")]


async def stored(caller: Caller, execution_id: str) -> Execution:
    """The execution as it is stored.

    Raises:
        Problem: This tenant has none of this id.
    """
    found = await caller.database.journal.get(execution_id) if execution_id.isprintable() else None
    if found is None:
        raise not_found("execution", execution_id)
    return found


async def state(caller: Caller, execution_id: str) -> ExecutionState:
    """Where it stands.

    Raises:
        Problem: This tenant has none of this id.
    """
    if not execution_id.isprintable():
        raise not_found("execution", execution_id)
    try:
        return await caller.service.status(caller.tenant, execution_id)
    except UsageError:
        raise not_found("execution", execution_id) from None
