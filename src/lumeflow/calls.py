"""The gateway's session with the sums of the ledger: how the engine calls, and hears what it cost."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from lumeflow.core.document import RetryPolicy
from lumeflow.core.effects import Ledger
from lumeflow.core.operation import Params, Response
from lumeflow.gateway import Session


class ExecutionCalls:
    """See `lumeflow.engine.services.Calls`.

    Args:
        session: Makes the calls.
        ledger: Knows what they cost.
        execution_id: The execution.
    """

    def __init__(self, session: Session, ledger: Ledger, execution_id: str) -> None:
        self._session = session
        self._ledger = ledger
        self._execution_id = execution_id

    async def call(
        self,
        operation_id: str,
        params: Params,
        *,
        node_id: str,
        retry: RetryPolicy,
        position: str | None,
        call_timeout: float | None,
    ) -> Response:
        """Make a call, or have it answered otherwise."""
        return await self._session.call(
            operation_id, params, node_id=node_id, retry=retry, position=position, call_timeout=call_timeout
        )

    async def remember(self, node_id: str, name: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """Read something once per execution."""
        return await self._session.remember(node_id, name, read)

    async def charged(self, node_id: str) -> Decimal:
        """What the node's answered calls cost so far."""
        node = (await self._ledger.totals(self._execution_id)).nodes.get(node_id)
        return node.amount - node.possible if node else Decimal(0)

    async def drain(self) -> None:
        """Wait for calls that are still out and have their answers stored."""
        await self._session.drain()
