"""`lumeflow db purge`: executions go when their time has come."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from lumeflow.cli.numbers import count
from lumeflow.cli.options import DbOption, JsonOption, shell_of
from lumeflow.cli.shell import out, run_async
from lumeflow.core.clock import iso
from lumeflow.core.errors import UsageError

if TYPE_CHECKING:
    from lumeflow.storage.purging import Purged

_AGE = re.compile(r"([0-9]{1,6})([dh])")


def purge(
    ctx: typer.Context,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="AGE", help="Such as 90d or 12h; else as tenants and settings say."),
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="ID", help="Whose. Default: all tenants'.")] = None,
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Say how many it would be, and delete nothing.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> int:
    """Delete executions that ended some time ago, with their records, timeline, ledger and files; their costs stay."""
    shell = shell_of(ctx, db, as_json)
    age = None if older_than is None else _age(older_than)

    async def work() -> Sequence["Purged"]:
        from lumeflow.storage.purging import Retention, purge

        async with shell.open() as lumeflow:
            days = lumeflow.settings.retention_days
            usual = None if days is None else timedelta(days=days)
            retention = Retention(datetime.now(UTC), age, usual)
            return await purge(lumeflow.database, retention, tenants=[tenant] if tenant else None, dry=is_dry)

    done = run_async(work())
    if shell.as_json:
        shell.emit({"dryRun": is_dry, "tenants": [_entry(one) for one in done]})
        return 0
    for one in done:
        out().print(_line(one, is_dry=is_dry), markup=False, soft_wrap=True)
    return 0


def _age(text: str) -> timedelta:
    found = _AGE.fullmatch(text)
    if found is None:
        raise UsageError(f"--older-than: '{text[:40]}' is no age: expected days or hours, such as 90d or 12h")
    number = int(found[1])
    return timedelta(days=number) if found[2] == "d" else timedelta(hours=number)


def _line(one: "Purged", *, is_dry: bool) -> str:
    if one.before is None:
        return f"tenant {one.tenant} keeps its executions: say --older-than, or 'lumeflow db tenant keep'"
    what = "would be deleted" if is_dry else "deleted"
    return f"tenant {one.tenant}: {count(one.executions, 'execution')} {what} that ended before {iso(one.before)}"


def _entry(one: "Purged") -> dict[str, object]:
    return {
        "tenant": one.tenant,
        "endedBefore": None if one.before is None else iso(one.before),
        "executions": one.executions,
    }
