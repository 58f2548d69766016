"""`lumeflow db tenant list|create|suspend|resume|limit|keep`: who shares the database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import Shell, out, run_async
from lumeflow.core.clock import iso
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean

if TYPE_CHECKING:
    from lumeflow.storage.repositories.tenants import SqlTenants, Tenant

app = typer.Typer(help="Tenants: list and make them, suspend them and let them go on.")

TenantArgument = Annotated[str, typer.Argument(metavar="TENANT", help="Its id, such as acme.")]
MostOption = Annotated[
    int | None,
    typer.Option("--concurrency", metavar="N", min=1, max=100_000, help="Executions that it may run at once."),
]
_PAGE = 1000


@app.command("list")
def list_tenants(ctx: typer.Context, db: DbOption = None, as_json: JsonOption = False) -> int:
    """List the tenants. One is made with its first API key, too."""
    shell = shell_of(ctx, db, as_json)

    async def read() -> Sequence["Tenant"]:
        async with shell.open() as lumeflow:
            return await _all(lumeflow.database.installation.tenants)

    found = run_async(read())
    if shell.as_json:
        shell.emit({"tenants": [_entry(tenant) for tenant in found]})
        return 0
    from lumeflow.cli.results import plain_table

    table = plain_table("tenant", "name", "at once", "made", "")
    for tenant in found:
        most = "" if tenant.concurrency is None else str(tenant.concurrency)
        state = "" if tenant.is_active else "suspended"
        table.add_row(tenant.tenant, tenant.name, most, f"{tenant.created_at:%Y-%m-%d}", state)
    if found:
        out().print(table)
    else:
        out().print("no tenants; 'lumeflow db tenant create' makes one", markup=False)
    return 0


@app.command("create")
def create(
    ctx: typer.Context,
    tenant: TenantArgument,
    name: Annotated[str, typer.Option("--name", help="For people; its id if left out.")] = "",
    concurrency: MostOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a tenant."""
    shell = shell_of(ctx, db, as_json)

    async def make() -> "Tenant":
        async with shell.open() as lumeflow:
            tenants = lumeflow.database.installation.tenants
            return await tenants.create(tenant, at=datetime.now(UTC), name=name, concurrency=concurrency)

    return _told(shell, run_async(make()), "made")


@app.command("suspend")
def suspend(ctx: typer.Context, tenant: TenantArgument, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Refuse its keys and begin none of its executions, at once; those that run go on to their end."""
    return _change(shell_of(ctx, db, as_json), tenant, "suspended", is_active=False)


@app.command("resume")
def resume(ctx: typer.Context, tenant: TenantArgument, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Let a suspended tenant go on; what it had queued is run."""
    return _change(shell_of(ctx, db, as_json), tenant, "active", is_active=True)


@app.command("limit")
def limit(
    ctx: typer.Context,
    tenant: TenantArgument,
    concurrency: MostOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Say how many of its executions may run at once, over all processes; without --concurrency, any number."""
    return _change(shell_of(ctx, db, as_json), tenant, "changed", concurrency=concurrency)


@app.command("keep")
def keep(
    ctx: typer.Context,
    tenant: TenantArgument,
    days: Annotated[
        int | None, typer.Option("--days", metavar="N", min=1, max=36_500, help="Days after an execution's end.")
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Say for how long its executions are kept; without --days, as long as LUMEFLOW_RETENTION_DAYS says."""
    return _change(shell_of(ctx, db, as_json), tenant, "changed", retention_days=days)


def _change(shell: Shell, tenant: str, what: str, **changes: Any) -> int:
    async def change() -> "Tenant":
        async with shell.open() as lumeflow:
            tenants = lumeflow.database.installation.tenants
            found = await known_tenant(tenants, tenant)
            await tenants.change(replace(found, **changes))
            return replace(found, **changes)

    return _told(shell, run_async(change()), what)


async def known_tenant(tenants: "SqlTenants", tenant: str) -> "Tenant":
    """The tenant of this id.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    found = await tenants.get(tenant)
    if found is None:
        known = [one.tenant for one in await _all(tenants)]
        raise UsageError(f"there is no tenant '{tenant[:70]}'." + did_you_mean(tenant, known))
    return found


async def _all(tenants: "SqlTenants") -> Sequence["Tenant"]:
    found: list[Tenant] = []
    while page := await tenants.list(limit=_PAGE, after=found[-1].tenant if found else ""):
        found += page
    return found


def _told(shell: Shell, tenant: "Tenant", what: str) -> int:
    if shell.as_json:
        shell.emit(_entry(tenant))
    else:
        out().print(f"tenant {tenant.tenant} is {what}", markup=False)
    return 0


def _entry(tenant: "Tenant") -> dict[str, Any]:
    return {
        "tenant": tenant.tenant,
        "name": tenant.name,
        "active": tenant.is_active,
        "concurrency": tenant.concurrency,
        "retentionDays": tenant.retention_days,
        "createdAt": iso(tenant.created_at),
    }
