"""`lumeflow run`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from lumeflow.cli import problems
from lumeflow.cli.display import LiveDisplay, display_for
from lumeflow.cli.inputs import STDIN, read_document, read_input, read_mocks, read_now, read_variables
from lumeflow.cli.options import DbOption, FileArgument, JsonOption, SimulatorOption, shell_of
from lumeflow.cli.shell import Shell, out, run_async
from lumeflow.cli.supervise import Start, supervise
from lumeflow.core.errors import UsageError
from lumeflow.core.journal import Mode, Status
from lumeflow.core.result import ExecutionResult

if TYPE_CHECKING:
    from lumeflow.app import App

    StartOn = Callable[[App], Start]


def run(
    ctx: typer.Context,
    file: FileArgument,
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
    source, trigger = read_document(file), read_input(given)
    answers = read_mocks(mocks) if mocks is not None else None
    values, moment = read_variables(variables or ()), read_now(now)

    def start(app: "App") -> Start:
        workflow = app.load(source, mode=mode)
        return lambda listen, cancel: app.execute(
            workflow,
            trigger,
            mode=mode,
            mocks=answers,
            execution_id=execution_id,
            now=moment,
            variables=values,
            on_progress=listen,
            cancel=cancel,
        )

    return run_and_print(shell, start, title=file, simulator=simulator)


def run_and_print(shell: Shell, start: "StartOn", *, title: str, simulator: str | None) -> int:
    """Run or resume an execution with progress on standard error and its result on standard output.

    Returns:
        The exit code: 0 if it completed.
    """
    display = display_for(shell, title)

    def resume_command(execution_id: str) -> str:
        address = ("--simulator", simulator) if simulator else ()
        return shell.command("executions", "resume", execution_id, *address)

    async def work() -> ExecutionResult:
        async with shell.open(simulator_url=simulator) as app:
            return await supervise(start(app), display, resume_command=resume_command)

    result = run_async(work())
    if shell.as_json:
        shell.emit(result.as_json())
    else:
        print_outcome(shell, result, nodes=not isinstance(display, LiveDisplay))
    if result.status is not Status.COMPLETED:
        display.announce(f"to continue: {resume_command(result.execution_id)}")
        return problems.FAILED
    return problems.OK


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
