"""`lumeflow schema`."""

import typer

from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import run_async


def schema(ctx: typer.Context, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Print the JSON Schema of workflow documents, with the configuration of every installed block.

    Save it and name it in an editor's settings: the editor then completes and checks workflow files.
    """
    shell = shell_of(ctx, db, as_json)

    async def print_schema() -> None:
        async with shell.backend(stores=False) as backend:
            shell.emit(await backend.schema())

    run_async(print_schema())
    return 0
