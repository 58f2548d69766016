"""What the engine needs from the layers beside it; `app.py` hands it in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from lumeflow.core.clock import Clock
from lumeflow.core.concealing import SecretsInUse
from lumeflow.core.context import Files, Prompts, Tables
from lumeflow.core.document import RetryPolicy
from lumeflow.core.journal import Execution, Journal
from lumeflow.core.operation import Params, Response
from lumeflow.engine.parts import EVERYTHING, Part
from lumeflow.engine.threads import Threads


class Calls(Protocol):
    """The gateway, as one execution sees it."""

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
        """Make a call, or have it answered otherwise; see `BlockContext.call`."""
        ...

    async def remember(self, node_id: str, name: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """Read something once per execution; see `BlockContext.remember`."""
        ...

    async def charged(self, node_id: str) -> Decimal:
        """What the node's answered calls cost so far."""
        ...

    async def drain(self) -> None:
        """Wait for calls that are still out and have their answers stored."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything one execution may use.

    Attributes:
        execution: What is executed.
        calls: Outgoing calls.
        journal: Where the execution is written down.
        tables: The database, for blocks.
        files: Input and output files.
        prompts: Installed prompts.
        secrets: Looks secrets up, and takes them out of messages.
        threads: Where plain (synchronous) blocks run.
        clock: Real time.
        time: Seconds on a clock that never jumps.
        resumed: True if the execution has run before.
        previews: False to keep nothing of the records with the nodes.
        parts: What each node has to do, in an execution that runs a part of an earlier one anew.
        inherited: Ids of the earlier executions whose batches and answers are used, the newest first.
    """

    execution: Execution
    calls: Calls
    journal: Journal
    tables: Tables
    files: Files
    prompts: Prompts
    secrets: SecretsInUse
    threads: Threads
    clock: Clock
    time: Callable[[], float]
    resumed: bool = False
    previews: bool = True
    parts: Mapping[str, Part] = field(default_factory=dict)
    inherited: Sequence[str] = ()

    def part(self, node_id: str) -> Part:
        """What a node has to do."""
        return self.parts.get(node_id, EVERYTHING)

    def now(self) -> datetime:
        """Real time in UTC."""
        return self.clock.now()
