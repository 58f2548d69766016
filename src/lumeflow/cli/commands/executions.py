"""`lumeflow executions …`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lumeflow.cli import kept
from lumeflow.cli.backend import StoredFile
from lumeflow.cli.commands.run import run_and_print, watch_and_print
from lumeflow.cli.inputs import read_numbers
from lumeflow.cli.options import DbOption, ExecutionArgument, JsonOption, NodeOption, SimulatorOption, shell_of
from lumeflow.cli.shell import Shell, out, run_async
from lumeflow.cli.target import target
from lumeflow.cli.writers import Format, Layout
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import ExecutionSummary, RecordKind, Status, Timeline
from lumeflow.core.result import ExecutionResult

app = typer.Typer(help="Executions: what ran, what came out, what failed, and how to go on.")

EXCERPT = 12
"""Events that `show` prints; `events` prints all."""


@app.command("list")
def list_executions(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Most lines.")] = 50,
    before: Annotated[str | None, typer.Option("--before", metavar="ID", help="Only older ones than this.")] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """List the newest executions."""
    from lumeflow.cli import execution_views

    shell = shell_of(ctx, db, as_json)

    async def read() -> list[ExecutionSummary]:
        async with shell.backend() as backend:
            return list(await backend.executions(limit=limit, before=before))

    summaries = run_async(read())
    if shell.as_json:
        shell.emit({"executions": [execution_views.summary_json(summary) for summary in summaries]})
    else:
        execution_views.print_list(out(), summaries)
    return 0


@app.command("show")
def show(ctx: typer.Context, execution: ExecutionArgument, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Show an execution: its nodes, costs, errors, calls in doubt, and the end of its timeline."""
    from lumeflow.cli import execution_views
    from lumeflow.cli.results import print_result

    shell = shell_of(ctx, db, as_json)

    async def read() -> tuple[ExecutionResult, Timeline]:
        async with shell.backend() as backend:
            result = await backend.result(execution)
            if shell.as_json:
                return result, Timeline()
            return result, await execution_views.last_events(backend, execution, EXCERPT)

    result, timeline = run_async(read())
    if shell.as_json:
        shell.emit(result.as_json())
    else:
        print_result(out(), result)
        execution_views.print_events(out(), timeline)
    return 0


