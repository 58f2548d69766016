"""How records move through a block, by its shape. Output order is input order, whatever finishes first."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from itertools import islice
from typing import Any

from lumeflow.core.block import Shape
from lumeflow.core.records import JsonObject, Record
from lumeflow.engine.messages import merge_fields
from lumeflow.engine.node import NodeRun
from lumeflow.engine.single import single
from lumeflow.engine.units import Unit, units
from lumeflow.engine.work import is_async, work

RECORDS_UNDER_WAY = 1024
"""Records of one node that are at work, or wait for an earlier one, where it works record by record."""
BATCHES_UNDER_WAY = 128
FLUSH_AT = 128
"""Outcomes that are sent on together at most."""


async def drive(run: NodeRun) -> None:
    """Move the whole input of a node, which has begun, through its block."""
    shape = run.planned.shape
    if shape is Shape.PRODUCER:
        await produce(run)
    elif shape is Shape.WHOLE:
        await whole(run)
    elif run.inbound.collection is None:
        await single(run)
    elif is_async(run):
        await concurrently(run)
    else:
        await in_turn(run)


async def concurrently(run: NodeRun) -> None:
    """An asynchronous block: many units under way at once, sent on in order."""
    await run.begin(run.inbound.fields, run.inbound.collection)
    by_batch = run.planned.shape is Shape.BATCH
    queue: asyncio.Queue[Unit | None] = asyncio.Queue(BATCHES_UNDER_WAY if by_batch else RECORDS_UNDER_WAY)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_send_in_order(run, queue))
            async for unit in units(run, (run.block.batch_size or None) if by_batch else 1):
                if run.block.ordered:
                    await work(run, unit)
                elif unit.open_count:
                    unit.task = group.create_task(work(run, unit))
                await queue.put(unit)
            await queue.put(None)
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    await run.finish(run.inbound.fields, run.inbound.collection)


async def in_turn(run: NodeRun) -> None:
    """A plain block: one unit after the other, in a worker thread, so that it never blocks the loop."""
    await run.begin(run.inbound.fields, run.inbound.collection)
    size = (run.block.batch_size or None) if run.planned.shape is Shape.BATCH else None
    async for unit in units(run, size):
        await work(run, unit)
        _settle(run, unit)
        await run.settler.flush()
    await run.finish(run.inbound.fields, run.inbound.collection)


async def produce(run: NodeRun) -> None:
    """A block that makes records from a whole payload. They are sent on whenever it waits for something."""
    payload = await _whole_payload(run)
    run.progress.records_in = 0 if run.planned.is_input else 1
    ctx = run.world.context(payload, 0, run.inbound.fields, None)
    await run.begin(run.inbound.fields, None)
    more = asyncio.Event()
    sender = asyncio.create_task(_send_when(more, run))
    try:
        try:
            await _settle_all(run, run.block.produce(ctx), more, sender)
        except Exception as error:
            run.break_off(run.outcome_of(error))
        await run.settler.flush()
    finally:
        # Nothing is flushed here: whoever cancels may have stopped the reader of a full channel before.
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
    await run.finish(run.inbound.fields, None)


async def whole(run: NodeRun) -> None:
    """A block that needs everything at once: its inputs gather first, on disk if they are large."""
    payloads = await run.gather()
    fields: JsonObject = {}
    for payload in payloads.values():
        fields = merge_fields(fields, payload.fields)
    made = await run.block.run(payloads, run.world.context(fields, 0, fields, None))
    await run.begin(made.fields, made.collection)
    records = iter(made.records)
    loop = asyncio.get_running_loop()
    position = 0
    while chunk := await loop.run_in_executor(run.world.services.threads, lambda: list(islice(records, FLUSH_AT))):
        for record in chunk:
            run.settler.settle(record, position, record.data)
            position += 1
        await run.settler.flush()
    await run.finish(made.fields, made.collection)


async def _whole_payload(run: NodeRun) -> JsonObject:
    records: list[JsonObject] = []
    async for arrived in run.inbound.batches():
        records.extend(record.data for record in arrived)
    name = run.inbound.collection
    payload = {**run.inbound.fields, name: records} if name else run.inbound.fields
    return payload if run.planned.is_input else run.check_whole_input(payload)


async def _send_in_order(run: NodeRun, queue: "asyncio.Queue[Unit | None]") -> None:
    while (unit := await queue.get()) is not None:
        if unit.task is not None and not unit.task.done():
            await run.settler.flush()
            await asyncio.wait([unit.task])
        _settle(run, unit)
        if run.settler.waiting >= FLUSH_AT or queue.empty():
            await run.settler.flush()


async def _settle_all(
    run: NodeRun, outcomes: AsyncIterator[Any], more: asyncio.Event, sender: "asyncio.Task[None]"
) -> None:
    position = 0
    try:
        async for outcome in outcomes:
            run.world.records.enter()
            data = outcome if isinstance(outcome, Mapping) else {}
            run.settler.settle(Record(data, (position,)), position, outcome)
            position += 1
            more.set()
            if sender.done():
                sender.result()
            if run.settler.waiting >= FLUSH_AT:
                await run.settler.flush()
    finally:
        if isinstance(outcomes, AsyncGenerator):
            await outcomes.aclose()


async def _send_when(more: asyncio.Event, run: NodeRun) -> None:
    while True:
        await more.wait()
        more.clear()
        await run.settler.flush()


def _settle(run: NodeRun, unit: Unit) -> None:
    for record, position, outcome in zip(unit.records, unit.positions, unit.outcomes, strict=True):
        run.settler.settle(record, position, outcome)


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    """The error that ended a group of tasks; the others only followed from it."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
