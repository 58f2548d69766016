"""A payload without a collection: its fields are the one record that the block works on."""

from typing import Any

from lumeflow.core.errors import RunError
from lumeflow.core.records import JsonObject, Record, Route, Skip
from lumeflow.engine.messages import merge_fields
from lumeflow.engine.node import NodeRun, fields_check
from lumeflow.engine.settle import preview
from lumeflow.engine.units import Unit
from lumeflow.engine.work import work


async def single(run: NodeRun) -> None:
    """Move such a payload through a block. Nothing is sent before it was worked on."""
    async for _ in run.inbound.batches():
        pass
    fields = run.check_whole_input(run.inbound.fields)
    opened = await run.open(fields, None)
    record = Record(fields, (0,))
    run.progress.records_in += 1
    unit = Unit()
    unit.add(record, 0, run.passes_by(record, 0))
    await work(run, unit)
    outcome = unit.outcomes[0]
    run.input_preview = preview(fields, None, None)
    if isinstance(outcome, RunError):
        await _failed(run, record, outcome)
    elif isinstance(outcome, Skip):
        run.settler.settle(record, 0, outcome)
        await run.settler.flush()
        await run.outlet.end({})
    else:
        await _send(run, record, outcome, opened)


async def _send(run: NodeRun, record: Record, outcome: Any, opened: JsonObject) -> None:
    port, made = (outcome.port, outcome.record) if isinstance(outcome, Route) else ("out", outcome)
    is_list = isinstance(made, list | tuple)
    run.collection = run.output_collection("records") if is_list else None
    closed = await run.block.close(run.world.context(record.data, 0, record.data, None))
    below = {} if run.planned.is_output else (record.data if is_list else made)
    fields = merge_fields(merge_fields(below, opened), closed)
    schema = run.planned.output_schema
    if schema is not None:
        fields = run.check(fields_check(schema, run.collection), fields, "output")
    run.publish(fields)
    run.outlet.prepare(fields, run.collection)
    await run.outlet.begin(port)
    if is_list or run.planned.is_output:
        run.settler.settle(record, 0, outcome)
        await run.settler.flush()
    else:
        run.progress.records_out += 1
    await run.outlet.end(fields)


async def _failed(run: NodeRun, record: Record, error: RunError) -> None:
    takeover = run.settler.takeover(record, error)
    if takeover is None:
        run.settler.fail(record, 0, error)
        run.break_off(error)
        return
    port, fields = takeover
    run.progress.failed += 1
    run.publish(fields)
    run.outlet.prepare(fields, None)
    await run.outlet.begin(port)
    await run.outlet.end(fields)
