"""`lumeflow db upgrade|downgrade|version|check`: the schema of the database."""

import os
from typing import Annotated

import typer

from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import Shell, out, run_async
from lumeflow.core.errors import UsageError


def version(ctx: typer.Context, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Say which version the schema has, and which is the newest."""
    shell = shell_of(ctx, db, as_json)
    return _tell(shell, None)


def check(ctx: typer.Context, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Compare the database with the tables that lumeflow expects; exit code 1 if it is not as it should be."""
    return _tell(shell_of(ctx, db, as_json), None, compare=True)


def upgrade(
    ctx: typer.Context,
    to: Annotated[int | None, typer.Option("--to", metavar="N", help="Version; the newest if left out.")] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Bring the schema up to date, or make it. Every other command does so too, if the user may."""
    shell = shell_of(ctx, db, as_json)
    from lumeflow.storage.migrations import LATEST

    return _tell(shell, LATEST if to is None else to, is_up=True)


def downgrade(
    ctx: typer.Context,
    to: Annotated[int, typer.Option("--to", metavar="N", help="Version.")],
    is_sure: Annotated[bool, typer.Option("--yes", help="What only newer versions know is lost: go on.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Bring the schema back to an older version, for an older lumeflow. This one would bring it up again."""
    shell = shell_of(ctx, db, as_json)
    if not is_sure:
        raise UsageError("what only newer versions know (queued executions, API keys, secrets) is lost: say --yes")
    return _tell(shell, to, is_up=False)


def _tell(shell: Shell, target: int | None, *, is_up: bool = True, compare: bool = False) -> int:
    from lumeflow.settings import Settings
    from lumeflow.storage.administration import change_schema, schema_state

    settings = Settings.from_environment(os.environ, db=shell.db)
    if target is None:
        state = run_async(schema_state(settings.db, settings.data_dir, compare=compare))
    else:
        state = run_async(change_schema(settings.db, target, settings.data_dir, is_up=is_up))
    is_right = not state.differences and not (compare and state.version != state.latest)
    if shell.as_json:
        answer = {"database": state.name, "version": state.version, "latest": state.latest}
        shell.emit({**answer, "differences": list(state.differences)} if compare else answer)
    else:
        console = out()
        console.print(f"{state.name}: schema version {state.version}, newest {state.latest}", markup=False)
        for difference in state.differences:
            console.print(f"  {difference}", markup=False)
        if compare and is_right:
            console.print("as it should be", markup=False)
    return 0 if is_right else 1
