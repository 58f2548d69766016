"""`lumeflow demo`."""

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumeflow import workflows
from lumeflow.cli import problems
from lumeflow.cli.commands.run import print_outcome
from lumeflow.cli.display import LiveDisplay, display_for
from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import Shell, out, run_async
from lumeflow.cli.supervise import supervise
from lumeflow.core.journal import Mode, Status
from lumeflow.core.result import ExecutionResult
from lumeflow.workflows import PLAN

if TYPE_CHECKING:
    from rich.table import Table

    from lumeflow.app import App

COMMENTS = 150
"""Comments under each post of the sample audience."""
GAPS = 9
"""Columns of the terminal between the columns of the table."""
PACE = 2.0
"""How slow the providers are, compared to life, where somebody watches."""
SHOWN = 8
"""Contacts that are printed at the end."""

Records = Sequence[Mapping[str, Any]]


def demo(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[WORKFLOW]", help="Name of a shipped workflow.")] = PLAN,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run a shipped workflow on its sample input: no network, no keys, no cost. By default, the lead enrichment.

    The providers are simulated in this process; all people are invented. The execution is stored like any other.
    """
    shell = shell_of(ctx, db, as_json)
    source, sample = workflows.source(name), workflows.example(name)
    display = display_for(shell, f"lumeflow demo: {name}", on_stdout=True)
    environ = {**os.environ, **sample.environment()}
    pace = PACE if isinstance(display, LiveDisplay) else None

    def resume_command(execution_id: str) -> str:
        return shell.command("executions", "resume", execution_id)

    async def work() -> tuple[ExecutionResult, Records, str]:
        async with shell.open(demo_latency=pace, demo_comments=COMMENTS, environ=environ) as app:
            workflow = app.load(source, mode=Mode.DEMO)
            trigger = await app.stage(sample)
            _enter(app.settings.data_dir / "demo" / name, sample)
            result = await supervise(
                lambda listen, cancel: app.execute(
                    workflow,
                    trigger,
                    mode=Mode.DEMO,
                    mocks=sample.mocks,
                    variables=sample.variables,
                    on_progress=listen,
                    cancel=cancel,
                ),
                display,
                resume_command=resume_command,
            )
            return result, await first_records(app, result.execution_id, SHOWN), app.database.name

    result, contacts, place = run_async(work())
    if shell.as_json:
        shell.emit(result.as_json())
    elif result.status is Status.COMPLETED:
        if name == PLAN:
            print_end(shell, result, contacts, place)
        else:
            print_outcome(shell, result, nodes=not isinstance(display, LiveDisplay))
    if result.status is Status.COMPLETED:
        return problems.OK
    if result.status is Status.FAILED and result.error:
        display.announce(result.error)
    display.announce(f"{result.status}; to continue: {resume_command(result.execution_id)}")
    return problems.FAILED


def _enter(folder: Path, sample: workflows.Example) -> None:
    """Work in a folder that holds the sample's files."""
    if sample.files:
        for path, text in sample.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        os.chdir(folder)


async def first_records(app: "App", execution_id: str, number: int) -> Records:
    """The first records that reached the output."""

    async def read() -> AsyncGenerator[Mapping[str, Any], None]:
        async for record in app.output_records(execution_id):
            yield record

    found: list[Mapping[str, Any]] = []
    async with aclosing(read()) as records:
        async for record in records:
            found.append(record)
            if len(found) == number:
                break
    return found


def print_end(shell: Shell, result: ExecutionResult, contacts: Records, place: str) -> None:
    """Print contacts, costs, and where to look further."""
    from lumeflow.cli.results import cost_table, headline

    console = out()
    console.print()
    console.print(headline(result))
    console.print()
    console.print(contact_table(contacts, console.width))
    stored = result.output.get("contactsCount")
    if isinstance(stored, int) and stored > len(contacts):
        console.print(f"and {stored - len(contacts):,} more", style="dim")
    console.print("\nwhat the providers would have charged", style="bold")
    console.print(cost_table(result))
    console.print("\nstored in the database", style="bold")
    console.print(f"  {place}", markup=False, soft_wrap=True)
    console.print("\nmore", style="bold")
    for words in (("show",), ("output", "--format", "csv"), ("skipped",), ("events",)):
        command = shell.command("executions", words[0], result.execution_id, *words[1:])
        console.print(f"  {command}", markup=False, soft_wrap=True, style="cyan")


def contact_table(contacts: Records, width: int) -> "Table":
    """A line for each contact: the address in full, if there is room for it, the rest shortened."""
    from lumeflow.cli.results import plain_table

    rows = [contact_row(contact) for contact in contacts]
    address = min(max((len(row[-1]) for row in rows), default=0), width // 2)
    table = plain_table("name", "title", "company", "email")
    for column, room in zip(table.columns, [max(8, (width - address - GAPS) // 3)] * 3 + [address], strict=True):
        column.no_wrap, column.overflow, column.max_width = True, "ellipsis", room
    for row in rows:
        table.add_row(*row)
    return table


def contact_row(contact: Mapping[str, Any]) -> list[str]:
    """Name, title, company and address; empty where unknown."""
    name = " ".join(str(contact[key]) for key in ("firstName", "lastName") if contact.get(key))
    return [name, *(str(contact.get(key) or "") for key in ("title", "company", "email"))]