@app.command("resume")
def resume(
    ctx: typer.Context,
    execution: ExecutionArgument,
    *,
    limits: Annotated[
        list[str] | None,
        typer.Option("--limit", metavar="NAME=NUMBER", help="Limit in place of the workflow's: costUsd, calls, …"),
    ] = None,
    simulator: SimulatorOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Continue an execution that was stopped, killed or failed; what was answered already is not called again."""
    shell = shell_of(ctx, db, as_json)
    changed = read_numbers("--limit", limits or ())
    return run_and_print(
        shell, lambda backend: backend.resume(execution, changed), title="resumed", simulator=simulator
    )


@app.command("watch")
def watch(ctx: typer.Context, execution: ExecutionArgument, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Follow an execution that a server or a worker runs, to its end, and print its result.

    Ctrl-C ends the watching, not the execution.
    """
    return watch_and_print(shell_of(ctx, db, as_json), execution)


@app.command("cancel")
def cancel(ctx: typer.Context, execution: ExecutionArgument, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Stop an execution that waits in the queue, or that a server or worker runs; calls in flight are stored first."""
    shell = shell_of(ctx, db, as_json)

    async def stop() -> Status:
        async with shell.backend() as backend:
            return await backend.cancel(execution)

    status = run_async(stop())
    if shell.as_json:
        shell.emit({"executionId": execution, "status": str(status)})
    elif status is Status.RUNNING:
        typer.echo("it stops as soon as its calls in flight are stored")
    else:
        typer.echo(f"{status}")
    return 0


@app.command("rerun")
def rerun(
    ctx: typer.Context,
    execution: ExecutionArgument,
    *,
    from_node: Annotated[
        str | None,
        typer.Option("--from", metavar="NODE", help="Compute this node and all behind it afresh, with new calls."),
    ] = None,
    new_id: Annotated[
        str | None, typer.Option("--execution-id", metavar="ID", help="Id of the new execution. Default: a new one.")
    ] = None,
    simulator: SimulatorOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run a part of an execution again, as a new one: the records that failed, or with --from everything from a node
    on. What comes before is replayed, and not paid again.
    """
    shell = shell_of(ctx, db, as_json)
    return run_and_print(
        shell, lambda backend: backend.rerun(execution, from_node, new_id), title="run again", simulator=simulator
    )


@app.command("output")
def output(
    ctx: typer.Context,
    execution: ExecutionArgument,
    *,
    form: Annotated[Format, typer.Option("--format", "-f", help="How to write them.")] = Format.JSON,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Default: standard output.")] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="csv: leave texts as they are that a spreadsheet may run as formulas.")
    ] = False,
    with_embeddings: Annotated[bool, typer.Option("--with-embeddings", help="csv: write embeddings as well.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write every record that reached the output blocks, in order."""
    shell = shell_of(ctx, db, as_json)

    async def write_records() -> int:
        async with shell.backend() as backend:
            await backend.result(execution)
            with target(to) as write:
                return await backend.write_output(execution, Layout(form, raw, with_embeddings), write)

    records = run_async(write_records())
    if to is not None and shell.as_json:
        shell.emit({"path": str(to), "format": str(form), "records": records})
    elif to is not None:
        typer.echo(f"{records:,} records written to {to}", err=True)
    return 0


@app.command("files")
def files(
    ctx: typer.Context,
    execution: ExecutionArgument,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Write this one of them.")] = None,
    *,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to. Default: standard output.")] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """List the files that an execution wrote into its own folder, or write one of them."""
    shell = shell_of(ctx, db, as_json)
    if name is None:
        if to is not None:
            raise UsageError("--to is for one of the files: name it before.")
        return _list_files(shell, execution)

    async def write_one(name: str) -> int:
        async with shell.backend() as backend:
            with target(to) as write:
                return await backend.write_file(execution, name, write)

    size = run_async(write_one(name))
    if to is not None and shell.as_json:
        shell.emit({"path": str(to), "size": size})
    elif to is not None:
        typer.echo(f"{size:,} bytes written to {to}", err=True)
    return 0


def _list_files(shell: Shell, execution: str) -> int:
    from lumeflow.cli import execution_views

    async def read() -> Sequence[StoredFile]:
        async with shell.backend() as backend:
            return await backend.files(execution)

    found = run_async(read())
    if shell.as_json:
        shell.emit({"executionId": execution, "files": [file.as_json() for file in found]})
    else:
        execution_views.print_files(out(), found)
    return 0


@app.command("failed")
def failed(
    ctx: typer.Context,
    execution: ExecutionArgument,
    *,
    node: NodeOption = None,
    limit: kept.LimitOption = kept.DEFAULT_LIMIT,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """List the records that failed and that no error port took, with the reason."""
    return kept.list_kept(shell_of(ctx, db, as_json), execution, RecordKind.FAILED, node=node, limit=limit)


@app.command("skipped")
def skipped(
    ctx: typer.Context,
    execution: ExecutionArgument,
    *,
    node: NodeOption = None,
    limit: kept.LimitOption = kept.DEFAULT_LIMIT,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """List the records that were left out on purpose, with the reason."""
    return kept.list_kept(shell_of(ctx, db, as_json), execution, RecordKind.SKIPPED, node=node, limit=limit)


@app.command("events")
def events(
    ctx: typer.Context,
    execution: ExecutionArgument,
    *,
    after: Annotated[int, typer.Option("--after", min=0, help="Only events with a higher number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most events.")] = 1000,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Read the timeline of an execution: what started, waited, was tried again, failed and ended."""
    from lumeflow.cli import execution_views

    shell = shell_of(ctx, db, as_json)
    timeline = run_async(_timeline(shell, execution, after, limit))
    if shell.as_json:
        shell.emit(execution_views.timeline_json(execution, timeline))
    else:
        execution_views.print_events(out(), timeline)
    return 0


async def _timeline(shell: Shell, execution: str, after: int, limit: int) -> Timeline:
    async with shell.backend() as backend:
        return await backend.timeline(execution, after=after, limit=limit)
