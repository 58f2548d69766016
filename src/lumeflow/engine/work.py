"""Running a block on a unit of work; whatever it raises becomes the outcome of the records concerned."""

import asyncio
import inspect
from collections.abc import Sequence
from typing import Any

from lumeflow.core.block import Shape
from lumeflow.core.errors import ErrorClass, RecordError
from lumeflow.engine.node import NodeRun
from lumeflow.engine.units import Unit


def is_async(run: NodeRun) -> bool:
    """True if the block's method is a coroutine function."""
    method = run.block.process_batch if run.planned.shape is Shape.BATCH else run.block.process
    return inspect.iscoroutinefunction(method)


async def work(run: NodeRun, unit: Unit) -> None:
    """Find the missing outcomes of a unit, on the loop or, for a plain block, in a worker thread."""
    if not unit.open_count:
        return
    if is_async(run):
        await (_await_batch if run.planned.shape is Shape.BATCH else _await_records)(run, unit)
        return
    plain = _plain_batch if run.planned.shape is Shape.BATCH else _plain_records
    indexes = unit.open_indexes()
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(run.world.services.threads, plain, run, unit, indexes)
    unit.settle(indexes, [run.outcome_of(item) if isinstance(item, Exception) else item for item in found])


async def _await_records(run: NodeRun, unit: Unit) -> None:
    for index in unit.open_indexes():
        record = unit.records[index]
        ctx = run.world.context(record.data, unit.positions[index], run.inbound.fields, run.inbound.collection)
        try:
            unit.outcomes[index] = await run.block.process(record.data, ctx)
        except Exception as error:
            unit.outcomes[index] = run.outcome_of(error)


async def _await_batch(run: NodeRun, unit: Unit) -> None:
    indexes = unit.open_indexes()
    data = unit.data(indexes)
    ctx = run.world.batch_context(data, unit.positions[indexes[0]], run.inbound.fields, run.inbound.collection)
    try:
        outcomes = _aligned(await run.block.process_batch(data, ctx), len(data))
    except Exception as error:
        outcomes = [run.outcome_of(error)] * len(data)
    unit.settle(indexes, outcomes)


def _plain_records(run: NodeRun, unit: Unit, indexes: Sequence[int]) -> list[Any]:
    world, fields, collection = run.world, run.inbound.fields, run.inbound.collection
    process = run.block.process
    found: list[Any] = []
    for index in indexes:
        data = unit.records[index].data
        try:
            found.append(process(data, world.context(data, unit.positions[index], fields, collection)))
        except Exception as error:
            found.append(error)
    return found


def _plain_batch(run: NodeRun, unit: Unit, indexes: Sequence[int]) -> list[Any]:
    data = unit.data(indexes)
    ctx = run.world.batch_context(data, unit.positions[indexes[0]], run.inbound.fields, run.inbound.collection)
    try:
        return _aligned(run.block.process_batch(data, ctx), len(data))
    except Exception as error:
        return [error] * len(data)


def _aligned(outcomes: Any, expected: int) -> list[Any]:
    """One outcome for each record, or the block has a bug."""
    found = list(outcomes) if isinstance(outcomes, list | tuple) else None
    if found is None or len(found) != expected:
        what = f"{len(found)} outcomes" if found is not None else type(outcomes).__name__
        message = f"process_batch returned {what} for {expected} records; right is a list of one outcome for each"
        return [RecordError(ErrorClass.INTERNAL, message)] * expected
    return found
