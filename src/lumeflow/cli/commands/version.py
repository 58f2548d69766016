"""`lumeflow version`."""

import platform

import typer

from lumeflow.cli.installed import version as installed_version
from lumeflow.cli.options import DbOption, JsonOption, shell_of


def version(ctx: typer.Context, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Print the version."""
    shell = shell_of(ctx, db, as_json)
    if shell.as_json:
        shell.emit({"version": installed_version(), "python": platform.python_version()})
    else:
        typer.echo(f"lumeflow {installed_version()}")
    return 0
