"""The one wrapper around a block: what every node does, whatever its block is."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lumeflow.core.block import Block, Shape
from lumeflow.core.errors import (
    STOPS_NODE,
    CallError,
    ErrorClass,
    LumeflowError,
    NodeError,
    RecordError,
    RunError,
    StorageError,
)
from lumeflow.core.events import EventKind
from lumeflow.core.expressions import EvaluationError
from lumeflow.core.journal import Status
from lumeflow.core.records import JsonObject, Record, Whole
from lumeflow.core.schemas import Checked
from lumeflow.engine.context import NodeWorld, UnitContext, View
from lumeflow.engine.inbound import Inbound
from lumeflow.engine.messages import Seen, merge_fields
from lumeflow.engine.outlet import Outlet
from lumeflow.engine.plan import NodeSchema, PlannedNode
from lumeflow.engine.settle import (
    ExecutionStopped,
    Settler,
    concealed,
    input_error,
    output_error,
    preview,
    storable_error,
)
from lumeflow.engine.tally import Tally


class NodeRun:
    """One node in one execution.

    Attributes:
        error: Why the node cannot go on; None while it can. Records that come later are kept as failed.
        opened: The fields that the block itself gave when it was opened.
        output: The fields that it sends, as far as they are known.
        under_way: Tasks that work on units.
        settle_waiting: Settles the units that were begun and not sent on when the node broke off.
        stopped: True once nothing new is to be worked on.
    """

    def __init__(
        self,
        planned: PlannedNode,
        block: Block[Any],
        world: NodeWorld,
        inbound: Inbound,
        outlet: Outlet,
        tally: Tally,
        on_break: Callable[[str], None],
    ) -> None:
        self.planned = planned
        self.block = block
        self.world = world
        self.inbound = inbound
        self.outlet = outlet
        self.progress = tally.nodes[planned.id]
        services = world.services
        self.settler = Settler(
            planned, outlet, services.journal, services.execution.id, tally, conceal=services.secrets.conceal
        )
        self.error: RunError | None = None
        self.output: JsonObject = {}
        self.collection: str | None = None
        self.input_preview: JsonObject | None = None
        self._first_in: JsonObject | None = None
        self.opened: JsonObject = {}
        self.under_way: set[asyncio.Task[None]] = set()
        self.settle_waiting: Callable[[], None] = lambda: None
        self.stopped = False
        self._is_open = False
        self._view: tuple[tuple[JsonObject, Seen], View] | None = None
        self._on_break = on_break
        self._timeline = tally.timeline
        schema = planned.input_schema
        self._always_applies = type(block).applies is Block.applies
        self._record_checker = schema.payload.record if schema and not planned.input_proven else None

    @property
    def output_preview(self) -> JsonObject:
        """A small picture of what it sent."""
        return preview(self.output, self.collection, self.settler.first_out)

    async def run(self, drive: "Callable[[NodeRun], Any]") -> None:
        """Work until the input ends.

        Args:
            drive: Moves records through the block, by its shape.

        Raises:
            ExecutionStopped: A record failed where the document says `stop`.
            StorageError: The journal or the ledger cannot be written.
        """
        gathers = self.planned.shape is Shape.WHOLE
        is_idle = self.world.part.is_idle
        if is_idle or not await (self.inbound.begin_whole() if gathers else self.inbound.start()):
            self.progress.status = Status.SKIPPED
            self.outlet.end({}, {})
            await self.outlet.drain()
            return
        self.progress.status = Status.RUNNING
        self.world.started_at = self.world.services.time()
        self._timeline.note(EventKind.NODE_STARTED, self.planned.id)
        limit = asyncio.timeout(self.planned.node.timeout)
        try:
            async with limit:
                await drive(self)
        except TimeoutError as error:
            message = f"the node's timeout of {self.planned.node.timeout or 0:g} s ran out"
            self.break_off(NodeError(ErrorClass.TIMEOUT, message) if limit.expired() else self.outcome_of(error))
        except ExecutionStopped as stopped:
            self.error = stopped.error
            await self.settler.flush_kept()
            raise
        except Exception as error:
            self.break_off(self.outcome_of(error))
        if self.error is not None:
            await self._give_up()
        self.progress.status = Status.FAILED if self.error else Status.COMPLETED

    def view(self) -> View:
        """What is known of the input payload at this moment."""
        known = (self.inbound.fields, self.inbound.seen)
        if self._view is None or self._view[0][0] is not known[0] or self._view[0][1] is not known[1]:
            self._view = known, self.world.view(self.inbound)
        return self._view[1]

    def phase(self, name: str, fields: JsonObject, collection: str | None) -> UnitContext:
        """A context for a phase of the node, of which there is one only: `open`, `close`, `produce`, `run`."""
        view = View(fields, collection, self.view().roots)
        return UnitContext(self.world, view, fields, 0, name)

    async def begin(self, fields: JsonObject, collection: str | None) -> None:
        """Open the block and begin the output payload."""
        self.opened = await self.open(fields, collection)
        self.begin_output(fields, collection)
        await self.outlet.drain()  # what hangs on this node opens its blocks while the first records are made

    def begin_output(self, fields: JsonObject, collection: str | None) -> None:
        """Begin the output payload of a block that is open."""
        self.collection = self.output_collection(collection)
        self.publish(self.opened if self.planned.is_output else merge_fields(fields, self.opened))
        self.outlet.prepare(self.output, self.collection, self.seen())
        if not self.block.routes():
            self.outlet.begin("out")

    async def open(self, fields: JsonObject, collection: str | None) -> JsonObject:
        """Look up the secrets that the configuration names, and open the block; returns its own fields."""
        self.world.scope.need_secrets(_secrets(self.block))
        if self.planned.shape is Shape.PRODUCER and self.planned.output_schema is not None:
            collection = self.planned.output_schema.payload.collection
        self._is_open = True
        return await self.block.open(self.phase("open", fields, collection))

    async def close(self, fields: JsonObject, collection: str | None) -> JsonObject:
        """Close the block; returns the fields that it adds at the end."""
        closed = await self.block.close(self.phase("close", fields, collection))
        self._is_open = False
        return closed

    async def finish(self, fields: JsonObject, collection: str | None, *, check_input: bool = True) -> None:
        """Close the block, check the payload's fields, and end the output payload.

        Raises:
            NodeError: The fields are not what the schemas ask.
        """
        await self.settler.flush()
        if self.error is not None:
            return
        self.input_preview = preview(fields, collection, self._first_in)
        if check_input and self.planned.input_schema is not None and collection is not None:
            self.check(self.planned.input_schema.payload.check_fields, fields, "input")
        closed = await self.close(fields, collection)
        below = {} if self.planned.is_output else fields
        made = merge_fields(merge_fields(below, self.opened), closed)
        if self.planned.output_schema is not None:
            made = self.check(fields_check(self.planned.output_schema, self.collection), made, "output")
        await self.end(made)

    async def end(self, fields: JsonObject) -> None:
        """End the output payload with these fields."""
        self.publish(fields)
        self.outlet.end(self.output, self.seen())
        await self.outlet.drain()

    def publish(self, fields: JsonObject) -> None:
        """These are the fields that it sends, and that expressions behind it see.

        Raises:
            NodeError: They hold something that is no JSON.
        """
        problem = storable_error(fields)
        if problem is not None:
            raise NodeError(
                ErrorClass.VALIDATION, str(problem).replace("the record holds", "the payload's fields hold")
            )
        self.output = fields

    def seen(self) -> Seen:
        """The fields of the nodes on the way through this one, its own included."""
        return {**self.inbound.seen, self.planned.id: {"output": self.output}}

    def check_whole_input(self, payload: JsonObject) -> JsonObject:
        """Check a whole payload against the inputSchema; returns it with lossless coercions applied.

        Raises:
            NodeError: It is not what the schema asks.
        """
        schema = self.planned.input_schema
        return payload if schema is None else self.check(schema.whole.check, payload, "input")

    async def gather(self) -> dict[str, Whole]:
        """Take whole payloads by source node; records that the input schema refuses fail here."""
        return await self.inbound.gather(self._admit_all)

    def _admit_all(self, records: Sequence[Record]) -> list[Record]:
        admitted = []
        for arrived in records:
            record, refused = self.admit(arrived)
            if refused is None:
                admitted.append(record)
            else:
                self.settler.settle(record, self.progress.records_in - 1, refused)
        return admitted

    def admit(self, record: Record) -> tuple[Record, RunError | None]:
        """Count a record in, check it, bring it to the schema's types; returns it with the reason of a refusal."""
        self.progress.records_in += 1
        if self._first_in is None:
            self._first_in = record.data
        if self.error is not None:
            return record, self.unprocessed()
        if self._record_checker is None:
            return record, None
        checked = self._record_checker.check(record.data)
        if checked.problems:
            return record, input_error(checked.problems)
        if checked.coercions:
            self.progress.coercions += checked.coercions
            record = Record(checked.value, record.lineage)
        return record, None

    def passes_by(self, record: Record, position: int) -> JsonObject | RunError | None:
        """The record itself if the block does not apply to it, an error if that cannot be told; None to work on it."""
        if self._always_applies:
            return None
        ctx = UnitContext(self.world, self.view(), record.data, position, "applies")
        try:
            return None if self.block.applies(record.data, ctx) else record.data
        except Exception as error:
            return self.outcome_of(error)

    def check(self, check: Callable[[JsonObject], Checked], fields: JsonObject, side: str) -> JsonObject:
        """Check a payload's fields; returns them with lossless coercions applied.

        Raises:
            NodeError: They are not what the schema asks.
        """
        checked = check(fields)
        self.progress.coercions += checked.coercions
        if checked.problems:
            error = input_error(checked.problems) if side == "input" else output_error(checked.problems)
            raise NodeError(ErrorClass.VALIDATION, str(error), field=error.field)
        value: JsonObject = checked.value
        return value

    def outcome_of(self, error: Exception) -> RunError:
        """What an exception from a block means for the record that it was working on.

        Raises:
            StorageError: Nothing may go on without storage.
        """
        if isinstance(error, StorageError | ExecutionStopped):
            raise error
        if isinstance(error, NodeError) or (isinstance(error, CallError) and error.error_class in STOPS_NODE):
            self.break_off(error)
        if isinstance(error, RunError):
            return error
        if isinstance(error, EvaluationError):
            return RecordError(ErrorClass.VALIDATION, f"an expression cannot be computed: {error}")
        if isinstance(error, LumeflowError):
            failure = NodeError(ErrorClass.VALIDATION, str(error))
            self.break_off(failure)
            return failure
        return RecordError(ErrorClass.INTERNAL, _bug(error, self.planned.block_class.id()))

    def unprocessed(self) -> RunError:
        """What becomes of a record that comes after the node broke off."""
        error = self.error or NodeError(ErrorClass.INTERNAL, "the execution was stopped")
        return RecordError(error.error_class, f"not processed: {error}")

    def break_off(self, error: RunError) -> None:
        """The node cannot go on: remember why, stop what is under way, and tell the orchestrator at once."""
        if self.error is not None:
            return
        self.error = concealed(error, self.world.services.secrets.conceal)
        self.stopped = True
        current = asyncio.current_task()
        for task in self.under_way:
            if task is not current:
                task.cancel()
        self._on_break(self.planned.id)

    @property
    def is_handled(self) -> bool:
        """True if the node broke off, but what reached it was taken over by its error port or fallback."""
        return self.settler.taken_over > 0 and self.planned.shape in {Shape.RECORD, Shape.BATCH}

    async def abort(self) -> None:
        """The node ends early: the block releases what it took."""
        self.stopped = True
        if self._is_open:
            self._is_open = False
            await self.block.abort()

    def release(self) -> None:
        """Free what the node holds; its senders are not held back any longer."""
        self.inbound.close()
        self.settle_waiting = lambda: None  # else it and its line would hold each other

    def output_collection(self, incoming: str | None) -> str | None:
        """Name of the collection that it sends."""
        schema = self.planned.output_schema
        named = (schema.payload.collection if schema else None) or self.block.output_collection(incoming)
        if named is None and self.planned.shape is Shape.PRODUCER and not _names_collection(self.block):
            return "records"
        return named

    async def _give_up(self) -> None:
        await self.abort()
        self.settle_waiting()
        async for records in self.inbound.batches():
            for waiting in records:
                record, refused = self.admit(waiting)
                self.settler.settle(record, self.progress.records_in - 1, refused)
            await self.settler.flush()
        await self.settler.flush()
        self.outlet.end(self.output, self.seen())
        await self.outlet.drain()


def _names_collection(block: Block[Any]) -> bool:
    return type(block).output_collection is not Block.output_collection


def fields_check(schema: NodeSchema, collection: str | None) -> Callable[[JsonObject], Checked]:
    """How a payload's fields are checked, its records being checked one by one."""
    return schema.payload.check_fields if collection else schema.whole.check


def _secrets(block: Block[Any]) -> set[str]:
    """Names of all secrets that the configuration's templates use."""
    names: set[str] = set()
    pending: list[Any] = list(vars(block.config).values()) if block.config is not None else []
    while pending:
        value = pending.pop()
        names |= getattr(value, "secrets", frozenset())
        if isinstance(value, Mapping):
            pending.extend(value.values())
        elif isinstance(value, list | tuple):
            pending.extend(value)
        elif hasattr(type(value), "model_fields"):
            pending.extend(vars(value).values())
    return names


def _bug(error: Exception, block_id: str) -> str:
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f" at {frame.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.tb_lineno}" if frame else ""
    return f"the block '{block_id}' has a bug: {type(error).__name__}{where}"
