"""`lumeflow db secret set|list|delete|rotate|key`: secrets in the database, and which ones there are."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from lumeflow.cli.numbers import count
from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import Shell, out, run_async
from lumeflow.core.errors import UsageError
from lumeflow.core.secret import Secret

if TYPE_CHECKING:
    from lumeflow.settings import Settings
    from lumeflow.storage import Database
    from lumeflow.vault.vault import Vault

T = TypeVar("T")

app = typer.Typer(help="Secrets of the database, encrypted with the key in LUMEFLOW_SECRET_KEY.")

TenantOption = Annotated[
    str | None, typer.Option("--tenant", metavar="ID", help="Whose secret. Default: the installation's own.")
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="As workflows name it, or a vendor's key's name.")]


@app.command("set")
def set_secret(
    ctx: typer.Context,
    name: NameArgument,
    tenant: TenantOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Store a secret, or another value of it. The value is read from standard input, or asked for: never an argument,
    which others could see.
    """
    from lumeflow.core.clock import SystemClock

    shell = shell_of(ctx, db, as_json)
    value = _value(name)
    key_id = _work(shell, tenant, lambda vault: vault.put(name, value, at=SystemClock().now()))
    if shell.as_json:
        shell.emit({"name": name, "keyId": key_id})
    else:
        out().print(f"{name} stored, encrypted with the key {key_id}", markup=False)
    return 0


@app.command("list")
def list_secrets(
    ctx: typer.Context, tenant: TenantOption = None, db: DbOption = None, as_json: JsonOption = False
) -> int:
    """Show the secrets that workflows may name, and where each comes from; never their values."""
    from lumeflow.core.clock import iso

    shell = shell_of(ctx, db, as_json)
    found = _work(shell, tenant, lambda vault: vault.load(locked=True))
    unreadable = found.unreadable()
    secrets = []
    for name, source in sorted(found.sources().items()):
        row = found.stored.get(name) if source == "database" else None
        stored = {} if row is None else {"keyId": row.key_id, "updatedAt": iso(row.updated_at)}
        secrets.append({"name": name, "source": str(source), **stored, "readable": name not in unreadable})
    if shell.as_json:
        shell.emit({"secrets": secrets})
        return 0
    for entry in secrets:
        about = f", key {entry['keyId']}, {entry['updatedAt']}" if "keyId" in entry else ""
        trouble = "" if entry["readable"] else f" ({unreadable[str(entry['name'])]})"
        out().print(f"{entry['name']}: {entry['source']}{about}{trouble}", markup=False, soft_wrap=True)
    if not secrets:
        out().print("there are no secrets", markup=False)
    return 0


@app.command("delete")
def delete(
    ctx: typer.Context,
    name: NameArgument,
    tenant: TenantOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Forget a secret of the database."""
    shell = shell_of(ctx, db, as_json)
    _work(shell, tenant, lambda vault: vault.delete(name))
    if shell.as_json:
        shell.emit({"name": name, "deleted": True})
    else:
        out().print(f"{name} deleted", markup=False)
    return 0


@app.command("rotate")
def rotate(ctx: typer.Context, db: DbOption = None, as_json: JsonOption = False) -> int:
    """Encrypt the secrets of all tenants with the first key in LUMEFLOW_SECRET_KEY; then the others can go."""
    shell = shell_of(ctx, db, as_json)

    async def work() -> int:
        from lumeflow.vault.vault import rotate_all

        async with _open(shell) as (settings, database):
            return await rotate_all(settings, database)

    changed = run_async(work())
    if shell.as_json:
        shell.emit({"rotated": changed})
    else:
        out().print(f"{count(changed, 'secret')} encrypted anew", markup=False)
    return 0


@app.command("key")
def key(ctx: typer.Context, as_json: JsonOption = False) -> int:
    """Make a key for LUMEFLOW_SECRET_KEY. To rotate, put it before the old one, with a comma between them."""
    from lumeflow.vault.keyring import new_key

    shell = shell_of(ctx, None, as_json)
    if shell.as_json:
        shell.emit({"key": new_key()})
    else:
        out().print(new_key(), markup=False, soft_wrap=True)
    return 0


def _work(shell: Shell, tenant: str | None, action: "Callable[[Vault], Awaitable[T]]") -> T:
    async def work() -> T:
        from lumeflow.vault.vault import Vault

        async with _open(shell) as (settings, database):
            return await action(Vault(settings, await _of(database, tenant)))

    return run_async(work())


@asynccontextmanager
async def _open(shell: Shell) -> "AsyncIterator[tuple[Settings, Database]]":
    from lumeflow.settings import Settings
    from lumeflow.storage import open_database

    settings = Settings.from_environment(os.environ, db=shell.db)
    database = await open_database(settings.db, data_dir=settings.data_dir)
    try:
        yield settings, database
    finally:
        await database.close()


async def _of(database: "Database", tenant: str | None) -> "Database":
    if tenant is None or tenant == database.tenant:
        return database
    own = database.of(tenant)
    if await database.installation.tenants.get(tenant) is None:
        raise UsageError(f"there is no tenant '{tenant}'")
    return own


def _value(name: str) -> Secret:
    """What stands on standard input, without the line break at its end; on a terminal, what is typed unseen."""
    if sys.stdin.isatty():
        text = typer.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True, err=True)
    else:
        try:
            text = sys.stdin.buffer.read().decode()
        except UnicodeDecodeError:
            raise UsageError(f"the value of '{name}' on standard input is not a text in UTF-8") from None
        text = text.removesuffix("\n").removesuffix("\r")
    return Secret(text)
