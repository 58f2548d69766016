"""`lumeflow blocks …`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import Shell, out
from lumeflow.core.errors import UsageError
from lumeflow.process import run_async

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
    from lumeflow.reference import used_in
    from lumeflow.workflows import documents

    shell = shell_of(ctx, db, as_json)
    registry = _registry(shell)
    blocks = block_views.blocks_called(name, registry)
    used = used_in(documents(), registry)
    if shell.as_json:
        shell.emit({"blocks": [block_views.full(block, registry, used.get(block.id(), ())) for block in blocks]})
    else:
        for block in blocks:
            block_views.print_block(out(), block, registry, used.get(block.id(), ()))
    return 0


@app.command("docs")
def docs(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the pages are to lie.")],
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write the reference: a Markdown page for each installed block, an index, and a page of the shipped workflows."""
    from lumeflow.reference import write_pages
    from lumeflow.workflows import documents

    shell = shell_of(ctx, db, as_json)
    try:
        written = write_pages(_registry(shell), documents(), folder)
    except OSError as error:
        raise UsageError(f"'{folder}': the pages cannot be written: {error.strerror}.") from error
    if shell.as_json:
        shell.emit({"pages": written.pages, "changed": written.changed, "removed": written.removed})
    else:
        lines = [*(f"wrote {name}" for name in written.changed), *(f"removed {name}" for name in written.removed)]
        lines.append(f"{written.pages} pages in {folder}")
        out().print("\n".join(lines), markup=False, soft_wrap=True)
    return 0


def _registry(shell: Shell) -> "Registry":

    async def load() -> "Registry":
        async with shell.open(stores=False) as lumeflow:
            return lumeflow.registry

    return run_async(load())
