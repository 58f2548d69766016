"""What a step may ask of the world: the part of a block's context that the readers and askers of the kit use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from lumeflow.core.context import BlockContext, Prompts, Tables
from lumeflow.core.document import RetryPolicy
from lumeflow.core.operation import Params, Response
from lumeflow.core.records import JsonObject
from lumeflow.engine.services import Services

_RETRY = RetryPolicy()


@dataclass(frozen=True, slots=True)
class StepContext:
    """One step of one execution.

    Attributes:
        services: Calls, tables and prompts.
        node_id: The step: who pays.
    """

    services: Services
    node_id: str

    @property
    def execution_id(self) -> str:
        """Id of the execution."""
        return self.services.execution.id

    @property
    def now(self) -> datetime:
        """The execution's constant time."""
        return self.services.execution.now

    @property
    def trigger(self) -> JsonObject:
        """Raw input of the execution."""
        return self.services.execution.input

    @property
    def tables(self) -> Tables:
        """The database."""
        return self.services.tables

    @property
    def prompts(self) -> Prompts:
        """The installed prompts."""
        return self.services.prompts

    async def call(self, operation: str, params: Params) -> Response:
        """Make a call of a vendor; none of the steps' calls writes anything."""
        return await self.services.calls.call(
            operation, params, node_id=self.node_id, retry=_RETRY, position=None, call_timeout=None
        )

    async def remember(self, name: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """Read something from outside once per execution."""
        return await self.services.calls.remember(self.node_id, name, read)

    def as_block(self) -> BlockContext:
        """For functions that blocks share: of a block's context they use no more than there is here."""
        return cast("BlockContext", self)
