"""`lumeflow db …`."""

from pathlib import Path
from typing import Annotated

import typer

from lumeflow.cli.commands import db_keys, db_purge, db_schema, db_secret, db_tenants
from lumeflow.cli.numbers import count
from lumeflow.cli.options import DbOption, JsonOption, group, shell_of
from lumeflow.cli.shell import out, run_async

app = typer.Typer(help="Put data into the database, and look after its schema.")
app.command("upgrade")(db_schema.upgrade)
app.command("downgrade")(db_schema.downgrade)
app.command("version")(db_schema.version)
app.command("check")(db_schema.check)
app.command("purge")(db_purge.purge)
app.add_typer(db_keys.app, name="key", callback=group, no_args_is_help=True)
app.add_typer(db_secret.app, name="secret", callback=group, no_args_is_help=True)
app.add_typer(db_tenants.app, name="tenant", callback=group, no_args_is_help=True)


@app.command("load")
def load(
    ctx: typer.Context,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Such as source_audiences.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON (array or object), JSON Lines or CSV.")],
    tenant: Annotated[str, typer.Option("--tenant", metavar="NAME", help="Whose rows they are.")] = "default",
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Load rows from a file; a row whose id is there already is overwritten. If one row is bad, none is loaded."""
    shell = shell_of(ctx, db, as_json)

    async def load_rows() -> int:
        async with shell.open() as lumeflow:
            if tenant != lumeflow.database.tenant:
                await db_tenants.known_tenant(lumeflow.database.installation.tenants, tenant)
            return await lumeflow.of(tenant).load_rows(table, file)

    rows = run_async(load_rows())
    if shell.as_json:
        shell.emit({"table": table, "rows": rows})
    else:
        out().print(f"{count(rows, 'row')} loaded into {table}", markup=False)
    return 0
