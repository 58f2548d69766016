"""`lumeflow blocks …`."""

from typing import TYPE_CHECKING, Annotated

import typer

from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import Shell, out, run_async

if TYPE_CHECKING:
    from lumeflow.core.registry import Registry

app = typer.Typer(help="What workflows can be built from.")


@app.command("list")
def list_blocks(ctx: typer.Context, db: DbOption = None, as_json: JsonOption = False) -> int:
    """List the installed blocks: their own and those of plugins."""
    from lumeflow.cli import block_views

    shell = shell_of(ctx, db, as_json)
    blocks = list(_registry(shell).blocks())
    if shell.as_json:
        shell.emit({"blocks": [block_views.brief(block) for block in blocks]})
    else:
        out().print(block_views.block_table(blocks))
    return 0


@app.command("show")
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="TYPE[/NAME]", help="Such as filter, or api/apollo-people-match.")],
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show what a block does, its configuration, and an example; for a type, all its blocks."""
    from lumeflow.cli import block_views

    shell = shell_of(ctx, db, as_json)
    blocks = block_views.blocks_called(name, _registry(shell))
    if shell.as_json:
        shell.emit({"blocks": [block_views.full(block) for block in blocks]})
    else:
        for block in blocks:
            block_views.print_block(out(), block)
    return 0


def _registry(shell: Shell) -> "Registry":

    async def load() -> "Registry":
        async with shell.open(stores=False) as lumeflow:
            return lumeflow.registry

    return run_async(load())
