"""The one wrapper around a block: what every node does, whatever its block is."""

import asyncio
from collections.abc import Callable, Mapping
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
from lumeflow.engine.context import NodeWorld
from lumeflow.engine.inbound import Inbound
from lumeflow.engine.messages import merge_fields
from lumeflow.engine.outlet import Outlet
from lumeflow.engine.plan import NodeSchema, PlannedNode
from lumeflow.engine.settle import ExecutionStopped, Settler, input_error, output_error, preview
from lumeflow.engine.spool import Spool
from lumeflow.engine.tally import Tally


class NodeRun:
    """One node in one execution.

    Attributes:
        error: Why the node cannot go on; None while it can. Records that come later are kept as failed.
        fields: The fields of its output payload, as far as they are known.
        output: The fields that others may see.
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
        self.settler = Settler(planned, outlet, world.services.journal, world.services.execution.id, tally)
        self.error: RunError | None = None
        self.output: JsonObject = {}
        self.collection: str | None = None
        self.input_preview: JsonObject | None = None
        self._first_in: JsonObject | None = None
        self._spools: list[Spool] = []
        self.fields: JsonObject = {}
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
        if not await self.inbound.start():
            self.progress.status = Status.SKIPPED
            await self.outlet.end({})
            return
        self.progress.status = Status.RUNNING
        self.world.started_at = self.world.services.time()
        self._timeline.note(EventKind.NODE_STARTED, self.planned.id)
        try:
            async with asyncio.timeout(self.planned.node.timeout):
                await drive(self)
        except TimeoutError:
            message = f"the node's timeout of {self.planned.node.timeout:g} s ran out"
            self.break_off(NodeError(ErrorClass.TIMEOUT, message))
        except NodeError as error:
            self.break_off(error)
        if self.error is not None:
            await self._give_up()
        self.progress.status = Status.FAILED if self.error else Status.COMPLETED

    async def begin(self, fields: JsonObject, collection: str | None) -> None:
        """Open the block and begin the output payload."""
        opened = await self.open(fields, collection)
        self.collection = self.output_collection(collection)
        self.fields = opened if self.planned.is_output else merge_fields(fields, opened)
        self.publish(self.fields)
        if not self.block.routes():
            await self.outlet.start(self.fields, self.collection)
        else:
            self.outlet.prepare(self.fields, self.collection)

    async def open(self, fields: JsonObject, collection: str | None) -> JsonObject:
        """Look up the secrets that the configuration names, and open the block; returns its own fields."""
        self.world.scope.need_secrets(_secrets(self.block))
        if self.planned.shape is Shape.PRODUCER and self.planned.output_schema is not None:
            collection = self.planned.output_schema.payload.collection
        return await self.block.open(self.world.context(fields, 0, fields, collection))

    async def finish(self, fields: JsonObject, collection: str | None) -> None:
        """Close the block, check the payload's fields, and end the output payload.

        Raises:
            NodeError: The fields are not what the schemas ask.
        """
        await self.settler.flush()
        if self.error is not None:
            return
        self.input_preview = preview(fields, collection, self._first_in)
        if self.planned.input_schema is not None and collection is not None:
            self.check(self.planned.input_schema.payload.check_fields, fields, "input")
        closed = await self.block.close(self.world.context(fields, 0, fields, collection))
        below = {} if self.planned.is_output else fields
        self.fields = merge_fields(merge_fields(below, self.fields), closed)
        if self.planned.output_schema is not None:
            self.fields = self.check(fields_check(self.planned.output_schema, self.collection), self.fields, "output")
        self.publish(self.fields)
        await self.outlet.end(self.fields)

    def check_whole_input(self, payload: JsonObject) -> JsonObject:
        """Check a whole payload against the inputSchema; returns it with lossless coercions applied.

        Raises:
            NodeError: It is not what the schema asks.
        """
        schema = self.planned.input_schema
        return payload if schema is None else self.check(schema.whole.check, payload, "input")

    async def gather(self) -> dict[str, Whole]:
        """Take whole payloads by source node; their records are counted in."""
        payloads = await self.inbound.gather()
        self._spools = [whole.records for whole in payloads.values() if isinstance(whole.records, Spool)]
        self.progress.records_in = sum(len(spool) for spool in self._spools)
        return payloads

    def publish(self, fields: JsonObject) -> None:
        """Let expressions behind this node see its fields."""
        self.output = fields
        self.world.scope.publish(self.planned.id, fields, is_input=self.planned.is_input)

    def admit(self, record: Record) -> tuple[Record, RunError | None]:
        """Count a record in, check it, bring it to the schema's types; returns it with the reason of a refusal."""
        self.progress.records_in += 1
        if self._first_in is None:
            self._first_in = record.data
        if self.error is not None:
            return record, RecordError(self.error.error_class, f"not processed: {self.error}")
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
        ctx = self.world.context(record.data, position, self.inbound.fields, self.inbound.collection)
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

    def break_off(self, error: RunError) -> None:
        """The node cannot go on: remember why, and tell the orchestrator at once."""
        if self.error is None:
            self.error = error
            self._on_break(self.planned.id)

    def release(self) -> None:
        """Free what the node holds; its senders are not held back any longer."""
        self.inbound.close()
        for spool in self._spools:
            spool.close()

    def output_collection(self, incoming: str | None) -> str | None:
        """Name of the collection that it sends."""
        schema = self.planned.output_schema
        return (schema.payload.collection if schema else None) or self.block.output_collection(incoming)

    async def _give_up(self) -> None:
        await self.block.abort()
        async for records in self.inbound.batches():
            for waiting in records:
                record, refused = self.admit(waiting)
                assert refused is not None
                self.settler.fail(record, self.progress.records_in - 1, refused)
            await self.settler.flush()
        await self.settler.flush()
        await self.outlet.end(self.fields)


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
