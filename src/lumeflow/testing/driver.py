"""Running a block of any shape on a whole payload: no engine, no gateway, no order to wait for."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lumeflow.core.block import Block, Shape
from lumeflow.core.errors import STOPS_NODE, ErrorClass, NodeError, RecordError, RunError
from lumeflow.core.records import JsonObject, Record, Route, Skip, Whole
from lumeflow.kit.payloads import SplitPayload, split_payload
from lumeflow.testing.context import MemoryContext


@dataclass(frozen=True, slots=True)
class Failed:
    """A record that failed: its ordinal in the input (of a producer, in its output) and why."""

    position: int
    error: RunError


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that was left out: its ordinal in the input and why."""

    position: int
    reason: str


@dataclass(slots=True)
class BlockRun:
    """What a block made of a payload.

    Attributes:
        output: The payload on port `out`.
        fields: Fields of that payload besides its collection; of an output block, its result.
        records: Its collection, or its one record if it has none.
        failed: Records that failed.
        skipped: Records that were left out.
        routed: Records that left by other ports, by port.
    """

    output: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    records: list[JsonObject] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    skipped: list[LeftOut] = field(default_factory=list)
    routed: dict[str, list[JsonObject]] = field(default_factory=dict)

    def settle(self, position: int, outcome: Any) -> None:
        """Sort one outcome in."""
        if isinstance(outcome, Mapping):
            self.records.append(outcome)
        elif isinstance(outcome, Route):
            self.routed.setdefault(outcome.port, []).append(outcome.record)
        elif isinstance(outcome, Skip):
            self.skipped.append(LeftOut(position, outcome.reason))
        elif isinstance(outcome, RunError):
            self.failed.append(Failed(position, outcome))
        elif isinstance(outcome, list | tuple):
            for made in outcome:
                self.settle(position, made)
        else:
            message = f"the block returned {type(outcome).__name__} for a record"
            self.failed.append(Failed(position, RecordError(ErrorClass.INTERNAL, message)))


async def run_block(
    block_class: type[Block[Any]],
    config: Mapping[str, Any],
    payload: JsonObject | None = None,
    *,
    context: MemoryContext | None = None,
    collection: str | None = None,
) -> BlockRun:
    """Run a block on a whole payload.

    Args:
        block_class: The block.
        config: The node's `config`, as in a workflow document.
        payload: What reaches it. For an input block, the execution's input; for a merge block, whole payloads by
            source node id, in the order of the edges.
        context: The world it sees.
        collection: Name of the payload's collection, where it cannot be told by looking (see `split_payload`).

    Raises:
        ValidationError: The configuration is not valid.
        NodeError: The block cannot work at all.
    """
    block = block_class(block_class.Config.model_validate(config))
    ctx = context or MemoryContext()
    given = dict(payload or {})
    name = collection or block.config.collection
    if block_class.shape() is Shape.WHOLE:
        parts = given if _is_by_source(given) else {"input": given}
        return await _run_whole(block, parts, ctx, name)
    if block_class.shape() is Shape.PRODUCER:
        return await _run_producer(block, given, ctx, name)
    if block_class.type == "merge" and _is_by_source(given):
        return await _run_records(block, _one_after_the_other(block, given, name), ctx)
    return await _run_records(block, split_payload(given, name), ctx)


def _is_by_source(given: JsonObject) -> bool:
    return bool(given) and all(isinstance(part, Mapping) for part in given.values())


def _one_after_the_other(block: Block[Any], given: JsonObject, name: str | None) -> SplitPayload:
    """The payloads of all sources as a merge block gets them that works record by record."""
    parts = [split_payload(given[source], name) for source in (block.sources() or given) if source in given]
    fields: dict[str, Any] = {}
    for part in parts:
        fields |= part.fields
    collection = next((part.collection for part in parts if part.collection), None)
    return SplitPayload(fields, collection, [record for part in parts for record in part.records])


async def _run_records(block: Block[Any], given: SplitPayload, ctx: MemoryContext) -> BlockRun:
    run = BlockRun()
    records = list(given.records) if given.collection else [given.fields]
    opened = await block.open(ctx.at(given.fields, 0, given.fields, given.collection))
    try:
        for positions, batch in _batches(block, records, given, ctx):
            for position, outcome in zip(positions, await _work(block, positions, batch, given, ctx), strict=True):
                run.settle(position, outcome)
        closed = await block.close(ctx.at(given.fields, 0, given.fields, given.collection))
    except BaseException:
        await block.abort()
        raise
    below = given.fields if given.collection and block.type != "output" else {}
    _assemble(run, block, given.collection, [below, opened, closed])
    return run


