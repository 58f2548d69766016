"""A payload without a collection: its fields are the one record that the block works on."""

from typing import Any

from lumeflow.core.errors import NodeError, RunError
from lumeflow.core.records import JsonObject, Record, Route, Skip
from lumeflow.engine.messages import merge_fields
from lumeflow.engine.node import NodeRun, fields_check
from lumeflow.engine.settle import not_an_outcome, preview
from lumeflow.engine.units import Unit
from lumeflow.engine.work import work


async def single(run: NodeRun) -> None:
    """Move such a payload through a block. Nothing is sent before it was worked on."""
    async for _ in run.inbound.batches():
        raise AssertionError("records without a collection")
    lineage = (run.planned.ordinal,)
    record = Record(run.inbound.fields, lineage)
    run.progress.records_in += 1
    run.input_preview = preview(record.data, None, None)
    try:
        record = Record(run.check_whole_input(record.data), lineage)
        run.opened = await run.open(record.data, None)
        outcome = await _outcome(run, record)
        port, fields = await _made(run, record, outcome)
    except NodeError as error:
        outcome = error
    if isinstance(outcome, RunError):
        await _failed(run, record, outcome)
    elif isinstance(outcome, Skip):
        run.settler.settle(record, 0, outcome)
        await run.settler.flush()
        await run.abort()
        run.outlet.end({}, {})
        await run.outlet.drain()
    else:
        await _send(run, record, outcome, port, fields)


async def _outcome(run: NodeRun, record: Record) -> Any:
    unit = Unit(run.view())
    unit.add(record, 0, run.passes_by(record, 0))
    await work(run, unit)
    outcome = unit.outcomes[0]
    made = outcome.record if isinstance(outcome, Route) else outcome
    if isinstance(outcome, Route) and outcome.port not in run.outlet.ports:
        return Skip(f"no edge leaves port '{outcome.port}'")
    return outcome if isinstance(made, dict | list | tuple | Skip | RunError) else not_an_outcome(made)


async def _made(run: NodeRun, record: Record, outcome: Any) -> tuple[str, JsonObject]:
    """The port and the fields of the payload that the block made; nothing of a record that goes no further."""
    if isinstance(outcome, Skip | RunError):
        return "", {}
    port, made = (outcome.port, outcome.record) if isinstance(outcome, Route) else ("out", outcome)
    is_list = isinstance(made, list | tuple)
    run.collection = run.output_collection("records") if is_list else None
    closed = await run.close(record.data, None)
    below = {} if run.planned.is_output else (record.data if is_list else made)
    fields = merge_fields(merge_fields(below, run.opened), closed)
    schema = run.planned.output_schema
    return port, fields if schema is None else run.check(fields_check(schema, run.collection), fields, "output")


async def _send(run: NodeRun, record: Record, outcome: Any, port: str, fields: JsonObject) -> None:
    run.publish(fields)
    run.outlet.prepare(fields, run.collection, run.seen())
    run.outlet.begin(port)
    if run.collection is not None or run.planned.is_output:
        run.settler.settle(record, 0, outcome)
        await run.settler.flush()
    else:
        run.progress.records_out += 1
    await run.end(fields)


async def _failed(run: NodeRun, record: Record, error: RunError) -> None:
    takeover = None if run.planned.on_error == "stop" else run.settler.takeover(record, error)
    if takeover is None:
        run.settler.fail(record, 0, error)
        run.break_off(error)
        return
    port, fields = takeover
    run.settler.taken_over += 1
    run.progress.failed += 1
    run.progress.records_out += port == "out"
    await run.abort()
    run.publish(fields)
    run.outlet.prepare(fields, None, run.seen())
    run.outlet.begin(port)
    await run.end(fields)
