"""Running a block on a unit of work; whatever it raises becomes the outcome of the records concerned."""

import inspect
from collections.abc import Sequence
from typing import Any

from lumeflow.core.block import Shape
from lumeflow.core.errors import ErrorClass, RecordError
from lumeflow.core.records import JsonObject
from lumeflow.engine.context import BatchContext, UnitContext
from lumeflow.engine.node import NodeRun
from lumeflow.engine.settle import not_an_outcome
from lumeflow.engine.units import Unit


def is_async(run: NodeRun) -> bool:
    """True if the block's method is a coroutine function."""
    method = run.block.process_batch if run.planned.shape is Shape.BATCH else run.block.process
    return inspect.iscoroutinefunction(method)


async def work(run: NodeRun, unit: Unit) -> None:
    """Find the missing outcomes of a unit, on the loop or, for a plain block, in a worker thread."""
    indexes = unit.open_indexes()
    if not indexes:
        return
    if run.error is not None:
        unit.settle(indexes, [run.unprocessed()] * len(indexes))
    elif not is_async(run):
        plain = _plain_batch if run.planned.shape is Shape.BATCH else _plain_records
        found = await run.world.services.threads.run(plain, run, unit, indexes)
        unit.settle(indexes, [run.outcome_of(item) if isinstance(item, Exception) else item for item in found])
    elif run.planned.shape is Shape.BATCH:
        await _await_batches(run, unit, indexes)
    else:
        await _await_records(run, unit, indexes)


def _record_context(run: NodeRun, unit: Unit, index: int) -> UnitContext:
    record = unit.records[index]
    return UnitContext(run.world, unit.view, record.data, unit.positions[index], record.lineage)


def _batch_context(run: NodeRun, unit: Unit, indexes: Sequence[int], data: Sequence[JsonObject]) -> BatchContext:
    """`{{input}}` is the payload with just these records in its collection."""
    view = unit.view
    value = {**view.fields, view.collection: data} if view.collection else data[0]
    return BatchContext(run.world, view, value, unit.positions[indexes[0]], [unit.records[i].lineage for i in indexes])


async def _await_records(run: NodeRun, unit: Unit, indexes: Sequence[int]) -> None:
    for index in indexes:
        try:
            data = unit.records[index].data
            unit.outcomes[index] = _made(await run.block.process(data, _record_context(run, unit, index)))
        except Exception as error:
            unit.outcomes[index] = run.outcome_of(error)


async def _await_batches(run: NodeRun, unit: Unit, indexes: Sequence[int]) -> None:
    for group in unit.groups or (indexes,):
        await _await_batch(run, unit, group)


async def _await_batch(run: NodeRun, unit: Unit, indexes: Sequence[int]) -> None:
    data = unit.data(indexes)
    try:
        outcomes = _aligned(await run.block.process_batch(data, _batch_context(run, unit, indexes, data)), len(data))
    except Exception as error:
        outcomes = [run.outcome_of(error)] * len(data)
    unit.settle(indexes, outcomes)


def _plain_records(run: NodeRun, unit: Unit, indexes: Sequence[int]) -> list[Any]:
    process = run.block.process
    found: list[Any] = []
    for index in indexes:
        if run.stopped:
            found.append(run.unprocessed())
            continue
        try:
            found.append(_made(process(unit.records[index].data, _record_context(run, unit, index))))
        except Exception as error:
            found.append(error)
    return found


def _plain_batch(run: NodeRun, unit: Unit, indexes: Sequence[int]) -> list[Any]:
    data = unit.data(indexes)
    try:
        return _aligned(run.block.process_batch(data, _batch_context(run, unit, indexes, data)), len(data))
    except Exception as error:
        return [error] * len(data)


def _made(outcome: Any) -> Any:
    """What a block returned; nothing at all is no outcome."""
    return not_an_outcome(outcome) if outcome is None else outcome


def _aligned(outcomes: Any, expected: int) -> list[Any]:
    """One outcome for each record, or the block has a bug."""
    found = list(outcomes) if isinstance(outcomes, list | tuple) else None
    if found is None or len(found) != expected:
        what = f"{len(found)} outcomes" if found is not None else type(outcomes).__name__
        message = f"process_batch returned {what} for {expected} records; right is a list of one outcome for each"
        return [RecordError(ErrorClass.INTERNAL, message)] * expected
    return [_made(outcome) for outcome in found]
