"""How records move through a block, by its shape. Output order is input order, whatever finishes first."""

import asyncio
from collections import deque
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

RECORDS_UNDER_WAY = 512
"""Records of one node that are at work, or wait for an earlier one, where it works record by record."""
BATCHES_UNDER_WAY = 64
RECORDS_IN_LINE = 16_384
"""Records that wait in line in all, those that pass by untouched included: units of up to `LONGEST`."""
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
    line = _Line(run, BATCHES_UNDER_WAY if by_batch else RECORDS_UNDER_WAY)
    run.settle_waiting = line.settle_waiting
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(line.send_in_order())
            async for unit in units(run, await _batch_size(run) if by_batch else 1):
                await line.room()
                if unit.open_count:
                    unit.task = group.create_task(work(run, unit))
                    run.under_way.add(unit.task)
                    unit.task.add_done_callback(run.under_way.discard)
                line.append(unit)
                if run.block.ordered and unit.task is not None:
                    await asyncio.wait([unit.task])
            line.end()
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    await run.finish(run.inbound.fields, run.inbound.collection)


async def _batch_size(run: NodeRun) -> int | None:
    size = run.block.batch_size or None
    if size and (run.world.services.resumed or run.world.part.inherits):
        await run.world.batches.load()
    return size


async def in_turn(run: NodeRun) -> None:
    """A plain block: one unit after the other, in a worker thread, so that it never blocks the loop."""
    await run.begin(run.inbound.fields, run.inbound.collection)
    size = (run.block.batch_size or None) if run.planned.shape is Shape.BATCH else None
    line = _Line(run, 1)
    run.settle_waiting = line.settle_waiting
    async for unit in units(run, size):
        line.append(unit)
        await work(run, unit)
        line.settle_next()
        await run.settler.flush()
    await run.finish(run.inbound.fields, run.inbound.collection)


async def produce(run: NodeRun) -> None:
    """A block that makes records from a whole payload. They are sent on whenever it waits for something."""
    payload = await _whole_payload(run)
    run.progress.records_in = 0 if run.planned.is_input else 1
    ctx = run.phase("produce", run.inbound.fields, None)
    ctx.input = payload
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
    run.opened = await run.open(fields, None)
    made = await run.block.run(payloads, run.phase("run", fields, None))
    run.begin_output(made.fields, made.collection)
    records = iter(made.records)
    position = 0
    while chunk := await run.world.services.threads.run(lambda: list(islice(records, FLUSH_AT))):
        for record in chunk:
            run.settler.settle(record, position, record.data)
            position += 1
        await run.settler.flush()
    skipped = iter(made.skipped)
    while left := await run.world.services.threads.run(lambda: list(islice(skipped, FLUSH_AT))):
        for entry in left:
            run.settler.settle(entry.record, entry.position, entry.skip)
        await run.settler.flush()
    await run.finish(made.fields, made.collection, check_input=False)


async def _whole_payload(run: NodeRun) -> JsonObject:
    records: list[JsonObject] = []
    async for arrived in run.inbound.batches():
        records.extend(record.data for record in arrived)
    name = run.inbound.collection
    payload = {**run.inbound.fields, name: records} if name else run.inbound.fields
    return payload if run.planned.is_input else run.check_whole_input(payload)


class _Line:
    """Units in input order, from the moment they are begun until they are sent on.

    Args:
        run: The node.
        most: Units that may stand in line.
    """

    def __init__(self, run: NodeRun, most: int) -> None:
        self._run = run
        self._most = most
        self._units: deque[Unit] = deque()
        self._records = 0
        self._ended = False
        self._arrival = asyncio.Event()
        self._left = asyncio.Event()

    async def room(self) -> None:
        """Wait until there is room for one more."""
        while len(self._units) >= self._most or self._records >= RECORDS_IN_LINE:
            self._left.clear()
            await self._left.wait()

    def append(self, unit: Unit) -> None:
        """Stand in line, with the task that works on it."""
        self._units.append(unit)
        self._records += len(unit.records)
        self._arrival.set()

    def end(self) -> None:
        """No more units come."""
        self._ended = True
        self._arrival.set()

    async def send_in_order(self) -> None:
        """Settle units one after the other, each when its work is done, and send on what has gathered."""
        settler = self._run.settler
        while self._units or not self._ended:
            if not self._units:
                await settler.flush()
                self._arrival.clear()
                await self._arrival.wait()
                continue
            task = self._units[0].task
            if task is not None and not task.done():
                await settler.flush()
                await asyncio.wait([task])
            self.settle_next()
            if settler.waiting >= FLUSH_AT:
                await settler.flush()
        await settler.flush()

    def settle_next(self) -> None:
        """Settle the first unit; what was not worked on to the end has failed."""
        unit = self._units[0]
        for index in unit.open_indexes():
            unit.outcomes[index] = self._run.unprocessed()
        for record, position, outcome in zip(unit.records, unit.positions, unit.outcomes, strict=True):
            self._run.settler.settle(record, position, outcome)
        self._units.popleft()
        self._records -= len(unit.records)
        self._left.set()

    def settle_waiting(self) -> None:
        """Settle all units, now that nobody works any more."""
        while self._units:
            self.settle_next()


async def _settle_all(
    run: NodeRun, outcomes: AsyncIterator[Any], more: asyncio.Event, sender: "asyncio.Task[None]"
) -> None:
    origin, position = run.planned.ordinal, 0
    try:
        async for outcome in outcomes:
            run.world.records.enter()
            data = outcome if isinstance(outcome, Mapping) else {}
            run.settler.settle(Record(data, (origin, position)), position, outcome)
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


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    """The error that ended a group of tasks; the others only followed from it."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