async def _run_producer(block: Block[Any], given: JsonObject, ctx: MemoryContext, name: str | None) -> BlockRun:
    run = BlockRun()
    is_input = block.type == "input"
    if is_input and given:
        ctx = replace(ctx, trigger=given)
    fields: JsonObject = {} if is_input else given
    opened = await block.open(ctx.at(fields, 0, fields, name if is_input else None))
    position = 0
    try:
        async for outcome in block.produce(ctx.at(fields, 0, fields, None)):
            run.settle(position, outcome)
            position += 1
        closed = await block.close(ctx.at(fields, 0, fields, None))
    except BaseException:
        await block.abort()
        raise
    collection = block.output_collection(name) or ("records" if position else None)
    _assemble(run, block, collection, [fields, opened, closed])
    return run


async def _run_whole(block: Block[Any], given: JsonObject, ctx: MemoryContext, name: str | None) -> BlockRun:
    run = BlockRun()
    sources = [source for source in (block.sources() or given) if source in given]
    payloads = {
        source: _whole(split_payload(given[source], name if name in given[source] else None)) for source in sources
    }
    opened = await block.open(ctx.at({}, 0, {}, None))
    try:
        made = await block.run(payloads, ctx.at({}, 0, {}, None))
        for position, record in enumerate(made.records):
            run.settle(position, record.data)
        for entry in made.skipped:
            run.settle(entry.position, entry.skip)
        closed = await block.close(ctx.at(made.fields, 0, made.fields, made.collection))
    except BaseException:
        await block.abort()
        raise
    _assemble(run, block, made.collection, [made.fields, opened, closed])
    return run


def _whole(given: SplitPayload) -> Whole:
    records = [Record(data, (position,)) for position, data in enumerate(given.records)]
    return Whole(given.fields, given.collection, records)


def _batches(
    block: Block[Any], records: Sequence[JsonObject], given: SplitPayload, ctx: MemoryContext
) -> Iterator[tuple[list[int], list[JsonObject]]]:
    """Cut into batches; a record that the block does not apply to does not count."""
    size = block.batch_size if block.shape() is Shape.BATCH else 1
    positions: list[int] = []
    counted = 0
    for position, record in enumerate(records):
        positions.append(position)
        counted += _applies(block, record, position, given, ctx)
        if counted == size:
            yield positions, [records[index] for index in positions]
            positions, counted = [], 0
    if positions:
        yield positions, [records[index] for index in positions]


def _applies(block: Block[Any], record: JsonObject, position: int, given: SplitPayload, ctx: MemoryContext) -> bool:
    return block.applies(record, ctx.at(record, position, given.fields, given.collection))


async def _work(
    block: Block[Any], positions: Sequence[int], batch: Sequence[JsonObject], given: SplitPayload, ctx: MemoryContext
) -> Sequence[Any]:
    """One outcome for each record of a batch; those that the block does not apply to pass through."""
    outcomes: list[Any] = list(batch)
    chosen = [index for index, record in enumerate(batch) if _applies(block, record, positions[index], given, ctx)]
    if not chosen:
        return outcomes
    records = [batch[index] for index in chosen]
    by_batch = block.shape() is Shape.BATCH
    value: Any = records[0] if not (by_batch and given.collection) else {**given.fields, given.collection: records}
    unit = ctx.at(value, positions[chosen[0]], given.fields, given.collection)
    try:
        made = block.process_batch(records, unit) if by_batch else block.process(records[0], unit)
        found = await made if inspect.isawaitable(made) else made
    except RunError as error:
        if isinstance(error, NodeError) or error.error_class in STOPS_NODE:
            raise
        found = [error] * len(records) if by_batch else error
    for index, outcome in zip(chosen, found if by_batch else [found], strict=True):
        outcomes[index] = outcome
    return outcomes


def _assemble(run: BlockRun, block: Block[Any], collection: str | None, parts: Sequence[JsonObject]) -> None:
    """Put the payload together: fields of later parts over earlier ones, objects of one name joined."""
    for part in parts:
        for name, value in part.items():
            old = run.fields.get(name)
            run.fields[name] = {**old, **value} if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    if block.type == "output":
        run.output = dict(run.fields)
    elif collection is not None:
        run.output = {**run.fields, collection: run.records}
    else:
        made: JsonObject = run.records[0] if run.records else {}
        run.output = {**made, **run.fields}
