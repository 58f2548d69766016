"""`lumeflow db key create|list|revoke`: who may call the API."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import Shell, out, run_async
from lumeflow.core.clock import iso
from lumeflow.core.errors import UsageError

app = typer.Typer(help="API keys: make, list and revoke them.")

TenantOption = Annotated[str, typer.Option("--tenant", metavar="NAME", help="Whose; made if there is none.")]
_PAGE = 1000


@app.command("create")
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Option("--name", help="For people, such as the program that uses it.")] = "command line",
    tenant: TenantOption = "default",
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", help="read, write, execute, live, secrets or admin; default: the first four."),
    ] = None,
    days: Annotated[int | None, typer.Option("--days", min=1, max=36_500, help="Ends after so many days.")] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a key, and print it on standard output: it is shown this once. Only its hash is kept."""
    from lumeflow.server.keys import USUAL, make_key

    shell = shell_of(ctx, db, as_json)
    now = datetime.now(UTC)

    async def make() -> tuple[str, Any]:
        async with shell.open() as lumeflow:
            return await make_key(
                lumeflow.database.of(tenant),
                name=name,
                scopes=scopes or [str(scope) for scope in USUAL],
                at=now,
                expires_at=None if days is None else now + timedelta(days=days),
            )

    key, entry = run_async(make())
    if shell.as_json:
        shell.emit({"key": key, **_entry(entry)})
    else:
        typer.echo(key)
        typer.echo(f"key {entry.id} of tenant {tenant}, for {', '.join(entry.scopes)}: it is not shown again", err=True)
    return 0


@app.command("list")
def list_keys(
    ctx: typer.Context, tenant: TenantOption = "default", db: DbOption = None, as_json: JsonOption = False
) -> int:
    """List the keys of a tenant, revoked ones too; never the keys themselves."""
    shell = shell_of(ctx, db, as_json)
    keys = run_async(_read(shell, tenant))
    if shell.as_json:
        shell.emit({"keys": [_entry(key) for key in keys]})
        return 0
    from lumeflow.cli.results import plain_table

    table = plain_table("id", "name", "begins with", "scopes", "made", "")
    table.columns[0].no_wrap = True
    for key in keys:
        state = "revoked" if key.revoked_at else f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else ""
        table.add_row(key.id, key.name, key.prefix, ", ".join(key.scopes), f"{key.created_at:%Y-%m-%d}", state)
    if keys:
        out().print(table)
    else:
        out().print(f"no keys of tenant {tenant}; 'lumeflow db key create' makes one", markup=False)
    return 0


@app.command("revoke")
def revoke(
    ctx: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as 'list' shows it.")],
    tenant: TenantOption = "default",
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """End a key, at once and for ever."""
    shell = shell_of(ctx, db, as_json)

    async def end() -> bool:
        async with shell.open() as lumeflow:
            return await lumeflow.database.of(tenant).api_keys.revoke(key_id, at=datetime.now(UTC))

    if not run_async(end()):
        raise UsageError(f"tenant '{tenant}' has no valid key with the id '{key_id[:40]}'")
    if shell.as_json:
        shell.emit({"id": key_id, "revoked": True})
    else:
        typer.echo(f"key {key_id} is revoked")
    return 0


async def _read(shell: Shell, tenant: str) -> Sequence[Any]:
    async with shell.open() as lumeflow:
        return await lumeflow.database.of(tenant).api_keys.list(limit=_PAGE)


def _entry(key: Any) -> dict[str, Any]:
    times = {"createdAt": key.created_at, "expiresAt": key.expires_at, "revokedAt": key.revoked_at}
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "tenant": key.tenant,
        "scopes": list(key.scopes),
        **{name: None if at is None else iso(at) for name, at in times.items()},
    }
