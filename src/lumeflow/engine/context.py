"""The `BlockContext` that blocks get: cheap, one for each record, batch or payload."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from lumeflow.core.block import Block, Shape
from lumeflow.core.context import Files, Prompts, Tables
from lumeflow.core.errors import ErrorClass, NodeError
from lumeflow.core.events import Event, EventKind
from lumeflow.core.expressions import Template
from lumeflow.core.journal import Mode
from lumeflow.core.operation import Params, Response
from lumeflow.core.records import JsonObject, Lineage
from lumeflow.core.secret import Secret
from lumeflow.engine.batches import BatchMemory, place_of
from lumeflow.engine.inbound import Inbound
from lumeflow.engine.limits import RecordLimit
from lumeflow.engine.plan import PlannedNode
from lumeflow.engine.scope import Scope
from lumeflow.engine.services import Services


class NodeWorld:
    """What all contexts of one node share."""

    def __init__(
        self, planned: PlannedNode, block: Block[Any], services: Services, scope: Scope, records: RecordLimit
    ) -> None:
        self.node_id = planned.id
        self.retry = planned.retry
        self.call_timeout: float | None = getattr(block.config, "call_timeout", None)
        self.services = services
        self.scope = scope
        self.records = records
        self.part = services.part(planned.id)
        inherited = services.inherited if self.part.inherits else ()
        self.batches = BatchMemory(services.journal, services.execution.id, planned.id, inherited)
        self.cuts_batches = planned.shape is Shape.BATCH and block.batch_size > 1
        self.started_at: float | None = None
        self.loop = asyncio.get_running_loop()

    def view(self, inbound: Inbound) -> "View":
        """What is known of the payload at this moment."""
        return View(inbound.fields, inbound.collection, self.scope.view(inbound.seen))


@dataclass(frozen=True, slots=True)
class View:
    """What was known of a node's input payload when a unit of work was cut from it.

    Attributes:
        fields: The payload's fields besides its collection.
        collection: Name of its collection; None if it has none.
        roots: What expressions see besides `input`.
    """

    fields: JsonObject
    collection: str | None
    roots: Mapping[str, Any]


class UnitContext:
    """Implements `lumeflow.core.context.BlockContext`.

    Args:
        world: The node.
        view: What is known of the payload.
        value: What `{{input}}` means.
        position: Ordinal of the (first) record in the node's input.
        place: Identity of what is worked on, the same in every run and after every resume: the record's lineage, or
            the phase of the node. Keys of calls that write hold it.
    """

    __slots__ = ("_calls", "_place", "_view", "_world", "input", "position")

    def __init__(self, world: NodeWorld, view: View, value: Any, position: int, place: str | Lineage) -> None:
        self._world = world
        self._view = view
        self._calls = 0
        self._place = place
        self.input = value
        self.position = position

    @property
    def place(self) -> str:
        """Identity of what is worked on; see `BlockContext.place`."""
        return self._place if isinstance(self._place, str) else place_of(self._place)

    @property
    def fields(self) -> JsonObject:
        """The payload's fields besides its collection, as far as they are known."""
        return self._view.fields

    @property
    def collection(self) -> str | None:
        """Name of the payload's collection."""
        return self._view.collection

    @property
    def execution_id(self) -> str:
        """Id of the execution."""
        return self._world.services.execution.id

    @property
    def workflow_id(self) -> str:
        """Id of the workflow."""
        return self._world.services.execution.workflow_id

    @property
    def node_id(self) -> str:
        """Id of the node."""
        return self._world.node_id

    @property
    def now(self) -> datetime:
        """The execution's constant time."""
        return self._world.services.execution.now

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the node's first record; 0 if the execution's time is pinned."""
        started = self._world.started_at
        if started is None or self._world.services.execution.pinned:
            return 0
        return round((self._world.services.time() - started) * 1000)

    @property
    def demo(self) -> bool:
        """True if nothing real may be called."""
        return self._world.services.execution.mode is Mode.DEMO

    @property
    def trigger(self) -> JsonObject:
        """Raw input of the execution."""
        return self._world.services.execution.input

    @property
    def tables(self) -> Tables:
        """The database."""
        return self._world.services.tables

    @property
    def files(self) -> Files:
        """Input and output files."""
        return self._world.services.files

    @property
    def prompts(self) -> Prompts:
        """The installed prompts."""
        return self._world.services.prompts

    def render(self, template: Template, value: Any = None) -> Any:
        """Resolve a template; `{{input}}` is `value` if given, else `self.input`."""
        return template.render({**self._view.roots, "input": self.input if value is None else value})

    def secret(self, name: str) -> Secret:
        """A configured secret, opaque."""
        secret = self._world.services.secrets.find(name)
        if secret is None:
            raise NodeError(
                ErrorClass.AUTH,
                f"the secret '{name}' is not configured: set the environment variable LUMEFLOW_SECRET_{name}",
            )
        return secret

    async def call(self, operation: str, params: Params) -> Response:
        """Make a call of a vendor; see `BlockContext.call`."""
        self._calls += 1
        world = self._world
        return await world.services.calls.call(
            operation,
            params,
            node_id=world.node_id,
            retry=world.retry,
            position=f"{world.node_id}/{self.place}/{self._calls}",
            call_timeout=world.call_timeout,
        )

    async def remember(self, name: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """Read something from outside once per execution."""
        return await self._world.services.calls.remember(self._world.node_id, name, read)

    async def charged(self) -> Decimal:
        """What this node's answered calls cost so far."""
        return await self._world.services.calls.charged(self._world.node_id)

    def warn(self, message: str) -> None:
        """Put a warning on the execution's timeline."""
        services = self._world.services
        concealed = services.secrets.conceal(message)
        event = Event(EventKind.WARNING, services.now(), self._world.node_id, concealed)
        # Plain blocks run in a thread; the journal belongs to the loop.
        self._world.loop.call_soon_threadsafe(services.journal.note, services.execution.id, [event])


class BatchContext(UnitContext):
    """The context of a batch: before its first call it writes down which records are in it.

    Args:
        members: Lineages of its records.
    """

    __slots__ = ("_members",)

    def __init__(self, world: NodeWorld, view: View, value: Any, position: int, members: Sequence[Lineage]) -> None:
        super().__init__(world, view, value, position, members[0])
        self._members: Sequence[Lineage] = members if world.cuts_batches else ()

    async def call(self, operation: str, params: Params) -> Response:
        """Make a call of a vendor; see `BlockContext.call`."""
        if self._members:
            members, self._members = self._members, ()
            await self._world.batches.note(self.position, members)
        return await super().call(operation, params)
