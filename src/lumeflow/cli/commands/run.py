"""`lumeflow run`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from lumeflow.cli import problems
from lumeflow.cli.backend import Backend, Order, Start
from lumeflow.cli.display import Display, LiveDisplay, display_for
from lumeflow.cli.inputs import (
    STDIN,
    read_input,
    read_mocks,
    read_now,
    read_uploads,
    read_variables,
    read_workflow,
)
from lumeflow.cli.options import DbOption, JsonOption, SimulatorOption, WorkflowArgument, shell_of
from lumeflow.cli.shell import Shell, out, run_async
from lumeflow.cli.supervise import leaving, supervise
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import Mode, Status
from lumeflow.core.result import ExecutionResult

StartOn = Callable[[Backend], Awaitable[Start]]


def run(
    ctx: typer.Context,
    file: WorkflowArgument,
    *,
    given: Annotated[
        str, typer.Option("--input", "-i", metavar="JSON|@FILE|-", help="Input of the execution: a JSON object.")
    ] = "{}",
    mode: Annotated[Mode, typer.Option("--mode", help="demo: no network, no keys, no cost.")] = Mode.LIVE,
    mocks: Annotated[
        str | None,
        typer.Option("--mocks", metavar="FILE", help="Demo answers by provider or node id, as a JSON object."),
    ] = None,
    simulator: SimulatorOption = None,
    execution_id: Annotated[
        str | None, typer.Option("--execution-id", metavar="ID", help="Id of the execution. Default: a new one.")
    ] = None,
    now: Annotated[
        str | None,
        typer.Option("--now", metavar="ISO-8601", help="The execution's time, so that two runs can be compared."),
    ] = None,
    variables: Annotated[
        list[str] | None,
        typer.Option(
            "--var", metavar="NAME=VALUE", help="Value of {{variables.NAME}}; NAME:=JSON for other than text."
        ),
    ] = None,
    uploads: Annotated[
        list[str] | None,
        typer.Option(
            "--upload", metavar="NAME=FILE", help="A file for the input's key NAME; a server is sent it first."
        ),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Start it and do not wait: a server or a worker runs it.")
    ] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run a workflow, and print its result. Every call is remembered: nothing is paid twice, whatever happens."""
    shell = shell_of(ctx, db, as_json)
    if file == STDIN and given == STDIN:
        raise UsageError("standard input cannot be both the workflow and the input; write --input @FILE.")
    if simulator is not None and mode is Mode.DEMO:
        raise UsageError("--simulator calls over HTTP and --mode demo calls nothing: leave one of them out.")
    if mocks is not None and mode is not Mode.DEMO:
        raise UsageError("--mocks gives demo answers: add --mode demo.")
    document, trigger = read_workflow(file), read_input(given)
    order = Order(
        document,
        trigger,
        mode=mode,
        mocks=read_mocks(mocks) if mocks is not None else None,
        variables=read_variables(variables or ()),
        files=read_uploads(uploads or (), trigger),
        execution_id=execution_id,
        now=read_now(now),
    )
    if not detach:
        return run_and_print(shell, lambda backend: backend.run(order), title=file, simulator=simulator)
    if simulator is not None:
        raise UsageError("--simulator: which vendors a worker or a server calls is said where it is started.")
    return submit_and_print(shell, order)


def run_and_print(shell: Shell, start: StartOn, *, title: str, simulator: str | None) -> int:
    """Run or resume an execution with progress on standard error and its result on standard output.

    Returns:
        The exit code: 0 if it completed.
    """
    display = display_for(shell, title)

    def resume_command(execution_id: str) -> str:
        address = ("--simulator", simulator) if simulator else ()
        return shell.command("executions", "resume", execution_id, *address)

    def watch_command(execution_id: str) -> str:
        return shell.command("executions", "watch", execution_id)

    async def work() -> ExecutionResult:
        async with shell.backend(simulator=simulator, notice=display.announce) as backend:
            watch = watch_command if backend.runs_alone else None
            return await supervise(await start(backend), display, resume_command=resume_command, watch_command=watch)

    result = run_async(work())
    _print(shell, result, display)
    if result.status is not Status.COMPLETED:
        display.announce(f"to continue: {resume_command(result.execution_id)}")
        return problems.FAILED
    return problems.OK


def submit_and_print(shell: Shell, order: Order) -> int:
    """Have an execution run by others, and print its id."""

    async def work() -> str:
        async with shell.backend() as backend:
            return await backend.submit(order)

    execution_id = run_async(work())
    if shell.as_json:
        shell.emit({"executionId": execution_id})
    else:
        typer.echo(execution_id)
        typer.echo(f"to follow it: {shell.command('executions', 'watch', execution_id)}", err=True)
    return problems.OK


def watch_and_print(shell: Shell, execution_id: str) -> int:
    """Follow an execution with progress on standard error, and print its result on standard output.

    Returns:
        The exit code: 0 if it completed, 1 if it did not, 130 if it was left before its end.
    """
    display = display_for(shell, "watched", hint="Ctrl-C leaves it running")
    left = asyncio.Event()

    def watch_command(execution_id: str) -> str:
        return shell.command("executions", "watch", execution_id)

    async def work() -> ExecutionResult:
        async with shell.backend(notice=display.announce) as backend:
            follow = await backend.watch(execution_id)
            with leaving(left):
                async with display:
                    return await follow(display.update, left)

    result = run_async(work())
    if left.is_set() and result.status in {Status.QUEUED, Status.RUNNING}:
        display.announce(f"it is {result.status}; to follow it again: {watch_command(execution_id)}")
        return problems.INTERRUPTED
    _print(shell, result, display)
    return problems.OK if result.status is Status.COMPLETED else problems.FAILED


def _print(shell: Shell, result: ExecutionResult, display: Display) -> None:
    if shell.as_json:
        shell.emit(result.as_json())
    else:
        print_outcome(shell, result, nodes=not isinstance(display, LiveDisplay))


def print_outcome(shell: Shell, result: ExecutionResult, *, nodes: bool) -> None:
    """Print a result, and which commands show more of it."""
    from lumeflow.cli.results import print_result

    console = out()
    print_result(console, result, nodes=nodes)
    more = [["output", "--format", "csv"]] if result.output else [["events"]]
    more += [["failed"]] if result.failed_records else []
    for words in more:
        command = shell.command("executions", words[0], result.execution_id, *words[1:])
        console.print(command, style="dim", markup=False, soft_wrap=True)
