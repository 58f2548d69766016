"""`lumeflow blocks …`."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumeflow.cli.backend import Blocks
from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import Shell, out, run_async
from lumeflow.core.block_type import BlockType
from lumeflow.core.errors import UsageError

if TYPE_CHECKING:
    from lumeflow.core.registry import Registry

app = typer.Typer(help="What workflows can be built from.")


@app.command("list")
def list_blocks(ctx: typer.Context, db: DbOption = None, as_json: JsonOption = False) -> int:
    """List the installed blocks: their own and those of plugins."""
    from lumeflow.cli import block_views

    shell = shell_of(ctx, db, as_json)

    async def read() -> Blocks:
        async with shell.backend(stores=False) as backend:
            return await backend.blocks()

    found = run_async(read())
    if shell.as_json:
        shell.emit({"blocks": found.blocks, "leftOut": found.left_out})
    else:
        console = out()
        console.print(block_views.block_table(found.blocks, console.width))
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

    async def read() -> Sequence[Mapping[str, Any]]:
        async with shell.backend(stores=False) as backend:
            return await backend.blocks_called(name)

    blocks = run_async(read())
    if shell.as_json:
        shell.emit({"blocks": blocks})
    else:
        for block in blocks:
            block_views.print_block(out(), block)
    return 0


@app.command("new")
def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as company-lookup.")],
    block_type: Annotated[BlockType, typer.Option("--type", help="Type of the block.")] = BlockType.TRANSFORM,
    folder: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Where to; default: the first folder of LUMEFLOW_PLUGINS."),
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Write a block of your own and its test, which work as they stand. Nothing is ever overwritten."""
    from lumeflow.cli.scaffold import NewBlock, write
    from lumeflow.plugins import load_registry

    shell = shell_of(ctx, db, as_json)
    folder, is_found = _own_folder(folder)
    registry, _ = load_registry([entry for entry in {folder, *_own_folders()} if entry.is_dir()])
    block = NewBlock.checked(name, block_type, registry)
    block_file, test_file = write(block, folder)
    if shell.as_json:
        shell.emit({"id": f"{block.type}/{block.name}", "block": str(block_file), "test": str(test_file)})
        return 0
    lines = [f"wrote {block_file}", f"wrote {test_file}", f"test it:   pytest {test_file}"]
    if not is_found:
        lines.append(f"use it:    export LUMEFLOW_PLUGINS={folder}")
    lines.append(f"read it:   lumeflow blocks show {block.type}/{block.name}")
    out().print("\n".join(lines), markup=False, soft_wrap=True)
    return 0


def _own_folder(given: Path | None) -> tuple[Path, bool]:
    """The folder for a block of the user's own, and whether plugins are looked for there.

    Raises:
        UsageError: None is named.
    """
    known = _own_folders()
    folder = given or next(iter(known), None)
    if folder is None:
        raise UsageError("where to? Name a folder with --to, or in the environment variable LUMEFLOW_PLUGINS.")
    return folder, folder.absolute() in {entry.absolute() for entry in known}


def _own_folders() -> list[Path]:
    return [Path(entry) for entry in os.environ.get("LUMEFLOW_PLUGINS", "").split(os.pathsep) if entry]


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
    """What is installed here."""

    async def load() -> "Registry":
        async with shell.open(stores=False) as lumeflow:
            return lumeflow.registry

    return run_async(load())
