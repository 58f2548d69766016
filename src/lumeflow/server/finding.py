"""Finding executions, for the endpoints below one."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar
from urllib.parse import quote

from fastapi import Path

from lumeflow.core.clock import LONGEST_ID
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import Execution
from lumeflow.core.result import ExecutionResult
from lumeflow.server.caller import Caller
from lumeflow.server.problems import not_found
from lumeflow.service import ExecutionState

T = TypeVar("T")
ExecutionId = Annotated[str, Path(min_length=1, max_length=LONGEST_ID, description="The execution's id.")]


def location(execution_id: str) -> dict[str, str]:
    """The header that tells where an execution is; its id may hold what no path or header may."""
    return {"Location": f"/api/workflows/executions/{quote(execution_id, safe='')}"}


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
    return await _found(caller.service.status, caller, execution_id)


async def whole(caller: Caller, execution_id: str) -> tuple[ExecutionState, ExecutionResult]:
    """Where it stands, and its result so far.

    Raises:
        Problem: This tenant has none of this id.
    """
    return await _found(caller.service.whole, caller, execution_id)


async def _found(find: Callable[[str, str], Awaitable[T]], caller: Caller, execution_id: str) -> T:
    if not execution_id.isprintable():
        raise not_found("execution", execution_id)
    try:
        return await find(caller.tenant, execution_id)
    except UsageError:
        raise not_found("execution", execution_id) from None
