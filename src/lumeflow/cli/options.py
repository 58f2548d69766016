"""Options that several commands take."""

from typing import Annotated

import typer

from lumeflow.cli.shell import Shell

DbOption = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL",
        help="Database: a path, sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."
        " Default: LUMEFLOW_DB, or else a file in your data folder.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: one JSON object on standard output.")]
FileArgument = Annotated[
    str,
    typer.Argument(metavar="FILE", help="A workflow file, - for standard input, or the name of a shipped workflow."),
]
WorkflowArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="A workflow file, - for standard input, or the name of a saved or shipped workflow."
    ),
]
ExecutionArgument = Annotated[str, typer.Argument(metavar="ID", help="Execution id.")]
SimulatorOption = Annotated[
    str | None,
    typer.Option("--simulator", metavar="URL", help="Send every provider to a simulator at this address."),
]
NodeOption = Annotated[str | None, typer.Option("--node", metavar="ID", help="Only what this node kept.")]


def shell_of(ctx: typer.Context, db: str | None, as_json: bool) -> Shell:
    """The shared options of a command, given after its name or before it; the nearest `--db` wins.

    Raises:
        UsageError: It cannot work on the server that is named, or on both that and a database.
    """
    from lumeflow.cli.place import place_of

    outer = ctx.obj if isinstance(ctx.obj, Shell) else Shell()
    chosen = db if db is not None else outer.db
    is_group = bool(getattr(ctx.command, "commands", None))
    return Shell(chosen, as_json or outer.as_json, None if is_group else place_of(ctx, chosen))


def group(ctx: typer.Context, db: DbOption = None, as_json: JsonOption = False) -> None:
    """Take the shared options before the name of a command."""
    ctx.obj = shell_of(ctx, db, as_json)
